/* One mailbox file; see append_file.h.
 *
 * What lstat said before the file was opened is compared with what fstat says of the open descriptor, and the last step of the
 * name is never a link that was not asked for: between the checks and the use nothing can be put in the file's place.
 */
#include "transports/append_file.h"

#include "base/arena.h"
#include "sys/user_file.h"
#include "transports/append_path.h"
#include "transports/mailbox_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { EXISTS_TURNS_MAX = 10 };

enum step { STEP_OK, STEP_AGAIN, STEP_BUSY, STEP_STOP };

/* What was found under the name. */
struct found {
    bool exists;
    bool link; /* a symbolic link that may be followed */
    struct stat st;
};

static bool
check_owner(struct append *d, const struct stat *st, const char *link)
{
    if (d->opt->check_owner && st->st_uid != d->job->uid)
        return append_defer(d, WHY_WRONG_OWNER, "mailbox %s%s has wrong uid (%ld != %ld)",
                            d->path, link, (long)st->st_uid, (long)d->job->uid);
    if (d->opt->check_group && st->st_gid != d->job->gid)
        return append_defer(d, WHY_WRONG_OWNER, "mailbox %s%s has wrong gid (%ld != %ld)",
                            d->path, link, (long)st->st_gid, (long)d->job->gid);
    return true;
}

static bool
right_kind(const struct append *d, mode_t mode)
{
    return S_ISREG(mode) || (d->opt->allow_fifo && S_ISFIFO(mode));
}

/* lstat, and stat of what an allowed link leads to. */
static bool
look(struct append *d, struct found *f)
{
    *f = (struct found){.exists = true};
    if (lstat(d->path, &f->st) != 0) {
        f->exists = false;
        return errno == ENOENT ||
               append_defer(d, errno, "attempting to stat mailbox %s", d->path);
    }
    if (!S_ISLNK(f->st.st_mode) || !d->opt->allow_symlink)
        return true;
    f->link = true;
    if (!check_owner(d, &f->st, " (symlink)"))
        return false;
    if (stat(d->path, &f->st) != 0) {
        f->exists = false;
        return errno == ENOENT ||
               append_defer(d, errno, "attempting to stat mailbox %s", d->path);
    }
    return true;
}

static bool
check_found(struct append *d, const struct found *f)
{
    const char *link = f->link ? " (symlink)" : "";
    if (!check_owner(d, &f->st, link))
        return false;
    if (f->st.st_nlink != 1)
        return append_defer(d, WHY_NOT_REGULAR, "mailbox %s%s has too many links (%lu)",
                            d->path, link, (unsigned long)f->st.st_nlink);
    if (!right_kind(d, f->st.st_mode))
        return append_defer(d, WHY_NOT_REGULAR, "mailbox %s is not a regular file%s", d->path,
                            d->opt->allow_fifo ? " or named pipe" : "");
    mode_t narrower = (mode_t)d->mode & ~f->st.st_mode & 07777;
    if (narrower != 0 && d->opt->mode_fail_narrower && !d->mode_forced)
        return append_defer(d, WHY_WRONG_MODE, "mailbox %s has the wrong mode %o (%o expected)",
                            d->path, (unsigned)(f->st.st_mode & 07777), (unsigned)d->mode);
    return true;
}

/* Wider permissions are cut down, and a mode that a filter gave is set; a narrower one that is allowed stays. */
static bool
set_mode(struct append *d, int fd, const struct found *f)
{
    mode_t is = f->st.st_mode & 07777, wanted = (mode_t)d->mode;
    bool narrower = (wanted & ~is) != 0;
    if (is == wanted || (narrower && !d->mode_forced))
        return true;
    return fchmod(fd, wanted) == 0 ||
           append_defer(d, errno, "while setting perms on mailbox %s", d->path);
}

/* The open file must be the one that was looked at. */
static bool
check_open(struct append *d, int fd, const struct found *f)
{
    struct stat now;
    if (fstat(fd, &now) != 0)
        return append_defer(d, errno, "attempting to stat open mailbox %s", d->path);
    if (now.st_ino != f->st.st_ino || now.st_dev != f->st.st_dev)
        return append_defer_frozen(
            d, WHY_INODE_CHANGED, "opened mailbox %s inode number changed from %lu to %lu",
            d->path, (unsigned long)f->st.st_ino, (unsigned long)now.st_ino);
    if ((now.st_mode & S_IFMT) != (f->st.st_mode & S_IFMT))
        return append_defer_frozen(d, WHY_NOT_REGULAR, "opened mailbox %s is no longer a %s",
                                   d->path,
                                   S_ISFIFO(f->st.st_mode) ? "named pipe" : "regular file");
    if (now.st_uid != f->st.st_uid || now.st_gid != f->st.st_gid)
        return append_defer_frozen(d, WHY_WRONG_OWNER, "opened mailbox %s has wrong uid or gid",
                                   d->path);
    if (now.st_mode != f->st.st_mode)
        return append_defer_frozen(
            d, WHY_WRONG_MODE, "opened mailbox %s has wrong mode %o (%o expected)", d->path,
            (unsigned)(now.st_mode & 07777), (unsigned)(f->st.st_mode & 07777));
    return true;
}

