/* The first attempt for a message of the fast lane.
 *
 * The body is copied to a file in memory that looks like a -D file: a process that becomes a user gets a descriptor of this
 * message and of no other. Addresses that are done are notes in our own segment, waited for as lines of a -J file are. As soon as
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

static bool
copy_body(const struct lane_taken *t, int to, const char *first)
{
    char block[16384];
    if (!file_write_all(to, first, strlen(first)))
        return false;
    for (int64_t done = 0; done < t->body_size;) {
        int64_t left = t->body_size - done;
        size_t want = left < (int64_t)sizeof block ? (size_t)left : sizeof block;
        ssize_t n = pread(t->fd, block, want, (off_t)(t->body_start + done));
        if (n <= 0 || !file_write_all(to, block, (size_t)n))
            return false;
        done += n;
    }
    return true;
}

/* An entry with a copy of the body. */
static bool
make_entry(struct delivery *d)
{
    struct spool_place place = engine_place(d->engine);
    struct spool_entry *e = &d->entry;
    char first[MESSAGE_ID_NEW_N + 16];
    struct spool_name name = spool_file_name(&d->lane->message.id, 'D');
    size_t n = strlen(name.text);
    memcpy(first, name.text, n);
    memcpy(first + n, "\n", 2);
    *e = (struct spool_entry){.id = d->lane->message.id,
                              .dir = -1,
                              .body = memory_file_new("body"),
                              .body_start = (off_t)n + 1,
                              .calls = d->engine->calls,
                              .log = &d->lane_log};
    e->sub = place.split ? spool_subdirectory(&e->id) : '\0';
    return e->body >= 0 && copy_body(d->lane, e->body, first);
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
    d->lane_log = buf_in(d->arena, 0);
    buf_adds(&d->lane_log, t->message.log);
    e->queue =
        t->message.queue.n > 0
            ? str_untaint_by_rule(engine_keep_queue(e, t->message.queue), "queue of a message")
            : STR_EMPTY;
    bool ok = spool_header_parse(d->arena, &t->message.id, t->message.header, &d->header, &f);
    if (ok && make_entry(d))
        return DELIVERY_WAITS;
    maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, d->id, "message of the fast lane: %s",
            ok ? strerror(errno) : f.text);
    spool_close(&d->entry);
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
        maillog_message_lines(d->engine, to, buf_str(&d->lane_log));
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
    return true;
}
