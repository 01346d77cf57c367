/* Listings kept; see queue_index.h.
 *
 * A record is a head of fixed size and the text. Numbers are in the machine's own order: the file never leaves it, and a sum over
 * all of a record finds whatever is not ours.
 */
#include "engine/queue_index.h"

#include "base/arena.h"
#include "base/crc32c.h"
#include "sys/file.h"
#include "sys/file_time.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char first_line[] = "remex listing 1\n";
static const char old_name[] = "listing", new_name[] = "listing.new";

enum {
    FIRST_N = sizeof first_line - 1,
    PLAIN = 1,
    ROOM =
        4 *
        QUEUE_INDEX_TEXT_MAX, /* of either buffer; at least two records of the longest kind */
};

struct head {
    char id[MESSAGE_ID_NEW_N + 1];
    uint64_t inode;
    int64_t changed_s, received_time;
    uint32_t changed_ns, text_n, flags, sum;
};
_Static_assert(sizeof(struct head) == 64, "no holes: all of it is summed");

struct queue_index {
    int dir, in, out; /* db/; the two files, -1: none */
    struct timespec now;
    struct str rest; /* of input, read and not yet taken */
    char *input, *output;
    size_t output_n;
    /* The record taken last. */
    bool any;
    struct message_id id;
    struct queue_index_stamp stamp;
    struct queue_index_entry entry;
    size_t found, made; /* taken from the old file; new ones */
};

static uint32_t
sum_of(struct head h, struct str text)
{
    h.sum = 0;
    return crc32c(crc32c(0, &h, sizeof h), text.p, text.n);
}

bool
queue_index_parse(struct str *rest, struct message_id *id, struct queue_index_stamp *stamp,
                  struct queue_index_entry *out)
{
    struct head h;
    if (rest->n < sizeof h)
        return false;
    memcpy(&h, rest->p, sizeof h);
    if (h.text_n > QUEUE_INDEX_TEXT_MAX || h.text_n > rest->n - sizeof h)
        return false;
    struct str text = str_sub(*rest, sizeof h, h.text_n);
    if (h.sum != sum_of(h, text) || h.id[sizeof h.id - 1] != '\0' ||
        !message_id_parse(str_from_cstr(h.id), id))
        return false;
    *stamp = (struct queue_index_stamp){
        .inode = h.inode, .changed_s = h.changed_s, .changed_ns = h.changed_ns};
    *out = (struct queue_index_entry){
        .received_time = h.received_time, .plain = (h.flags & PLAIN) != 0, .text = text};
    *rest = str_sub(*rest, sizeof h + h.text_n, rest->n);
    return true;
}

/* Makes sure that the input holds a whole record, or all that is left. */
static void
fill(struct queue_index *x)
{
    size_t n = x->rest.n;
    if (x->in < 0 || n >= sizeof(struct head) + QUEUE_INDEX_TEXT_MAX)
        return;
    if (n > 0)
        memmove(x->input, x->rest.p, n);
    while (n < ROOM) {
        ssize_t got = read(x->in, x->input + n, ROOM - n);
        if (got <= 0) {
            close(x->in);
            x->in = -1;
            break;
        }
        n += (size_t)got;
    }
    x->rest = str_tainted(str_from(x->input, n));
}

/* The next record; those behind one that is not in order are not believed. */
static bool
take(struct queue_index *x)
{
    struct message_id before = x->id;
    bool first = !x->any;
    fill(x);
    x->any = queue_index_parse(&x->rest, &x->id, &x->stamp, &x->entry) &&
             (first || message_id_compare(&before, &x->id) < 0);
    if (!x->any)
        x->rest = STR_EMPTY;
    return x->any;
}

static void
drop_new(struct queue_index *x)
{
    if (x->out < 0)
        return;
    close(x->out);
    x->out = -1;
    (void)unlinkat(x->dir, new_name, 0);
}

static void
flush(struct queue_index *x)
{
    if (x->out >= 0 && !file_write_all(x->out, x->output, x->output_n))
        drop_new(x);
    x->output_n = 0;
}

static void
close_all(void *ctx)
{
    struct queue_index *x = ctx;
    drop_new(x);
    if (x->in >= 0)
        close(x->in);
    if (x->dir >= 0)
        close(x->dir);
    x->in = x->dir = -1;
}

