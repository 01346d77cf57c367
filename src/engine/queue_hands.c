/* The processes of a queue run; see queue_hands.h. */
#include "engine/queue_hands.h"

#include "engine/delivery.h"
#include "engine/maillog.h"
#include "engine/remote_kept.h"
#include "engine/remote_pool.h"
#include "engine/retry_hints.h"
#include "engine/run_memory.h"
#include "sys/await.h"
#include "sys/hints.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
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
    BATCH_MAX = 64,  /* messages given at once, where they are quick */
    QUICK_US = 2000, /* that is quick */
    TRIED_MIN = 8,   /* as many are looked at before that is said of them */
    TAKEN_BACK = 1 << 16,
    ID_MAX = 63,
};

/* Messages for one hand. */
struct batch {
    uint32_t n;
    bool first;             /* of the run, the first of them */
    struct spool_calm calm; /* of the directory of the last */
    char ids[BATCH_MAX][ID_MAX + 1];
};

/* How many of its batch a hand has begun with, in memory that is shared with it: the others can be taken back. */
typedef _Atomic uint32_t begun_t;

struct hand {
    pid_t pid;
    int fd;
    begun_t *begun;
    bool busy;
    int64_t since_ms;
    struct batch batch;
};

struct queue_hands {
    struct arena *arena;
    struct engine *e;
    queue_hands_fn *deliver;
    const void *ctx;
    begun_t *begun; /* an entry a hand, as they stand in v at first; NULL: nothing is shared */
    struct hand v[QUEUE_HANDS_MAX];
    size_t n;
    struct batch waiting; /* to be given */
    VEC(struct str) back; /* taken back from hands that are held up, or dead */
    uint32_t tried;
    bool held; /* a message has taken longer than it should */
    int64_t
        usual_us; /* what messages take on average; those that take long count as patience does */
};

/* --- in the process of a hand --- */

/* The next messages; connections that nobody used for a while are closed meanwhile. False: there are none. */
static bool
next_batch(struct engine *e, int fd, struct batch *t)
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
work(struct queue_hands *h, int fd, begun_t *begun)
{
    struct engine *e = h->e;
    struct batch t;
    for (size_t i = 0; i < h->n;
         i++) /* they are to see the end of the run, not of this process */
        close(h->v[i].fd);
    remote_kept_abandon(e);
    if (e->pool != NULL)
        e->pool = remote_pool_new(e);
    e->run = run_memory_new(h->arena);
    struct spool_kept input = {.dir = -1, .logs = -1};
    e->input = &input;
    hints_reads_often(retry_store(e));
    while (next_batch(e, fd, &t)) {
        input.calm = t.calm;
        for (uint32_t i; (i = atomic_fetch_add(begun, 1)) < t.n;) {
            h->deliver(e, h->ctx, str_from_cstr(t.ids[i]), t.first && i == 0);
            (void)fflush(NULL);
        }
        if (send(fd, "", 1, MSG_NOSIGNAL) != 1)
            break;
    }
    remote_pool_end(e);
    run_memory_flush(e->run, e);
    (void)fflush(NULL);
    _exit(0);
}

/* --- in the process of the run --- */

/* What a hand has not begun with is for others. */
static void
take_back(struct queue_hands *h, struct hand *w)
{
    uint32_t begun = atomic_exchange(w->begun, TAKEN_BACK);
    for (uint32_t i = begun; i < w->batch.n; i++)
        vec_push(h->arena, &h->back, str_dup(h->arena, str_from_cstr(w->batch.ids[i])));
    if (begun < w->batch.n)
        w->batch.n = begun;
}

