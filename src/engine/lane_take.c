/* Messages of the fast lane; see lane_take.h. */
#include "engine/lane_take.h"

#include "base/arena.h"
#include "sys/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static enum lane_take_result
result_of(enum lane_walk_result r)
{
    switch (r) {
    case LANE_WALK_RECORD:
        return LANE_TAKE_OK;
    case LANE_WALK_ERROR:
        return LANE_TAKE_ERROR;
    case LANE_WALK_END:
    case LANE_WALK_BAD:
        break;
    }
    return LANE_TAKE_BAD;
}

/* The record of the message and that of its body, once nobody else has it. */
static enum lane_take_result
read_message(struct arena *a, const struct lane_walk *w, uint64_t at, struct lane_taken *t,
             struct lane_found *body)
{
    struct lane_found found;
    struct str content;
    enum lane_walk_result r = lane_walk_look(w, at, &found);
    if (r != LANE_WALK_RECORD || found.head.kind != LANE_KIND_MESSAGE)
        return LANE_TAKE_BAD;
    if (found.head.ended)
        return LANE_TAKE_GONE;
    r = lane_walk_content(a, w, &found, &content);
    if (r == LANE_WALK_RECORD && !lane_message_read(content, &t->message))
        r = LANE_WALK_BAD;
    if (r == LANE_WALK_RECORD &&
        (lane_walk_look(w, found.head.body, body) != LANE_WALK_RECORD ||
         body->head.kind != LANE_KIND_BODY))
        r = LANE_WALK_BAD;
    t->fd = w->fd;
    t->at = at;
    t->body_start = (int64_t)(found.head.body + LANE_HEAD);
    t->body_size = r == LANE_WALK_RECORD ? (int64_t)body->head.length : 0;
    return result_of(r);
}

enum lane_take_result
lane_take_here(struct arena *a, const struct lane_walk *w, uint64_t at, struct lane_taken *t)
{
    struct lane_found body;
    struct str content;
    enum lane_take_result r = read_message(a, w, at, t, &body);
    if (r != LANE_TAKE_OK)
        return r;
    struct arena_mark mark = arena_mark(a);
    r = result_of(lane_walk_content(a, w, &body, &content));
    arena_reset(a, mark);
    return r;
}

static enum lane_take_result
lock_message(int fd, uint64_t at)
{
    switch (file_lock_range(fd, (off_t)at, 1)) {
    case FILE_LOCK_OK:
        return LANE_TAKE_OK;
    case FILE_LOCK_BUSY:
        return LANE_TAKE_BUSY;
    case FILE_LOCK_ERROR:
        break;
    }
    return LANE_TAKE_ERROR;
}

/* A segment that was removed since the reference was made has another name, or another secret number. */
static enum lane_take_result
check_name(int dir, const struct lane_ref *ref, enum lane_take_result r)
{
    return r == LANE_TAKE_BAD && faccessat(dir, ref->segment, F_OK, AT_SYMLINK_NOFOLLOW) != 0
               ? LANE_TAKE_GONE
               : r;
}

enum lane_take_result
lane_take(struct arena *a, int dir, const struct lane_ref *ref, struct lane_taken *t)
{
    struct lane_walk w;
    struct lane_found body;
    t->fd = -1;
    if (!lane_segment_is_name(ref->segment) || strchr(ref->segment, '/') != NULL ||
        ref->at < lane_segment_start())
        return LANE_TAKE_BAD;
    int fd = openat(dir, ref->segment, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? LANE_TAKE_GONE : LANE_TAKE_ERROR;
    enum lane_take_result r = lock_message(fd, ref->at);
    if (r == LANE_TAKE_OK)
        r = result_of(lane_walk_start(&w, fd, LANE_WALK_LIVE));
    if (r == LANE_TAKE_OK)
        r = read_message(a, &w, ref->at, t, &body);
    if (r == LANE_TAKE_OK)
        return r;
    int saved = errno;
    r = check_name(dir, ref, r);
    close(fd);
    t->fd = -1;
    errno = saved;
    return r;
}

bool
lane_take_end(const struct lane_taken *t)
{
    ssize_t n;
    do {
        n = pwrite(t->fd, lane_ended, sizeof lane_ended, (off_t)(t->at + LANE_ENDED_AT));
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof lane_ended;
}

void
lane_take_close(struct lane_taken *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}
