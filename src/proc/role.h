/* The processes of the daemon besides the master: each is the program executed again, told over one socket what it is.
 *
 * A role takes its configuration from the master, gives up what it does not need, says that it is ready, and works until the
 * master tells it to retire or is gone. Nothing that a role does needs the command line: called by a user, it has no
 * master to talk to, and no more power than its caller.
 */
#ifndef REMEX_PROC_ROLE_H
#define REMEX_PROC_ROLE_H

#include "engine/held_connection.h"
#include "proc/ipc.h"
#include "proc/mode.h"

enum { ROLE_FD = 3 /* the socket to the master */ };

struct role {
    enum ipc_kind kind;
    unsigned number;     /* among those of its kind */
    unsigned generation; /* of the configuration */
    struct mode *m;
    struct engine *e;
    int control; /* -1: the master is gone */
    int signals;
    bool retiring; /* nothing new is taken */
    bool last;     /* when retiring: as far as is known nobody goes on with the work */
};

/* The mode of -bI:role. */
int role_run(struct mode *m);

/* A message of the master, in *msg. False: none, or the master is gone, or it said RETIRE (noted in r). Others are left to
 * the caller. */
bool role_hear(struct role *r, struct ipc_message *msg);
/* "I am ready." */
void role_say_ready(struct role *r);
/* Sends; what cannot be sent because the peer is gone is dropped: false. */
bool role_send(int to, enum ipc_type type, const struct ipc_field *f, int fd);
/* The same without waiting: false also when the peer does not read. */
bool role_offer(int to, enum ipc_type type, const struct ipc_field *f);
/* The connection in such a message, whose texts it shares. */
struct held_connection role_held_of(const struct ipc_message *msg);
/* Sends a connection that is held, without waiting, and closes it here. */
void role_pass_held(int to, enum ipc_type type, const struct held_connection *h);
/* "My socket to the queue process is closed." The master makes another one, when there is somebody at its other end. */
void role_say_lost(struct role *r);
/* Gives up root for good, if it is there, and becomes the mail user. */
bool role_become_mail_user(struct role *r);
/* Answers SIGUSR1: a line in the process log, about this process or a child of its. */
void role_tell_state(const struct role *r, pid_t pid, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What each kind does; the exit status. */
int role_smtp(struct role *r);
int role_queue(struct role *r);
int role_deliver(struct role *r);
int role_agent(struct role *r);
int role_inspect(struct role *r);

#endif
