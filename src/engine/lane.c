/* The fast lane's writer; see lane.h.
 *
 * One lock guards everything here. Appending writes to the page cache under it, so that a segment has no gaps; syncing is done
 * without it. Waiters belong to a batch: the sync that begins after they wrote. At most two batches have waiters at a time, the
 * one being synced and the next, hence two conditions. There is no thread for syncing: the first one that waits and finds nobody at
 * it does it for all, so that who is alone has nobody to wait for.
 */
#include "engine/lane.h"

#include "base/arena.h"
#include "base/crc32c.h"
#include "base/num.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct segment {
    struct lane_segment_file file;
    uint64_t tail;
    unsigned users;     /* waiters, and who syncs it */
    bool full;          /* nothing is appended any more */
    bool dirty;         /* something is not synced */
    int failed;         /* errno of the sync that failed; 0: none did */
    uint64_t failed_in; /* the batch that it was in */
    struct segment *next;
};

struct lane {
    struct durable_calls calls;
    int dir;
    uint64_t segment_size;
    pthread_mutex_t lock;
    pthread_cond_t gathered, ended[2];
    atomic_uint expected; /* see lane_expect */
    bool committing;      /* somebody syncs, or is about to */
    bool syncing;
    int unreported;      /* errno of a sync that failed since lane_sync was asked last */
    unsigned waiters;    /* of that batch */
    uint64_t batch;      /* that appended records belong to */
    uint64_t synced;     /* the last one that is over */
    struct segment *all; /* newest first; only it may be appended to */
    struct lane_figures figures;
};

/* What was appended and is waited for. */
struct appended {
    struct segment *segment;
    uint64_t at, batch;
};

/* --- segments --- */

static bool
is_idle(const struct segment *s)
{
    return s->full && s->users == 0 && (!s->dirty || s->failed != 0);
}

/* Closes those that nobody needs any more, which tells others that nothing is added to them. */
static void
retire(struct lane *l)
{
    for (struct segment **p = &l->all; *p != NULL;) {
        struct segment *s = *p;
        if (!is_idle(s)) {
            p = &s->next;
            continue;
        }
        *p = s->next;
        (void)l->calls.close_fd(s->file.fd);
        free(s);
    }
}

static struct segment *
new_segment(struct lane *l, struct durable_fault *f)
{
    struct segment *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)durable_failed(f, "create", "lane segment");
        return NULL;
    }
    if (!lane_segment_create(&l->calls, l->dir, l->segment_size, &s->file, f)) {
        free(s);
        return NULL;
    }
    s->tail = lane_segment_start();
    s->next = l->all;
    l->all = s;
    l->figures.segments++;
    return s;
}

/* One with room for n bytes. */
static struct segment *
segment_for(struct lane *l, uint64_t n, struct durable_fault *f)
{
    struct segment *s = l->all;
    if (s != NULL && !s->full && n <= s->file.size - s->tail)
        return s;
    if (s != NULL)
        s->full = true;
    retire(l);
    return new_segment(l, f);
}

/* --- appending --- */

/* Takes back a record that nobody was told of: not on stable storage, where it may not be anyhow, but for who reads the
 * file now. */
static void
make_void(struct lane *l, const struct segment *s, uint64_t at)
{
    struct durable_fault f;
    unsigned char zeros[LANE_HEAD] = {0};
    struct iovec v = {.iov_base = zeros, .iov_len = sizeof zeros};
    struct durable_pieces what = {&v, 1};
    (void)durable_write_at(&l->calls, s->file.fd, s->file.name, what, (off_t)at, &f);
}

/* Writes records that belong together, at the segment's end. A write that fails leaves a gap and ends the segment. */
static bool
append(struct lane *l, struct segment *s, struct durable_pieces what, uint64_t n,
       struct durable_fault *f)
{
    if (!durable_write_at(&l->calls, s->file.fd, s->file.name, what, (off_t)s->tail, f)) {
        make_void(l, s, s->tail);
        s->full = true;
        return false;
    }
    s->tail += n;
    s->dirty = true;
    l->figures.bytes += n;
    return true;
}

