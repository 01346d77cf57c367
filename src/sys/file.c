/* Whole files and their state; see file.h.
 *
 * A size that the kernel reports is only a hint: reading ends at end of file or at the bound.
 */
#include "sys/file.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum result_of_read { READ_MORE, READ_END, READ_BAD };

static enum result_of_read
read_some(int fd, char *p, size_t n, size_t *got)
{
    ssize_t r;
    do {
        r = read(fd, p, n);
    } while (r < 0 && errno == EINTR);
    if (r < 0)
        return READ_BAD;
    *got = (size_t)r;
    return r == 0 ? READ_END : READ_MORE;
}

static size_t
first_size(int fd, size_t max)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 0)
        return max < 4096 ? max : 4096;
    size_t n = (size_t)st.st_size + 1;
    return n < max ? n : max;
}

enum file_result
file_read_fd(struct arena *a, int fd, size_t max, struct str *out)
{
    if (max > STR_MAX - 2)
        max = STR_MAX - 2;
    size_t room = first_size(fd, max + 1), n = 0;
    char *p = arena_alloc(a, room + 1);
    for (;;) {
        if (n == room) {
            size_t more = room < (max + 1) / 2 ? room * 2 : max + 1;
            if (more <= room)
                break;
            p = arena_grow(a, p, room + 1, more + 1);
            room = more;
        }
        size_t got = 0;
        enum result_of_read r = read_some(fd, p + n, room - n, &got);
        if (r == READ_BAD)
            return FILE_NO_READ;
        if (r == READ_END)
            break;
        n += got;
    }
    bool big = n > max;
    if (big)
        n = max;
    p[n] = '\0';
    *out = str_tainted(str_from(p, n));
    return big ? FILE_TOO_BIG : FILE_OK;
}

enum file_result
file_read_whole(struct arena *a, int fd, size_t max, struct str *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size < 0)
        return FILE_NO_READ;
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return FILE_NO_READ;
    }
    size_t size = (size_t)st.st_size, n = 0;
    if (size > max || size > STR_MAX - 2)
        return FILE_TOO_BIG;
    char *p = arena_alloc(a, size + 1);
    while (n < size) {
        ssize_t got = pread(fd, p + n, size - n, (off_t)n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return FILE_NO_READ;
        n += (size_t)got;
    }
    p[n] = '\0';
    *out = str_tainted(str_from(p, n));
    return FILE_OK;
}

/* Data, or a writer that has gone: poll tells of neither while there has been no writer. */
static bool
has_writer(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, FILE_WRITER_MS) > 0;
}

/* What is no FIFO is read as if it had been opened in the ordinary way. */
static bool
is_readable(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    if (S_ISFIFO(st.st_mode) && !has_writer(fd)) {
        errno = ENXIO;
        return false;
    }
    return fcntl(fd, F_SETFL, O_RDONLY) == 0;
}

int
file_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || is_readable(fd))
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

enum file_result
file_read(struct arena *a, const char *path, size_t max, struct str *out)
{
    int fd = file_open(path);
    if (fd < 0)
        return FILE_NO_OPEN;
    enum file_result r = file_read_fd(a, fd, max, out);
    int saved = errno;
    close(fd);
    errno = saved;
    return r;
}

static char
type_letter(mode_t mode)
{
    static const struct {
        mode_t type;
        char letter;
    } types[] = {{S_IFREG, '-'}, {S_IFDIR, 'd'}, {S_IFCHR, 'c'}, {S_IFBLK, 'b'},
                 {S_IFIFO, 'p'}, {S_IFLNK, 'l'}, {S_IFSOCK, 's'}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if ((mode & S_IFMT) == types[i].type)
            return types[i].letter;
    }
    return '?';
}

/* Nine letters as ls shows them, with set-id and sticky bits. */
static void
mode_letters(mode_t mode, char out[static 11])
{
    out[0] = type_letter(mode);
    for (int i = 0; i < 9; i++)
        out[i + 1] = (mode & (0400u >> i)) != 0 ? "rwx"[i % 3] : '-';
    if ((mode & S_ISUID) != 0)
        out[3] = (mode & S_IXUSR) != 0 ? 's' : 'S';
    if ((mode & S_ISGID) != 0)
        out[6] = (mode & S_IXGRP) != 0 ? 's' : 'S';
    if ((mode & S_ISVTX) != 0)
        out[9] = (mode & S_IXOTH) != 0 ? 't' : 'T';
    out[10] = '\0';
}

bool
file_stat_text(struct arena *a, const char *path, struct str *out)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    char letters[11];
    mode_letters(st.st_mode, letters);
    *out = str_printf(a,
                      "mode=%04lo smode=%s inode=%ld device=%ld links=%ld uid=%ld gid=%ld "
                      "size=%lld atime=%ld mtime=%ld ctime=%ld",
                      (unsigned long)(st.st_mode & 077777), letters, (long)st.st_ino,
                      (long)st.st_dev, (long)st.st_nlink, (long)st.st_uid, (long)st.st_gid,
                      (long long)st.st_size, (long)st.st_atime, (long)st.st_mtime,
                      (long)st.st_ctime);
    return true;
}

bool
file_write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t r = write(fd, p, n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return false;
        p += r;
        n -= (size_t)r;
    }
    return true;
}
