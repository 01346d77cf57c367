/* The first attempt for a message of the fast lane.
 *
 * The body is read into memory; a process that becomes a user gets a copy of it, and no descriptor of the segment, where other
 * messages are. Addresses that are done are notes in our own segment, waited for as lines of a -J file are. As soon as
 * something is left, the message moves, and what follows (bounces, warnings, freezing) is as for any message.
 */
#include "engine/delivery.h"

#include "base/buf.h"
#include "conf/main_options.h"
#include "engine/lane_move.h"
#include "engine/maillog.h"
#include "sys/file.h"
#include "sys/memory_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* --- taking it --- */

/* The body, in memory: most messages of the lane are short, and many are gone before anybody wants a file of it. */
static bool
read_body(struct delivery *d)
{
    const struct lane_taken *t = d->lane;
    size_t size = (size_t)t->body_size, done = 0;
    char *p = arena_alloc(d->arena, size + 1);
    while (done < size) {
        ssize_t n = pread(t->fd, p + done, size - done, (off_t)(t->body_start + (int64_t)done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    p[size] = '\0';
    d->lane_body = str_tainted(str_from(p, size));
    return true;
}

static void
make_entry(struct delivery *d)
{
    struct spool_place place = engine_place(d->engine);
    struct spool_entry *e = &d->entry;
    *e = (struct spool_entry){.id = d->lane->message.id,
                              .dir = -1,
                              .body = -1,
                              .envelope = -1,
                              .calls = d->engine->calls,
                              .log = &d->log_lines};
    e->sub = place.split ? spool_subdirectory(&e->id) : '\0';
}

bool
delivery_lane_body_file(struct delivery *d)
{
    struct spool_entry *e = &d->entry;
    struct spool_name name = spool_file_name(&e->id, 'D');
    size_t n = strlen(name.text) + 1;
    if (d->lane == NULL || e->body >= 0)
        return true;
    int fd = memory_file_new("body");
    if (fd < 0 || !file_write_all(fd, name.text, n - 1) || !file_write_all(fd, "\n", 1) ||
        !file_write_all(fd, d->lane_body.p, d->lane_body.n)) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        errno = saved;
        return false;
    }
    e->body = d->message->body_fd = fd;
    e->body_start = d->message->body_start = (off_t)n;
    d->message->body_text = STR_EMPTY;
    return true;
}

static enum delivery_end
refuse(struct delivery *d, const struct lane_ref *ref, enum lane_take_result r)
{
    if (r == LANE_TAKE_GONE)
        return DELIVERY_ABSENT;
    if (r == LANE_TAKE_BUSY)
        return DELIVERY_BUSY;
    maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
            "message at %llu in lane segment %s cannot be taken: %s",
            (unsigned long long)ref->at, ref->segment,
            r == LANE_TAKE_ERROR ? strerror(errno) : "it is not what was written");
    return DELIVERY_ERROR;
}

enum delivery_end
delivery_lane_open(struct delivery *d, const struct lane_ref *ref)
{
    struct engine *e = d->engine;
    struct spool_fault f = {.text = ""};
    struct lane_taken *t = ARENA_NEW(d->arena, struct lane_taken);
    if (e->lane == NULL)
        return DELIVERY_ERROR;
    enum lane_take_result r = lane_take(d->arena, lane_directory(e->lane), ref, t);
    if (r != LANE_TAKE_OK)
        return refuse(d, ref, r);
    d->lane = t;
    d->id = str_dup(d->arena, message_id_str(&t->message.id));
    d->log_lines = buf_in(d->arena, 0);
    buf_adds(&d->log_lines, t->message.log);
    e->queue =
        t->message.queue.n > 0
            ? str_untaint_by_rule(engine_keep_queue(e, t->message.queue), "queue of a message")
            : STR_EMPTY;
    bool ok = spool_header_parse(d->arena, &t->message.id, t->message.header, &d->header, &f);
    if (ok && read_body(d)) {
        make_entry(d);
        return DELIVERY_WAITS;
    }
    maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, d->id, "message of the fast lane: %s",
            ok ? strerror(errno) : f.text);
    lane_take_close(t);
    return DELIVERY_ERROR;
}

/* --- what is done --- */

bool
delivery_lane_note(struct delivery *d, const struct str *keys, size_t n,
                   struct durable_fault *f)
{
    const struct message_id *id = &d->lane->message.id;
    struct lane *l = d->engine->lane;
    if (d->discarding)
        return true;
    *f = (struct durable_fault){.text = "not an address for the journal"};
    enum lane_result r = lane_note_all(l, id, keys, n, LANE_WAIT, f);
    if (r != LANE_UNFIT || n == 1)
        return r == LANE_OK;
    for (size_t i = 0; i < n; i++)
        if (lane_note_all(l, id, keys + i, 1, LANE_WAIT, f) != LANE_OK)
            return false;
    return true;
}

void
delivery_lane_complete(struct delivery *d)
{
    struct durable_fault f;
    struct lane_note n = {.id = d->lane->message.id};
    if (lane_note(d->engine->lane, LANE_KIND_DONE, &n, LANE_LATER, &f) != LANE_OK)
        maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id,
                "failed to note that the message is done: %s", f.text);
    (void)lane_take_end(d->lane);
}

/* --- what is left --- */

static bool
is_left(const struct delivery *d)
{
    bool reports = false;
    for (size_t i = 0; i < d->delivered.n && !reports; i++)
        reports = (d->delivered.v[i]->dsn_flags & SPOOL_DSN_SUCCESS) != 0;
    return reports || d->deferred.n > 0 || d->failed.n > 0 || d->freeze;
}

/* The message log is there before the message is seen: who finds the one finds the other. */
static bool
move(struct delivery *d, struct spool_entry *to, struct spool_fault *f)
{
    struct spool_place place = engine_place(d->engine);
    if (lane_move_begin(d->arena, d->engine->lane, &place, d->lane, &d->header, to, f) !=
        SPOOL_OK)
        return false;
    bool is_new = to->body >= 0;
    if (is_new)
        maillog_message_lines(d->engine, to, buf_str(&d->log_lines));
    if (lane_move_end(d->lane, to, f) != SPOOL_OK)
        return false;
    if (!is_new)
        *f = (struct spool_fault){.text = "it is in the standing lane already"};
    return is_new;
}

bool
delivery_lane_leave(struct delivery *d)
{
    struct spool_entry to;
    struct spool_fault f = {.text = ""};
    if (d->lane == NULL || !is_left(d))
        return true;
    if (!move(d, &to, &f)) {
        maillog(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id,
                "failed to move the message to the standing lane: %s", f.text);
        return false;
    }
    lane_take_close(d->lane);
    d->lane = NULL;
    spool_close(&d->entry);
    d->entry = to;
    d->message->body_fd = to.body;
    d->message->body_start = to.body_start;
    d->message->body_text = STR_EMPTY;
    return true;
}