static void
add_piece(struct durable_pieces *p, struct iovec *v, struct str s)
{
    /* An iovec has no const form; pwritev only reads. */
    if (s.n > 0)
        v[p->n++] = (struct iovec){.iov_base = (void *)(uintptr_t)s.p, .iov_len = s.n};
}

static struct str
padding(uint32_t length)
{
    static const char zeros[LANE_ALIGN] = {0};
    return str_from(zeros, lane_record_size(length) - LANE_HEAD - length);
}

/* The two records of a message, from at on. */
struct message_form {
    struct lane_head body, message;
    unsigned char body_head[LANE_HEAD], message_head[LANE_HEAD];
    unsigned char lengths[LANE_MESSAGE_HEAD];
    uint64_t n;
};

static bool
measure(struct message_form *w, const struct lane_message *m, struct str body)
{
    if (body.n > LANE_BODY_MAX || !lane_message_head(m, w->lengths))
        return false;
    w->body = (struct lane_head){
        .kind = LANE_KIND_BODY, .length = body.n, .sum = crc32c(0, body.p, body.n)};
    uint32_t sum = crc32c(0, w->lengths, sizeof w->lengths);
    sum = crc32c(sum, m->queue.p, m->queue.n);
    sum = crc32c(sum, m->log.p, m->log.n);
    w->message = (struct lane_head){
        .kind = LANE_KIND_MESSAGE,
        .length = (uint32_t)sizeof w->lengths + m->queue.n + m->log.n + m->header.n,
        .sum = crc32c(sum, m->header.p, m->header.n),
    };
    w->n = lane_record_size(w->body.length) + lane_record_size(w->message.length);
    return true;
}

static bool
append_message(struct lane *l, struct segment *s, struct message_form *w,
               const struct lane_message *m, struct str body, struct durable_fault *f)
{
    struct iovec v[DURABLE_PIECES_MAX + 1];
    struct durable_pieces what = {v, 0};
    uint64_t at = s->tail + lane_record_size(w->body.length);
    char text[LANE_HEAD + LANE_MESSAGE_HEAD];
    w->message.body = s->tail;
    lane_head_write(&w->body, s->file.secret, s->tail, w->body_head);
    lane_head_write(&w->message, s->file.secret, at, w->message_head);
    memcpy(text, w->message_head, LANE_HEAD);
    memcpy(text + LANE_HEAD, w->lengths, LANE_MESSAGE_HEAD);
    add_piece(&what, v, str_from((const char *)w->body_head, LANE_HEAD));
    add_piece(&what, v, body);
    add_piece(&what, v, padding(w->body.length));
    add_piece(&what, v, str_from(text, sizeof text));
    add_piece(&what, v, m->queue);
    add_piece(&what, v, m->log);
    add_piece(&what, v, m->header);
    add_piece(&what, v, padding(w->message.length));
    l->figures.records += 2;
    bool ok = append(l, s, what, w->n, f);
    if (!ok)
        make_void(l, s, at);
    return ok;
}

/* --- syncing --- */

enum { SEGMENTS_AT_ONCE = 64, LINGER_MS = 2 };

struct batch_work {
    struct segment *v[SEGMENTS_AT_ONCE];
    int result[SEGMENTS_AT_ONCE];
    size_t n;
    uint64_t batch;
    bool more; /* than fit */
};

/* The segments that wait to be synced; what is appended from now on belongs to the next batch. */
static void
take_batch(struct lane *l, struct batch_work *w)
{
    *w = (struct batch_work){.batch = l->batch};
    for (struct segment *s = l->all; s != NULL; s = s->next) {
        if (!s->dirty || s->failed != 0)
            continue;
        if (w->n == SEGMENTS_AT_ONCE) {
            w->more = true;
            break;
        }
        s->dirty = false;
        s->users++;
        w->v[w->n++] = s;
    }
    l->syncing = true;
    if (!w->more) {
        l->batch++;
        l->waiters = 0;
    }
}