static void
drop(struct queue_hands *h, size_t i)
{
    begun_t *begun = h->v[i].begun;
    close(h->v[i].fd);
    while (waitpid(h->v[i].pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    h->v[i] = h->v[--h->n];
    h->v[h->n].begun = begun; /* for the next one */
}

/* Places for hands to say how far they are. */
static bool
share(struct queue_hands *h)
{
    void *p;
    if (h->begun != NULL)
        return true;
    p = mmap(NULL, QUEUE_HANDS_MAX * sizeof *h->begun, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    h->begun = p;
    for (size_t i = 0; i < QUEUE_HANDS_MAX; i++)
        h->v[i].begun = &h->begun[i];
    return true;
}

static bool
add(struct queue_hands *h)
{
    int fd[2];
    if (h->n == QUEUE_HANDS_MAX || !share(h) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
        return false;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        work(h, fd[1], h->v[h->n].begun);
    }
    close(fd[1]);
    if (pid < 0) {
        close(fd[0]);
        return false;
    }
    struct hand *w = &h->v[h->n++];
    w->pid = pid;
    w->fd = fd[0];
    w->busy = false;
    return true;
}

static void
hear(struct queue_hands *h, size_t i)
{
    char done;
    struct hand *w = &h->v[i];
    if (recv(w->fd, &done, 1, MSG_DONTWAIT) == 1) {
        int64_t took = await_now_ms() - w->since_ms, n = w->batch.n > 0 ? w->batch.n : 1;
        took = took < PATIENCE_MS ? took : PATIENCE_MS;
        h->usual_us = (h->usual_us * (WEIGHT - 1) + took * 1000 / n) / WEIGHT;
        h->tried++;
        w->busy = false;
        return;
    }
    if (errno == EAGAIN || errno == EINTR)
        return;
    maillog(h->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
            "process %d of a queue run ended in the middle of its work", (int)w->pid);
    take_back(h, w);
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

/* Messages that are still to come behind one that holds a hand up. */
static void
relieve(struct queue_hands *h)
{
    int64_t until = await_now_ms() - patience_ms(h);
    for (size_t i = 0; i < h->n; i++)
        if (h->v[i].busy && h->v[i].batch.n > 1 && h->v[i].since_ms <= until)
            take_back(h, &h->v[i]);
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
        relieve(h);
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

/* Gives a hand what waits; without one it is done here. */
static void
give_batch(struct queue_hands *h, struct batch b)
{
    for (;;) {
        struct hand *w = find(h);
        if (w == NULL)
            break;
        w->busy = true;
        w->since_ms = await_now_ms();
        w->batch = b;
        atomic_store(w->begun, 0);
        if (send(w->fd, &b, sizeof b, MSG_NOSIGNAL) == (ssize_t)sizeof b)
            return;
        drop(h, (size_t)(w - h->v));
    }
    for (uint32_t i = 0; i < b.n; i++)
        h->deliver(h->e, h->ctx, str_from_cstr(b.ids[i]), b.first && i == 0);
}

static void
add_to(struct batch *b, struct str id)
{
    memset(b->ids[b->n], 0, sizeof b->ids[0]);
    memcpy(b->ids[b->n++], id.p, id.n);
}

static void
give_waiting(struct queue_hands *h)
{
    struct batch b = h->waiting;
    h->waiting.n = 0;
    h->waiting.first = false;
    if (b.n > 0)
        give_batch(h, b);
    while (h->back.n > 0) { /* one by one: they have waited */
        struct batch one = {.n = 0};
        add_to(&one, h->back.v[--h->back.n]);
        give_batch(h, one);
    }
}

/* Where messages are quick a hand gets several at once: telling each apart would cost as much as trying it. */
static uint32_t
batch_size(const struct queue_hands *h)
{
    return !h->held && h->tried >= TRIED_MIN && h->usual_us < QUICK_US ? BATCH_MAX : 1;
}

void
queue_hands_set_calm(struct queue_hands *h, struct spool_calm calm)
{
    h->waiting.calm = calm;
}

void
queue_hands_give(struct queue_hands *h, struct str id, bool first)
{
    if (id.n > ID_MAX)
        return;
    h->waiting.first = h->waiting.first || first;
    add_to(&h->waiting, id);
    if (h->waiting.n >= batch_size(h))
        give_waiting(h);
}

void
queue_hands_end(struct queue_hands *h)
{
    give_waiting(h);
    while (h->n > 0) {
        for (size_t i = h->n; i > 0; i--)
            if (!h->v[i - 1].busy)
                drop(h, i - 1);
        if (h->n > 0)
            wait_for(h, h->held ? -1 : (int)patience_ms(h));
        relieve(h);
        give_waiting(h);
    }
    if (h->begun != NULL)
        (void)munmap(h->begun, QUEUE_HANDS_MAX * sizeof *h->begun);
    h->begun = NULL;
}
