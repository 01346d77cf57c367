/* Opening by paths of strangers; see path_open.h.
 *
 * Step by step, each folder on the way is held open, so that ".." goes back to where the way came from and a folder that is moved meanwhile
 * leads nowhere else. A link's text takes the place of its name in what is still to be walked.
 */
#include "sys/path_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH_MAX = 256, LINKS_MAX = 40, REST_BYTES = 2 * PATH_MAX };

struct walk {
    int folders[DEPTH_MAX]; /* open, from the first to the one reached */
    size_t depth;
    char rest[REST_BYTES]; /* what is still to be walked */
    unsigned links;
    enum path_reach reach;
};

static bool
failed(int error)
{
    errno = error;
    return false;
}

static void
leave(struct walk *w, size_t depth)
{
    int error = errno;
    while (w->depth > depth)
        close(w->folders[--w->depth]);
    errno = error;
}

static bool
enter(struct walk *w, int fd)
{
    if (fd < 0)
        return false;
    if (w->depth == DEPTH_MAX) {
        close(fd);
        return failed(ENAMETOOLONG);
    }
    w->folders[w->depth++] = fd;
    return true;
}

static int
reached(const struct walk *w)
{
    return w->folders[w->depth - 1];
}

static bool
enter_root(struct walk *w)
{
    leave(w, 0);
    return enter(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static bool
go_back(struct walk *w)
{
    if (w->depth == 1)
        return w->reach == PATH_ANYWHERE || failed(EXDEV);
    leave(w, w->depth - 1);
    return true;
}

/* The text of a link takes its place before what follows it: NULL when it was the last step, else it is to lead to a folder. */
static bool
follow(struct walk *w, const char *text, const char *after)
{
    size_t n = strlen(text), m = after != NULL ? strlen(after) + 1 : 0;
    if (++w->links > LINKS_MAX)
        return failed(ELOOP);
    if (n == 0 || n + m + 1 > sizeof w->rest)
        return failed(n == 0 ? ENOENT : ENAMETOOLONG);
    if (after != NULL) {
        memmove(w->rest + n + 1, after, m);
        w->rest[n] = '/';
    } else {
        w->rest[n] = '\0';
    }
    memcpy(w->rest, text, n);
    if (text[0] != '/')
        return true;
    return w->reach == PATH_BENEATH ? failed(EXDEV) : enter_root(w);
}

/* The text of the link `name`; false when it is none, or not there. */
static bool
is_link(const struct walk *w, const char *name, char text[PATH_MAX])
{
    ssize_t n = readlinkat(reached(w), name, text, PATH_MAX - 1);
    if (n < 0)
        return false;
    text[n] = '\0';
    return true;
}

static bool
step(struct walk *w, const char *name, const char *after)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        bool ok = name[1] == '\0' || go_back(w);
        memmove(w->rest, after, strlen(after) + 1);
        return ok;
    }
    int fd = openat(reached(w), name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        memmove(w->rest, after, strlen(after) + 1);
        return enter(w, fd);
    }
    int error = errno;
    char text[PATH_MAX];
    if ((error == ENOTDIR || error == ELOOP) && is_link(w, name, text))
        return follow(w, text, after);
    return failed(error);
}

/* The next name of the rest, and where the text behind it begins: behind the slashes. */
static const char *
next_name(const char *rest, char name[NAME_MAX + 1])
{
    size_t n = strcspn(rest, "/");
    if (n > NAME_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    memcpy(name, rest, n);
    name[n] = '\0';
    return rest + n + strspn(rest + n, "/");
}

static int
walk(struct walk *w, int flags, mode_t mode)
{
    char name[NAME_MAX + 1], text[PATH_MAX];
    bool follows = (flags & (O_NOFOLLOW | O_EXCL)) == 0;
    for (;;) {
        const char *rest = w->rest + strspn(w->rest, "/");
        memmove(w->rest, rest, strlen(rest) + 1);
        if (w->rest[0] == '\0')
            return openat(reached(w), ".", flags | O_CLOEXEC, mode);
        const char *after = next_name(w->rest, name);
        if (after == NULL)
            return -1;
        bool last =
            w->rest[strlen(name)] == '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
        if (last && !(follows && is_link(w, name, text)))
            return openat(reached(w), name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
        if (!(last ? follow(w, text, NULL) : step(w, name, after)))
            return -1;
    }
}

int
path_open_stepwise(int dir, const char *path, int flags, mode_t mode, enum path_reach reach)
{
    struct walk w = {.reach = reach};
    size_t n = strlen(path);
    if (n == 0 || n >= PATH_MAX) {
        errno = n == 0 ? ENOENT : ENAMETOOLONG;
        return -1;
    }
    memcpy(w.rest, path, n + 1);
    bool beneath = reach == PATH_BENEATH;
    int fd = -1;
    if (beneath && path[0] == '/')
        errno = EXDEV;
    else if (beneath ? enter(&w, openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC))
                     : enter_root(&w))
        fd = walk(&w, flags, mode);
    leave(&w, 0);
    return fd;
}

int
path_open(int dir, const char *path, int flags, mode_t mode, enum path_reach reach)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = (flags & O_CREAT) != 0 ? mode & 07777 : 0,
        .resolve = RESOLVE_NO_MAGICLINKS | (reach == PATH_BENEATH ? RESOLVE_BENEATH : 0u),
    };
    long r;
    do {
        r = syscall(SYS_openat2, dir, path, &how, sizeof how);
    } while (r < 0 && (errno == EINTR || errno == EAGAIN));
    if (r < 0 && errno == ENOSYS)
        return path_open_stepwise(dir, path, flags, mode, reach);
    return (int)r;
}
