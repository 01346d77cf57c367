/* Replay of the fast lane; see lane_replay.h.
 *
 * The order matters: first the messages are locked, then the notes are read, so that nothing can be noted about a message
 * between the two; then the messages move, in groups that share one sync; then segments go.
 */
#include "engine/lane_replay.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "engine/lane_move.h"
#include "sys/await.h"
#include "sys/file_lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What the notes say of a message. */
struct noted {
    bool done, moved, aborted;
    VEC(struct str) recipients;
};

struct one_message {
    struct message_id id;
    uint64_t at;
    bool ended; /* by the word in its head, by a note, or moved now */
    bool locked, damaged;
};

struct one_segment {
    char name[LANE_NAME_MAX];
    struct lane_walk walk;
    bool closed; /* nobody writes to it */
    bool bad;    /* something in it cannot be read: it stays */
    VEC(struct one_message) messages;
    VEC(struct message_id) about; /* what its notes are about */
};

struct replay {
    const struct lane_replay *rp;
    struct lane_replay_result *out;
    struct arena *arena;
    int dir;
    int64_t now, end_ms; /* end: on the monotonic clock, 0 for none */
    VEC(struct one_segment *) segments;
    struct map *notes; /* id to struct noted */
    unsigned locked;   /* messages */
};

enum {
    SEGMENTS_MAX = 4096,
    GROUP = 32, /* messages that share the sync of their notes */
};

static void
say(const struct replay *r, const struct message_id *id, const char *text)
{
    if (r->rp->say != NULL)
        r->rp->say(r->rp->ctx, id == NULL ? STR_NULL : message_id_str(id), text);
}

static void
say_of(const struct replay *r, const char *name, const char *what)
{
    char text[160];
    (void)snprintf(text, sizeof text, "lane segment %.48s: %.80s", name, what);
    say(r, NULL, text);
}

/* --- finding segments --- */

