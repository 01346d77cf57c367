/* Locks on mailboxes; see mailbox_lock.h. */
#include "transports/mailbox_lock.h"

#include "base/arena.h"
#include "base/clock.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "sys/file_lock.h"
#include "sys/user_file.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static void
sleep_s(int64_t s)
{
    struct timespec t = {.tv_sec = s};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        continue;
}

static char *
post_name(const struct append *d, const char *lock)
{
    struct str host = d->job->eval->conf->main->primary_hostname;
    return str_cstr(d->arena, str_printf(d->arena, "%s.%.*s.%08x.%08x", lock, STR_ARG(host),
                                         (unsigned)time(NULL), (unsigned)getpid()));
}

/* The file of our own that is linked to the name of the lock. */
static bool
make_post(struct append *d, const char *post)
{
    struct user_file_request rq = {.path = post,
                                   .flags = O_WRONLY | O_CREAT | O_EXCL,
                                   .mode = (mode_t)d->opt->lockfile_mode};
    int fd = user_file_open(d->calls, &rq);
    if (fd < 0)
        return append_defer(d, errno, "creating lock file hitching post %s (euid=%ld egid=%ld)",
                            post, (long)geteuid(), (long)getegid());
    d->calls->close_fd(fd);
    return true;
}

/* True if the lock is ours: link() said so, or the post has a second name (a server lost the answer). */
static bool
link_post(const struct append *d, const char *post, const char *lock)
{
    struct stat st;
    bool linked = d->calls->link_at(AT_FDCWD, post, lock) == 0 ||
                  (lstat(post, &st) == 0 && st.st_nlink == 2);
    (void)d->calls->unlink_at(AT_FDCWD, post);
    return linked;
}

/* A lock file that is older than lockfile_timeout was left behind. */
static bool
remove_stale(const struct append *d, const char *lock)
{
    struct stat st;
    return d->opt->lockfile_timeout > 0 && lstat(lock, &st) == 0 &&
           time(NULL) - st.st_ctime > d->opt->lockfile_timeout &&
           d->calls->unlink_at(AT_FDCWD, lock) == 0;
}

bool
mailbox_lock_take(struct append *d, char **name)
{
    char *lock = str_cstr(d->arena, str_printf(d->arena, "%s.lock", d->path));
    *name = NULL;
    for (int64_t i = 0; i < d->opt->lock_retries; i++) {
        char *post = post_name(d, lock);
        if (!make_post(d, post))
            return false;
        if (link_post(d, post, lock)) {
            *name = lock;
            return true;
        }
        if (!remove_stale(d, lock) && i + 1 < d->opt->lock_retries)
            sleep_s(d->opt->lock_interval);
    }
    return append_defer(d, WHY_LOCKED, "failed to lock mailbox %s (lock file)", d->path);
}

void
mailbox_lock_release(struct append *d, const char *name)
{
    if (name != NULL)
        (void)d->calls->unlink_at(AT_FDCWD, name);
}

int64_t
mailbox_lock_tries(const struct append *d)
{
    const struct transport_appendfile *o = d->opt;
    int64_t longest = o->lock_fcntl_timeout > o->lock_flock_timeout ? o->lock_fcntl_timeout
                                                                    : o->lock_flock_timeout;
    if (longest <= 0)
        return o->lock_retries;
    int64_t all = o->lock_retries * o->lock_interval;
    return all > longest ? (all + longest - 1) / longest : 1;
}

/* Whether the time limits of the options hold. */
enum patience { DO_NOT_WAIT = 0, WAIT = 1 };

/* The locks of one descriptor: with fcntl, with flock, or both; fcntl alone when use_mbx_lock names neither. */
static enum file_lock_result
lock_descriptor(const struct append *d, int fd, enum file_lock_kind kind, enum patience p)
{
    const struct transport_appendfile *o = d->opt;
    bool by_fcntl = o->use_fcntl_lock || (o->use_mbx_lock && !o->use_flock_lock);
    enum file_lock_result r = FILE_LOCK_OK;
    if (by_fcntl)
        r = file_lock_all(fd, FILE_LOCK_BY_FCNTL, kind, p * o->lock_fcntl_timeout * 1000);
    if (r == FILE_LOCK_OK && o->use_flock_lock)
        r = file_lock_all(fd, FILE_LOCK_BY_FLOCK, kind, p * o->lock_flock_timeout * 1000);
    return r;
}

