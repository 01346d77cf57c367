/* The message as scanners see it; see scan_message.h.
 *
 * The directory is made with the sticky bit, which it loses when it is to be kept: so a daemon that starts knows the ones that a crash
 * left (sticky, and nobody holds the lock) from those that somebody wants to look at, and from what Exim left there.
 */
#include "scanners/scan_message.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "mail/header.h"
#include "scanners/mime_scan.h"
#include "sys/file.h"
#include "sys/file_lock.h"
#include "sys/memory_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DIRECTORY_MODE = 0750, /* scanners run as users of their own, in the group */
    FILE_MODE = 0640,
    AT_WORK = S_ISVTX,
    SWEEP_DEPTH = 8,
};

/* --- what there is --- */

/* Source: files that Exim 4.96 leaves with control = no_mbox_unspool. */
static struct str
envelope_text(struct arena *a, const struct message *m, struct clock clock)
{
    char now[CLOCK_TEXT_MAX];
    struct timespec t;
    struct buf b = buf_in(a, 0);
    clock_gettime(CLOCK_REALTIME, &t);
    (void)clock_format(&clock, CLOCK_BSDINBOX, t, now);
    buf_printf(&b, "From MAILER-DAEMON %s\n", now);
    if (m->sender.n > 0)
        buf_printf(&b, "X-Envelope-From: <%.*s>\n", STR_ARG(m->sender));
    if (m->recipients.n > 0) {
        buf_addz(&b, "X-Envelope-To: ");
        for (size_t i = 0; i < m->recipients.n; i++) {
            buf_addz(&b, i > 0 ? ", " : "");
            buf_adds(&b, m->recipients.v[i].address);
        }
        buf_addc(&b, '\n');
    }
    return str_tainted(buf_str(&b));
}

struct scan_message *
scan_message_of(const struct eval *e)
{
    struct message *m = e->message;
    if (m == NULL || m->arena == NULL)
        return NULL;
    if (m->scan != NULL)
        return m->scan;
    struct scan_message *s = ARENA_NEW(m->arena, struct scan_message);
    *s = (struct scan_message){
        .arena = m->arena,
        .message = m,
        .envelope = envelope_text(m->arena, m, e->clock),
        .directory = str_printf(m->arena, "%.*s/scan/%.*s",
                                STR_ARG(e->conf->main->spool_directory.text), STR_ARG(m->id)),
        .path = STR_NULL,
        .lock = -1,
    };
    m->scan = s;
    return s;
}

void
scan_forget_findings(struct session *s)
{
    s->malware_name = STR_NULL;
    s->av_failed = false;
    s->spam_action = s->spam_bar = s->spam_report = STR_NULL;
    s->spam_score = s->spam_score_int = STR_NULL;
}

/* --- stream --- */

void
scan_stream_start(struct arena *a, const struct scan_message *s, enum scan_form form,
                  int64_t cap, struct scan_stream *out)
{
    *out = (struct scan_stream){
        .s = s,
        .front = form == SCAN_MBOX ? s->envelope : STR_EMPTY,
        .in_body = s->bare,
        .left = cap < 0 ? INT64_MAX : cap,
        .block = arena_alloc(a, SCAN_BLOCK_MAX),
    };
}

/* The next visible header line, or the empty line behind them, becomes the front. False: the body comes. */
static bool
next_front(struct scan_stream *st)
{
    const struct header_list *l = st->s->message->headers;
    size_t n = l != NULL ? l->n : 0;
    if (st->in_body)
        return false;
    while (st->next_header < n && l->v[st->next_header].type == HEADER_TYPE_DELETED)
        st->next_header++;
    st->in_body = st->next_header >= n;
    st->front = st->in_body ? STR_LIT("\n") : l->v[st->next_header++].text;
    return true;
}

/* Up to n bytes of whatever comes next. */
static ssize_t
take_some(struct scan_stream *st, char *to, size_t n)
{
    while (st->front.n == 0 && next_front(st))
        continue;
    if (st->front.n == 0) {
        const struct mime_source body = mime_source_body(st->s->message);
        ssize_t got = mime_source_read(&body, st->body_at, to, n);
        st->body_at += got > 0 ? got : 0;
        return got;
    }
    n = st->front.n < n ? st->front.n : n;
    memcpy(to, st->front.p, n);
    st->front = str_sub(st->front, n, st->front.n);
    return (ssize_t)n;
}

int
scan_stream_next(struct scan_stream *st, struct str *block)
{
    size_t n = 0, most = st->left < SCAN_BLOCK_MAX ? (size_t)st->left : SCAN_BLOCK_MAX;
    while (n < most) {
        ssize_t got = take_some(st, st->block + n, most - n);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    st->left -= (int64_t)n;
    *block = str_tainted(str_from(st->block, n));
    return n > 0 ? 1 : 0;
}

int64_t
scan_message_size(const struct scan_message *s, enum scan_form form)
{
    const struct message *m = s->message;
    int64_t n = (s->bare ? 0 : 1) + (form == SCAN_MBOX ? (int64_t)s->envelope.n : 0);
    for (size_t i = 0; m->headers != NULL && i < m->headers->n; i++)
        if (m->headers->v[i].type != HEADER_TYPE_DELETED)
            n += m->headers->v[i].text.n;
    return n + mime_source_body(m).size;
}

/* --- files --- */

/* Always false. */
static bool
failed(const struct scan_message *s, const char *what, struct str name, struct str *why)
{
    *why = str_printf(s->arena, "%s %.*s: %s", what, STR_ARG(name), strerror(errno));
    return false;
}

/* Makes, opens and locks it. A sweep may take it away between two steps: then it is made again. */
static int
make_directory(const char *path)
{
    for (int tries = 0; tries < 3; tries++) {
        struct stat st;
        if (mkdir(path, DIRECTORY_MODE | AT_WORK) != 0 && errno != EEXIST)
            return -1;
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0)
            return -1;
        if (file_lock_all(fd, FILE_LOCK_BY_FLOCK, FILE_LOCK_SHARED, 0) == FILE_LOCK_OK &&
            fstat(fd, &st) == 0 && st.st_nlink > 0)
            return fd;
        close(fd);
    }
    errno = EBUSY;
    return -1;
}

