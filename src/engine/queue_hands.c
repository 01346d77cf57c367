/* The processes of a queue run; see queue_hands.h. */
#include "engine/queue_hands.h"

#include "engine/delivery.h"
#include "engine/maillog.h"
#include "engine/remote_kept.h"
#include "engine/remote_pool.h"
#include "engine/run_memory.h"
#include "sys/await.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 1000, /* how long a message may take until the next one begins */
    PATIENCE_MIN_MS =
        50, /* in a queue with messages that took longer: as others need, but no less */
    USUAL_TIMES = 4, /* so many times what others need */
    MOVING_MAX = 3,  /* how many are not held up, in such a queue */
    WEIGHT = 8,      /* of all before, when a time is taken into the mean */
    ID_MAX = 63,
};

struct hand {
    pid_t pid;
    int fd;
    bool busy;
    int64_t since_ms;
};

struct queue_hands {
    struct arena *arena;
    struct engine *e;
    queue_hands_fn *deliver;
    const void *ctx;
    struct hand v[QUEUE_HANDS_MAX];
    size_t n;
    bool held; /* a message has taken longer than it should */
    int64_t
        usual_us; /* what messages take on average; those that take long count as patience does */
};

struct task {
    char id[ID_MAX + 1];
    bool first;
};

/* --- in the process of a hand --- */

/* The next message; connections that nobody used for a while are closed meanwhile. False: there is none. */
static bool
next_task(struct engine *e, int fd, struct task *t)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (int wait_ms; (wait_ms = remote_pool_wait_ms(e)) >= 0;) {
        if (poll(&p, 1, wait_ms) > 0)
            break;
        delivery_run_idle(e);
    }
    ssize_t n;
    do
        n = recv(fd, t, sizeof *t, 0);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *t;
}

static _Noreturn void
work(struct queue_hands *h, int fd)
{
    struct engine *e = h->e;
    struct task t;
    for (size_t i = 0; i < h->n;
         i++) /* they are to see the end of the run, not of this process */
        close(h->v[i].fd);
    remote_kept_abandon(e);
    if (e->pool != NULL)
        e->pool = remote_pool_new(e);
    e->run = run_memory_new(h->arena);
    while (next_task(e, fd, &t)) {
        h->deliver(e, h->ctx, str_from_cstr(t.id), t.first);
        (void)fflush(NULL);
        if (send(fd, "", 1, MSG_NOSIGNAL) != 1)
            break;
    }
    remote_pool_end(e);
    run_memory_flush(e->run, e);
    (void)fflush(NULL);
    _exit(0);
}

/* --- in the process of the run --- */

static void
drop(struct queue_hands *h, size_t i)
{
    close(h->v[i].fd);
    while (waitpid(h->v[i].pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    h->v[i] = h->v[--h->n];
}

static bool
add(struct queue_hands *h)
{
    int fd[2];
    if (h->n == QUEUE_HANDS_MAX ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
        return false;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        work(h, fd[1]);
    }
    close(fd[1]);
    if (pid < 0) {
        close(fd[0]);
        return false;
    }
    h->v[h->n++] = (struct hand){.pid = pid, .fd = fd[0]};
    return true;
}

static void
hear(struct queue_hands *h, size_t i)
{
    char done;
    struct hand *w = &h->v[i];
    if (recv(w->fd, &done, 1, MSG_DONTWAIT) == 1) {
        int64_t took = await_now_ms() - w->since_ms;
        took = took < PATIENCE_MS ? took : PATIENCE_MS;
        h->usual_us = (h->usual_us * (WEIGHT - 1) + took * 1000) / WEIGHT;
        w->busy = false;
        return;
    }
    if (errno == EAGAIN || errno == EINTR)
        return;
    maillog(h->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
            "process %d of a queue run ended in the middle of its work", (int)w->pid);
    drop(h, i);
}

/* Waits until one has something to say, or the time is over (-1: none). */
static void
wait_for(struct queue_hands *h, int wait_ms)
{
    struct pollfd p[QUEUE_HANDS_MAX];
    size_t n = h->n;
    for (size_t i = 0; i < n; i++)
        p[i] = (struct pollfd){.fd = h->v[i].busy ? h->v[i].fd : -1, .events = POLLIN};
    if (poll(p, n, wait_ms) <= 0)
        return;
    for (size_t i = n; i > 0; i--) /* from the end: the last takes the place of one that goes */
        if (p[i - 1].revents != 0)
            hear(h, i - 1);
}

static int64_t
patience_ms(const struct queue_hands *h)
{
    int64_t ms = h->held ? h->usual_us * USUAL_TIMES / 1000 : PATIENCE_MS;
    return ms < PATIENCE_MIN_MS ? PATIENCE_MIN_MS : ms > PATIENCE_MS ? PATIENCE_MS : ms;
}

/* When another one may be started, in milliseconds from now; 0: at once. -1: not before one is free. */
static int
room_in_ms(const struct queue_hands *h)
{
    int64_t now = await_now_ms(), patience = patience_ms(h), next = -1;
    size_t moving = 0;
    if (h->n == QUEUE_HANDS_MAX)
        return -1;
    for (size_t i = 0; i < h->n; i++) {
        int64_t left = h->v[i].since_ms + patience - now;
        if (left <= 0)
            continue;
        moving++;
        if (next < 0 || left < next)
            next = left;
    }
    return moving < (h->held ? MOVING_MAX : 1) ? 0 : (int)next;
}

static struct hand *
idle(struct queue_hands *h)
{
    for (size_t i = 0; i < h->n; i++)
        if (!h->v[i].busy)
            return &h->v[i];
    return NULL;
}

/* One that is free. NULL: there is none, and none can be had. */
static struct hand *
find(struct queue_hands *h)
{
    for (;;) {
        wait_for(h, 0);
        struct hand *w = idle(h);
        if (w != NULL)
            return w;
        int wait_ms = room_in_ms(h);
        if (wait_ms != 0) {
            wait_for(h, wait_ms);
            continue;
        }
        h->held = h->held || h->n > 0;
        if (!add(h)) {
            if (h->n == 0)
                return NULL;
            wait_for(h, -1);
        }
    }
}

struct queue_hands *
queue_hands_new(struct arena *a, struct engine *e, queue_hands_fn *deliver, const void *ctx)
{
    struct queue_hands *h = ARENA_NEW(a, struct queue_hands);
    h->arena = a;
    h->e = e;
    h->deliver = deliver;
    h->ctx = ctx;
    return h;
}

bool
queue_hands_give(struct queue_hands *h, struct str id, bool first)
{
    struct task t = {.first = first};
    if (id.n > ID_MAX)
        return true;
    memcpy(t.id, id.p, id.n);
    for (;;) {
        struct hand *w = find(h);
        if (w == NULL)
            return false;
        w->busy = true;
        w->since_ms = await_now_ms();
        if (send(w->fd, &t, sizeof t, MSG_NOSIGNAL) == (ssize_t)sizeof t)
            return true;
        drop(h, (size_t)(w - h->v));
    }
}

void
queue_hands_end(struct queue_hands *h)
{
    while (h->n > 0) {
        for (size_t i = h->n; i > 0; i--)
            if (!h->v[i - 1].busy)
                drop(h, i - 1);
        if (h->n > 0)
            wait_for(h, -1);
    }
}
