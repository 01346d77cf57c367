/* The files of one message; see spool.h.
 *
 * The body file gets its own name at once, not a temporary one: the lock is on its inode, and without -H it
 * is no message. The directory sync that makes -H last makes the name of -D last too.
 */
#include "engine/spool.h"

#include "base/arena.h"
#include "engine/spool_item.h"
#include "sys/file.h"
#include "sys/file_lock.h"
#include "sys/file_time.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct spool_name
spool_file_name(const struct message_id *id, char suffix)
{
    struct spool_name name;
    size_t n = strlen(id->text);
    memcpy(name.text, id->text, n);
    name.text[n] = '-';
    name.text[n + 1] = suffix;
    name.text[n + 2] = '\0';
    return name;
}

struct spool_name
spool_held_name(const struct message_id *id)
{
    struct spool_name n;
    (void)snprintf(n.text, sizeof n.text, "hold.%s", id->text);
    return n;
}

char
spool_subdirectory(const struct message_id *id)
{
    return id->text[5];
}

enum spool_result
spool_system_fault(struct spool_fault *f, const struct durable_fault *d)
{
    f->line = 0;
    f->sys_errno = d->sys_errno;
    (void)snprintf(f->text, sizeof f->text, "%s", d->text);
    return SPOOL_ERROR;
}

static enum spool_result
failed(struct spool_fault *f, const char *what, const char *name)
{
    struct durable_fault d;
    (void)durable_failed(&d, what, name);
    return spool_system_fault(f, &d);
}

/* --- directories --- */

/* Opens name in dir, making it when that is wanted; closes dir. */
static int
step_into(int dir, const char *name, bool create)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    int fd = openat(dir, name, flags);
    if (fd < 0 && errno == ENOENT && create) {
        if (mkdirat(dir, name, 0750) == 0)
            (void)fsync(dir);
        fd = openat(dir, name, flags);
    }
    int saved = errno;
    close(dir);
    errno = saved;
    return fd;
}

static bool
queue_name_ok(const struct spool_place *place)
{
    const char *queue = place->queue != NULL ? place->queue : "";
    return queue[0] != '.' && strchr(queue, '/') == NULL && strlen(queue) <= NAME_MAX;
}

/* A directory that is there, by its whole path: input or msglog (top), or a subdirectory of it. */
static int
open_at_once(const struct spool_place *place, const char *top, char sub)
{
    char path[PATH_MAX];
    bool named = place->queue != NULL && place->queue[0] != '\0';
    const char subname[] = {sub, '\0'};
    int n = snprintf(path, sizeof path, "%s/%s%s%s%s%s", place->root, named ? place->queue : "",
                     named ? "/" : "", top, sub != '\0' ? "/" : "", subname);
    if (n >= 0 && (size_t)n < sizeof path)
        return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    errno = ENAMETOOLONG;
    return -1;
}

/* Makes the directory the one that is kept, unless none is, or another one is in use. False: it is not. */
static bool
keep_directory(const struct spool_place *place, char sub)
{
    struct spool_kept *k = place->kept;
    const char *queue = place->queue != NULL ? place->queue : "";
    if (k == NULL || !queue_name_ok(place))
        return false;
    if (k->dir >= 0 && k->sub == sub && strcmp(k->queue, queue) == 0)
        return true;
    int dir = k->users > 0 || strlen(queue) >= sizeof k->queue
                  ? -1
                  : open_at_once(place, "input", sub);
    if (dir < 0)
        return false;
    spool_kept_close(k);
    k->dir = dir;
    k->sub = sub;
    memcpy(k->queue, queue, strlen(queue) + 1);
    return true;
}

void
spool_kept_close(struct spool_kept *k)
{
    if (k->dir >= 0)
        close(k->dir);
    if (k->logs >= 0)
        close(k->logs);
    k->dir = k->logs = -1;
}

