/* What the files of the smtp role share. For role_smtp.c and smtp_*.c here only. */
#ifndef REMEX_PROC_ROLE_SMTP_H
#define REMEX_PROC_ROLE_SMTP_H

#include "base/vec.h"
#include "engine/held_connection.h"
#include "mail/ip.h"
#include "proc/job_list.h"
#include "proc/role.h"
#include "sys/seats.h"

#include <pthread.h>

struct smtp_threads;

struct smtp_listener {
    int fd;
    bool tls;
};

/* A session in a process of its own. */
struct smtp_child {
    int fd; /* -1: it has closed its side */
    pid_t pid;
    int seat;
    uint64_t ticket; /* of its questions */
    struct ip ip;
};

struct smtp_role {
    struct role *role;
    struct seats *seats;
    unsigned owner;
    int vault; /* sys/tls_vault.h; -1: none */
    VEC(struct smtp_listener) listeners;
    VEC(struct smtp_child) children;
    struct smtp_threads *threads; /* NULL: each session has a process */
    pthread_mutex_t lock;         /* of the next two */
    int queue; /* socket to the queue process; -1: none now. Only the main thread changes it. */
    struct job_list pending; /* arrivals that it has not been told of */
    uint64_t tickets;
    int64_t told_ms; /* when the master was last told of a connection */
};

/* A connection that was accepted. */
struct smtp_connection {
    int fd;
    int seat;
    struct ip ip;
    int port;
    unsigned connected; /* connections of all processes, this one too */
    bool tls;           /* TLS starts at once */
};

/* Serves the connection in this process, a child of the role, and ends it. up: socket to the role. */
/* Gives the queue process a connection for a message before it is told of that; one that cannot be sent is closed. **thread**: any. */
void smtp_role_held(struct smtp_role *s, const struct held_connection *h);
/* A message is in the spool. **thread**: any. */
void smtp_role_arrived(struct smtp_role *s, struct str id, struct str queue, unsigned when);
/* Asks the queue process for a run; the answer comes with the ticket. False: nobody is there. **thread**: any. */
bool smtp_role_ask(struct smtp_role *s, uint64_t ticket, struct str argument);

_Noreturn void smtp_child_live(struct smtp_role *s, const struct smtp_connection *c, int up);

#endif
