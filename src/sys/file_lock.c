/* Locks on a range of a file; see file_lock.h. */
#include "sys/file_lock.h"

#include "sys/await.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int
try_fcntl(int fd, enum file_lock_kind kind)
{
    struct flock l = {.l_type = kind == FILE_LOCK_SHARED ? F_RDLCK : F_WRLCK,
                      .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &l);
}

static int
try_flock(int fd, enum file_lock_kind kind)
{
    /* Numbers of flock(2): its header is hidden by the one of this folder that has the same name. */
    enum { SHARED = 1, EXCLUSIVE = 2, NOT_WAITING = 4 };
    return (int)syscall(SYS_flock, fd,
                        (kind == FILE_LOCK_SHARED ? SHARED : EXCLUSIVE) | NOT_WAITING);
}

static void
sleep_ms(long ms)
{
    struct timespec t = {.tv_nsec = ms * 1000000};
    nanosleep(&t, NULL);
}

/* The lock is asked for again and again: a wait in the kernel ends by a signal only, and that may come too early. */
enum file_lock_result
file_lock_all(int fd, enum file_lock_by by, enum file_lock_kind kind, int64_t timeout_ms)
{
    enum { PAUSE_MS = 10 };
    for (int64_t end = await_now_ms() + timeout_ms;;) {
        int r = by == FILE_LOCK_BY_FCNTL ? try_fcntl(fd, kind) : try_flock(fd, kind);
        if (r == 0)
            return FILE_LOCK_OK;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return FILE_LOCK_ERROR;
        if (await_now_ms() >= end)
            return FILE_LOCK_BUSY;
        sleep_ms(PAUSE_MS);
    }
}

enum file_lock_result
file_lock_range(int fd, off_t from, off_t n)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = n};
    int r;
    do {
        r = fcntl(fd, F_OFD_SETLK, &l);
    } while (r != 0 && errno == EINTR);
    if (r == 0)
        return FILE_LOCK_OK;
    return errno == EAGAIN || errno == EACCES ? FILE_LOCK_BUSY : FILE_LOCK_ERROR;
}

void
file_unlock_range(int fd, off_t from, off_t n)
{
    struct flock l = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = n};
    (void)fcntl(fd, F_OFD_SETLK, &l);
}

enum file_lock_result
file_lock_head(int fd, off_t n)
{
    return file_lock_range(fd, 0, n);
}
