/* A table of durability calls that notes their order and makes the n-th fail. One test at a time. */
#ifndef REMEX_TEST_DURABLE_FAULTS_H
#define REMEX_TEST_DURABLE_FAULTS_H

#include "sys/durable.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    char log[2048];
    int calls, fail_at, with; /* fail_at from 1; 0: none */
    bool short_writes;
    bool kill; /* ends the process instead, before the call */
} faults;

static bool
fault_due(const char *what, const char *name)
{
    size_t n = strlen(faults.log);
    (void)snprintf(faults.log + n, sizeof faults.log - n, "%s%s%s;", what, *name ? " " : "",
                   name);
    errno = faults.with;
    bool due = ++faults.calls == faults.fail_at;
    if (due && faults.kill)
        _exit(1);
    return due;
}

static int
fault_open(int dir, const char *name, int flags, mode_t mode)
{
    return fault_due("open", name) ? -1 : durable_kernel.open_at(dir, name, flags, mode);
}

static ssize_t
fault_write(int fd, const void *p, size_t n)
{
    if (fault_due("write", ""))
        return -1;
    return durable_kernel.write_some(fd, p, faults.short_writes && n > 1 ? n / 2 : n);
}

static int
fault_sync(int fd)
{
    return fault_due("fsync", "") ? -1 : durable_kernel.sync(fd);
}

static int
fault_rename(int dir, const char *from, const char *to)
{
    return fault_due("rename", to) ? -1 : durable_kernel.rename_at(dir, from, to);
}

static int
fault_unlink(int dir, const char *name)
{
    return fault_due("unlink", name) ? -1 : durable_kernel.unlink_at(dir, name);
}

static int
fault_close(int fd)
{
    int r = durable_kernel.close_fd(fd);
    return fault_due("close", "") ? -1 : r;
}

static int
fault_link(int dir, const char *from, const char *to)
{
    return fault_due("link", to) ? -1 : durable_kernel.link_at(dir, from, to);
}

static int
fault_move(int dir, const char *from, const char *to)
{
    return fault_due("move", to) ? -1 : durable_kernel.move_at(dir, from, to);
}

static int
fault_truncate(int fd, off_t n)
{
    return fault_due("truncate", "") ? -1 : durable_kernel.truncate_fd(fd, n);
}

static ssize_t
fault_write_at(int fd, const struct iovec *v, int n, off_t at)
{
    if (fault_due("pwrite", ""))
        return -1;
    struct iovec part = *v;
    if (!faults.short_writes || part.iov_len < 2)
        return durable_kernel.write_at(fd, v, n, at);
    part.iov_len /= 2;
    return durable_kernel.write_at(fd, &part, 1, at);
}

static int
fault_sync_content(int fd)
{
    return fault_due("fdatasync", "") ? -1 : durable_kernel.sync_content(fd);
}

static int
fault_allocate(int fd, off_t n)
{
    return fault_due("allocate", "") ? -1 : durable_kernel.allocate(fd, n);
}

static const struct durable_calls faulty = {
    .open_at = fault_open,
    .write_some = fault_write,
    .sync = fault_sync,
    .rename_at = fault_rename,
    .unlink_at = fault_unlink,
    .close_fd = fault_close,
    .link_at = fault_link,
    .move_at = fault_move,
    .truncate_fd = fault_truncate,
    .write_at = fault_write_at,
    .sync_content = fault_sync_content,
    .allocate = fault_allocate,
};

static inline void
faults_set(int fail_at, int with)
{
    memset(&faults, 0, sizeof faults);
    faults.fail_at = fail_at;
    faults.with = with;
}

#endif
