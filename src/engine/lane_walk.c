/* Reads a segment; see lane_walk.h. */
#include "engine/lane_walk.h"

#include "base/arena.h"
#include "base/crc32c.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW = 16 * 1024, PAGE = 4096 };

/* As many bytes as there are, up to n; -1 with errno. */
static ssize_t
read_at(int fd, void *p, size_t n, uint64_t at)
{
    size_t done = 0;
    while (done < n) {
        ssize_t r = pread(fd, (char *)p + done, n - done, (off_t)(at + done));
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -1;
        if (r == 0)
            break;
        done += (size_t)r;
    }
    return (ssize_t)done;
}

/* A head that is good and whose record lies within the file. */
static bool
take_head(const struct lane_walk *w, const unsigned char *p, uint64_t at,
          struct lane_found *found)
{
    found->at = at;
    return lane_head_read(p, w->secret, at, &found->head) &&
           lane_record_size(found->head.length) <= w->size - at;
}

enum lane_walk_result
lane_walk_look(const struct lane_walk *w, uint64_t at, struct lane_found *found)
{
    unsigned char head[LANE_HEAD];
    if (at > w->size || w->size - at < LANE_HEAD ||
        read_at(w->fd, head, sizeof head, at) != (ssize_t)sizeof head)
        return LANE_WALK_BAD;
    return take_head(w, head, at, found) ? LANE_WALK_RECORD : LANE_WALK_BAD;
}

enum lane_walk_result
lane_walk_content(struct arena *a, const struct lane_walk *w, const struct lane_found *found,
                  struct str *out)
{
    size_t n = found->head.length;
    char *p = arena_alloc(a, n + 1);
    ssize_t r = read_at(w->fd, p, n, found->at + LANE_HEAD);
    if (r < 0)
        return LANE_WALK_ERROR;
    if ((size_t)r != n || crc32c(0, p, n) != found->head.sum)
        return LANE_WALK_BAD;
    p[n] = '\0';
    *out = str_tainted(str_from(p, n));
    return LANE_WALK_RECORD;
}

enum lane_walk_result
lane_walk_id(const struct lane_walk *w, const struct lane_found *found, struct message_id *id)
{
    char text[LANE_ID_MAX];
    ssize_t r = read_at(w->fd, text, sizeof text, found->at + LANE_HEAD);
    if (r < 0)
        return LANE_WALK_ERROR;
    return r == (ssize_t)sizeof text && lane_id_read(text, id) ? LANE_WALK_RECORD
                                                               : LANE_WALK_BAD;
}

/* --- behind what is not whole --- */

/* The first good head in a window of n bytes at `at`. */
static bool
search_window(const struct lane_walk *w, const unsigned char *p, size_t n, uint64_t at,
              struct lane_found *found)
{
    for (size_t i = 0; i + LANE_HEAD <= n; i += LANE_ALIGN)
        if (p[i] != 0 && take_head(w, p + i, at + i, found))
            return true;
    return false;
}

/* The first good head behind a place where there is none. Pages that cannot be read are passed over. */
static bool
search(const struct lane_walk *w, uint64_t at, struct lane_found *found)
{
    unsigned char window[WINDOW];
    while (at < w->size && w->size - at >= LANE_HEAD) {
        ssize_t n = read_at(w->fd, window, sizeof window, at);
        if (n < 0) {
            at = (at / PAGE + 1) * PAGE;
            continue;
        }
        if (n < LANE_HEAD)
            return false;
        if (search_window(w, window, (size_t)n, at, found))
            return true;
        at += (size_t)n == sizeof window ? sizeof window - LANE_HEAD + LANE_ALIGN : (size_t)n;
    }
    return false;
}

/* --- walking --- */

enum lane_walk_result
lane_walk_start(struct lane_walk *w, int fd, enum lane_walk_use use)
{
    struct stat st;
    struct lane_found first;
    unsigned char content[LANE_SEGMENT_CONTENT];
    *w = (struct lane_walk){.fd = fd, .live = use == LANE_WALK_LIVE};
    if (fstat(fd, &st) != 0)
        return LANE_WALK_ERROR;
    if (!S_ISREG(st.st_mode) || st.st_size < LANE_HEAD || st.st_size > LANE_SEGMENT_MAX)
        return LANE_WALK_BAD;
    w->size = (uint64_t)st.st_size;
    /* Its own sum cannot begin with the secret that is in it. */
    if (lane_walk_look(w, 0, &first) != LANE_WALK_RECORD ||
        first.head.kind != LANE_KIND_SEGMENT ||
        read_at(fd, content, sizeof content, LANE_HEAD) != (ssize_t)sizeof content ||
        crc32c(0, content, sizeof content) != first.head.sum ||
        !lane_segment_read(str_from((const char *)content, sizeof content), &w->secret))
        return LANE_WALK_BAD;
    w->at = lane_record_size(first.head.length);
    return LANE_WALK_RECORD;
}

enum lane_walk_result
lane_walk_next(struct lane_walk *w, struct lane_found *found)
{
    if (lane_walk_look(w, w->at, found) != LANE_WALK_RECORD) {
        if (w->live || !search(w, w->at, found)) {
            w->at = w->size;
            return LANE_WALK_END;
        }
        w->gaps++;
    }
    w->at = found->at + lane_record_size(found->head.length);
    return LANE_WALK_RECORD;
}