/* Who waits for the next batch does that one: any of them. */
static void
end_batch(struct lane *l, const struct batch_work *w)
{
    l->figures.syncs += w->n;
    l->syncing = false;
    for (size_t i = 0; i < w->n; i++) {
        struct segment *s = w->v[i];
        s->users--;
        if (w->result[i] == 0)
            continue;
        s->failed = w->result[i];
        s->failed_in = w->batch;
        l->unreported = w->result[i];
        s->full = true;
    }
    if (!w->more) {
        l->synced = w->batch;
        pthread_cond_broadcast(&l->ended[w->batch % 2]);
        if (l->waiters > 0)
            pthread_cond_signal(&l->ended[l->batch % 2]);
    }
    retire(l);
}

static bool
is_gathered(struct lane *l)
{
    return atomic_load_explicit(&l->expected, memory_order_relaxed) == 0;
}

/* A moment's wait for messages that are about to come saves their syncs. */
static void
let_others_come(struct lane *l)
{
    struct timespec until;
    if (is_gathered(l))
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LINGER_MS * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (!is_gathered(l) && pthread_cond_timedwait(&l->gathered, &l->lock, &until) == 0)
        continue;
}

/* With the lock, which is let go of meanwhile: one batch. */
static void
commit(struct lane *l)
{
    struct batch_work w;
    l->committing = true;
    let_others_come(l);
    take_batch(l, &w);
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < w.n; i++)
        w.result[i] = l->calls.sync_content(w.v[i]->file.fd) == 0 ? 0 : errno;
    pthread_mutex_lock(&l->lock);
    l->committing = false;
    end_batch(l, &w);
}

/* --- waiting --- */

/* Makes the next batch the one that was appended to. */
static struct appended
join(struct lane *l, struct segment *s, uint64_t at)
{
    s->users++;
    l->waiters++;
    if (l->committing && is_gathered(l))
        pthread_cond_signal(&l->gathered);
    return (struct appended){.segment = s, .at = at, .batch = l->batch};
}

/* With the lock: until the batch is over. False: the sync failed. */
static bool
wait_for(struct lane *l, const struct appended *a, struct durable_fault *f)
{
    struct segment *s = a->segment;
    while (l->synced < a->batch) {
        if (l->committing)
            pthread_cond_wait(&l->ended[a->batch % 2], &l->lock);
        else
            commit(l);
    }
    bool ok = s->failed == 0 || a->batch < s->failed_in;
    if (!ok) {
        errno = s->failed;
        (void)durable_failed(f, "fsync", s->file.name);
    }
    return ok;
}

static void
leave(struct lane *l, const struct appended *a)
{
    a->segment->users--;
    retire(l);
}

/* --- for others --- */

static void
set_up_locks(struct lane *l)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->gathered, &monotonic);
    pthread_cond_init(&l->ended[0], NULL);
    pthread_cond_init(&l->ended[1], NULL);
    pthread_condattr_destroy(&monotonic);
}

static void
clean_up(struct lane *l)
{
    for (struct segment *s = l->all, *next; s != NULL; s = next) {
        next = s->next;
        (void)l->calls.close_fd(s->file.fd);
        free(s);
    }
    pthread_cond_destroy(&l->ended[0]);
    pthread_cond_destroy(&l->ended[1]);
    pthread_cond_destroy(&l->gathered);
    pthread_mutex_destroy(&l->lock);
    if (l->dir >= 0)
        close(l->dir);
    free(l);
}

