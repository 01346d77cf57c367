/* The messages of a queue; see queue_list.h. */
#include "engine/queue_list.h"

#include "base/arena.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char subs[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
enum {
    DIRECTORIES = sizeof subs, /* input/ itself first */
    BATCH = 500,               /* messages of a stream that are read at once */
};

struct queue_list {
    struct arena *arena;
    struct spool_place place;
    enum queue_list_order order;
    VEC(struct queue_list_item) items;
    bool journals;      /* one was seen */
    bool journals_here; /* in the directory that is read */
    struct spool_calm
        calm;         /* how that was at the beginning; then what queue_list_calm tells of it */
    bool given;       /* a message */
    bool heap;        /* items is one: from the second message on */
    size_t at;        /* next of items; 0 in order, where items is a heap */
    size_t directory; /* next to be read */
    DIR *scan;        /* of that directory when a part of it has been read */
    int dir;          /* open for the caller, -1: none */
    char dir_sub;
};

static char
sub_of(size_t directory)
{
    return directory == 0 ? '\0' : subs[directory - 1];
}

static void
close_dir(struct queue_list *q)
{
    if (q->dir >= 0)
        close(q->dir);
    q->dir = -1;
}

static void
close_all(void *ctx)
{
    struct queue_list *q = ctx;
    close_dir(q);
    if (q->scan != NULL)
        closedir(q->scan);
    q->scan = NULL;
}

struct queue_list *
queue_list_new(struct arena *a, const struct spool_place *place, enum queue_list_order order)
{
    struct queue_list *q = ARENA_NEW(a, struct queue_list);
    q->arena = a;
    q->place = *place;
    q->order = order;
    q->dir = -1;
    arena_on_free(a, close_all, q);
    return q;
}

/* True if the name is that of a -H file. Half of the names of a long queue are -D files: they are told apart by their end. */
static bool
is_header_name(const char *name, struct message_id *id)
{
    size_t n = strlen(name);
    if ((n != MESSAGE_ID_NEW_N + 2 && n != MESSAGE_ID_OLD_N + 2) || name[n - 1] != 'H' ||
        name[n - 2] != '-')
        return false;
    return message_id_parse(str_from(name, n - 2), id);
}

static bool
is_journal_name(const char *name)
{
    size_t n = strlen(name);
    return n > 2 && name[n - 1] == 'J' && name[n - 2] == '-';
}

static enum spool_result
directory_fault(const struct queue_list *q, const char *what, struct spool_fault *f)
{
    struct durable_fault d;
    (void)durable_failed(&d, what, q->place.root);
    return spool_system_fault(f, &d);
}

static DIR *
open_scan(const struct spool_place *place, char sub)
{
    int fd = spool_open_directory(place, sub, false);
    if (fd < 0)
        return NULL;
    DIR *d = fdopendir(fd);
    if (d == NULL)
        close(fd);
    return d;
}

static void
begin_scan(struct queue_list *q, char sub)
{
    q->scan = open_scan(&q->place, sub);
    q->journals_here = false;
    q->calm =
        q->scan != NULL ? spool_calm_begin(dirfd(q->scan)) : (struct spool_calm){.ino = 0};
}

static void
end_scan(struct queue_list *q)
{
    if (q->journals_here)
        q->calm.ino = 0;
    closedir(q->scan);
    q->scan = NULL;
    q->directory++;
}

/* Adds messages of the next directory: all of them, or some when they are a stream. */
static enum spool_result
scan(struct queue_list *q, struct spool_fault *f)
{
    struct queue_list_item item = {.sub = sub_of(q->directory)};
    const struct dirent *entry;
    if (q->scan == NULL)
        begin_scan(q, item.sub);
    if (q->scan == NULL) {
        q->directory++;
        return errno == ENOENT ? SPOOL_OK : directory_fault(q, "open input of spool", f);
    }
    for (errno = 0; (entry = readdir(q->scan)) != NULL; errno = 0) {
        q->journals_here = q->journals_here || is_journal_name(entry->d_name);
        if (!is_header_name(entry->d_name, &item.id))
            continue;
        if (q->items.n >= QUEUE_LIST_MAX) {
            errno = EOVERFLOW;
            break;
        }
        vec_push(q->arena, &q->items, item);
        if (q->items.n == BATCH && q->order == QUEUE_LIST_STREAM)
            return SPOOL_OK;
    }
    enum spool_result r = errno != 0 ? directory_fault(q, "read input of spool", f) : SPOOL_OK;
    q->journals = q->journals || q->journals_here || r != SPOOL_OK;
    q->journals_here = q->journals_here || r != SPOOL_OK;
    end_scan(q);
    return r;
}

