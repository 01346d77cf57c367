/* One SMTP session: a connection, the commands on it, the messages that come of them.
 *
 * Serves -bs, -bS, -bh and the connections of a daemon alike. All state is in the session's own objects, so that sessions may
 * run on several threads, each with an engine of its own. Source: specification, "SMTP processing"; RFC 5321.
 */
#ifndef REMEX_ENGINE_SMTP_SESSION_H
#define REMEX_ENGINE_SMTP_SESSION_H

#include "engine/engine.h"
#include "engine/held_connection.h"
#include "engine/receive.h"

enum smtp_kind {
    SMTP_KIND_INTERACTIVE, /* a peer that reads the answers */
    SMTP_KIND_BATCH,       /* -bS: nobody answers, the first error ends it */
    SMTP_KIND_TEST,        /* -bh: nothing is kept of messages */
};

/* When a message that was accepted is to be delivered. */
enum smtp_due {
    SMTP_DUE_NOW,
    SMTP_DUE_QUEUE_RUN, /* something forbids it before the next queue run */
};

struct smtp_setup {
    enum smtp_kind kind;
    int in, out;
    bool socket;         /* input is a network connection: synchronisation is checked */
    int64_t connections; /* of a daemon, with this one; 0: inetd, or no network connection */
    bool
        pooled; /* the connection may rest between commands: in and out are one stream socket */
    bool tls;   /* starts at once: tls_on_connect_ports */
    bool turned; /* the connection was ours, and was turned round (ATRN): */
    struct tls *tls_of;
    struct tls_connection *secure; /* its TLS, which the session owns; NULL: none */
    bool no_qualify;   /* -bnq: local messages with unqualified addresses are refused */
    int64_t timeout_s; /* of commands and data: -os; -1: smtp_receive_timeout */
    /* -bS: */
    struct str protocol;             /* -oMr; unset: as the session goes */
    struct str authenticated_sender; /* -oMas; unset: none */
    bool queue_only;                 /* no message is delivered at once */
    bool delayed; /* likewise, for a reason that goes for all messages and is no news of one */
    /* A message is in the spool. May be NULL. */
    void (*accepted)(void *ctx, struct engine *e, struct str id, struct str queue,
                     enum smtp_due due);
    /* Turns true in `accepted` when the message was not delivered and that ends the session (mua_wrapper). NULL: it never does. */
    const bool *failed;
    /* As `accepted`, for a message in the fast lane. NULL: none goes there. */
    void (*accepted_in_lane)(void *ctx, struct engine *e, struct str id,
                             const struct lane_ref *ref, enum smtp_due due);
    /* Whether others wait for the thread that the session has; ctx is crowded_ctx. NULL: it may have it as long as it likes. */
    bool (*crowded)(void *ctx);
    void *crowded_ctx;
    int64_t slow_ms; /* smtp_io_yield's window */
    /* Starts the deliveries of ATRN over a connection, **owns**: its descriptor. False: it cannot. NULL likewise. */
    bool (*turn)(void *ctx, const struct held_connection *h);
    /* Starts a queue run for ETRN. False: one for that argument is under way. NULL: cannot. */
    bool (*etrn)(void *ctx, struct str argument);
    void *ctx;
};

/* Runs the session to its end. e->eval->session is what is known of the peer; it is completed here, and eval's message is
 * the one at hand. Returns the exit status. */
int smtp_session_run(struct engine *e, const struct smtp_setup *setup);

/* --- the same in steps, so that a session holds no thread while its client says nothing --- */

struct smtp_session;

enum smtp_step {
    SMTP_STEP_MORE, /* a command was served; the next one may be there already */
    SMTP_STEP_REST, /* the client has nothing to say for now (setup.pooled) */
    SMTP_STEP_END,  /* the session is over: smtp_session_end */
};

/* model: what is known of the peer; the session lives in its arena, and setup as long. Nothing is done yet. */
struct smtp_session *smtp_session_new(struct session *model, const struct smtp_setup *setup);
/* What follows works with e, the engine of the thread at work, until smtp_session_leave: then another thread may enter. */
void smtp_session_enter(struct smtp_session *s, struct engine *e);
void smtp_session_leave(struct smtp_session *s);
/* The greeting when it is the first one, else a command; waits for its line. Between enter and leave. */
enum smtp_step smtp_session_step(struct smtp_session *s);
/* Whether it waits for the text of a message, and not for a command. Not while a thread works on it. */
bool smtp_session_awaits_text(const struct smtp_session *s);
/* Lets go of what can be had again. After SMTP_STEP_REST and smtp_session_leave; the last line read is gone. */
void smtp_session_rest(struct smtp_session *s);
/* When it will have waited too long for its next line, on the monotonic clock; 0: never. */
int64_t smtp_session_deadline_ms(const struct smtp_session *s);
/* Why its next step is its last one: the time is up, or the service ends. Not while a thread works on it. */
enum smtp_cause { SMTP_CAUSE_NONE, SMTP_CAUSE_TIMEOUT, SMTP_CAUSE_SHUTDOWN };
void smtp_session_interrupt(struct smtp_session *s, enum smtp_cause why);
/* After SMTP_STEP_END: last words, logs, clean-up (leaves as well). Returns the exit status. */
int smtp_session_end(struct smtp_session *s);

#endif