/* The file in /tmp must be a plain one with one name, and the one that was opened. */
static bool
check_mbx_file(struct append *d, const char *name, int fd)
{
    struct stat by_name, opened;
    if (lstat(name, &by_name) != 0)
        return append_defer(d, errno, "attempting to lstat open MBX lock file %s", name);
    if (fstat(fd, &opened) != 0)
        return append_defer(d, errno, "attempting to stat fd of open MBX lock file %s", name);
    if (S_ISLNK(by_name.st_mode))
        return append_defer_frozen(d, WHY_NOT_REGULAR, "symbolic link on MBX lock file %s",
                                   name);
    if (opened.st_nlink > 1)
        return append_defer_frozen(d, WHY_NOT_REGULAR, "hard link to MBX lock file %s", name);
    if (!S_ISREG(opened.st_mode) || by_name.st_ino != opened.st_ino ||
        by_name.st_dev != opened.st_dev)
        return append_defer_frozen(
            d, WHY_NOT_REGULAR, "MBX lockfile %s changed between creation and locking", name);
    return true;
}

static char *
mbx_name(const struct append *d, const struct stat *st)
{
    return str_cstr(d->arena, str_printf(d->arena, "/tmp/.%lx.%lx", (unsigned long)st->st_dev,
                                         (unsigned long)st->st_ino));
}

static enum mailbox_lock_result
lock_mbx_file(struct append *d, int fd, int *mbx)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        append_defer(d, errno, "while fstatting opened mailbox %s", d->path);
        return MAILBOX_LOCK_FAULT;
    }
    char *name = mbx_name(d, &st);
    struct user_file_request rq = {
        .path = name, .flags = O_RDWR | O_CREAT, .mode = (mode_t)d->opt->lockfile_mode};
    *mbx = user_file_open(d->calls, &rq);
    if (*mbx < 0) {
        append_defer(d, errno, "failed to open MBX lock file %s :%s", name,
                     strerrordesc_np(errno));
        return MAILBOX_LOCK_FAULT;
    }
    if (!check_mbx_file(d, name, *mbx)) {
        close(*mbx);
        *mbx = -1;
        return MAILBOX_LOCK_FAULT;
    }
    (void)fchmod(*mbx, (mode_t)d->opt->lockfile_mode); /* only its owner may; others need not */
    if (lock_descriptor(d, *mbx, FILE_LOCK_EXCLUSIVE, WAIT) == FILE_LOCK_OK)
        return MAILBOX_LOCK_OK;
    close(*mbx); /* another's: not ours to remove */
    *mbx = -1;
    return MAILBOX_LOCK_BUSY;
}

void
mailbox_lock_close(const struct append *d, int fd, int mbx)
{
    struct stat st;
    if (mbx < 0)
        return;
    if (fstat(fd, &st) == 0 &&
        lock_descriptor(d, fd, FILE_LOCK_EXCLUSIVE, DO_NOT_WAIT) == FILE_LOCK_OK)
        (void)unlink(mbx_name(d, &st));
    close(mbx);
}

enum mailbox_lock_result
mailbox_lock_open(struct append *d, int fd, int *mbx)
{
    const struct transport_appendfile *o = d->opt;
    *mbx = -1;
    if (!o->use_fcntl_lock && !o->use_flock_lock && !o->use_mbx_lock)
        return MAILBOX_LOCK_OK;
    enum file_lock_kind kind = o->use_mbx_lock ? FILE_LOCK_SHARED : FILE_LOCK_EXCLUSIVE;
    if (lock_descriptor(d, fd, kind, WAIT) != FILE_LOCK_OK)
        return MAILBOX_LOCK_BUSY;
    return o->use_mbx_lock ? lock_mbx_file(d, fd, mbx) : MAILBOX_LOCK_OK;
}
