/* Locks on a range of a file; see file_lock.h. */
#include "sys/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum file_lock_result
file_lock_head(int fd, off_t n)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = n};
    int r;
    do {
        r = fcntl(fd, F_OFD_SETLK, &l);
    } while (r != 0 && errno == EINTR);
    if (r == 0)
        return FILE_LOCK_OK;
    return errno == EAGAIN || errno == EACCES ? FILE_LOCK_BUSY : FILE_LOCK_ERROR;
}