int
spool_kept_logs(const struct spool_place *place, const struct spool_entry *e)
{
    struct spool_kept *k = e->kept;
    if (k == NULL || k != place->kept)
        return -1;
    if (k->logs < 0)
        k->logs = open_at_once(place, "msglog", k->sub);
    return k->logs;
}

struct spool_calm
spool_calm_begin(int dir)
{
    struct stat st;
    if (fstat(dir, &st) != 0 || !file_time_is_settled(st.st_mtim, file_time_now()))
        return (struct spool_calm){.ino = 0};
    return (struct spool_calm){
        .ino = st.st_ino, .changed_s = st.st_mtim.tv_sec, .changed_ns = st.st_mtim.tv_nsec};
}

bool
spool_is_calm(const struct spool_entry *e)
{
    struct stat st;
    if (e->kept == NULL || e->kept->calm.ino == 0 || fstat(e->dir, &st) != 0)
        return false;
    const struct spool_calm *c = &e->kept->calm;
    return st.st_ino == c->ino && st.st_mtim.tv_sec == c->changed_s &&
           st.st_mtim.tv_nsec == c->changed_ns;
}

int
spool_open_directory(const struct spool_place *place, char sub, bool create)
{
    char subname[2] = {sub, '\0'};
    bool named = place->queue != NULL && place->queue[0] != '\0';
    if (!queue_name_ok(place)) {
        errno = EINVAL;
        return -1;
    }
    int dir = create                       ? -1
              : keep_directory(place, sub) ? fcntl(place->kept->dir, F_DUPFD_CLOEXEC, 0)
                                           : open_at_once(place, "input", sub);
    if (dir >= 0 || (!create && errno != ENAMETOOLONG))
        return dir;
    dir = open(place->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0 && named)
        dir = step_into(dir, place->queue, create);
    if (dir >= 0)
        dir = step_into(dir, "input", create);
    if (dir >= 0 && sub != '\0')
        dir = step_into(dir, subname, create);
    return dir;
}

/* A directory beneath dir, which is closed; never through a link, since root may come this way. */
static int
open_beneath(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int saved = errno;
    close(dir);
    errno = saved;
    return fd;
}

int
spool_open_db(const struct spool_place *place)
{
    if (place->root == NULL)
        return -1;
    int dir = open(place->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0 && place->queue != NULL && place->queue[0] != '\0')
        dir = open_beneath(dir, place->queue);
    if (dir < 0)
        return -1;
    (void)mkdirat(dir, "db", 0750); /* a failure shows when it is opened */
    return open_beneath(dir, "db");
}

/* --- a new message --- */

static void
close_envelope(struct spool_entry *e)
{
    if (e->envelope >= 0)
        close(e->envelope);
    e->envelope = -1;
}

void
spool_close(struct spool_entry *e)
{
    close_envelope(e);
    if (e->body >= 0)
        close(e->body);
    if (e->kept != NULL)
        e->kept->users--;
    else if (e->dir >= 0)
        close(e->dir);
    e->kept = NULL;
    e->body = e->dir = -1;
}

void
spool_abandon(const struct spool_entry *e)
{
    (void)e->calls->unlink_at(e->dir, spool_file_name(&e->id, 'H').text);
    (void)e->calls->unlink_at(e->dir, spool_file_name(&e->id, 'D').text);
}

static enum spool_result
lock_body(const struct spool_entry *e, const char *name, struct spool_fault *f)
{
    switch (file_lock_head(e->body, e->body_start)) {
    case FILE_LOCK_OK:
        return SPOOL_OK;
    case FILE_LOCK_BUSY:
        (void)snprintf(f->text, sizeof f->text, "spool file \"%s\" is locked", name);
        f->line = 0;
        f->sys_errno = 0;
        return SPOOL_BUSY;
    case FILE_LOCK_ERROR:
        break;
    }
    return failed(f, "lock", name);
}

