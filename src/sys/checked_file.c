/* Files of users; see checked_file.h. */
#include "sys/checked_file.h"

#include "base/arena.h"
#include "sys/file.h"
#include "sys/path_open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK: who opens a FIFO or a device must not wait. */
enum { READ_TRIES = 3, READING = O_RDONLY | O_NOCTTY | O_NONBLOCK };

static int
open_beneath(const char *folder, const char *path)
{
    size_t n = strlen(folder);
    while (n > 0 && folder[n - 1] == '/')
        n--;
    if (strncmp(path, folder, n) != 0 || path[n] != '/') {
        errno = EXDEV;
        return -1;
    }
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -1;
    path += n + strspn(path + n, "/");
    int fd = path_open(dir, path, READING, 0, PATH_BENEATH);
    int saved = errno;
    close(dir);
    errno = saved;
    return fd;
}

static bool
is_among(int64_t id, const int64_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i] == id)
            return true;
    }
    return false;
}

static enum checked_file_end
check(const struct stat *st, const struct checked_file_rules *r)
{
    if (!S_ISREG(st->st_mode))
        return CHECKED_FILE_NOT_REGULAR;
    if ((st->st_mode & r->forbidden_mode) != 0)
        return CHECKED_FILE_BAD_MODE;
    if (r->check_owner && !is_among(st->st_uid, r->owners, r->owners_n))
        return CHECKED_FILE_BAD_OWNER;
    if (r->check_group && !is_among(st->st_gid, r->groups, r->groups_n))
        return CHECKED_FILE_BAD_GROUP;
    return (uint64_t)st->st_size > r->max ? CHECKED_FILE_TOO_BIG : CHECKED_FILE_OK;
}

/* The same file before and after it was read? */
static bool
is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mode == b->st_mode &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* One reading; CHECKED_FILE_CHANGED when the file was not the same afterwards. */
static enum checked_file_end
read_once(struct arena *a, int fd, const struct checked_file_rules *r, struct str *text,
          unsigned *mode)
{
    struct stat before, after;
    if (fstat(fd, &before) != 0)
        return CHECKED_FILE_NO_READ;
    *mode = (unsigned)before.st_mode;
    enum checked_file_end end = check(&before, r);
    if (end != CHECKED_FILE_OK)
        return end;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return CHECKED_FILE_NO_READ;
    enum file_result got = file_read_fd(a, fd, r->max, text);
    if (got != FILE_OK)
        return got == FILE_TOO_BIG ? CHECKED_FILE_TOO_BIG : CHECKED_FILE_NO_READ;
    if (fstat(fd, &after) != 0)
        return CHECKED_FILE_NO_READ;
    return is_same(&before, &after) && (int64_t)text->n == after.st_size ? CHECKED_FILE_OK
                                                                         : CHECKED_FILE_CHANGED;
}

enum checked_file_end
checked_file_read(struct arena *a, const char *path, const struct checked_file_rules *rules,
                  struct str *text, unsigned *mode)
{
    unsigned unused;
    int fd = rules->beneath != NULL ? open_beneath(rules->beneath, path)
                                    : path_open(AT_FDCWD, path, READING, 0, PATH_ANYWHERE);
    if (fd < 0)
        return CHECKED_FILE_NO_OPEN;
    enum checked_file_end end = CHECKED_FILE_CHANGED;
    for (int i = 0; i < READ_TRIES && end == CHECKED_FILE_CHANGED; i++)
        end = read_once(a, fd, rules, text, mode != NULL ? mode : &unused);
    int saved = errno;
    close(fd);
    errno = saved;
    return end;
}
