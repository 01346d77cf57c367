/* Segments as files; see lane_segment.h.
 *
 * A new file is filled with zeros: space that is only reserved would make every sync write the file system's journal as
 * well, and could turn out not to be there. That is also why used files are kept.
 */
#include "engine/lane_segment.h"

#include "base/crc32c.h"
#include "engine/lane_record.h"
#include "sys/entropy.h"
#include "sys/file_lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char live_prefix[] = "seg-", new_prefix[] = "new-", free_prefix[] = "free-";

bool
lane_segment_is_name(const char *name)
{
    return strncmp(name, live_prefix, strlen(live_prefix)) == 0 && strlen(name) < LANE_NAME_MAX;
}

int
lane_directory_open(const char *spool, bool create)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    int root = open(spool, flags);
    if (root < 0)
        return -1;
    int fd = openat(root, "lane", flags | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT && create) {
        if (mkdirat(root, "lane", 0750) == 0)
            (void)fsync(root);
        fd = openat(root, "lane", flags | O_NOFOLLOW);
    }
    int saved = errno;
    close(root);
    errno = saved;
    return fd;
}

uint64_t
lane_segment_start(void)
{
    return lane_record_size(LANE_SEGMENT_CONTENT);
}

/* --- files to be used again --- */

/* Calls take for each name with that prefix until it says true. */
static bool
each_name(int dir, const char *prefix, bool (*take)(void *ctx, const char *name), void *ctx)
{
    int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = own < 0 ? NULL : fdopendir(own);
    bool taken = false;
    if (d == NULL && own >= 0)
        close(own);
    for (const struct dirent *e; d != NULL && !taken && (e = readdir(d)) != NULL;)
        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 &&
            strlen(e->d_name) < LANE_NAME_MAX)
            taken = take(ctx, e->d_name);
    if (d != NULL)
        closedir(d);
    return taken;
}

struct search {
    int dir;
    struct lane_segment_file *out;
    char name[LANE_NAME_MAX];
};