static void
start_entry(struct spool_entry *e, const struct durable_calls *calls,
            const struct message_id *id)
{
    *e = (struct spool_entry){.id = *id, .dir = -1, .body = -1, .envelope = -1, .calls = calls};
    e->body_start = (off_t)strlen(id->text) + 3;
}

static enum spool_result
fill_new_body(struct spool_entry *e, const char *name, struct spool_fault *f)
{
    struct durable_fault d;
    char first[MESSAGE_ID_NEW_N + 16];
    enum spool_result r = lock_body(e, name, f);
    if (r != SPOOL_OK)
        return r;
    (void)snprintf(first, sizeof first, "%s\n", name);
    if (!durable_append(e->calls, e->body, name, str_from_cstr(first), &d))
        return spool_system_fault(f, &d);
    return SPOOL_OK;
}

enum spool_result
spool_create(const struct spool_place *place, const struct durable_calls *calls,
             const struct message_id *id, struct spool_entry *e, struct spool_fault *f)
{
    start_entry(e, calls, id);
    e->sub = place->split ? spool_subdirectory(id) : '\0';
    e->dir = spool_open_directory(place, e->sub, true);
    if (e->dir < 0)
        return failed(f, "open input of spool", place->root);
    struct spool_name name = spool_file_name(id, 'D');
    e->body = calls->open_at(e->dir, name.text,
                             O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (e->body < 0) {
        enum spool_result r = errno == EEXIST ? SPOOL_BUSY : SPOOL_ERROR;
        (void)failed(f, "create", name.text);
        spool_close(e);
        return r;
    }
    enum spool_result r = fill_new_body(e, name.text, f);
    if (r != SPOOL_OK) {
        spool_abandon(e);
        spool_close(e);
    }
    return r;
}

/* --- the -H file --- */

static bool
write_header(struct arena *a, const struct spool_entry *e, const struct spool_header *h,
             struct spool_name name, enum durable_kind kind, struct spool_fault *f,
             enum spool_result *r)
{
    struct durable_fault d;
    struct str content;
    char temp[MESSAGE_ID_NEW_N + 8];
    *r = SPOOL_BAD;
    if (strcmp(h->id.text, e->id.text) != 0)
        return spool_header_fault(f, &e->id, 0, "name", "envelope of another message",
                                  message_id_str(&h->id));
    if (!spool_header_format(a, h, &content, f))
        return false;
    (void)snprintf(temp, sizeof temp, "hdr.%s", e->id.text);
    struct durable_names names = {.temp = temp, .name = name.text};
    bool ok = durable_write(e->calls, e->dir, names, content, kind, &d);
    *r = ok ? SPOOL_OK : spool_system_fault(f, &d);
    return ok;
}

static enum spool_result
commit_as(struct arena *a, struct spool_entry *e, const struct spool_header *h,
          struct spool_name name, struct spool_fault *f)
{
    struct durable_fault d;
    enum spool_result r = SPOOL_OK;
    struct arena_mark mark = arena_mark(a);
    if (!durable_sync(e->calls, e->body, spool_file_name(&e->id, 'D').text, &d))
        r = spool_system_fault(f, &d);
    else
        (void)write_header(a, e, h, name, DURABLE_NEW, f, &r);
    arena_reset(a, mark);
    if (r != SPOOL_OK)
        spool_abandon(e);
    return r;
}

enum spool_result
spool_commit(struct arena *a, struct spool_entry *e, const struct spool_header *h,
             struct spool_fault *f)
{
    return commit_as(a, e, h, spool_file_name(&e->id, 'H'), f);
}

enum spool_result
spool_commit_held(struct arena *a, struct spool_entry *e, const struct spool_header *h,
                  struct spool_fault *f)
{
    return commit_as(a, e, h, spool_held_name(&e->id), f);
}

enum spool_result
spool_update(struct arena *a, struct spool_entry *e, const struct spool_header *h,
             struct spool_fault *f)
{
    struct durable_fault d;
    enum spool_result r;
    close_envelope(e);
    struct arena_mark mark = arena_mark(a);
    bool ok = write_header(a, e, h, spool_file_name(&e->id, 'H'), DURABLE_REPLACE, f, &r);
    arena_reset(a, mark);
    if (ok && !durable_remove(e->calls, e->dir, spool_file_name(&e->id, 'J').text, &d))
        r = spool_system_fault(f, &d);
    return r;
}

enum spool_result
spool_remove(const struct spool_entry *e, struct spool_fault *f)
{
    struct durable_fault d;
    const struct durable_calls *c = e->calls;
    if (!durable_remove(c, e->dir, spool_file_name(&e->id, 'H').text, &d) ||
        !durable_sync(c, e->dir, "spool directory", &d) ||
        !durable_remove(c, e->dir, spool_file_name(&e->id, 'J').text, &d) ||
        !durable_remove(c, e->dir, spool_file_name(&e->id, 'D').text, &d))
        return spool_system_fault(f, &d);
    return SPOOL_OK;
}

/* --- an existing message --- */

/* The first line must be the file's own name, and the name must still lead to this inode: whoever had
 * the lock before may have removed the message. */
static enum spool_result
check_body(const struct spool_entry *e, const char *name, const struct stat *open_st,
           struct spool_fault *f)
{
    struct stat st;
    char first[MESSAGE_ID_NEW_N + 16];
    if (fstatat(e->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? SPOOL_ABSENT : failed(f, "examine", name);
    if (st.st_ino != open_st->st_ino || st.st_dev != open_st->st_dev)
        return SPOOL_ABSENT;
    size_t n = strlen(name);
    ssize_t r = pread(e->body, first, n + 1, 0);
    if (r < 0)
        return failed(f, "read", name);
    if ((size_t)r == n + 1 && memcmp(first, name, n) == 0 && first[n] == '\n')
        return SPOOL_OK;
    f->line = 1;
    f->sys_errno = 0;
    (void)snprintf(f->text, sizeof f->text,
                   "spool file %s, line 1: name: first line is not the name of the file", name);
    return SPOOL_BAD;
}

/* O_NONBLOCK: opening something that is no file must not hang; it has no effect on one that is. O_NOATIME: nobody wants to know when they were last read, and noting it is a write; only their owner may leave it out. */
static int
open_any(int dir, const char *name, int flags)
{
    flags |= O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    int fd = openat(dir, name, flags | O_NOATIME);
    return fd >= 0 || errno != EPERM ? fd : openat(dir, name, flags);
}

static int
open_regular(int dir, const char *name, int flags, struct stat *st)
{
    int fd = open_any(dir, name, flags);
    if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
        close(fd);
        errno = EINVAL;
        fd = -1;
    }
    return fd;
}

static enum spool_result
open_in(const struct spool_place *place, char sub, struct spool_entry *e, struct spool_fault *f)
{
    struct spool_name name = spool_file_name(&e->id, 'D');
    struct stat st;
    e->sub = sub;
    if (keep_directory(place, sub)) {
        e->kept = place->kept;
        e->kept->users++;
        e->dir = e->kept->dir;
    } else {
        e->dir = spool_open_directory(place, sub, false);
    }
    if (e->dir < 0)
        return errno == ENOENT ? SPOOL_ABSENT : failed(f, "open input of spool", place->root);
    e->body = open_regular(e->dir, name.text, O_RDWR | O_APPEND, &st);
    enum spool_result r;
    if (e->body < 0)
        r = errno == ENOENT ? SPOOL_ABSENT : failed(f, "open", name.text);
    else
        r = lock_body(e, name.text, f);
    if (r == SPOOL_OK)
        r = check_body(e, name.text, &st, f);
    if (r == SPOOL_OK && lseek(e->body, e->body_start, SEEK_SET) < 0)
        r = failed(f, "seek in", name.text);
    if (r != SPOOL_OK)
        spool_close(e);
    return r;
}

enum spool_result
spool_open(const struct spool_place *place, const struct durable_calls *calls,
           const struct message_id *id, struct spool_entry *e, struct spool_fault *f)
{
    char own = spool_subdirectory(id);
    start_entry(e, calls, id);
    enum spool_result r = open_in(place, place->split ? own : '\0', e, f);
    if (r == SPOOL_ABSENT)
        r = open_in(place, place->split ? '\0' : own, e, f);
    if (r == SPOOL_ABSENT) {
        f->line = 0;
        f->sys_errno = ENOENT;
        (void)snprintf(f->text, sizeof f->text, "no message %s in the spool", id->text);
    }
    return r;
}

/* The directory sub if a file of the message is in it. */
static int
find_in(const struct spool_place *place, const struct message_id *id, char sub)
{
    struct spool_name header = spool_file_name(id, 'H'), body = spool_file_name(id, 'D');
    int dir = spool_open_directory(place, sub, false);
    if (dir < 0)
        return -1;
    if (faccessat(dir, header.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
        faccessat(dir, body.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return dir;
    close(dir);
    errno = ENOENT;
    return -1;
}

int
spool_find_directory(const struct spool_place *place, const struct message_id *id)
{
    char own = spool_subdirectory(id);
    int dir = find_in(place, id, place->split ? own : '\0');
    return dir >= 0 ? dir : find_in(place, id, place->split ? '\0' : own);
}

bool
spool_mark_tried(const struct spool_entry *e, const struct spool_header *h)
{
    static const char first[] = "\n" SPOOL_ITEM_FIRST "\n",
                      tried[] = "\n" SPOOL_ITEM_TRIED "\n";
    enum { LENGTH = sizeof first - 1, CHANGED = LENGTH - 2 };
    off_t at = (off_t)h->first_delivery_at - 1;
    return e->envelope >= 0 && at > 0 &&
           pwrite(e->envelope, tried + CHANGED, 1, at + CHANGED) == 1;
}

static enum spool_result
read_envelope(struct arena *a, int fd, const struct message_id *id, struct spool_header *h,
              struct spool_fault *f)
{
    struct spool_name name = spool_file_name(id, 'H');
    struct str content;
    if (fd < 0) {
        enum spool_result r = errno == ENOENT ? SPOOL_ABSENT : SPOOL_ERROR;
        (void)failed(f, "open", name.text);
        return r;
    }
    /* Its size does not change: it is replaced by another file. */
    enum file_result r = file_read_whole(a, fd, SPOOL_FILE_MAX, &content);
    if (r == FILE_TOO_BIG) {
        (void)spool_header_fault(f, id, 0, "file", "too big", STR_NULL);
        return SPOOL_BAD;
    }
    if (r != FILE_OK)
        return failed(f, "read", name.text);
    return spool_header_parse(a, id, content, h, f) ? SPOOL_OK : SPOOL_BAD;
}

enum spool_result
spool_read_at(struct arena *a, int dir, const struct message_id *id, struct spool_header *h,
              struct spool_fault *f)
{
    int fd = open_any(dir, spool_file_name(id, 'H').text, O_RDONLY);
    enum spool_result r = read_envelope(a, fd, id, h, f);
    if (fd >= 0)
        close(fd);
    return r;
}

enum spool_result
spool_read(struct arena *a, struct spool_entry *e, struct spool_header *h,
           struct spool_fault *f)
{
    close_envelope(e);
    struct spool_name name = spool_file_name(&e->id, 'H');
    e->envelope = open_any(e->dir, name.text, O_RDWR);
    bool writable = e->envelope >= 0 || (errno != EACCES && errno != EROFS);
    if (!writable)
        e->envelope = open_any(e->dir, name.text, O_RDONLY);
    enum spool_result r = read_envelope(a, e->envelope, &e->id, h, f);
    if (r != SPOOL_OK || !writable || h->first_delivery_at == 0)
        close_envelope(e);
    return r;
}
