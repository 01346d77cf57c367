/* One SMTP session: a connection, the commands on it, the messages that come of them.
 *
 * Serves -bs, -bS, -bh and the connections of a daemon alike. All state is in the session's own objects, so that sessions may
 * run on several threads, each with an engine of its own. Source: specification, "SMTP processing"; RFC 5321.
 */
#ifndef REMEX_ENGINE_SMTP_SESSION_H
#define REMEX_ENGINE_SMTP_SESSION_H

#include "engine/engine.h"
#include "engine/receive.h"

enum smtp_kind {
    SMTP_KIND_INTERACTIVE, /* a peer that reads the answers */
    SMTP_KIND_BATCH,       /* -bS: nobody answers, the first error ends it */
    SMTP_KIND_TEST,        /* -bh: nothing is kept of messages */
};

struct smtp_setup {
    enum smtp_kind kind;
    int in, out;
    bool socket;       /* input is a network connection: synchronisation is checked */
    bool no_qualify;   /* -bnq: local messages with unqualified addresses are refused */
    int64_t timeout_s; /* of commands and data: -os; -1: smtp_receive_timeout */
    /* -bS: */
    struct str protocol;             /* -oMr; unset: as the session goes */
    struct str authenticated_sender; /* -oMas; unset: none */
    bool queue_only;                 /* no message is delivered at once */
    /* A message is in the spool, and nothing forbids its delivery. May be NULL. */
    void (*accepted)(void *ctx, struct str id, struct str queue);
    /* Starts a queue run for ETRN. False: one for that argument is under way. NULL: cannot. */
    bool (*etrn)(void *ctx, struct str argument);
    void *ctx;
};

/* Runs the session to its end. e->eval->session is what is known of the peer; it is completed here, and eval's message is
 * the one at hand. Returns the exit status. */
int smtp_session_run(struct engine *e, const struct smtp_setup *setup);

#endif
