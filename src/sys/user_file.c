/* Files of users; see user_file.h. */
#include "sys/user_file.h"

#include "base/arena.h"
#include "sys/path_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The part of a path below a folder, or NULL. */
static const char *
part_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/')
        n--;
    if (n == 0 || strncmp(path, folder, n) != 0 || (path[n] != '/' && n > 1))
        return NULL;
    path += n;
    while (*path == '/')
        path++;
    return *path == '\0' ? NULL : path;
}

static int
open_below(const char *path, const char *folder, int flags, mode_t mode)
{
    const char *part = part_below(path, folder);
    if (part == NULL) {
        errno = EXDEV;
        return -1;
    }
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -1;
    int fd = path_open(dir, part, flags, mode, PATH_BENEATH);
    int error = errno;
    close(dir);
    errno = error;
    return fd;
}

int
user_file_open(const struct durable_calls *c, const struct user_file_request *rq)
{
    int flags = rq->flags | (rq->follow ? 0 : O_NOFOLLOW);
    int fd = rq->within != NULL
                 ? open_below(rq->path, rq->within, flags, rq->mode)
                 : c->open_at(AT_FDCWD, rq->path, flags | O_CLOEXEC, rq->mode & 07777);
    if (fd >= 0 && (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0 &&
        fchmod(fd, rq->mode) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* Makes one folder and gives it its mode; that it is there already is no failure. */
static bool
make_folder(const char *path, mode_t mode)
{
    if (mkdir(path, mode & 0700) != 0)
        return errno == EEXIST;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return chmod(path, mode) == 0;
    bool ok = fchmod(fd, mode) == 0;
    close(fd);
    return ok;
}

bool
user_file_make_folders(struct arena *a, const char *path, mode_t mode, const char *within)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        errno = ENOTDIR;
        return S_ISDIR(st.st_mode);
    }
    if (errno != ENOENT)
        return false;
    if (within != NULL && !user_file_is_below(a, path, within)) {
        errno = EXDEV;
        return false;
    }
    char *part = str_cstr(a, str_from_cstr(path));
    for (char *p = part + 1; *p != '\0'; p++) {
        if (*p != '/' || p[-1] == '/')
            continue;
        *p = '\0';
        bool ok = stat(part, &st) == 0 || make_folder(part, mode);
        *p = '/';
        if (!ok)
            return false;
    }
    return make_folder(part, mode);
}

/* The real path of what exists of a path; *rest is what does not. NULL: not to be found out. */
static char *
existing_part(struct arena *a, const char *path, const char **rest)
{
    char *part = str_cstr(a, str_from_cstr(path)), *real = arena_alloc(a, PATH_MAX);
    size_t n = strlen(part);
    while (realpath(part, real) == NULL) {
        if (errno != ENOENT && errno != ENOTDIR)
            return NULL;
        while (n > 0 && part[n - 1] == '/')
            n--;
        while (n > 0 && part[n - 1] != '/')
            n--;
        if (n == 0)
            return NULL;
        part[n > 1 ? n - 1 : n] = '\0';
    }
    *rest = path + strlen(part);
    return real;
}

static bool
climbs(const char *rest)
{
    for (const char *p = rest; (p = strstr(p, "..")) != NULL; p += 2)
        if ((p == rest || p[-1] == '/') && (p[2] == '\0' || p[2] == '/'))
            return true;
    return false;
}

bool
user_file_is_below(struct arena *a, const char *path, const char *folder)
{
    const char *rest = "", *folder_rest = "";
    char *real_folder = existing_part(a, folder, &folder_rest);
    char *real = existing_part(a, path, &rest);
    if (real == NULL || real_folder == NULL || climbs(rest) ||
        folder_rest[strspn(folder_rest, "/")] != '\0')
        return false;
    if (strcmp(real, real_folder) == 0)
        return rest[strspn(rest, "/")] != '\0';
    return part_below(real, real_folder) != NULL;
}

char *
user_file_folder(struct arena *a, const char *path)
{
    struct str s = str_from_cstr(path);
    while (s.n > 1 && s.p[s.n - 1] == '/')
        s.n--;
    size_t at = str_rchr(s, '/');
    return str_cstr(a, at == STR_NPOS ? STR_LIT(".") : str_sub(s, 0, at > 0 ? at : 1));
}

bool
user_file_sync_folder(const struct durable_calls *c, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = c->sync(fd) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return ok;
}

size_t
user_file_note_read(int fd, const char *name, char *out, size_t room)
{
    ssize_t n = fgetxattr(fd, name, out, room);
    return n > 0 ? (size_t)n : 0;
}

bool
user_file_write_out(int fd)
{
    return sync_file_range(fd, 0, 0,
                           SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                               SYNC_FILE_RANGE_WAIT_AFTER) == 0 ||
           errno == ENOSYS || errno == EINVAL || errno == ESPIPE;
}

bool
user_file_note_write(int fd, const char *name, const char *p, size_t n)
{
    return fsetxattr(fd, name, p, n, 0) == 0;
}
