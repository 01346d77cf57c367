/* Connections counted across processes; see seats.h. */
#include "sys/seats.h"

#include "sys/memory_file.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { BUCKETS = 16384 };

/* Links are numbers of seats plus one; 0 ends a chain. */
struct seat {
    uint32_t owner; /* 0: free */
    uint32_t next;  /* in its bucket, or among the free */
    struct ip ip;
};

struct seats {
    pthread_mutex_t lock; /* shared, robust */
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
same_ip(const struct ip *x, const struct ip *y)
{
    return x->n == y->n && x->n <= sizeof x->b && memcmp(x->b, y->b, x->n) == 0;
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
    if (pthread_mutex_lock(&s->lock) != EOWNERDEAD)
        return;
    rebuild(s);
    pthread_mutex_consistent(&s->lock);
}

static void
unlock(struct seats *s)
{
    pthread_mutex_unlock(&s->lock);
}

static bool
initialise(struct seats *s)
{
    pthread_mutexattr_t attr;
    if (pthread_mutexattr_init(&attr) != 0)
        return false;
    bool ok = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) == 0 &&
              pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0 &&
              pthread_mutex_init(&s->lock, &attr) == 0;
    pthread_mutexattr_destroy(&attr);
    rebuild(s);
    return ok;
}

int
seats_new(void)
{
    int fd = memory_file_page("seats", sizeof(struct seats));
    struct seats *s = fd >= 0 ? memory_file_map(fd, sizeof(struct seats)) : NULL;
    bool ok = s != NULL && initialise(s);
    if (s != NULL)
        memory_file_unmap(s, sizeof(struct seats));
    if (ok)
        return fd;
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
    uint32_t i = s->free;
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
    uint32_t *link = bucket_of(s, &s->v[i].ip);
    for (size_t steps = 0; *link > 0 && *link <= SEATS_MAX && steps < SEATS_MAX; steps++) {
        if (*link == i + 1) {
            *link = s->v[i].next;
            break;
        }
        link = &s->v[*link - 1].next;
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
    uint32_t i = *bucket_of(s, ip);
    for (size_t steps = 0; i > 0 && i <= SEATS_MAX && steps < SEATS_MAX; steps++) {
        n += same_ip(&s->v[i - 1].ip, ip);
        i = s->v[i - 1].next;
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