static bool
is_before(const struct queue_list_item *p, const struct queue_list_item *q)
{
    return message_id_compare(&p->id, &q->id) < 0;
}

/* Moves item down from place i of a heap of n to where it belongs. */
static void
sift(struct queue_list_item *v, size_t n, size_t i, struct queue_list_item item)
{
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && is_before(&v[child + 1], &v[child]))
            child++;
        if (!is_before(&v[child], &item))
            break;
        v[i] = v[child];
    }
    v[i] = item;
}

/* A heap, not a sorted array: the work of sorting is spread over the listing. */
static void
make_heap(struct queue_list *q)
{
    for (size_t i = q->items.n / 2; i-- > 0;)
        sift(q->items.v, q->items.n, i, q->items.v[i]);
    q->heap = true;
}

/* The very first one is wanted soon: it is looked for without any order. */
static struct queue_list_item
take_smallest(struct queue_list *q)
{
    size_t at = 0;
    for (size_t i = 1; i < q->items.n; i++)
        if (is_before(&q->items.v[i], &q->items.v[at]))
            at = i;
    struct queue_list_item first = q->items.v[at];
    q->items.v[at] = q->items.v[--q->items.n];
    return first;
}

static struct queue_list_item
take_first(struct queue_list *q)
{
    struct queue_list_item first = q->items.v[0];
    size_t n = --q->items.n;
    if (n > 0)
        sift(q->items.v, n, 0, q->items.v[n]);
    return first;
}

static struct queue_list_item
take_in_order(struct queue_list *q)
{
    if (!q->given)
        return take_smallest(q);
    if (!q->heap)
        make_heap(q);
    return take_first(q);
}

/* Reads on until there is something to give, or in order until everything is read. */
static enum spool_result
fill(struct queue_list *q, struct spool_fault *f)
{
    if (q->order != QUEUE_LIST_SORTED)
        q->items.n = q->at = 0;
    while (q->directory < DIRECTORIES && (q->order == QUEUE_LIST_SORTED || q->items.n == 0)) {
        enum spool_result r = scan(q, f);
        if (r != SPOOL_OK)
            return r;
    }
    return SPOOL_OK;
}

enum spool_result
queue_list_next(struct queue_list *q, struct queue_list_item *item, struct spool_fault *f)
{
    bool sorted = q->order == QUEUE_LIST_SORTED;
    if (q->directory < DIRECTORIES && (sorted || q->at == q->items.n)) {
        enum spool_result r = fill(q, f);
        if (r != SPOOL_OK)
            return r;
    }
    if (q->at == q->items.n)
        return SPOOL_ABSENT;
    *item = sorted ? take_in_order(q) : q->items.v[q->at++];
    q->given = true;
    return SPOOL_OK;
}

static size_t
count_in(const struct spool_place *place, char sub)
{
    DIR *d = open_scan(place, sub);
    size_t n = 0;
    if (d == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(d)) != NULL;)
        n += is_header_name(entry->d_name, NULL);
    closedir(d);
    return n;
}

size_t
queue_list_count(const struct spool_place *place)
{
    size_t n = 0;
    for (size_t i = 0; i < DIRECTORIES; i++)
        n += count_in(place, sub_of(i));
    return n;
}

int
queue_list_directory(struct queue_list *q, const struct queue_list_item *item)
{
    if (q->dir >= 0 && q->dir_sub == item->sub)
        return q->dir;
    close_dir(q);
    q->dir = spool_open_directory(&q->place, item->sub, false);
    q->dir_sub = item->sub;
    return q->dir;
}

size_t
queue_list_left(const struct queue_list *q)
{
    return q->order == QUEUE_LIST_SORTED ? q->items.n : 0;
}

struct spool_calm
queue_list_calm(const struct queue_list *q)
{
    return q->scan == NULL ? q->calm : (struct spool_calm){.ino = 0};
}

bool
queue_list_has_journals(const struct queue_list *q)
{
    return q->order == QUEUE_LIST_STREAM || q->journals;
}
