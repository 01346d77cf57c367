/* Files of private keys; see key_file.h.
 *
 * Step by step from the root, each folder held by a descriptor and looked at before the next step. openat2 would refuse links and ways
 * back in one call, but not look at the folders; and services with RestrictSUIDSGID do not have it.
 */
#include "sys/key_file.h"

#include "sys/sign_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -1 with *why. */
static int
refuse(struct key_file_result *why, enum key_file_end end)
{
    *why = (struct key_file_result){.end = end, .sys_errno = errno};
    return -1;
}

/* Closes what turned out to be wrong. */
static int
drop(int fd, struct key_file_result *why, enum key_file_end end)
{
    close(fd);
    return refuse(why, end);
}

/* Nobody but root can put something else there. In a folder with the sticky bit others can add names, and not take root's away. */
static bool
is_roots_folder(const struct stat *st)
{
    bool shared = (st->st_mode & (S_IWGRP | S_IWOTH)) != 0 && (st->st_mode & S_ISVTX) == 0;
    return S_ISDIR(st->st_mode) && st->st_uid == 0 && !shared;
}

/* What was opened as a folder; fd is closed when it is wrong. */
static int
check_folder(int fd, struct key_file_result *why)
{
    struct stat st;
    if (fd < 0)
        return refuse(why, KEY_FILE_NO_OPEN);
    if (fstat(fd, &st) != 0 || !is_roots_folder(&st))
        return drop(fd, why, KEY_FILE_BAD_FOLDER);
    return fd;
}

static bool
is_link(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* dir is closed. */
static int
enter(int dir, const char *name, struct key_file_result *why)
{
    if (is_link(dir, name))
        return drop(dir, why, KEY_FILE_LINK);
    int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int saved = errno;
    close(dir);
    errno = saved;
    return check_folder(fd, why);
}

static enum key_file_end
check_file(const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return S_ISLNK(st->st_mode) ? KEY_FILE_LINK : KEY_FILE_NOT_REGULAR;
    if (st->st_uid != 0)
        return KEY_FILE_BAD_OWNER;
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return KEY_FILE_BAD_MODE;
    if (st->st_nlink != 1)
        return KEY_FILE_BAD_LINKS;
    return st->st_size > SIGN_KEY_FILE_MAX ? KEY_FILE_TOO_LARGE : KEY_FILE_OK;
}

/* Looked at before it is opened, since that can have effects of its own (devices), and once more when it is. */
static int
open_file(int dir, const char *name, struct key_file_result *why)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return refuse(why, KEY_FILE_NO_OPEN);
    enum key_file_end end = check_file(&st);
    if (end != KEY_FILE_OK)
        return refuse(why, end);
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return refuse(why, KEY_FILE_NO_OPEN);
    end = fstat(fd, &st) == 0 ? check_file(&st) : KEY_FILE_NO_OPEN;
    return end == KEY_FILE_OK ? fd : drop(fd, why, end);
}

/* The next name of the path, which goes to what is behind it. False: none that is only a name. */
static bool
next_name(const char **path, char name[NAME_MAX + 1])
{
    const char *p = *path + strspn(*path, "/");
    size_t n = strcspn(p, "/");
    if (n == 0 || n > NAME_MAX)
        return false;
    memcpy(name, p, n);
    name[n] = '\0';
    *path = p + n;
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int
key_file_open(const char *path, struct key_file_result *why)
{
    char name[NAME_MAX + 1];
    *why = (struct key_file_result){.end = KEY_FILE_OK};
    if (path[0] != '/')
        return refuse(why, KEY_FILE_BAD_PATH);
    int dir = check_folder(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), why);
    while (dir >= 0) {
        if (!next_name(&path, name))
            return drop(dir, why, KEY_FILE_BAD_PATH);
        if (*path == '\0')
            break;
        dir = enter(dir, name, why);
    }
    if (dir < 0)
        return -1;
    int fd = open_file(dir, name, why);
    close(dir);
    return fd;
}

const char *
key_file_text(const struct key_file_result *why)
{
    static const char *const texts[] = {
#define KEY_FILE(NAME, text) [KEY_FILE_##NAME] = text,
#include "sys/key_file.def"
#undef KEY_FILE
    };
    return why->end == KEY_FILE_NO_OPEN ? strerror(why->sys_errno) : texts[why->end];
}
