/* Sessions of many connections on few threads; see smtp_pool.h.
 *
 * Threads without work wait in epoll_wait for one event each; descriptors are armed for one event, so an event is the right to work
 * on its session and nobody else has it. A session whose time is up, or that is to end, is not taken away from whoever may be about
 * to get its event: its reading side is shut, which makes an event, and what was noted before then decides. A new connection is
 * armed for output, which is there at once: so there is no queue beside the kernel's. The thread that takes the last place of those
 * that wait starts another one. The kernel gives events to who came last, so threads that are too many get none, and end after a
 * tick: a load that goes on starts no threads.
 */
#include "engine/smtp_pool.h"

#include "base/arena.h"
#include "conf/model.h"
#include "engine/maillog.h"
#include "engine/smtp_session.h"
#include "engine/smtp_wheel.h"
#include "sys/await.h"
#include "sys/process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 1000,
    STACK_BYTES = 512 * 1024,
    CONNECTION_BYTES = sizeof(struct session) + 1536, /* what most connections need */
    YIELD_MS = 500, /* in which one thread in YIELD_SHARE may give its client up */
    YIELD_SHARE = 10,
    BUSY_LOG_MS = 60000, /* between two lines about threads that have run out */
};

struct smtp_pool {
    struct smtp_pool_setup setup;
    int epoll, stop; /* stop: readable when threads are to end */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a session or a thread has ended */
    unsigned threads, waiting, kept;
    size_t sessions;
    struct smtp_wheel wheel; /* sessions at rest */
    bool shut_down, stopping;
    int64_t busy_logged_ms;
    int64_t yield_ms; /* when the threads that gave up theirs began to be counted */
    unsigned yielded;
};

/* A connection. In the arena of its session. */
struct connection {
    struct smtp_wheel_entry entry; /* first: the wheel gives this back */
    struct smtp_pool *pool;
    struct arena *arena;
    struct smtp_setup setup;
    struct smtp_session *session;
    enum smtp_cause cause; /* noted while it rests */
    int fd;
    uint64_t tag;
};

struct worker {
    struct smtp_pool *pool;
    struct arena *arena;
    struct engine *engine;
};

static bool start_thread(struct smtp_pool *p);

/* --- sessions at rest --- */

/* Makes an event for it, with a reason. Locked. */
static void
wake(struct connection *c, enum smtp_cause why)
{
    c->cause = why;
    (void)shutdown(c->fd, SHUT_RD);
}

static void
tick(struct smtp_pool *p)
{
    struct smtp_wheel_entry *e;
    pthread_mutex_lock(&p->lock);
    while ((e = smtp_wheel_expired(&p->wheel, await_now_ms())) != NULL)
        wake((struct connection *)e, SMTP_CAUSE_TIMEOUT);
    pthread_mutex_unlock(&p->lock);
}

static bool
arm(struct connection *c, int how, uint32_t events)
{
    struct epoll_event ev = {.events = events | EPOLLONESHOT, .data.ptr = c};
    return epoll_ctl(c->pool->epoll, how, c->fd, &ev) == 0;
}

