/* Files that survive a power cut; see durable.h.
 *
 * The steps of durable_write are its specification: whoever changes their order changes what a crash can
 * leave behind.
 */
#include "sys/durable.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int
kernel_open(int dir, const char *name, int flags, mode_t mode)
{
    return openat(dir, name, flags, mode);
}

static int
kernel_rename(int dir, const char *from, const char *to)
{
    return renameat(dir, from, dir, to);
}

static int
kernel_unlink(int dir, const char *name)
{
    return unlinkat(dir, name, 0);
}

static int
kernel_link(int dir, const char *from, const char *to)
{
    return linkat(dir, from, dir, to, 0);
}

static int
kernel_move(int dir, const char *from, const char *to)
{
    return renameat2(dir, from, dir, to, RENAME_NOREPLACE);
}

/* posix_fallocate would write where the file system cannot: what a segment needs is written anyway. */
static int
kernel_allocate(int fd, off_t n)
{
    return fallocate(fd, 0, 0, n);
}

static int
no_sync(int fd)
{
    (void)fd;
    return 0;
}

const struct durable_calls durable_kernel = {
    .open_at = kernel_open,
    .write_some = write,
    .sync = fsync,
    .rename_at = kernel_rename,
    .unlink_at = kernel_unlink,
    .close_fd = close,
    .link_at = kernel_link,
    .move_at = kernel_move,
    .truncate_fd = ftruncate,
    .write_at = pwritev,
    .sync_content = fdatasync,
    .allocate = kernel_allocate,
};

const struct durable_calls durable_unsynced = {
    .open_at = kernel_open,
    .write_some = write,
    .sync = no_sync,
    .rename_at = kernel_rename,
    .unlink_at = kernel_unlink,
    .close_fd = close,
    .link_at = kernel_link,
    .move_at = kernel_move,
    .truncate_fd = ftruncate,
    .write_at = pwritev,
    .sync_content = no_sync,
    .allocate = kernel_allocate,
};

bool
durable_failed(struct durable_fault *f, const char *what, const char *name)
{
    char reason[96];
    f->sys_errno = errno;
    const char *r = strerror_r(f->sys_errno, reason, sizeof reason);
    (void)snprintf(f->text, sizeof f->text, "failed to %s \"%.120s\": %.96s", what, name, r);
    return false;
}

bool
durable_append(const struct durable_calls *c, int fd, const char *name, struct str content,
               struct durable_fault *f)
{
    size_t done = 0;
    while (done < content.n) {
        ssize_t r = c->write_some(fd, content.p + done, content.n - done);
        if (r < 0 && errno == EINTR)
            continue;
        if (r == 0)
            errno = EIO;
        if (r <= 0)
            return durable_failed(f, "write", name);
        done += (size_t)r;
    }
    return true;
}

bool
durable_write_at(const struct durable_calls *c, int fd, const char *name,
                 struct durable_pieces what, off_t at, struct durable_fault *f)
{
    struct iovec v[DURABLE_PIECES_MAX];
    size_t first = 0;
    assert(what.n <= DURABLE_PIECES_MAX);
    memcpy(v, what.v, what.n * sizeof *v);
    while (first < what.n) {
        ssize_t r = c->write_at(fd, v + first, (int)(what.n - first), at);
        if (r < 0 && errno == EINTR)
            continue;
        if (r == 0)
            errno = EIO;
        if (r <= 0)
            return durable_failed(f, "write", name);
        at += r;
        size_t left = (size_t)r;
        for (; first < what.n && left >= v[first].iov_len; first++)
            left -= v[first].iov_len;
        if (first < what.n) {
            v[first].iov_base = (char *)v[first].iov_base + left;
            v[first].iov_len -= left;
        }
    }
    return true;
}

bool
durable_sync(const struct durable_calls *c, int fd, const char *name, struct durable_fault *f)
{
    return c->sync(fd) == 0 || durable_failed(f, "fsync", name);
}

bool
durable_remove(const struct durable_calls *c, int dir, const char *name,
               struct durable_fault *f)
{
    return c->unlink_at(dir, name) == 0 || errno == ENOENT || durable_failed(f, "remove", name);
}

/* A left-over of a crash under the temporary name is removed once. */
static int
open_temp(const struct durable_calls *c, int dir, const char *temp)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = c->open_at(dir, temp, flags, 0640);
    if (fd < 0 && errno == EEXIST && c->unlink_at(dir, temp) == 0)
        fd = c->open_at(dir, temp, flags, 0640);
    return fd;
}

static bool
fill_temp(const struct durable_calls *c, int dir, const char *temp, struct str content,
          struct durable_fault *f)
{
    int fd = open_temp(c, dir, temp);
    if (fd < 0)
        return durable_failed(f, "create", temp);
    bool ok = durable_append(c, fd, temp, content, f) && durable_sync(c, fd, temp, f);
    if (c->close_fd(fd) != 0 && ok)
        ok = durable_failed(f, "close", temp);
    return ok;
}

bool
durable_write(const struct durable_calls *c, int dir, struct durable_names names,
              struct str content, enum durable_kind kind, struct durable_fault *f)
{
    bool ok = fill_temp(c, dir, names.temp, content, f);
    if (ok && c->rename_at(dir, names.temp, names.name) != 0)
        ok = durable_failed(f, "rename", names.temp);
    if (!ok) {
        (void)c->unlink_at(dir, names.temp);
        return false;
    }
    if (durable_sync(c, dir, "spool directory", f))
        return true;
    if (kind == DURABLE_NEW)
        (void)c->unlink_at(dir, names.name);
    return false;
}
