/* -bp; see queue_show.h. Source: specification, option -bp. */
#include "engine/queue_show.h"

#include "base/buf.h"
#include "engine/lane_replay.h"
#include "engine/queue_index.h"
#include "engine/spool_journal.h"
#include "sys/file_time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { INDEX_FROM = 200 }; /* messages of a queue from which on its listing is kept */

/* n in at least two columns. */
static void
add_two(struct buf *b, int64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    if (at == sizeof digits - 1)
        digits[--at] = ' ';
    buf_add(b, digits + at, sizeof digits - at);
}

/* " 25m ", " 3h ", "12d ". */
static void
add_age(struct buf *b, int64_t age_s)
{
    int64_t minutes = (age_s > 0 ? age_s : 0) / 60;
    if (minutes < 90)
        add_two(b, minutes);
    else if ((minutes + 30) / 60 < 72)
        add_two(b, (minutes + 30) / 60);
    else
        add_two(b, (minutes + 720) / 1440);
    buf_addz(b, minutes < 90 ? "m " : (minutes + 30) / 60 < 72 ? "h " : "d ");
}

static void
add_size(struct buf *b, int64_t size)
{
    double k = (double)size / 1024;
    if (size < 0)
        buf_addz(b, "     ");
    else if (size < 1024)
        buf_printf(b, "%5lld", (long long)size);
    else if (size < 10 * 1024)
        buf_printf(b, "%4.1fK", k);
    else if (size < 1024 * 1024)
        buf_printf(b, "%4lldK", (long long)((size + 512) / 1024));
    else if (size < 10 * 1024 * 1024)
        buf_printf(b, "%4.1fM", k / 1024);
    else
        buf_printf(b, "%4lldM", (long long)((size + 512 * 1024) / (1024 * 1024)));
}

/* Header lines and the line behind them. */
static int64_t
headers_size(const struct spool_header *h)
{
    int64_t size = 1;
    for (size_t i = 0; i < h->headers.n; i++)
        if (h->headers.v[i].type != HEADER_TYPE_DELETED)
            size += h->headers.v[i].text.n;
    return size;
}

static int64_t
message_size(int dir, const struct message_id *id, const struct spool_header *h)
{
    struct stat st;
    struct spool_name name = spool_file_name(id, 'D');
    int64_t size = headers_size(h);
    if (fstatat(dir, name.text, &st, AT_SYMLINK_NOFOLLOW) == 0)
        size += (int64_t)st.st_size - (int64_t)strlen(name.text) - 1;
    return size;
}

static void
add_name(struct buf *b, const struct message_id *id, const struct spool_header *h)
{
    buf_addc(b, ' ');
    buf_addz(b, id->text);
    buf_addz(b, " <");
    buf_adds(b, h->sender);
    buf_addc(b, '>');
    if (h->sender_set_untrusted)
        buf_printf(b, " (%.*s)", STR_ARG(h->login));
    if (h->frozen_time != SPOOL_NONE)
        buf_addz(b, " *** frozen ***");
    buf_addc(b, '\n');
}

/* True if the address is one of the envelope. */
static bool
is_original(const struct spool_header *h, struct str key)
{
    for (size_t i = 0; i < h->recipients.n; i++)
        if (str_eq(h->recipients.v[i].address, key))
            return true;
    return false;
}