struct lane *
lane_open(const struct lane_settings *settings, struct durable_fault *f)
{
    struct lane *l = calloc(1, sizeof *l);
    if (l == NULL || settings->segment_size > LANE_SEGMENT_MAX) {
        errno = l == NULL ? ENOMEM : EINVAL;
        (void)durable_failed(f, "open", "lane");
        free(l);
        return NULL;
    }
    set_up_locks(l);
    l->calls = *settings->calls;
    l->segment_size = settings->segment_size;
    l->batch = 1;
    l->dir = lane_directory_open(settings->spool, true);
    if (l->dir < 0) {
        (void)durable_failed(f, "open", "lane");
        clean_up(l);
        return NULL;
    }
    return l;
}

/* True if something is not known to be durable. */
static bool
is_open(const struct lane *l)
{
    bool any = l->syncing;
    for (const struct segment *s = l->all; s != NULL; s = s->next)
        any |= s->dirty && s->failed == 0;
    return any;
}

void
lane_close(struct lane *l)
{
    if (l == NULL)
        return;
    pthread_mutex_lock(&l->lock);
    while (is_open(l))
        commit(l);
    pthread_mutex_unlock(&l->lock);
    clean_up(l);
}

void
lane_expect(struct lane *l, enum lane_expected what)
{
    if (what == LANE_MESSAGE_COMES)
        (void)atomic_fetch_add_explicit(&l->expected, 1, memory_order_relaxed);
    else
        (void)atomic_fetch_sub_explicit(&l->expected, 1, memory_order_relaxed);
}

enum lane_result
lane_put(struct lane *l, const struct lane_message *m, struct str body, struct lane_ref *ref,
         struct durable_fault *f)
{
    struct message_form w;
    bool fits = measure(&w, m, body) && w.n <= l->segment_size - lane_segment_start();
    pthread_mutex_lock(&l->lock);
    if (m->expected)
        lane_expect(l, LANE_MESSAGE_FAILS);
    if (!fits) {
        pthread_mutex_unlock(&l->lock);
        return LANE_UNFIT;
    }
    struct segment *s = segment_for(l, w.n, f);
    bool ok = s != NULL && append_message(l, s, &w, m, body, f);
    if (!ok) {
        retire(l);
        pthread_mutex_unlock(&l->lock);
        return s == NULL ? LANE_UNFIT : LANE_FAILED;
    }
    struct appended a = join(l, s, s->tail - lane_record_size(w.message.length));
    *ref = (struct lane_ref){.at = a.at};
    memcpy(ref->segment, s->file.name, sizeof ref->segment);
    ok = wait_for(l, &a, f);
    if (!ok)
        make_void(l, s, a.at);
    leave(l, &a);
    pthread_mutex_unlock(&l->lock);
    if (!ok) {
        struct durable_fault ignored;
        struct lane_note n = {.id = m->id};
        (void)lane_note(l, LANE_KIND_ABORT, &n, LANE_LATER, &ignored);
    }
    return ok ? LANE_OK : LANE_FAILED;
}

/* Records of one kind, on their way to a segment. */
struct notes {
    enum lane_kind kind;
    const struct str *content;
    size_t n;
    uint64_t size; /* of all of them */
    struct buf bytes;
};

static bool
append_notes(struct lane *l, struct segment *s, struct notes *w, struct durable_fault *f)
{
    unsigned char head[LANE_HEAD];
    for (size_t i = 0; i < w->n; i++) {
        struct str c = w->content[i];
        struct lane_head h = {.kind = w->kind, .length = c.n, .sum = crc32c(0, c.p, c.n)};
        lane_head_write(&h, s->file.secret, s->tail + w->bytes.n, head);
        buf_adds(&w->bytes, str_from((const char *)head, LANE_HEAD));
        buf_adds(&w->bytes, c);
        buf_adds(&w->bytes, padding(h.length));
    }
    struct iovec v;
    struct durable_pieces what = {&v, 0};
    add_piece(&what, &v, buf_str(&w->bytes));
    l->figures.records += w->n;
    return append(l, s, what, w->size, f);
}