/* The old file, behind its first line. */
static void
open_old(struct queue_index *x)
{
    char line[FIRST_N];
    x->in = openat(x->dir, old_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (x->in >= 0 && read(x->in, line, FIRST_N) == FIRST_N &&
        memcmp(line, first_line, FIRST_N) == 0)
        return;
    if (x->in >= 0)
        close(x->in);
    x->in = -1;
}

/* A new one belongs to the mail user, also when root makes it. */
static void
open_new(struct queue_index *x, const struct engine *e)
{
    if (geteuid() != 0 && geteuid() != e->mail_uid)
        return;
    (void)unlinkat(x->dir, new_name,
                   0); /* left behind, or another's who writes now and will fail */
    x->out =
        openat(x->dir, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (x->out < 0)
        return;
    if (geteuid() == 0 && fchown(x->out, e->mail_uid, e->mail_gid) != 0) {
        drop_new(x);
        return;
    }
    memcpy(x->output, first_line, FIRST_N);
    x->output_n = FIRST_N;
}

struct queue_index *
queue_index_open(struct arena *a, struct engine *e, struct timespec now)
{
    struct queue_index *x = ARENA_NEW(a, struct queue_index);
    struct spool_place place = engine_place(e);
    x->in = x->out = -1;
    x->now = now;
    x->dir = spool_open_db(&place); /* each queue has a listing of its own */
    if (x->dir < 0)
        return NULL;
    arena_on_free(a, close_all, x);
    x->input = arena_alloc(a, ROOM);
    x->output = arena_alloc(a, ROOM);
    open_old(x);
    open_new(x, e);
    if (x->in < 0 && x->out < 0)
        return NULL;
    (void)take(x);
    return x;
}

bool
queue_index_stamp(int dir, const struct message_id *id, struct queue_index_stamp *out)
{
    struct spool_name name = spool_file_name(id, 'H');
    struct statx st;
    if (dir < 0 || statx(dir, name.text, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
                         STATX_INO | STATX_CTIME, &st) != 0)
        return false;
    *out = (struct queue_index_stamp){.inode = st.stx_ino,
                                      .changed_s = st.stx_ctime.tv_sec,
                                      .changed_ns = st.stx_ctime.tv_nsec};
    return true;
}

bool
queue_index_find(struct queue_index *x, const struct message_id *id,
                 const struct queue_index_stamp *stamp, struct queue_index_entry *out)
{
    int order = -1;
    while (x->any && (order = message_id_compare(&x->id, id)) < 0)
        (void)take(x);
    if (!x->any || order != 0 || x->stamp.inode != stamp->inode ||
        x->stamp.changed_s != stamp->changed_s || x->stamp.changed_ns != stamp->changed_ns)
        return false;
    *out = x->entry;
    x->found++;
    return true;
}

void
queue_index_keep(struct queue_index *x, const struct message_id *id,
                 const struct queue_index_stamp *stamp, const struct queue_index_entry *entry)
{
    struct head h = {.inode = stamp->inode,
                     .changed_s = stamp->changed_s,
                     .changed_ns = stamp->changed_ns,
                     .received_time = entry->received_time,
                     .text_n = entry->text.n,
                     .flags = entry->plain ? PLAIN : 0};
    struct timespec changed = {.tv_sec = stamp->changed_s, .tv_nsec = stamp->changed_ns};
    size_t n = sizeof h + entry->text.n;
    if (x->out < 0 || entry->text.n > QUEUE_INDEX_TEXT_MAX ||
        !file_time_is_settled(changed, x->now))
        return;
    memcpy(h.id, id->text, sizeof h.id);
    h.sum = sum_of(h, entry->text);
    if (n > ROOM - x->output_n)
        flush(x);
    memcpy(x->output + x->output_n, &h, sizeof h);
    memcpy(x->output + x->output_n + sizeof h, entry->text.p, entry->text.n);
    x->output_n += n;
    x->made++;
}

void
queue_index_finish(struct queue_index *x)
{
    size_t added = x->made - (x->found < x->made ? x->found : x->made);
    flush(x);
    if (x->out < 0 || added <= x->made / 16) {
        drop_new(x);
        return;
    }
    close(x->out);
    x->out = -1;
    (void)renameat(x->dir, new_name, x->dir, old_name);
}