static int
by_text(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* What is done and no recipient, in the order of the tree. */
static void
add_generated(struct buf *b, const struct spool_header *h)
{
    VEC(struct str) keys = {NULL, 0, 0};
    for (size_t i = 0; i < h->done.nodes.n; i++)
        if (!is_original(h, h->done.nodes.v[i].key))
            vec_push(b->arena, &keys, h->done.nodes.v[i].key);
    if (keys.n > 0)
        qsort(keys.v, keys.n, sizeof *keys.v, by_text);
    for (size_t i = 0; i < keys.n; i++)
        buf_printf(b, "       +D %.*s\n", STR_ARG(keys.v[i]));
}

static void
add_recipient(struct buf *b, bool done, struct str address)
{
    buf_addz(b, done ? "        D " : "          ");
    buf_adds(b, address);
    buf_addc(b, '\n');
}

static void
add_recipients(struct buf *b, const struct spool_header *h, enum queue_show_what what)
{
    for (size_t i = 0; i < h->recipients.n; i++) {
        struct str address = h->recipients.v[i].address;
        bool done = spool_tree_has(&h->done, address);
        if (!done || what != QUEUE_SHOW_UNDELIVERED)
            add_recipient(b, done, address);
    }
    if (what != QUEUE_SHOW_GENERATED)
        return;
    add_generated(b, h);
}

static void
show_fault(struct buf *b, const struct message_id *id, enum spool_result r,
           const struct spool_fault *f)
{
    buf_printf(b, "      %s\n", id->text);
    if (r == SPOOL_ABSENT)
        buf_printf(b, "    *** spool read error: %s ***\n\n", strerror(ENOENT));
    else if (f->sys_errno != 0)
        buf_printf(b, "    *** spool read error: %s ***\n\n", strerror(f->sys_errno));
    else
        buf_printf(b, "    *** spool format error: %s ***\n\n", f->text);
}

/* What the journal says is done as well: an attempt may be under way. */
static void
add_journal(struct arena *a, int dir, const struct message_id *id, struct spool_header *h)
{
    struct spool_entry e = {
        .id = *id, .dir = dir, .body = -1, .envelope = -1, .calls = &durable_kernel};
    struct spool_fault f;
    struct spool_journal_found found;
    (void)spool_journal_read(a, &e, h, &found, &f);
}

/* A listing, and the message at hand. */
struct show {
    struct arena *arena;
    enum queue_show_what what;
    bool missing;              /* a message that is not there is shown */
    bool no_journal;           /* none of them has one */
    struct queue_index *index; /* NULL: nothing is kept of it */
    FILE *out;
};

static void
put(const struct show *s, struct buf *b)
{
    struct str text = buf_str(b);
    (void)fwrite_unlocked(text.p, 1, text.n, s->out);
}

static bool
has_journal(const struct show *s, int dir, const struct message_id *id)
{
    struct spool_name name = spool_file_name(id, 'J');
    return !s->no_journal &&
           (faccessat(dir, name.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT);
}

/* Shows it as an earlier listing had it. */
static bool
show_kept(const struct show *s, const struct message_id *id,
          const struct queue_index_stamp *stamp)
{
    struct queue_index_entry e;
    struct buf b = buf_in(s->arena, 0);
    if (!queue_index_find(s->index, id, stamp, &e) || (!e.plain && s->what != QUEUE_SHOW_ALL))
        return false;
    add_age(&b, (int64_t)time(NULL) - e.received_time);
    buf_adds(&b, e.text);
    put(s, &b);
    queue_index_keep(s->index, id, stamp, &e);
    return true;
}

/* Reads it and shows it; with a stamp it is kept, and has no journal. */
static void
show_read(const struct show *s, int dir, const struct message_id *id,
          const struct queue_index_stamp *stamp)
{
    struct buf b = buf_in(s->arena, 0);
    struct spool_header h;
    struct spool_fault f = {.text = ""};
    spool_header_init(&h);
    enum spool_result r = dir < 0 ? SPOOL_ABSENT : spool_read_at(s->arena, dir, id, &h, &f);
    if (r == SPOOL_ABSENT && !s->missing)
        return;
    if (r != SPOOL_OK) {
        show_fault(&b, id, r, &f);
        put(s, &b);
        return;
    }
    if (!s->no_journal && stamp == NULL)
        add_journal(s->arena, dir, id, &h);
    add_age(&b, (int64_t)time(NULL) - h.received_time);
    size_t age_n = b.n;
    add_size(&b, message_size(dir, id, &h));
    add_name(&b, id, &h);
    add_recipients(&b, &h, s->what);
    buf_addc(&b, '\n');
    put(s, &b);
    struct queue_index_entry e = {.received_time = h.received_time,
                                  .plain = h.done.nodes.n == 0,
                                  .text = str_sub(buf_str(&b), age_n, b.n)};
    if (stamp != NULL && (e.plain || s->what == QUEUE_SHOW_ALL))
        queue_index_keep(s->index, id, stamp, &e);
}

static void
show_one(const struct show *s, int dir, const struct message_id *id)
{
    struct queue_index_stamp stamp;
    if (s->what == QUEUE_SHOW_IDS) {
        (void)fprintf(s->out, "%s\n", id->text);
        return;
    }
    /* The journal first: it goes after the -H file has been replaced. */
    bool indexed =
        s->index != NULL && !has_journal(s, dir, id) && queue_index_stamp(dir, id, &stamp);
    if (!indexed || !show_kept(s, id, &stamp))
        show_read(s, dir, id, indexed ? &stamp : NULL);
}

/* --- the fast lane --- */

struct lane_view {
    const struct engine *e;
    enum queue_show_what what;
    FILE *out; /* NULL: they are only counted */
    size_t n;
};

static void
show_lane_one(void *ctx, const struct lane_listed *m)
{
    struct lane_view *v = ctx;
    struct spool_header h;
    struct spool_fault f;
    if (!str_eq(m->message.queue, v->e->queue))
        return;
    v->n++;
    if (v->out == NULL)
        return;
    if (v->what == QUEUE_SHOW_IDS) {
        (void)fprintf(v->out, "%s\n", m->id.text);
        return;
    }
    struct arena *a = arena_new();
    struct buf b = buf_in(a, 0);
    if (spool_header_parse(a, &m->id, m->message.header, &h, &f)) {
        add_age(&b, (int64_t)time(NULL) - h.received_time);
        add_size(&b, m->body_size + headers_size(&h));
        add_name(&b, &m->id, &h);
        add_recipients(&b, &h, v->what);
        buf_addc(&b, '\n');
        struct str text = buf_str(&b);
        (void)fwrite(text.p, 1, text.n, v->out);
    }
    arena_free(a);
}

/* What has not moved to the standing lane yet. */
static void
show_lane(struct engine *e, enum queue_show_what what, FILE *out)
{
    struct lane_view v = {.e = e, .what = what, .out = out};
    (void)lane_replay_list(engine_place(e).root, show_lane_one, &v);
}

size_t
queue_show_count(struct engine *e)
{
    struct spool_place place = engine_place(e);
    struct lane_view v = {.e = e};
    (void)lane_replay_list(place.root, show_lane_one, &v);
    return queue_list_count(&place) + v.n;
}

void
queue_show(struct engine *e, enum queue_list_order order, enum queue_show_what what, FILE *out)
{
    struct arena *list = arena_new();
    struct spool_place place = engine_place(e);
    struct queue_list *q = queue_list_new(list, &place, order);
    struct queue_list_item item;
    struct spool_fault f;
    struct show s = {.arena = arena_new(), .what = what, .out = out};
    for (size_t shown = 0;; shown++) {
        enum spool_result r = queue_list_next(q, &item, &f);
        if (r == SPOOL_ABSENT)
            break;
        if (r != SPOOL_OK) {
            (void)fprintf(stderr, "%s\n", f.text);
            continue;
        }
        if (shown == 0 && what != QUEUE_SHOW_IDS && queue_list_left(q) >= INDEX_FROM)
            s.index = queue_index_open(list, e, file_time_now());
        s.no_journal = !queue_list_has_journals(q);
        show_one(&s, queue_list_directory(q, &item), &item.id);
        arena_clear(s.arena);
        if (shown == 0)
            (void)fflush(out); /* who waits for a long listing sees that it began */
    }
    if (s.index != NULL)
        queue_index_finish(s.index);
    arena_free(s.arena);
    arena_free(list);
    show_lane(e, what, out);
}

void
queue_show_some(struct engine *e, const struct str *ids, size_t n, enum queue_show_what what,
                FILE *out)
{
    struct spool_place place = engine_place(e);
    for (size_t i = 0; i < n; i++) {
        struct show s = {.arena = arena_new(), .what = what, .missing = true, .out = out};
        struct message_id id;
        if (message_id_parse(ids[i], &id)) {
            int dir = spool_find_directory(&place, &id);
            show_one(&s, dir, &id);
            if (dir >= 0)
                close(dir);
        }
        arena_free(s.arena);
    }
}
