/* The SMTP sessions of a process: many connections, few threads.
 *
 * A thread serves a session while its client talks. When the next line does not come within a moment, the session lets go of its
 * buffers and its thread, and is watched by epoll until there is input or its time is up; then any thread goes on with it.
 * What a thread needs to evaluate a configuration (engine, eval, language machine) is made once for each thread and shared by the
 * sessions that it serves in turn; configuration, site and hints are shared by all threads and do not change.
 *
 * The text of a message is awaited in the same way, up to SMTP_TEXT_MAX bytes. What is longer, BDAT, and dialogues of AUTH are read
 * by a thread that stays. When all threads are taken (the log says so), those that serve a client which has sent next to nothing for
 * slow_ms give it up, a few at a time, with the answer that its time is up; so nobody can keep all for long. **thread**: all functions may be called from any.
 */
#ifndef REMEX_ENGINE_SMTP_POOL_H
#define REMEX_ENGINE_SMTP_POOL_H

#include "engine/smtp_session.h"

struct smtp_pool;

/* A connection that was accepted. */
struct smtp_pool_peer {
    int fd;             /* a TCP socket; the pool closes it */
    struct str address; /* as peer_address_of gives it */
    int port;
    struct str own_address; /* the local end */
    int own_port;
    int64_t count; /* connections of the whole service, this one included */
    bool tls;      /* starts at once */
    uint64_t tag;  /* given back to closed() */
};

/* Called by the threads of the sessions, several at the same time. */
struct smtp_pool_calls {
    /* Makes what a thread works with, in a, which is freed when the thread ends. NULL: cannot (logged). */
    struct engine *(*engine)(void *ctx, struct arena *a);
    /* A message is in the spool. */
    void (*accepted)(void *ctx, struct engine *e, struct str id, struct str queue,
                     enum smtp_due due);
    /* The same for one in the fast lane; NULL: none goes there. */
    void (*accepted_in_lane)(void *ctx, struct engine *e, struct str id,
                             const struct lane_ref *ref, enum smtp_due due);
    /* Starts the deliveries of ATRN over a connection, **owns**: its descriptor. False: it cannot. NULL likewise. */
    bool (*turn)(void *ctx, const struct held_connection *h);
    /* Starts a queue run for ETRN. False: one for that argument is under way. NULL: cannot. */
    bool (*etrn)(void *ctx, struct str argument);
    /* The connection is no more. May be NULL. */
    void (*closed)(void *ctx, uint64_t tag);
    void *ctx;
};

struct smtp_pool_setup {
    const struct smtp_pool_calls *calls;
    unsigned threads_max; /* 0: SMTP_POOL_THREADS */
    int64_t slow_ms;      /* 0: SMTP_POOL_SLOW_MS */
    unsigned
        threads_kept; /* started at once, and kept when there is nothing to do; 0: SMTP_POOL_KEPT, when they are needed */
};

enum { SMTP_POOL_THREADS = 200, SMTP_POOL_KEPT = 4, SMTP_POOL_SLOW_MS = 5000 };

/* NULL: errno says why not. */
struct smtp_pool *smtp_pool_new(const struct smtp_pool_setup *setup);
/* Takes a connection over and returns at once. False: it could not be taken, and is closed (closed() is not called). */
bool smtp_pool_add(struct smtp_pool *p, const struct smtp_pool_peer *peer);
/* Sessions that have not ended. */
size_t smtp_pool_count(struct smtp_pool *p);
/* Waits until all have ended of their own accord, at most so long (-1: for ever). True: there is none left. */
bool smtp_pool_wait(struct smtp_pool *p, int64_t ms);
/* Sessions that wait for a command are told that the service ends; others when they come to their next command. New
 * connections are refused. */
void smtp_pool_shut_down(struct smtp_pool *p);
/* Ends the threads and frees everything; after smtp_pool_wait said true. */
void smtp_pool_free(struct smtp_pool *p);

#endif
