/* Configuration files as sources. The file is read, not mapped: a file that shrinks while it is mapped would
 * kill the process. */
#include "conf/source.h"

#include "base/arena.h"
#include "sys/file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
owner_ok(const struct source_owner *o, const struct stat *st)
{
    bool owner = st->st_uid == 0 || (o->has_uid && (int64_t)st->st_uid == o->uid);
    bool group = st->st_gid == 0 || (o->has_gid && (int64_t)st->st_gid == o->gid);
    return owner && (st->st_mode & S_IWOTH) == 0 && (group || (st->st_mode & S_IWGRP) == 0);
}

static enum source_result
read_open(struct arena *a, int fd, size_t max, const struct source_owner *owner,
          struct str *text)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return SOURCE_NO_OPEN;
    if (S_ISDIR(st.st_mode))
        return SOURCE_DIRECTORY;
    if (owner != NULL && owner->check && !owner_ok(owner, &st))
        return SOURCE_OWNER;
    if (S_ISREG(st.st_mode) && st.st_size > 0 && (uintmax_t)st.st_size > max)
        return SOURCE_TOO_BIG;
    switch (file_read_fd(a, fd, max, text)) {
    case FILE_OK:
        return SOURCE_OK;
    case FILE_TOO_BIG:
        return SOURCE_TOO_BIG;
    case FILE_NO_OPEN:
    case FILE_NO_READ:
        break;
    }
    return SOURCE_NO_OPEN;
}

enum source_result
source_read(struct arena *a, struct str path, size_t max, const struct source_owner *owner,
            struct source **out)
{
    const char *z = str_cstr(a, path);
    if (z == NULL)
        return SOURCE_NONE;
    int fd = file_open(z);
    if (fd < 0 && errno == ENXIO)
        return SOURCE_NO_WRITER;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? SOURCE_NONE : SOURCE_NO_OPEN;
    struct str text = STR_NULL;
    enum source_result r = read_open(a, fd, max, owner, &text);
    int saved = errno;
    close(fd);
    errno = saved;
    if (r != SOURCE_OK)
        return r;
    *out = ARENA_NEW(a, struct source);
    (*out)->name = path;
    (*out)->text = str_untaint_by_rule(text, "text of a configuration file");
    return SOURCE_OK;
}

enum source_result
source_find(struct arena *a, const struct source_set *set, struct str path, size_t max,
            struct source **out)
{
    for (size_t i = 0; i < set->n; i++) {
        if (!str_eq(set->v[i].name, path))
            continue;
        if (set->v[i].text.n > max)
            return SOURCE_TOO_BIG;
        *out = ARENA_NEW(a, struct source); /* a file may be included from several places */
        (*out)->name = path;
        (*out)->text = set->v[i].text;
        return SOURCE_OK;
    }
    return SOURCE_NONE;
}