bool
scan_message_directory(struct scan_message *s, struct str *why)
{
    if (s->lock >= 0)
        return true;
    const char *path = str_cstr(s->arena, s->directory);
    const char *top = str_cstr(s->arena, str_sub(s->directory, 0, str_rchr(s->directory, '/')));
    if (mkdir(top, DIRECTORY_MODE) != 0 && errno != EEXIST)
        return failed(s, "failed to create directory", str_from_cstr(top), why);
    s->lock = make_directory(path);
    return s->lock >= 0 || failed(s, "failed to create directory", s->directory, why);
}

static bool
write_mbox(struct scan_message *s, int fd)
{
    struct scan_stream st;
    struct str block;
    struct arena *scratch = arena_new();
    scan_stream_start(scratch, s, SCAN_MBOX, -1, &st);
    int r;
    while ((r = scan_stream_next(&st, &block)) > 0) {
        if (!file_write_all(fd, block.p, block.n)) {
            r = -1;
            break;
        }
    }
    int saved = errno;
    arena_free(scratch);
    errno = saved;
    return r == 0;
}

bool
scan_message_file(struct scan_message *s, struct str *why)
{
    if (str_is_set(s->path))
        return true;
    if (!scan_message_directory(s, why))
        return false;
    struct str name = str_printf(s->arena, "%.*s.eml", STR_ARG(s->message->id));
    struct str path = str_printf(s->arena, "%.*s/%.*s", STR_ARG(s->directory), STR_ARG(name));
    int fd = openat(s->lock, name.p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    FILE_MODE);
    if (fd < 0)
        return failed(s, "failed to open scan file", path, why);
    bool ok = write_mbox(s, fd);
    if (!ok) {
        (void)failed(s, "failed to write scan file", path, why);
        (void)unlinkat(s->lock, name.p, 0);
    }
    if (close(fd) != 0 && ok)
        ok = failed(s, "failed to write scan file", path, why);
    if (ok)
        s->path = path;
    return ok;
}

int
scan_message_descriptor(struct scan_message *s, struct str *why)
{
    int fd;
    if (str_is_set(s->path)) {
        fd = open(s->path.p, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            (void)failed(s, "failed to open scan file", s->path, why);
        return fd;
    }
    fd = memory_file_new("message");
    if (fd >= 0 && write_mbox(s, fd) && lseek(fd, 0, SEEK_SET) == 0 && memory_file_seal(fd))
        return fd;
    (void)failed(s, "failed to copy message", s->message->id, why);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* --- the end --- */

/* Empties a directory. What cannot be removed stays. */
static void
empty_directory(int fd, unsigned depth)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *d = own < 0 ? NULL : fdopendir(own);
    const struct dirent *e;
    if (d == NULL) {
        if (own >= 0)
            close(own);
        return;
    }
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            unlinkat(dirfd(d), e->d_name, 0) == 0 || depth == 0)
            continue;
        int sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (sub >= 0) {
            empty_directory(sub, depth - 1);
            close(sub);
        }
        (void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
    }
    closedir(d);
}

void
scan_message_end(struct message *m, bool keep)
{
    struct scan_message *s = m->scan;
    m->scan = NULL;
    if (s == NULL || s->lock < 0)
        return;
    if (keep) {
        (void)fchmod(s->lock, DIRECTORY_MODE);
    } else {
        empty_directory(s->lock, SWEEP_DEPTH);
        (void)rmdir(s->directory.p);
    }
    close(s->lock);
}

/* True if it was left behind, and is gone. */
static bool
sweep_one(int top, const char *name)
{
    struct stat st;
    int fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool left = fstat(fd, &st) == 0 && (st.st_mode & AT_WORK) != 0 &&
                file_lock_all(fd, FILE_LOCK_BY_FLOCK, FILE_LOCK_EXCLUSIVE, 0) == FILE_LOCK_OK;
    if (left) {
        empty_directory(fd, SWEEP_DEPTH);
        left = unlinkat(top, name, AT_REMOVEDIR) == 0;
    }
    close(fd);
    return left;
}

unsigned
scan_message_sweep(const char *spool)
{
    char path[PATH_MAX];
    const struct dirent *e;
    unsigned n = 0;
    int len = snprintf(path, sizeof path, "%s/scan", spool);
    DIR *d = len > 0 && (size_t)len < sizeof path ? opendir(path) : NULL;
    if (d == NULL)
        return 0;
    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.' && sweep_one(dirfd(d), e->d_name))
            n++;
    closedir(d);
    return n;
}