static enum step
open_existing(struct append *d, const struct found *found, struct append_file *f)
{
    if (!check_found(d, found))
        return STEP_STOP;
    f->fifo = S_ISFIFO(found->st.st_mode);
    struct user_file_request rq = {
        .path = d->path,
        .follow = found->link,
        .flags = f->fifo ? O_WRONLY | O_NONBLOCK : O_RDWR | O_APPEND,
    };
    f->fd = user_file_open(d->calls, &rq);
    if (f->fd < 0 && errno == ENOENT)
        return STEP_AGAIN;
    if (f->fd < 0 && f->fifo)
        append_defer(d, errno,
                     "while opening named pipe %s (could mean no process is reading it)",
                     d->path);
    else if (f->fd < 0)
        append_defer(d, errno, "while opening mailbox %s", d->path);
    bool ok = f->fd >= 0 && check_open(d, f->fd, found) && set_mode(d, f->fd, found);
    return ok ? STEP_OK : STEP_STOP;
}

static enum step
open_new(struct append *d, const struct found *found, struct append_file *f)
{
    if (d->opt->file_must_exist)
        append_defer(d, ENOENT, "mailbox %s does not exist, but file_must_exist is set",
                     d->path);
    else if (!append_path_may_create(d, d->path))
        append_defer(d, WHY_CREATE_PLACE,
                     "mailbox %s does not exist, but creation outside the home directory is "
                     "not permitted",
                     d->path);
    if (d->answer->why.outcome != OUT_OK)
        return STEP_STOP;
    struct user_file_request rq = {
        .path = d->path,
        .flags = O_RDWR | O_APPEND | O_CREAT | (found->link ? 0 : O_EXCL),
        .mode = (mode_t)d->mode,
        .follow = found->link,
        .within = found->link ? NULL : d->within,
    };
    f->fd = user_file_open(d->calls, &rq);
    f->created = f->fd >= 0;
    if (f->created)
        return STEP_OK;
    if (errno == EEXIST)
        return STEP_AGAIN;
    append_defer(d, errno, "while creating mailbox %s", d->path);
    return STEP_STOP;
}

/* Opens the file that is there, or makes it; what comes and goes meanwhile is followed a few times. */
static enum step
open_once(struct append *d, struct append_file *f)
{
    for (int i = 0; i < EXISTS_TURNS_MAX; i++) {
        struct found found;
        if (!look(d, &found))
            return STEP_STOP;
        enum step s = found.exists ? open_existing(d, &found, f) : open_new(d, &found, f);
        if (s != STEP_AGAIN)
            return s;
    }
    append_defer_frozen(d, WHY_EXISTENCE, "mailbox %s: existence unclear", d->path);
    return STEP_STOP;
}

static void
close_file(struct append *d, struct append_file *f)
{
    mailbox_lock_close(d, f->fd, f->mbx);
    if (f->fd >= 0)
        d->calls->close_fd(f->fd);
    f->fd = f->mbx = -1;
}

static enum step
open_and_lock(struct append *d, struct append_file *f)
{
    enum step s = open_once(d, f);
    if (s != STEP_OK || f->fifo)
        return s;
    enum mailbox_lock_result r = mailbox_lock_open(d, f->fd, &f->mbx);
    if (r != MAILBOX_LOCK_OK)
        return r == MAILBOX_LOCK_BUSY ? STEP_BUSY : STEP_STOP;
    if (fstat(f->fd, &f->before) == 0)
        return STEP_OK;
    append_defer(d, errno, "while fstatting opened mailbox %s", d->path);
    return STEP_STOP;
}

bool
append_file_open(struct append *d, struct append_file *f)
{
    *f = (struct append_file){.fd = -1, .mbx = -1};
    if (d->opt->use_lockfile && !mailbox_lock_take(d, &f->lock))
        return false;
    bool waits = d->opt->lock_fcntl_timeout == 0 && d->opt->lock_flock_timeout == 0;
    int64_t tries = mailbox_lock_tries(d);
    for (int64_t i = 0; i < tries; i++) {
        enum step s = open_and_lock(d, f);
        if (s != STEP_BUSY)
            return s == STEP_OK;
        close_file(d, f);
        struct timespec t = {.tv_sec = waits && i + 1 < tries ? d->opt->lock_interval : 0};
        nanosleep(&t, NULL);
    }
    return append_defer(d, WHY_LOCKED, "failed to lock mailbox %s (fcntl/flock)", d->path);
}

void
append_file_undo(struct append *d, const struct append_file *f)
{
    if (f->fifo)
        return;
    struct timespec times[2] = {f->before.st_atim, f->before.st_mtim};
    if (d->calls->truncate_fd(f->fd, f->before.st_size) == 0)
        (void)futimens(f->fd, times);
}

void
append_file_close(struct append *d, struct append_file *f)
{
    close_file(d, f);
    mailbox_lock_release(d, f->lock);
    f->lock = NULL;
}
