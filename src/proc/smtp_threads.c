/* Sessions on threads; see smtp_threads.h. */
#include "proc/smtp_threads.h"

#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/cutthrough.h"
#include "engine/lane_keep.h"
#include "engine/maillog.h"
#include "engine/smtp_pool.h"
#include "proc/engine_start.h"
#include "proc/queueing.h"
#include "proc/smtp_admit.h"
#include "sys/peer_address.h"
#include "sys/process.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum {
    ETRN_WAIT_S = 30,
    QUESTIONS_MAX = 256, /* that wait for an answer at the same time */
    THREADS_KEPT = 24,   /* what a middling load needs: no thread is started under it */
    HEAPS_MAX = 4,
};

/* ETRN of a session: 0 is no ticket. */
struct question {
    uint64_t ticket;
    bool answered, started;
};

struct smtp_threads {
    struct smtp_role *role;
    struct smtp_pool *pool;
    struct smtp_pool_calls calls;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t change;
    uint64_t tickets;
    struct question questions[QUESTIONS_MAX];
};

static struct engine *
make_engine(void *ctx, struct arena *a)
{
    struct smtp_threads *t = ctx;
    return engine_start_thread(t->role->role->e, a);
}

/* A connection that its callouts have kept for it. */
static void
hand_over_held(struct smtp_threads *t, struct engine *e, struct str id)
{
    struct held_connection h;
    struct arena *a = arena_new();
    if (cutthrough_hand_over(e, a, id, &h))
        smtp_role_held(t->role, &h);
    arena_free(a);
}

static void
accepted(void *ctx, struct engine *e, struct str id, struct str queue, enum smtp_due due)
{
    struct smtp_threads *t = ctx;
    struct role *r = t->role->role;
    if (due != SMTP_DUE_NOW)
        return;
    enum reception_delivery when = queueing_choose_for(r->m, r->e, id);
    if (when == RECEPTION_QUEUE || smtp_admit_is_crowded(r->e, seats_taken(t->role->seats), id))
        return;
    hand_over_held(t, e, id);
    smtp_role_arrived(t->role, id, queue.n > 0 ? queue : STR_EMPTY, when);
}

/* In the fast lane. What is not delivered now gets files now. */
static void
accepted_in_lane(void *ctx, struct engine *e, struct str id, const struct lane_ref *ref,
                 enum smtp_due due)
{
    struct smtp_threads *t = ctx;
    struct role *r = t->role->role;
    char where[LANE_REF_TEXT_MAX];
    enum reception_delivery when = RECEPTION_QUEUE;
    if (due == SMTP_DUE_NOW)
        when = queueing_choose_for(r->m, e, id);
    if (when == RECEPTION_QUEUE ||
        smtp_admit_is_crowded(r->e, seats_taken(t->role->seats), id)) {
        lane_keep_files(e, ref);
        return;
    }
    lane_ref_write(ref, where);
    hand_over_held(t, e, id);
    smtp_role_arrived(t->role, id, str_from_cstr(where), when);
}

/* fast_lane. Without segments everything is in the standing lane. */
static void
open_lane(struct smtp_threads *t)
{
    struct engine *e = t->role->role->e;
    struct durable_fault f;
    const struct lane_settings s = {.spool = engine_place(e).root,
                                    .calls = e->calls,
                                    .segment_size = LANE_SEGMENT_MESSAGES};
    e->ids = message_id_clock_new();
    if (!e->conf->main->fast_lane)
        return;
    e->lane = lane_open(&s, &f);
    if (e->lane != NULL)
        t->calls.accepted_in_lane = accepted_in_lane;
    else
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL, "%s", f.text);
}

void
smtp_threads_close_lane(struct smtp_threads *t)
{
    struct engine *e = t->role->role->e;
    lane_close(e->lane);
    e->lane = NULL;
}

static void
closed(void *ctx, uint64_t tag)
{
    struct smtp_threads *t = ctx;
    seats_leave(t->role->seats, t->role->owner, (int)tag);
}

/* --- ETRN --- */

/* The lock is held. */
static struct question *
find_question(struct smtp_threads *t, uint64_t ticket)
{
    for (size_t i = 0; i < QUESTIONS_MAX; i++) {
        if (t->questions[i].ticket == ticket)
            return &t->questions[i];
    }
    return NULL;
}

static bool
wait_for_answer(struct smtp_threads *t, struct question *q)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += ETRN_WAIT_S;
    while (!q->answered && pthread_cond_timedwait(&t->change, &t->lock, &end) == 0)
        continue;
    return q->answered && q->started;
}

static bool
etrn(void *ctx, struct str argument)
{
    struct smtp_threads *t = ctx;
    if (argument.n > IPC_TEXT_MAX || str_has_nul(argument))
        return false;
    pthread_mutex_lock(&t->lock);
    struct question *q = find_question(t, 0);
    bool started = false;
    if (q != NULL) {
        *q = (struct question){.ticket = ++t->tickets};
        started = smtp_role_ask(t->role, q->ticket, argument) && wait_for_answer(t, q);
        q->ticket = 0;
    }
    pthread_mutex_unlock(&t->lock);
    return started;
}

/* The run that follows finds the connection. */
static bool
turn(void *ctx, const struct held_connection *h)
{
    struct smtp_threads *t = ctx;
    smtp_role_held(t->role, h);
    return etrn(ctx, h->id);
}

void
smtp_threads_answer(struct smtp_threads *t, uint64_t ticket, bool started)
{
    pthread_mutex_lock(&t->lock);
    struct question *q = ticket != 0 ? find_question(t, ticket) : NULL;
    if (q != NULL) {
        q->answered = true;
        q->started = started;
        pthread_cond_broadcast(&t->change);
    }
    pthread_mutex_unlock(&t->lock);
}

/* --- connections --- */

struct smtp_threads *
smtp_threads_new(struct smtp_role *s)
{
    struct role *r = s->role;
    struct smtp_threads *t = ARENA_NEW(r->m->arena, struct smtp_threads);
    t->role = s;
    t->calls = (struct smtp_pool_calls){.engine = make_engine,
                                        .accepted = accepted,
                                        .etrn = etrn,
                                        .turn = turn,
                                        .closed = closed,
                                        .ctx = t};
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->change, NULL);
    engine_start_shared(r->e);
    open_lane(t);
    process_limit_heaps(HEAPS_MAX);
    const struct smtp_pool_setup setup = {.calls = &t->calls, .threads_kept = THREADS_KEPT};
    t->pool = smtp_pool_new(&setup);
    if (t->pool != NULL)
        return t;
    maillog(r->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
            "sessions cannot share this process: %s", strerror(errno));
    return NULL;
}

bool
smtp_threads_add(struct smtp_threads *t, const struct smtp_connection *c)
{
    struct arena *a = arena_new();
    struct peer_address own = {.text = STR_EMPTY, .port = -1};
    (void)peer_address_own(a, c->fd, &own);
    const struct smtp_pool_peer peer = {
        .fd = c->fd,
        .address = ip_text(a, &c->ip),
        .port = c->port,
        .own_address = own.text,
        .own_port = own.port,
        .count = c->connected,
        .tls = c->tls,
        .tag = (uint64_t)c->seat,
    };
    bool ok = smtp_pool_add(t->pool, &peer);
    arena_free(a);
    return ok;
}

size_t
smtp_threads_count(struct smtp_threads *t)
{
    return smtp_pool_count(t->pool);
}
