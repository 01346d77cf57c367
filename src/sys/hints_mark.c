/* Marks of hints; see hints_mark.h. */
#include "sys/hints_mark.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* What may stand in the name of a file: transports are named by the configuration, keys may be longer or hashed. */
static bool
is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_alnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '-' && s.p[i] != '.')
            return false;
    return s.n > 0;
}

bool
hints_mark_name(enum hints_kind k, struct str key, char name[HINTS_MARK_NAME])
{
    const char *kind = hints_kind_name(k);
    struct str part = STR_EMPTY;
    if (k == HINTS_ONCE)
        return false;
    if (k == HINTS_WAIT) {
        size_t slash = str_chr(key, '/', 0);
        part = str_sub(key, 0, slash == STR_NPOS ? 0 : slash);
        if (!is_plain(part))
            return false;
    }
    size_t kind_n = strlen(kind), dash_n = k == HINTS_WAIT ? 1 : 0;
    if (kind_n + dash_n + part.n >= HINTS_MARK_NAME)
        return false;
    memcpy(name, kind, kind_n);
    name[kind_n] = '-';
    if (part.n > 0)
        memcpy(name + kind_n + dash_n, part.p, part.n);
    name[kind_n + dash_n + part.n] = '\0';
    return true;
}

static bool
path_of(const char *directory, const char *name, char path[PATH_BYTES])
{
    return snprintf(path, PATH_BYTES, "%s/%s", directory, name) < PATH_BYTES;
}

bool
hints_mark_look(const char *directory, const char *name, struct hints_stamp *out)
{
    char path[PATH_BYTES];
    struct statx x;
    if (!path_of(directory, name, path) ||
        statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &x) != 0)
        return false;
    *out = (struct hints_stamp){.inode = x.stx_ino};
    if ((x.stx_mask & STATX_BTIME) != 0) {
        out->born_s = x.stx_btime.tv_sec;
        out->born_ns = x.stx_btime.tv_nsec;
    }
    return true;
}

bool
hints_mark_make(const char *directory, const char *name)
{
    char path[PATH_BYTES];
    if (!path_of(directory, name, path))
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

bool
hints_mark_same(const struct hints_stamp *a, const struct hints_stamp *b)
{
    return a->inode == b->inode && a->born_s == b->born_s && a->born_ns == b->born_ns;
}

struct hints_known *
hints_mark_known(struct hints_marks *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->v[i].name, name) == 0)
            return &m->v[i];
    return NULL;
}

void
hints_mark_note(struct hints_marks *m, const char *name, const struct hints_stamp *stamp,
                int64_t now_ms)
{
    struct hints_known *one = hints_mark_known(m, name);
    if (one == NULL && m->n < HINTS_MARK_KNOWN) {
        one = &m->v[m->n++];
    } else if (one == NULL) {
        one = &m->v[m->next];
        m->next = (m->next + 1) % HINTS_MARK_KNOWN;
    }
    (void)snprintf(one->name, sizeof one->name, "%s", name);
    one->stamp = *stamp;
    one->seen_ms = now_ms;
}