static int
by_name(const void *a, const void *b)
{
    const struct one_segment *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void
open_segment(struct replay *r, const char *name)
{
    struct one_segment *s = ARENA_NEW(r->arena, struct one_segment);
    int fd = openat(r->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        if (errno != ENOENT)
            say_of(r, name, strerror(errno));
        return;
    }
    memcpy(s->name, name, strnlen(name, sizeof s->name - 1));
    s->closed = file_lock_range(fd, 0, 1) == FILE_LOCK_OK;
    enum lane_walk_result w =
        lane_walk_start(&s->walk, fd, s->closed ? LANE_WALK_CLOSED : LANE_WALK_LIVE);
    s->walk.fd = fd;
    s->bad = w != LANE_WALK_RECORD;
    if (s->bad)
        say_of(r, name, w == LANE_WALK_ERROR ? strerror(errno) : "not a segment");
    vec_push(r->arena, &r->segments, s);
}

static bool
find_segments(struct replay *r)
{
    int own = openat(r->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = own < 0 ? NULL : fdopendir(own);
    if (d == NULL) {
        if (own >= 0)
            close(own);
        return false;
    }
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        if (lane_segment_is_name(e->d_name) && r->segments.n < SEGMENTS_MAX)
            open_segment(r, e->d_name);
    closedir(d);
    if (r->segments.n > 0)
        qsort(r->segments.v, r->segments.n, sizeof *r->segments.v, by_name);
    r->out->segments = (unsigned)r->segments.n;
    return true;
}

/* --- messages, then notes --- */

static bool
is_note(enum lane_kind k)
{
    return k == LANE_KIND_RECIPIENT || k == LANE_KIND_DONE || k == LANE_KIND_MOVED ||
           k == LANE_KIND_ABORT;
}

static bool
is_young(const struct replay *r, const struct message_id *id)
{
    const struct lane_replay *rp = r->rp;
    return (rp->only != NULL && strcmp(rp->only->text, id->text) != 0) ||
           (rp->age_s > 0 && message_id_time(id) >= rp->before_s &&
            r->now - message_id_time(id) < rp->age_s);
}

/* Takes a message that has not ended for itself, unless it is to be left alone. */
static void
lock_message(struct replay *r, struct one_segment *s, struct one_message *m)
{
    r->out->messages++;
    if (is_young(r, &m->id)) {
        r->out->young++;
    } else if (r->rp->most > 0 && r->locked >= r->rp->most) {
        r->out->left++;
    } else if (file_lock_range(s->walk.fd, (off_t)m->at, 1) == FILE_LOCK_OK) {
        m->locked = true;
        r->locked++;
    } else {
        r->out->busy++;
    }
}

static void
find_message(struct replay *r, struct one_segment *s, const struct lane_found *found)
{
    struct one_message m = {.at = found->at, .ended = found->head.ended};
    if (lane_walk_id(&s->walk, found, &m.id) != LANE_WALK_RECORD) {
        if (!s->closed)
            return; /* it is being written */
        s->bad = true;
        r->out->damaged++;
        say_of(r, s->name, "a message without its id");
        return;
    }
    if (!m.ended)
        lock_message(r, s, &m);
    vec_push(r->arena, &s->messages, m);
}

static void
find_messages(struct replay *r, struct one_segment *s)
{
    struct lane_walk w = s->walk;
    struct lane_found found;
    while (!s->bad && lane_walk_next(&w, &found) == LANE_WALK_RECORD)
        if (found.head.kind == LANE_KIND_MESSAGE)
            find_message(r, s, &found);
    if (w.gaps > 0)
        say_of(r, s->name, "places in it cannot be read");
}

static void
take_note(struct replay *r, struct one_segment *s, const struct lane_found *found)
{
    struct lane_note n;
    struct str content;
    if (lane_walk_content(r->arena, &s->walk, found, &content) != LANE_WALK_RECORD ||
        !lane_note_read(found->head.kind, content, &n)) {
        if (s->closed)
            say_of(r, s->name, "a note that cannot be read");
        return;
    }
    struct str key = str_dup(r->arena, message_id_str(&n.id));
    struct noted *k = map_get(r->notes, key);
    if (k == NULL) {
        k = ARENA_NEW(r->arena, struct noted);
        map_set(r->notes, key, k);
    }
    k->done |= found->head.kind == LANE_KIND_DONE;
    k->moved |= found->head.kind == LANE_KIND_MOVED;
    k->aborted |= found->head.kind == LANE_KIND_ABORT;
    if (found->head.kind == LANE_KIND_RECIPIENT)
        vec_push(r->arena, &k->recipients, n.address);
    vec_push(r->arena, &s->about, n.id);
}

static void
find_notes(struct replay *r, struct one_segment *s)
{
    struct lane_walk w = s->walk;
    struct lane_found found;
    while (!s->bad && lane_walk_next(&w, &found) == LANE_WALK_RECORD)
        if (is_note(found.head.kind))
            take_note(r, s, &found);
}

/* --- moving --- */

struct moving {
    struct one_message *message;
    struct lane_taken taken;
    struct spool_entry entry;
    struct spool_place place;
};

struct group {
    struct moving v[GROUP];
    size_t n;
    struct arena *arena;
};

/* The envelope as it is now. */
static bool
read_envelope(struct group *g, const struct replay *r, const struct lane_taken *t,
              struct spool_header *h, struct spool_fault *f)
{
    const struct noted *k = map_get(r->notes, message_id_str(&t->message.id));
    if (!spool_header_parse(g->arena, &t->message.id, t->message.header, h, f))
        return false;
    for (size_t i = 0; k != NULL && i < k->recipients.n; i++)
        if (!spool_tree_has(&h->done, k->recipients.v[i]))
            (void)spool_tree_add(g->arena, &h->done, k->recipients.v[i]);
    return true;
}

static void
damaged(struct replay *r, struct one_segment *s, struct one_message *m, const char *why)
{
    char text[320];
    if (!s->closed) { /* it is being written; should it be damaged, that shows when the segment is closed */
        r->out->busy++;
        return;
    }
    s->bad = m->damaged = true;
    r->out->damaged++;
    (void)snprintf(text, sizeof text, "message in lane segment %.48s cannot be read: %.200s",
                   s->name, why);
    say(r, &m->id, text);
}

/* Puts the message into the group, written to the standing lane. */
static void
write_one(struct replay *r, struct one_segment *s, struct one_message *m, struct group *g)
{
    struct moving *v = &g->v[g->n];
    struct spool_header h;
    struct spool_fault f = {.text = ""};
    enum lane_take_result t = lane_take_here(g->arena, &s->walk, m->at, &v->taken);
    if (t == LANE_TAKE_GONE) {
        m->ended = true;
        return;
    }
    if (t != LANE_TAKE_OK || !read_envelope(g, r, &v->taken, &h, &f)) {
        damaged(r, s, m, t == LANE_TAKE_ERROR ? strerror(errno) : f.text);
        return;
    }
    v->message = m;
    v->place = (struct spool_place){.root = r->rp->spool,
                                    .queue = str_cstr(g->arena, v->taken.message.queue),
                                    .split = r->rp->split};
    if (lane_move_prepare(g->arena, &v->place, r->rp->calls, &v->taken, &h, &v->entry, &f) !=
        SPOOL_OK) {
        r->out->failed++;
        say(r, &m->id, f.text);
        return;
    }
    g->n++;
}

static bool
note_all(struct replay *r, struct group *g, struct durable_fault *f)
{
    for (size_t i = 0; i < g->n; i++) {
        struct lane_note n = {.id = g->v[i].message->id};
        if (lane_note(r->rp->lane, LANE_KIND_MOVED, &n, LANE_LATER, f) != LANE_OK)
            return false;
    }
    return lane_sync(r->rp->lane, f);
}

static void
tell_moved(const struct replay *r, const struct spool_place *place, const struct message_id *id)
{
    if (r->rp->moved != NULL)
        r->rp->moved(r->rp->ctx, place, id);
}

static void
publish(struct replay *r, struct moving *v)
{
    struct spool_fault f;
    if (r->rp->moves != NULL && v->entry.body >= 0)
        r->rp->moves(r->rp->ctx, &v->place, &v->taken.message);
    if (lane_move_publish(&v->entry, &f) == SPOOL_OK) {
        (void)lane_take_end(&v->taken);
        v->message->ended = true;
        r->out->moved++;
        tell_moved(r, &v->place, &v->message->id);
    } else {
        r->out->failed++;
        say(r, &v->message->id, f.text);
    }
    spool_close(&v->entry);
}

/* Now that all of the group is written: the notes, then they are messages. */
static void
end_group(struct replay *r, struct group *g)
{
    struct durable_fault f;
    bool ok = g->n == 0 || note_all(r, g, &f);
    if (!ok)
        say(r, NULL, f.text);
    for (size_t i = 0; i < g->n; i++) {
        struct moving *v = &g->v[i];
        if (ok) {
            publish(r, v);
        } else { /* what is written stays: the note may be there all the same */
            r->out->failed++;
            spool_close(&v->entry);
        }
    }
    g->n = 0;
    arena_clear(g->arena);
}

/* Completes the move of a message that a note says has moved. That note may only be in the page cache: it is made again
 * before anybody can have the message. */
static bool
complete_move(struct replay *r, struct one_segment *s, struct one_message *m, struct group *g)
{
    struct lane_taken t;
    struct spool_fault f;
    struct durable_fault d;
    struct lane_note n = {.id = m->id};
    struct spool_place place = {.root = r->rp->spool, .split = r->rp->split};
    if (lane_take_here(g->arena, &s->walk, m->at, &t) == LANE_TAKE_OK)
        place.queue = str_cstr(g->arena, t.message.queue);
    if (!lane_move_is_waiting(&place, &m->id))
        return true;
    if (lane_note(r->rp->lane, LANE_KIND_MOVED, &n, LANE_WAIT, &d) != LANE_OK) {
        (void)spool_system_fault(&f, &d);
    } else if (lane_move_complete(&place, r->rp->calls, &m->id, &f) == SPOOL_OK) {
        tell_moved(r, &place, &m->id);
        return true;
    }
    r->out->failed++;
    say(r, &m->id, f.text);
    return false;
}

/* What the notes say has ended is marked so. False: it is still to be moved. */
static bool
end_by_note(struct replay *r, struct one_segment *s, struct one_message *m, struct group *g)
{
    const struct noted *k = map_get(r->notes, message_id_str(&m->id));
    struct lane_taken t = {.fd = s->walk.fd, .at = m->at};
    if (k == NULL || !(k->done || k->moved || k->aborted))
        return false;
    m->ended = k->done || k->aborted || complete_move(r, s, m, g);
    if (m->ended) {
        (void)lane_take_end(&t);
        r->out->noted++;
    }
    return true;
}

static void
move_messages(struct replay *r, struct one_segment *s, struct group *g)
{
    for (size_t i = 0; i < s->messages.n; i++) {
        struct one_message *m = &s->messages.v[i];
        if (!m->locked || m->ended)
            continue;
        if (r->end_ms > 0 && await_now_ms() >= r->end_ms)
            r->out->left++;
        else if (!end_by_note(r, s, m, g))
            write_one(r, s, m, g);
        if (g->n == GROUP)
            end_group(r, g);
    }
    end_group(r, g);
    for (size_t i = 0; i < s->messages.n; i++)
        if (s->messages.v[i].locked)
            file_unlock_range(s->walk.fd, (off_t)s->messages.v[i].at, 1);
}

/* --- removing --- */

static bool
has_left(const struct one_segment *s)
{
    for (size_t i = 0; i < s->messages.n; i++)
        if (!s->messages.v[i].ended && !s->messages.v[i].damaged)
            return true;
    return false;
}

/* True if a note of s is about a message in a segment that is there. */
static bool
is_needed(const struct one_segment *s, const struct map *present)
{
    for (size_t i = 0; i < s->about.n; i++) {
        const struct one_segment *in = map_get(present, message_id_str(&s->about.v[i]));
        if (in != NULL && in != s)
            return true;
    }
    return false;
}

/* Ids of the messages in segments that stay, by segment. Those of `gone` are not among them. */
static struct map *
present_messages(struct replay *r, const bool *gone)
{
    struct map *m = map_new(r->arena, MAP_CASEFUL);
    for (size_t i = 0; i < r->segments.n; i++) {
        struct one_segment *s = r->segments.v[i];
        for (size_t k = 0; !gone[i] && k < s->messages.n; k++)
            map_set(m, message_id_str(&s->messages.v[k].id), s);
    }
    return m;
}

/* What cannot be read is for a human to look at. */
static bool
put_aside(struct replay *r, const struct one_segment *s, struct durable_fault *f)
{
    char name[LANE_NAME_MAX + 8], text[LANE_NAME_MAX + 16];
    (void)snprintf(name, sizeof name, "bad-%s", s->name);
    if (r->rp->calls->rename_at(r->dir, s->name, name) != 0)
        return durable_failed(f, "rename", s->name);
    (void)snprintf(text, sizeof text, "kept as %s", name);
    say_of(r, s->name, text);
    return true;
}

static bool
remove_round(struct replay *r, bool *gone)
{
    struct durable_fault f;
    bool any = false;
    struct map *present = present_messages(r, gone);
    for (size_t i = 0; i < r->segments.n; i++) {
        struct one_segment *s = r->segments.v[i];
        if (gone[i] || !s->closed || has_left(s) || is_needed(s, present))
            continue;
        if (!(s->bad ? put_aside(r, s, &f)
                     : lane_segment_remove(r->rp->calls, r->dir, s->name, &f))) {
            say(r, NULL, f.text);
            continue;
        }
        gone[i] = any = true;
        r->out->removed++;
    }
    /* What went must be gone for good before the notes about it go. */
    if (any && !durable_sync(r->rp->calls, r->dir, "lane directory", &f)) {
        say(r, NULL, f.text);
        return false;
    }
    return any;
}

static void
remove_segments(struct replay *r)
{
    bool *gone = ARENA_ARRAY(r->arena, bool, r->segments.n + 1);
    while (remove_round(r, gone))
        continue;
}

/* --- all of it --- */

static void
replay(struct replay *r)
{
    struct group *g = ARENA_NEW(r->arena, struct group);
    g->arena = arena_new();
    for (size_t i = 0; i < r->segments.n; i++)
        find_messages(r, r->segments.v[i]);
    for (size_t i = 0; i < r->segments.n; i++)
        find_notes(r, r->segments.v[i]);
    for (size_t i = 0; i < r->segments.n; i++)
        move_messages(r, r->segments.v[i], g);
    arena_free(g->arena);
    remove_segments(r);
    for (size_t i = 0; i < r->segments.n; i++)
        close(r->segments.v[i]->walk.fd);
}

bool
lane_replay_run(const struct lane_replay *rp, struct lane_replay_result *out)
{
    struct timespec now;
    struct arena *a = arena_new();
    struct replay r = {.rp = rp, .out = out, .arena = a};
    *out = (struct lane_replay_result){.messages = 0};
    clock_gettime(CLOCK_REALTIME, &now);
    r.now = now.tv_sec;
    r.end_ms = rp->time_ms > 0 ? await_now_ms() + rp->time_ms : 0;
    r.notes = map_new(a, MAP_CASEFUL);
    r.dir = lane_directory_open(rp->spool, false);
    bool ok = r.dir >= 0 && find_segments(&r);
    if (ok) {
        replay(&r);
        if ((rp->age_s == 0 || rp->before_s > 0) && rp->only == NULL)
            lane_segment_clean(rp->calls, r.dir);
    } else if (r.dir < 0 && errno == ENOENT) {
        ok = true;
    } else {
        say(&r, NULL, strerror(errno));
    }
    if (r.dir >= 0)
        close(r.dir);
    arena_free(a);
    return ok;
}

/* --- lists --- */

static void
list_segment(const struct one_segment *s, void (*take)(void *ctx, const struct lane_listed *m),
             void *ctx)
{
    struct lane_walk w = s->walk;
    struct lane_found found, body;
    struct arena *a = arena_new();
    while (!s->bad && lane_walk_next(&w, &found) == LANE_WALK_RECORD) {
        struct lane_listed m;
        struct str content;
        if (found.head.kind != LANE_KIND_MESSAGE || found.head.ended ||
            lane_walk_content(a, &w, &found, &content) != LANE_WALK_RECORD ||
            !lane_message_read(content, &m.message) ||
            lane_walk_look(&w, found.head.body, &body) != LANE_WALK_RECORD)
            continue;
        m.id = m.message.id;
        m.body_size = (int64_t)body.head.length;
        take(ctx, &m);
        arena_clear(a);
    }
    arena_free(a);
}

bool
lane_replay_list(const char *spool, void (*take)(void *ctx, const struct lane_listed *m),
                 void *ctx)
{
    struct arena *a = arena_new();
    const struct lane_replay rp = {.spool = spool};
    struct lane_replay_result out;
    struct replay r = {.rp = &rp, .out = &out, .arena = a};
    r.dir = lane_directory_open(spool, false);
    bool ok = r.dir >= 0 ? find_segments(&r) : errno == ENOENT;
    for (size_t i = 0; i < r.segments.n; i++) {
        list_segment(r.segments.v[i], take, ctx);
        close(r.segments.v[i]->walk.fd);
    }
    int saved = errno;
    if (r.dir >= 0)
        close(r.dir);
    arena_free(a);
    errno = saved;
    return ok;
}
