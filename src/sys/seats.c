/* Connections counted across processes; see seats.h.
 *
 * Whoever maps the page can write anything into it: every number in it is looked at once and checked, no pointer is kept there, and nobody
 * waits for the lock longer than LOCK_MS. So it is no mutex of the library's: the robust ones have lists of pointers in shared memory.
 */
#include "sys/seats.h"

#include "sys/await.h"

#include "sys/memory_file.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum {
    BUCKETS = 16384,
    SPINS = 200,    /* before others have the processor */
    LOCK_MS = 1000, /* work under the lock takes far less: who holds it so long has died */
};

/* Links are numbers of seats plus one; 0 ends a chain. */
struct seat {
    uint32_t owner; /* 0: free */
    uint32_t next;  /* in its bucket, or among the free */
    struct ip ip;
};

struct seats {
    _Atomic uint32_t lock; /* the thread that has it; 0: none */
    uint32_t taken;
    uint32_t free;             /* first free seat */
    uint32_t buckets[BUCKETS]; /* taken seats, by address */
    struct seat v[SEATS_MAX];
};

static uint32_t *
bucket_of(struct seats *s, const struct ip *ip)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < sizeof ip->b && i < ip->n; i++)
        h = (h ^ ip->b[i]) * 16777619u;
    return &s->buckets[h % BUCKETS];
}

static bool
is_ip(const struct ip *shared, const struct ip *own)
{
    return shared->n == own->n && memcmp(shared->b, own->b, own->n) == 0;
}

/* A number that others may be changing. */
static uint32_t
look_at(const uint32_t *shared)
{
    return *(const volatile uint32_t *)shared;
}

static void
insert(struct seats *s, uint32_t i)
{
    struct seat *one = &s->v[i];
    uint32_t *head = one->owner != 0 ? bucket_of(s, &one->ip) : &s->free;
    one->next = *head;
    *head = i + 1;
    s->taken += one->owner != 0;
}

/* All links and counts from the owners alone. */
static void
rebuild(struct seats *s)
{
    memset(s->buckets, 0, sizeof s->buckets);
    s->free = s->taken = 0;
    for (uint32_t i = SEATS_MAX; i > 0; i--)
        insert(s, i - 1);
}

static void
lock(struct seats *s)
{
    uint32_t me = (uint32_t)gettid(), holder = 0;
    int64_t until_ms = 0;
    for (size_t spins = 1; !atomic_compare_exchange_weak(&s->lock, &holder, me); spins++) {
        if (spins < SPINS || holder == 0) {
            holder = 0;
            continue;
        }
        (void)sched_yield();
        if (until_ms == 0)
            until_ms = await_now_ms() + LOCK_MS;
        if (await_now_ms() < until_ms) {
            holder = 0;
            continue;
        }
        atomic_store(&s->lock, me);
        rebuild(s);
        return;
    }
}

/* Unless somebody has taken it over. */
static void
unlock(struct seats *s)
{
    uint32_t me = (uint32_t)gettid();
    (void)atomic_compare_exchange_strong(&s->lock, &me, 0);
}

int
seats_new(void)
{
    int fd = memory_file_page("seats", sizeof(struct seats));
    struct seats *s = fd >= 0 ? memory_file_map(fd, sizeof(struct seats)) : NULL;
    if (s != NULL) {
        rebuild(s);
        memory_file_unmap(s, sizeof(struct seats));
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

struct seats *
seats_open(int fd)
{
    return memory_file_map(fd, sizeof(struct seats));
}

int
seats_take(struct seats *s, unsigned owner, const struct ip *ip, unsigned *all)
{
    int got = -1;
    lock(s);
    uint32_t i = look_at(&s->free);
    if (i > 0 && i <= SEATS_MAX) {
        s->free = s->v[i - 1].next;
        s->v[i - 1].owner = owner;
        s->v[i - 1].ip = *ip;
        insert(s, i - 1);
        got = (int)i - 1;
    }
    *all = s->taken;
    unlock(s);
    return got;
}

/* Takes the seat out of its chain; the lock is held. */
static void
release(struct seats *s, uint32_t i)
{
    uint32_t *link = bucket_of(s, &s->v[i].ip), to = look_at(link);
    for (size_t steps = 0; to > 0 && to <= SEATS_MAX && steps < SEATS_MAX; steps++) {
        if (to == i + 1) {
            *link = s->v[i].next;
            break;
        }
        link = &s->v[to - 1].next;
        to = look_at(link);
    }
    s->taken -= s->taken > 0;
    s->v[i].owner = 0;
    insert(s, i);
}

void
seats_leave(struct seats *s, unsigned owner, int seat)
{
    if (seat < 0 || seat >= SEATS_MAX)
        return;
    lock(s);
    if (s->v[seat].owner == owner)
        release(s, (uint32_t)seat);
    unlock(s);
}

unsigned
seats_of_host(struct seats *s, const struct ip *ip)
{
    unsigned n = 0;
    lock(s);
    uint32_t i = look_at(bucket_of(s, ip));
    for (size_t steps = 0; i > 0 && i <= SEATS_MAX && steps < SEATS_MAX; steps++) {
        n += is_ip(&s->v[i - 1].ip, ip);
        i = look_at(&s->v[i - 1].next);
    }
    unlock(s);
    return n;
}

unsigned
seats_taken(struct seats *s)
{
    lock(s);
    unsigned n = s->taken;
    unlock(s);
    return n;
}

void
seats_leave_all(struct seats *s, unsigned owner)
{
    lock(s);
    for (uint32_t i = 0; i < SEATS_MAX && owner != 0; i++) {
        if (s->v[i].owner == owner)
            s->v[i].owner = 0;
    }
    rebuild(s);
    unlock(s);
}
