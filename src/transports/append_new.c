/* A new file a message; see append_new.h. Source: specification, "Operational details for delivery to a new file". */
#include "transports/append_new.h"

#include "base/arena.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "sys/user_file.h"
#include "transports/append_path.h"
#include "transports/append_quota.h"
#include "transports/append_write.h"
#include "transports/maildir.h"
#include "transports/mailstore.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
append_new_open(struct append *d, const char *name)
{
    struct user_file_request rq = {
        .path = name,
        .flags = O_WRONLY | O_CREAT | O_EXCL,
        .mode = (mode_t)d->mode,
    };
    int fd = user_file_open(d->calls, &rq);
    if (fd < 0)
        append_defer(d, errno, "while creating file %s", name);
    return fd;
}

bool
append_new_write(struct append *d, int fd, const char *name)
{
    bool ok =
        append_write(d, fd, name) && (d->calls->sync(fd) == 0 || append_write_failed(d, name));
    if (d->calls->close_fd(fd) != 0 && ok)
        ok = append_write_failed(d, name);
    if (!ok)
        (void)d->calls->unlink_at(AT_FDCWD, name);
    return ok;
}

/* Takes no other file's place. Where a file system has no such renaming, a link does that; some have neither. */
static bool
move(const struct append *d, const char *from, const char *to)
{
    struct stat st;
    if (d->calls->move_at(AT_FDCWD, from, to) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (d->calls->link_at(AT_FDCWD, from, to) == 0) {
        (void)d->calls->unlink_at(AT_FDCWD,
                                  from); /* the message is there: a second name does no harm */
        return true;
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
        return false;
    if (lstat(to, &st) == 0) {
        errno = EEXIST;
        return false;
    }
    return errno == ENOENT && d->calls->rename_at(AT_FDCWD, from, to) == 0;
}

bool
append_new_rename(struct append *d, const char *from, const char *to)
{
    if (!append_is_wanted(d)) {
        (void)d->calls->unlink_at(AT_FDCWD, from);
        return false;
    }
    if (!move(d, from, to)) {
        append_defer(d, errno, "while renaming %s as %s", from, to);
        (void)unlink(from);
        return false;
    }
    if (user_file_sync_folder(d->calls, user_file_folder(d->arena, to)))
        return true;
    append_write_failed(d, to);
    (void)unlink(to);
    return false;
}

/* The name in the folder; a stranger may choose it, but no way out of the folder. */
static bool
final_name(struct append *d, char **out)
{
    struct str name;
    if (!append_expand(d, &d->opt->directory_file, "directory_file", &name)) {
        d->answer->why.outcome = OUT_DEFER;
        d->answer->why.sys_errno = 0;
        return false;
    }
    if (str_is_tainted(name) && str_chr(name, '/', 0) != STR_NPOS)
        return append_broken(d,
                             "Tainted '%.*s' (directory_file for %.*s transport) not permitted",
                             STR_ARG(name), STR_ARG(d->transport->name));
    *out = str_cstr(d->arena, str_printf(d->arena, "%s/%.*s", d->path, STR_ARG(name)));
    return true;
}

static bool
deliver_plain(struct append *d)
{
    struct str host = d->job->eval->conf->main->primary_hostname;
    char *temp = str_cstr(d->arena, str_printf(d->arena, "%s/temp.%ld.%.*s", d->path,
                                               (long)getpid(), STR_ARG(host)));
    char *name = NULL;
    if (!append_quota_fits(d, temp, 0))
        return false;
    int fd = append_new_open(d, temp);
    if (fd < 0)
        return false;
    struct stat st;
    if (fstat(fd, &st) == 0)
        d->job->addresses[0]->inode = (int64_t)st.st_ino;
    if (!append_new_write(d, fd, temp))
        return false;
    if (final_name(d, &name))
        return append_new_rename(d, temp, name);
    (void)d->calls->unlink_at(AT_FDCWD, temp);
    return false;
}

/* Where the quota counts: the folder itself, or the one that quota_directory names. */
static bool
find_quota_folder(struct append *d)
{
    struct str name;
    d->quota_folder = d->path;
    if (!str_is_set(d->opt->quota_directory.text))
        return true;
    if (!append_expand(d, &d->opt->quota_directory, "quota_directory name", &name))
        return false;
    if (name.n == 0 || name.p[0] != '/')
        return append_defer(d, WHY_NOT_ABSOLUTE,
                            "appendfile: quota_directory name \"%.*s\" is not absolute",
                            STR_ARG(name));
    d->quota_folder = str_cstr(d->arena, name);
    return d->quota_folder != NULL;
}

static void
measure(struct append *d)
{
    struct append_quota *q = d->quota;
    if (append_quota_counts(q) &&
        (q->known_size < 0 || (q->known_files < 0 && q->limit_files > 0)))
        append_quota_measure(q, d->quota_folder, &q->size, &q->files);
    if (q->known_size >= 0)
        q->size = q->known_size;
    if (q->known_files >= 0)
        q->files = q->known_files;
}

bool
append_new_room(struct append *d)
{
    struct maildir m = {.size_fd = -1};
    struct stat st;
    if (!find_quota_folder(d) || !append_quota_compile(d))
        return false;
    bool maildir = d->opt->maildir_format && stat(d->path, &st) == 0;
    bool ok = !maildir || maildir_prepare(d, &m);
    if (ok && !m.counted)
        measure(d);
    ok = ok && append_quota_fits(d, d->path, 0);
    maildir_finish(d, &m, false);
    return ok;
}

bool
append_new(struct append *d)
{
    if (!append_path_may_create(d, d->path))
        return append_defer(d, WHY_CREATE_PLACE,
                            "tried to create file in %s, but file creation outside the home "
                            "directory is not permitted",
                            d->path);
    if (!find_quota_folder(d) || !append_quota_compile(d))
        return false;
    struct maildir m = {.size_fd = -1};
    if (d->opt->maildir_format ? !maildir_prepare(d, &m)
                               : !append_path_make_folders(d, d->path))
        return false;
    if (!m.counted)
        measure(d);
    bool ok = d->opt->maildir_format     ? maildir_deliver(d)
              : d->opt->mailstore_format ? mailstore_deliver(d)
                                         : deliver_plain(d);
    maildir_finish(d, &m, ok);
    return ok;
}
