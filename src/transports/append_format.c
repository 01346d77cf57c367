/* Formats of existing mailboxes; see append_format.h. */
#include "transports/append_format.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "conf/eval.h"
#include "sys/file.h"
#include "sys/user_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { START_MAX = 256 };

/* The first bytes of the mailbox; empty when there is none, or none that may be read. O_NOATIME: the time of the last access is
 * when its owner read it. */
static bool
read_start(struct append *d, struct str *out)
{
    struct user_file_request rq = {.path = d->path,
                                   .flags = O_RDONLY | O_NONBLOCK | O_NOATIME,
                                   .follow = d->opt->allow_symlink};
    struct stat st;
    *out = STR_EMPTY;
    if (lstat(d->path, &st) != 0 || (!S_ISREG(st.st_mode) && !d->opt->allow_symlink))
        return true;
    int fd = user_file_open(d->calls, &rq);
    if (fd < 0 && errno == EPERM) {
        rq.flags &= ~O_NOATIME;
        fd = user_file_open(d->calls, &rq);
    }
    if (fd < 0)
        return true;
    bool ok =
        fstat(fd, &st) == 0 &&
        (!S_ISREG(st.st_mode) || file_read_fd(d->arena, fd, START_MAX, out) != FILE_NO_READ);
    close(fd);
    return ok;
}

bool
append_format_find(struct append *d, const struct driver_instance **other)
{
    struct str start, text, name;
    *other = NULL;
    if (!str_is_set(d->opt->file_format))
        return true;
    if (!read_start(d, &start))
        return append_defer(d, errno, "while opening mailbox %s", d->path);
    if (start.n == 0)
        return true;
    struct strlist_split s = strlist_split_start(d->opt->file_format, ':');
    while (strlist_split_next(&s, d->arena, &text) && strlist_split_next(&s, d->arena, &name)) {
        if (start.n < text.n || memcmp(start.p, text.p, text.n) != 0)
            continue;
        const struct driver_instance *t = conf_transport(d->job->eval->conf, name);
        if (t == NULL)
            return append_defer(d, WHY_NO_TRANSPORT,
                                "%.*s transport (for %.*s format) not found", STR_ARG(name),
                                STR_ARG(text));
        if (t != d->transport)
            *other = t;
        return true;
    }
    return append_defer(d, WHY_MAILBOX_KIND, "mailbox file format unrecognized");
}
