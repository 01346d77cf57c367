/* What every step of the engine works with: one object a process or thread that handles messages.
 *
 * Identity is the real uid of who called, power the effective one. A process that can become other users keeps root in reserve
 * (saved ids) and works as the mail user meanwhile; only children of sys/child.h become somebody, for good.
 */
#ifndef REMEX_ENGINE_ENGINE_H
#define REMEX_ENGINE_ENGINE_H

#include "base/str.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "engine/spool.h"
#include "filter/vm.h"
#include "sys/account.h"
#include "sys/log.h"

struct held_connection; /* engine/held_connection.h */
struct hints;           /* sys/hints.h */
struct site;
struct acl_up;
struct engine_become;
struct lane;
struct map;
struct message_id_clock;
struct turned;      /* engine/turned.h */
struct remote_kept; /* engine/remote_kept.h */
struct remote_pool; /* engine/remote_pool.h */
struct run_memory;  /* engine/run_memory.h */

/* Who called the program. */
struct engine_caller {
    uid_t uid;
    gid_t gid;
    struct str login; /* of the real uid; its number when it has no name */
    struct str name;  /* full name, may be empty */
    bool trusted, admin;
};

/* Answers that hold for a moment, by the monotonic clock. */
struct spool_kept;

struct engine_memo {
    int64_t room_ms; /* until then there is plenty of room for the spool and logs */
    int64_t scan_ms; /* until then there is no local_scan function */
};

struct engine {
    struct arena *arena; /* lives as long as the engine */
    const struct conf *conf;
    struct eval *eval;
    struct vm *vm;
    const struct site *site;
    struct engine_caller caller;
    uid_t mail_uid; /* exim_user, exim_group */
    gid_t mail_gid;
    bool
        can_become; /* root is in reserve, or the agent is there: children can become any user */
    const struct engine_become *become; /* how; engine/become.h */
    bool
        dropped; /* root was given up for good (deliver_drop_privilege): deliveries as others are refused */
    bool dont_deliver;        /* -N */
    bool verbose;             /* -v: what happens is told on stderr */
    bool log_aside;           /* EXPN: lines of the main log are no news, and go to stderr */
    bool log_to_stderr;       /* tests (-bh, -bt): main log lines go there */
    bool callouts_skipped;    /* -bh: an address that was routed is good */
    bool attended;            /* whoever handed the message in waits for its delivery (-odi) */
    bool queue_run;           /* deliveries of a queue run: $queue_running */
    bool forced;              /* -M, -qf: retry times do not count */
    bool queue_reports;       /* bounces and warnings wait for a queue run (-odq) */
    bool first_stage;         /* of -qq: remote deliveries are only noted */
    bool local_only;          /* -ql: remote deliveries wait */
    bool queue_smtp;          /* -odqs: they are routed, and wait */
    struct str queue;         /* named queue at work; "" is the default one */
    struct hints *hints;      /* NULL until needed */
    struct remote_kept *kept; /* a connection that waits for its next message, or NULL */
    struct held_connection
        *held; /* one over which the message at hand has its envelope already, or NULL */
    VEC(pid_t)
    lingering; /* processes that deliver what waits for the hosts of the message at hand, or reports about it that somebody waits for */
    struct turned *turned;    /* the run at hand is for the client of ATRN; NULL: it is not */
    struct remote_pool *pool; /* those kept for what comes next; NULL: none is */
    struct spool_kept *input; /* directory at hand in a queue run; NULL: none is kept */
    struct run_memory *run;   /* of the queue run at hand; NULL: there is none */
    struct log_settings log;
    struct arena *spare; /* memory of the delivery before, in a queue run; NULL: none */
    bool keeps_spare;    /* it is freed with arena */
    struct arena *lines; /* maillog.c puts lines of logs together in it; NULL until needed */
    uint64_t selectors;  /* of log_selector, bits by enum log_selector */
    const struct durable_calls *calls; /* of the spool: durable_kernel, or unsynced */
    struct lane
        *lane; /* fast lane of this process; NULL: every message is in the standing lane */
    struct message_id_clock *ids; /* of the threads that receive; NULL: one message at a time */
    const struct acl_up *policy; /* what ACLs ask; engine/policy.h makes it when it is needed */
    const char *root;            /* spool_directory; engine_place makes it when it is needed */
    struct engine_memo memo;
    struct map *queues;      /* names of queues that were at work; likewise */
    int64_t deliverer;       /* engine_deliverer */
    pid_t deliverer_process; /* whose that is */
};

/* How this configuration has names of users looked up. */
struct account_rules engine_account_rules(const struct engine *e);
/* The spool that the configuration and the engine's queue name. Its texts live as long as the engine, which keeps one copy of
 * each: a call for every message costs no memory. */
struct spool_place engine_place(struct engine *e);
/* The name of a queue, to live as long as the engine; "" for "" and for what cannot be one. */
struct str engine_keep_queue(struct engine *e, struct str name);

/* The name, a positive number that nobody else has, under which this process delivers to mailboxes. Whoever bears it has written down what
 * became of a delivery before it begins the next: mailboxes forget a delivery when the same deliverer comes again. */
int64_t engine_deliverer(struct engine *e);
/* What became of a delivery could not be found out, or not be written down: from now on under another name. */
void engine_deliverer_change(struct engine *e);

#endif