static void
forget(struct connection *c)
{
    struct smtp_pool *p = c->pool;
    uint64_t tag = c->tag;
    close(c->fd);
    arena_free(c->arena);
    if (p->setup.calls->closed != NULL)
        p->setup.calls->closed(p->setup.calls->ctx, tag);
    pthread_mutex_lock(&p->lock);
    p->sessions--;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* For who waits for a slow client. Not all at once: the next ones may find that it is no longer needed. */
static bool
is_crowded(void *ctx)
{
    struct smtp_pool *p = ctx;
    int64_t now = await_now_ms();
    pthread_mutex_lock(&p->lock);
    if (now - p->yield_ms >= YIELD_MS) {
        p->yield_ms = now;
        p->yielded = 0;
    }
    bool crowded = p->waiting == 0 && p->threads >= p->setup.threads_max &&
                   p->yielded <= p->setup.threads_max / YIELD_SHARE;
    p->yielded += crowded;
    pthread_mutex_unlock(&p->lock);
    return crowded;
}

/* Behind this the connection is another thread's. */
static void
rest(struct connection *c)
{
    struct smtp_pool *p = c->pool;
    smtp_session_rest(c->session);
    pthread_mutex_lock(&p->lock);
    smtp_wheel_add(&p->wheel, &c->entry, smtp_session_deadline_ms(c->session));
    if (p->shut_down && !smtp_session_awaits_text(c->session)) {
        smtp_wheel_remove(&p->wheel, &c->entry);
        wake(c, SMTP_CAUSE_SHUTDOWN);
    }
    (void)arm(c, EPOLL_CTL_MOD,
              EPOLLIN | EPOLLRDHUP); /* the next one to touch it locks first */
    pthread_mutex_unlock(&p->lock);
}

/* --- work --- */

static void
finish(struct connection *c)
{
    (void)smtp_session_end(c->session);
    forget(c);
}

static void
serve(struct worker *w, struct connection *c)
{
    enum smtp_step step;
    pthread_mutex_lock(&w->pool->lock);
    smtp_wheel_remove(&w->pool->wheel, &c->entry);
    if (c->cause == SMTP_CAUSE_NONE && w->pool->shut_down &&
        !smtp_session_awaits_text(c->session))
        c->cause = SMTP_CAUSE_SHUTDOWN;
    pthread_mutex_unlock(&w->pool->lock);
    if (c->cause != SMTP_CAUSE_NONE)
        smtp_session_interrupt(c->session, c->cause);
    smtp_session_enter(c->session, w->engine);
    while ((step = smtp_session_step(c->session)) == SMTP_STEP_MORE)
        continue;
    if (step == SMTP_STEP_END) {
        finish(c);
        return;
    }
    smtp_session_leave(c->session);
    rest(c);
}

/* Somebody has to wait for the next event. */
static void
leave_watch(struct worker *w)
{
    struct smtp_pool *p = w->pool;
    unsigned most = p->setup.threads_max;
    int64_t now = await_now_ms();
    bool tell = false;
    pthread_mutex_lock(&p->lock);
    p->waiting--;
    bool last = p->waiting == 0 && !p->stopping;
    if (last && p->threads < most)
        (void)start_thread(p);
    else if (last && now - p->busy_logged_ms > BUSY_LOG_MS) {
        tell = true;
        p->busy_logged_ms = now;
    }
    size_t sessions = p->sessions;
    pthread_mutex_unlock(&p->lock);
    if (tell)
        maillog(w->engine, MAILLOG_MAIN, STR_NULL,
                "all %u threads for SMTP are busy: %zu connections share them", most, sessions);
}

/* False: the pool ends. */
static bool
take_watch(struct worker *w)
{
    struct smtp_pool *p = w->pool;
    pthread_mutex_lock(&p->lock);
    bool stay = !p->stopping;
    if (stay)
        p->waiting++;
    pthread_mutex_unlock(&p->lock);
    return stay;
}

/* Whether there are enough others, after a tick without an event. With the last of these goes memory that the load has left. */
static bool
is_spare(struct worker *w)
{
    struct smtp_pool *p = w->pool;
    pthread_mutex_lock(&p->lock);
    bool spare = p->waiting > p->kept;
    if (spare)
        p->waiting--;
    bool last = spare && p->waiting == p->kept;
    pthread_mutex_unlock(&p->lock);
    if (last)
        process_trim_heaps();
    return spare;
}

/* The next event. False: the thread is not needed any more. */
static bool
await_event(struct worker *w, struct epoll_event *ev)
{
    for (;;) {
        int n = epoll_wait(w->pool->epoll, ev, 1, TICK_MS);
        if (n > 0)
            return true;
        tick(w->pool);
        if (n == 0 && is_spare(w))
            return false;
    }
}

/* Who started the thread has counted it among those that wait. */
static void
watch(struct worker *w)
{
    struct smtp_pool *p = w->pool;
    struct epoll_event ev;
    do {
        if (!await_event(w, &ev))
            return;
        bool stop = ev.data.ptr == p;
        leave_watch(w);
        if (stop)
            continue;
        serve(w, ev.data.ptr);
        tick(p);
    } while (take_watch(w));
}

static void
end_thread(struct smtp_pool *p, bool started)
{
    pthread_mutex_lock(&p->lock);
    p->threads--;
    if (!started)
        p->waiting--;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static void *
work(void *ctx)
{
    struct worker w = {.pool = ctx, .arena = arena_new()};
    const struct smtp_pool_calls *calls = w.pool->setup.calls;
    w.engine = calls->engine(calls->ctx, w.arena);
    if (w.engine != NULL)
        watch(&w);
    arena_free(w.arena);
    end_thread(w.pool, w.engine != NULL);
    return NULL;
}

/* Signals are the first thread's affair. Locked. */
static bool
start_thread(struct smtp_pool *p)
{
    pthread_attr_t attr;
    pthread_t id;
    sigset_t all, before;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    p->threads++;
    p->waiting++;
    bool ok = pthread_create(&id, &attr, work, p) == 0;
    if (!ok) {
        p->threads--;
        p->waiting--;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return ok;
}

/* --- from outside --- */

struct smtp_pool *
smtp_pool_new(const struct smtp_pool_setup *setup)
{
    struct smtp_pool *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->setup = *setup;
    if (p->setup.threads_max == 0)
        p->setup.threads_max = SMTP_POOL_THREADS;
    if (p->setup.slow_ms == 0)
        p->setup.slow_ms = SMTP_POOL_SLOW_MS;
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    p->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = p};
    if (p->epoll < 0 || p->stop < 0 || epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->stop, &ev) != 0) {
        int saved = errno;
        if (p->epoll >= 0)
            close(p->epoll);
        if (p->stop >= 0)
            close(p->stop);
        free(p);
        errno = saved;
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    smtp_wheel_init(&p->wheel, await_now_ms());
    p->busy_logged_ms = -BUSY_LOG_MS;
    p->kept = setup->threads_kept > 0 ? setup->threads_kept : SMTP_POOL_KEPT;
    pthread_mutex_lock(&p->lock);
    while (p->threads < setup->threads_kept && p->threads < p->setup.threads_max &&
           start_thread(p))
        continue;
    pthread_mutex_unlock(&p->lock);
    return p;
}

static struct session *
make_model(struct arena *a, const struct smtp_pool_peer *peer)
{
    struct session *s = ARENA_NEW(a, struct session);
    s->arena = a;
    s->sender_host_address = str_dup(a, peer->address);
    s->sender_host_port = peer->port;
    s->interface_address = str_dup(a, peer->own_address);
    s->interface_port = peer->own_port;
    s->count_at_start = peer->count;
    return s;
}

static struct connection *
make_connection(struct smtp_pool *p, const struct smtp_pool_peer *peer)
{
    const struct smtp_pool_calls *calls = p->setup.calls;
    struct arena *a = arena_new_sized(CONNECTION_BYTES);
    struct connection *c = ARENA_NEW(a, struct connection);
    c->pool = p;
    c->arena = a;
    c->fd = peer->fd;
    c->tag = peer->tag;
    c->setup = (struct smtp_setup){.kind = SMTP_KIND_INTERACTIVE,
                                   .in = peer->fd,
                                   .out = peer->fd,
                                   .socket = true,
                                   .pooled = true,
                                   .crowded = is_crowded,
                                   .crowded_ctx = p,
                                   .slow_ms = p->setup.slow_ms,
                                   .tls = peer->tls,
                                   .connections = peer->count,
                                   .timeout_s = -1,
                                   .protocol = STR_NULL,
                                   .authenticated_sender = STR_NULL,
                                   .accepted = calls->accepted,
                                   .accepted_in_lane = calls->accepted_in_lane,
                                   .etrn = calls->etrn,
                                   .turn = calls->turn,
                                   .ctx = calls->ctx};
    c->session = smtp_session_new(make_model(a, peer), &c->setup);
    return c;
}

bool
smtp_pool_add(struct smtp_pool *p, const struct smtp_pool_peer *peer)
{
    struct connection *c = make_connection(p, peer);
    pthread_mutex_lock(&p->lock);
    bool ok = !p->shut_down && arm(c, EPOLL_CTL_ADD, EPOLLOUT);
    if (ok) {
        p->sessions++;
        if (p->waiting == 0 && p->threads < p->setup.threads_max)
            (void)start_thread(p);
    }
    pthread_mutex_unlock(&p->lock);
    if (!ok) {
        close(c->fd);
        arena_free(c->arena);
    }
    return ok;
}

size_t
smtp_pool_count(struct smtp_pool *p)
{
    pthread_mutex_lock(&p->lock);
    size_t n = p->sessions;
    pthread_mutex_unlock(&p->lock);
    return n;
}

/* On the clock of condition variables. */
static struct timespec
time_after(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t ns = t.tv_nsec + ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    return t;
}

bool
smtp_pool_wait(struct smtp_pool *p, int64_t ms)
{
    struct timespec until = time_after(ms < 0 ? 0 : ms);
    int rc = 0;
    pthread_mutex_lock(&p->lock);
    while (p->sessions > 0 && rc == 0)
        rc = ms < 0 ? pthread_cond_wait(&p->changed, &p->lock)
                    : pthread_cond_timedwait(&p->changed, &p->lock, &until);
    bool empty = p->sessions == 0;
    pthread_mutex_unlock(&p->lock);
    return empty;
}

void
smtp_pool_shut_down(struct smtp_pool *p)
{
    struct smtp_wheel_entry *e, *stay = NULL;
    pthread_mutex_lock(&p->lock);
    p->shut_down = true;
    while ((e = smtp_wheel_any(&p->wheel)) != NULL) {
        if (!smtp_session_awaits_text(((struct connection *)e)->session)) {
            wake((struct connection *)e, SMTP_CAUSE_SHUTDOWN);
            continue;
        }
        e->after = stay; /* a message on its way may come to its end */
        stay = e;
    }
    while ((e = stay) != NULL) {
        stay = e->after;
        smtp_wheel_add(&p->wheel, e, e->deadline_ms);
    }
    pthread_mutex_unlock(&p->lock);
}

void
smtp_pool_free(struct smtp_pool *p)
{
    uint64_t one = 1;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    (void)!write(p->stop, &one, sizeof one);
    while (p->threads > 0)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
    close(p->epoll);
    close(p->stop);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
