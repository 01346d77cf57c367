/* From the fast lane to the standing one; see lane_move.h. */
#include "engine/lane_move.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static enum spool_result
read_fault(struct spool_fault *f, const struct lane_taken *t, int error)
{
    struct durable_fault d;
    errno = error;
    (void)durable_failed(&d, "read the body of", t->message.id.text);
    return spool_system_fault(f, &d);
}

static enum spool_result
copy_body(const struct lane_taken *t, const struct spool_entry *e, struct spool_fault *f)
{
    char block[32768];
    struct durable_fault d;
    int64_t done = 0;
    while (done < t->body_size) {
        int64_t left = t->body_size - done;
        size_t want = left < (int64_t)sizeof block ? (size_t)left : sizeof block;
        ssize_t n = pread(t->fd, block, want, (off_t)(t->body_start + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return read_fault(f, t, n < 0 ? errno : EIO);
        if (!durable_append(e->calls, e->body, e->id.text, str_from(block, (size_t)n), &d))
            return spool_system_fault(f, &d);
        done += n;
    }
    return SPOOL_OK;
}

static bool
has_file(int dir, const struct message_id *id, char suffix)
{
    return faccessat(dir, spool_file_name(id, suffix).text, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A file of that name is there. OK: and a message; ABSENT: what a crash left of one was taken away. */
static enum spool_result
look_at_rest(const struct spool_place *place, const struct durable_calls *calls,
             const struct message_id *id, struct spool_fault *f)
{
    struct spool_entry old;
    int dir = spool_find_directory(place, id);
    bool whole = dir >= 0 && has_file(dir, id, 'H');
    if (dir >= 0)
        close(dir);
    if (whole)
        return SPOOL_OK;
    enum spool_result r = spool_open(place, calls, id, &old, f);
    if (r == SPOOL_BAD) { /* not even its first line */
        dir = spool_find_directory(place, id);
        if (dir >= 0) {
            (void)calls->unlink_at(dir, spool_file_name(id, 'D').text);
            close(dir);
        }
        return SPOOL_ABSENT;
    }
    if (r != SPOOL_OK)
        return r;
    whole = has_file(old.dir, id, 'H');
    if (!whole)
        spool_abandon(&old);
    spool_close(&old);
    return whole ? SPOOL_OK : SPOOL_ABSENT;
}

struct waiting_name {
    char text[MESSAGE_ID_NEW_N + 8];
};

static struct waiting_name
waiting_name(const struct message_id *id)
{
    struct waiting_name n;
    (void)snprintf(n.text, sizeof n.text, "lane.%s", id->text);
    return n;
}

static enum spool_result
write_envelope(struct arena *a, const struct spool_entry *e, const struct spool_header *h,
               struct spool_fault *f)
{
    struct durable_fault d;
    struct str content;
    char temp[MESSAGE_ID_NEW_N + 8];
    struct waiting_name name = waiting_name(&e->id);
    if (!durable_sync(e->calls, e->body, e->id.text, &d))
        return spool_system_fault(f, &d);
    if (!spool_header_format(a, h, &content, f))
        return SPOOL_BAD;
    (void)snprintf(temp, sizeof temp, "hdr.%s", e->id.text);
    struct durable_names names = {.temp = temp, .name = name.text};
    return durable_write(e->calls, e->dir, names, content, DURABLE_NEW, &d)
               ? SPOOL_OK
               : spool_system_fault(f, &d);
}

/* Nothing was noted yet: what is written goes. */
static void
undo(struct spool_entry *e)
{
    (void)e->calls->unlink_at(e->dir, waiting_name(&e->id).text);
    (void)e->calls->unlink_at(e->dir, spool_file_name(&e->id, 'D').text);
    spool_close(e);
}

enum spool_result
lane_move_prepare(struct arena *a, const struct spool_place *place,
                  const struct durable_calls *calls, const struct lane_taken *t,
                  const struct spool_header *h, struct spool_entry *e, struct spool_fault *f)
{
    const struct message_id *id = &t->message.id;
    *e = (struct spool_entry){.id = *id, .dir = -1, .body = -1, .envelope = -1, .calls = calls};
    int dir = spool_find_directory(place, id);
    if (dir >= 0) {
        close(dir);
        enum spool_result rest = look_at_rest(place, calls, id, f);
        if (rest != SPOOL_ABSENT)
            return rest;
    }
    enum spool_result r = spool_create(place, calls, id, e, f);
    if (r != SPOOL_OK)
        return r;
    r = copy_body(t, e, f);
    if (r == SPOOL_OK)
        r = write_envelope(a, e, h, f);
    if (r != SPOOL_OK)
        undo(e);
    return r;
}

enum spool_result
lane_move_publish(const struct spool_entry *e, struct spool_fault *f)
{
    struct durable_fault d;
    struct waiting_name from = waiting_name(&e->id);
    if (e->body < 0)
        return SPOOL_OK;
    if (e->calls->rename_at(e->dir, from.text, spool_file_name(&e->id, 'H').text) != 0) {
        (void)durable_failed(&d, "rename", from.text);
        return spool_system_fault(f, &d);
    }
    return durable_sync(e->calls, e->dir, "spool directory", &d) ? SPOOL_OK
                                                                 : spool_system_fault(f, &d);
}

/* The directory with an envelope that waits for its name, or -1. */
static int
find_waiting(const struct spool_place *place, const struct message_id *id)
{
    int dir = spool_find_directory(place, id);
    if (dir >= 0 && faccessat(dir, waiting_name(id).text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return dir;
    if (dir >= 0)
        close(dir);
    return -1;
}

bool
lane_move_is_waiting(const struct spool_place *place, const struct message_id *id)
{
    int dir = find_waiting(place, id);
    if (dir >= 0)
        close(dir);
    return dir >= 0;
}

enum spool_result
lane_move_complete(const struct spool_place *place, const struct durable_calls *calls,
                   const struct message_id *id, struct spool_fault *f)
{
    struct spool_entry e = {.id = *id, .body = 0, .calls = calls};
    e.dir = find_waiting(place, id);
    if (e.dir < 0)
        return SPOOL_OK;
    enum spool_result r = lane_move_publish(&e, f);
    close(e.dir);
    return r;
}

enum spool_result
lane_move_begin(struct arena *a, struct lane *l, const struct spool_place *place,
                const struct lane_taken *t, const struct spool_header *h, struct spool_entry *e,
                struct spool_fault *f)
{
    struct durable_fault fault;
    struct lane_note n = {.id = t->message.id};
    enum spool_result r = lane_move_prepare(a, place, lane_calls(l), t, h, e, f);
    if (r != SPOOL_OK)
        return r;
    if (lane_note(l, LANE_KIND_MOVED, &n, LANE_WAIT, &fault) == LANE_OK)
        return SPOOL_OK;
    spool_close(e);
    return spool_system_fault(f, &fault);
}

enum spool_result
lane_move_end(const struct lane_taken *t, struct spool_entry *e, struct spool_fault *f)
{
    enum spool_result r = lane_move_publish(e, f);
    if (r == SPOOL_OK)
        (void)lane_take_end(t);
    else
        spool_close(e);
    return r;
}