/* Ours if it has the size, nobody else has it, and the name still leads to it. */
static bool
take_free(void *ctx, const char *name)
{
    struct search *s = ctx;
    struct stat st, named;
    int fd = openat(s->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == s->out->size &&
        file_lock_range(fd, 0, 1) == FILE_LOCK_OK &&
        fstatat(s->dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == st.st_ino) {
        s->out->fd = fd;
        (void)snprintf(s->name, sizeof s->name, "%s", name);
        return true;
    }
    close(fd);
    return false;
}

static bool
count_one(void *ctx, const char *name)
{
    (void)name;
    return ++*(unsigned *)ctx >= LANE_FREE_MAX;
}

bool
lane_segment_remove(const struct durable_calls *calls, int dir, const char *name,
                    struct durable_fault *f)
{
    unsigned n = 0;
    char to[LANE_NAME_MAX + 8];
    if (each_name(dir, free_prefix, count_one, &n))
        return durable_remove(calls, dir, name, f);
    (void)snprintf(to, sizeof to, "%s%s", free_prefix, name + strlen(live_prefix));
    return calls->rename_at(dir, name, to) == 0 || errno == ENOENT ||
           durable_failed(f, "rename", name);
}

struct cleaning {
    const struct durable_calls *calls;
    int dir;
};

static bool
clean_one(void *ctx, const char *name)
{
    const struct cleaning *c = ctx;
    int fd = openat(c->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && file_lock_range(fd, 0, 1) == FILE_LOCK_OK)
        (void)c->calls->unlink_at(c->dir, name);
    if (fd >= 0)
        close(fd);
    return false;
}

void
lane_segment_clean(const struct durable_calls *calls, int dir)
{
    struct cleaning c = {.calls = calls, .dir = dir};
    (void)each_name(dir, new_prefix, clean_one, &c);
}

/* --- a new one --- */

enum { MAKE_TRIES = 8 };

static bool
fill(const struct durable_calls *calls, struct lane_segment_file *s, const char *name,
     struct durable_fault *f)
{
    static const char zeros[64 * 1024];
    if (calls->allocate(s->fd, (off_t)s->size) != 0 && errno != EOPNOTSUPP)
        return durable_failed(f, "reserve space for", name);
    for (uint64_t at = 0; at < s->size; at += sizeof zeros) {
        uint64_t left = s->size - at;
        size_t n = left < sizeof zeros ? (size_t)left : sizeof zeros;
        /* An iovec has no const form; pwritev only reads. */
        struct iovec v = {.iov_base = (void *)(uintptr_t)zeros, .iov_len = n};
        struct durable_pieces what = {&v, 1};
        if (!durable_write_at(calls, s->fd, name, what, (off_t)at, f))
            return false;
    }
    return true;
}

static void
new_name(struct lane_segment_file *s)
{
    struct timespec now;
    uint32_t extra;
    clock_gettime(CLOCK_REALTIME, &now);
    entropy_fill(&extra, sizeof extra);
    (void)snprintf(s->name, sizeof s->name, "%s%012llx%08lx-%08x", live_prefix,
                   (unsigned long long)now.tv_sec & 0xffffffffffffULL, now.tv_nsec, extra);
}

/* Locked, and not removed before it was: lane_segment_clean may come between making a file and locking it. */
static bool
is_ours(int fd)
{
    struct stat st;
    if (file_lock_range(fd, 0, 1) != FILE_LOCK_OK || fstat(fd, &st) != 0)
        return false;
    errno = ENOENT;
    return st.st_nlink > 0;
}

static bool
make_file(const struct durable_calls *calls, struct search *s, struct durable_fault *f)
{
    struct lane_segment_file *out = s->out;
    for (unsigned i = 0; i < MAKE_TRIES; i++) {
        new_name(out);
        (void)snprintf(s->name, sizeof s->name, "%s%s", new_prefix,
                       out->name + strlen(live_prefix));
        out->fd = calls->open_at(s->dir, s->name,
                                 O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (out->fd < 0)
            return durable_failed(f, "create", s->name);
        if (is_ours(out->fd))
            return fill(calls, out, s->name, f);
        (void)durable_failed(f, "lock", s->name);
        (void)calls->unlink_at(s->dir, s->name);
        close(out->fd);
        out->fd = -1;
    }
    return false;
}

/* The record that begins it, and everything on stable storage. */
static bool
begin(const struct durable_calls *calls, const char *name, struct lane_segment_file *s,
      struct durable_fault *f)
{
    unsigned char record[LANE_HEAD + LANE_SEGMENT_CONTENT];
    struct lane_head h = {.kind = LANE_KIND_SEGMENT, .length = LANE_SEGMENT_CONTENT};
    entropy_fill(&s->secret, sizeof s->secret);
    lane_segment_write(s->secret, record + LANE_HEAD);
    h.sum = crc32c(0, record + LANE_HEAD, LANE_SEGMENT_CONTENT);
    lane_head_write(&h, 0, 0, record);
    struct iovec v = {.iov_base = record, .iov_len = sizeof record};
    struct durable_pieces what = {&v, 1};
    return durable_write_at(calls, s->fd, name, what, 0, f) &&
           durable_sync(calls, s->fd, name, f);
}

bool
lane_segment_create(const struct durable_calls *calls, int dir, uint64_t size,
                    struct lane_segment_file *out, struct durable_fault *f)
{
    struct search s = {.dir = dir, .out = out};
    *out = (struct lane_segment_file){.fd = -1, .size = size};
    new_name(out);
    bool ok = each_name(dir, free_prefix, take_free, &s) || make_file(calls, &s, f);
    ok = ok && begin(calls, s.name, out, f);
    if (ok && calls->rename_at(dir, s.name, out->name) != 0)
        ok = durable_failed(f, "rename", s.name);
    if (ok && !durable_sync(calls, dir, "lane directory", f)) {
        (void)snprintf(s.name, sizeof s.name, "%s", out->name);
        ok = false;
    }
    if (!ok && out->fd >= 0) {
        (void)calls->unlink_at(dir, s.name);
        close(out->fd);
        out->fd = -1;
    }
    return ok;
}