static enum lane_result
put_notes(struct lane *l, struct notes *w, enum lane_wait wait, struct durable_fault *f)
{
    for (size_t i = 0; i < w->n; i++)
        w->size += lane_record_size(w->content[i].n);
    if (w->size > l->segment_size - lane_segment_start())
        return LANE_UNFIT;
    pthread_mutex_lock(&l->lock);
    struct segment *s = segment_for(l, w->size, f);
    bool ok = s != NULL && append_notes(l, s, w, f);
    if (s != NULL)
        retire(l);
    if (ok && wait == LANE_WAIT) {
        struct appended a = join(l, s, s->tail - w->size);
        ok = wait_for(l, &a, f);
        leave(l, &a);
    }
    pthread_mutex_unlock(&l->lock);
    return ok ? LANE_OK : LANE_FAILED;
}

enum lane_result
lane_note(struct lane *l, enum lane_kind kind, const struct lane_note *n, enum lane_wait wait,
          struct durable_fault *f)
{
    struct arena *a = arena_new();
    struct buf content = buf_in(a, LANE_NOTE_MAX);
    enum lane_result r = LANE_UNFIT;
    if (lane_note_write(kind, n, &content)) {
        struct str text = buf_str(&content);
        struct notes w = {.kind = kind, .content = &text, .n = 1, .bytes = buf_in(a, 0)};
        r = put_notes(l, &w, wait, f);
    }
    arena_free(a);
    return r;
}

enum lane_result
lane_note_all(struct lane *l, const struct message_id *id, const struct str *addresses,
              size_t n, enum lane_wait wait, struct durable_fault *f)
{
    struct arena *a = arena_new();
    struct str *texts = ARENA_ARRAY(a, struct str, n);
    enum lane_result r = LANE_OK;
    for (size_t i = 0; i < n && r == LANE_OK; i++) {
        const struct lane_note note = {.id = *id, .address = addresses[i]};
        struct buf content = buf_in(a, LANE_NOTE_MAX);
        if (!lane_note_write(LANE_KIND_RECIPIENT, &note, &content))
            r = LANE_UNFIT;
        texts[i] = buf_str(&content);
    }
    struct notes w = {
        .kind = LANE_KIND_RECIPIENT, .content = texts, .n = n, .bytes = buf_in(a, 0)};
    if (r == LANE_OK)
        r = put_notes(l, &w, wait, f);
    arena_free(a);
    return r;
}

bool
lane_sync(struct lane *l, struct durable_fault *f)
{
    pthread_mutex_lock(&l->lock);
    if (is_open(l)) {
        struct appended a = join(l, l->all, l->all->tail);
        (void)wait_for(l, &a, f);
        leave(l, &a);
    }
    errno = l->unreported;
    l->unreported = 0;
    pthread_mutex_unlock(&l->lock);
    return errno == 0 || durable_failed(f, "fsync", "lane segment");
}

void
lane_ref_write(const struct lane_ref *ref, char out[LANE_REF_TEXT_MAX])
{
    (void)snprintf(out, LANE_REF_TEXT_MAX, "@%s@%llu", ref->segment,
                   (unsigned long long)ref->at);
}

bool
lane_ref_read(struct str text, struct lane_ref *ref)
{
    size_t end = text.n > 0 && text.p[0] == '@' ? str_chr(text, '@', 1) : STR_NPOS;
    *ref = (struct lane_ref){.at = 0};
    if (end == STR_NPOS || end - 1 >= sizeof ref->segment || str_has_nul(text) ||
        !num_parse_digits(str_sub(text, end + 1, text.n), &ref->at))
        return false;
    memcpy(ref->segment, text.p + 1, end - 1);
    return true;
}

int
lane_directory(const struct lane *l)
{
    return l->dir;
}

const struct durable_calls *
lane_calls(const struct lane *l)
{
    return &l->calls;
}

struct lane_figures
lane_figures(struct lane *l)
{
    pthread_mutex_lock(&l->lock);
    struct lane_figures r = l->figures;
    pthread_mutex_unlock(&l->lock);
    return r;
}
