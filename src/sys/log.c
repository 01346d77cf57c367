/* Log files and syslog; see log.h.
 *
 * Files are opened for each entry, save for the main log of a process that keeps it (log_kept): a look at the name now and then
 * tells whether it has been rotated. File-system ids are per thread, so setting them disturbs nobody else.
 */
#include "sys/log.h"

#include "base/arena.h"
#include "base/buf.h"
#include "sys/await.h"
#include "sys/file.h"
#include "sys/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

enum { SYSLOG_LINE = 870, LOG_ITEMS_MAX = 16 };

static const char *const names[] = {[LOGFILE_MAIN] = "main",
                                    [LOGFILE_REJECT] = "reject",
                                    [LOGFILE_PANIC] = "panic",
                                    [LOGFILE_DEBUG] = "debug"};
static const int priorities[] = {[LOGFILE_MAIN] = LOG_INFO,
                                 [LOGFILE_REJECT] = LOG_NOTICE,
                                 [LOGFILE_PANIC] = LOG_ALERT,
                                 [LOGFILE_DEBUG] = LOG_DEBUG};

/* Puts in what the % sequence at p (after the sign) stands for; false: unknown. */
static bool
add_sequence(struct buf *out, char c, enum log_kind kind, time_t now)
{
    struct tm tm;
    switch (c) {
    case 's':
        buf_addz(out, names[kind]);
        return true;
    case 'D':
    case 'M':
        localtime_r(&now, &tm);
        buf_printf(out, "%04d%02d", tm.tm_year + 1900, tm.tm_mon + 1);
        if (c == 'D')
            buf_printf(out, "%02d", tm.tm_mday);
        return true;
    case '%':
        buf_addc(out, '%');
        return true;
    default:
        return false;
    }
}

static bool
apply_template(struct arena *a, struct str text, enum log_kind kind, time_t now,
               struct str *out)
{
    struct buf b = buf_in(a, 4096);
    bool named = false;
    for (uint32_t i = 0; i < text.n; i++) {
        if (text.p[i] != '%') {
            buf_addc(&b, text.p[i]);
            continue;
        }
        if (++i >= text.n)
            return false;
        named = named || text.p[i] == 's';
        /* One panic log for all days, so that it cannot be overlooked. */
        if (kind == LOGFILE_PANIC && (text.p[i] == 'D' || text.p[i] == 'M'))
            continue;
        if (!add_sequence(&b, text.p[i], kind, now))
            return false;
    }
    *out = buf_str(&b);
    return named && !b.overflow && !str_has_nul(text);
}

bool
log_find_places(struct arena *a, const struct log_settings *s, enum log_kind kind, time_t now,
                struct log_places *out, struct str *error)
{
    *out = (struct log_places){.file = STR_NULL};
    struct str list = str_is_set(s->file_path) && str_trim(s->file_path).n > 0
                          ? s->file_path
                          : s->default_path;
    struct str template = STR_NULL;
    for (size_t at = 0; at <= list.n;) {
        size_t end = str_chr(list, ':', at);
        end = end == STR_NPOS ? list.n : end;
        struct str item = str_trim(str_sub(list, at, end - at));
        at = end + 1;
        if (str_eqz(item, "syslog"))
            out->syslog = true;
        else if (!str_is_set(template) || template.n == 0)
            template = item.n > 0 ? item : s->default_path;
    }
    if (!str_is_set(template))
        return true;
    if (apply_template(a, template, kind, now, &out->file) && out->file.p[0] == '/')
        return true;
    *error = str_printf(a, "log_file_path \"%.*s\" is not an absolute path with one %%s",
                        STR_ARG(template));
    out->file = STR_NULL;
    return false;
}

struct str
log_stamp(struct arena *a, time_t now, bool zone)
{
    struct tm tm;
    localtime_r(&now, &tm);
    struct buf b = buf_in(a, 0);
    buf_printf(&b, "%04d-%02d-%02d %02d:%02d:%02d ", tm.tm_year + 1900, tm.tm_mon + 1,
               tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (zone) {
        long minutes = tm.tm_gmtoff / 60;
        char sign = minutes < 0 ? '-' : '+';
        if (minutes < 0)
            minutes = -minutes;
        buf_printf(&b, "%c%02ld%02ld ", sign, minutes / 60, minutes % 60);
    }
    return buf_str(&b);
}

/* Opens for appending; makes the file and, once, the directory that it is in. */
static int
open_log(struct arena *a, struct str path)
{
    const char *z = str_cstr(a, path);
    if (z == NULL)
        return -1;
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW;
    int fd = open(z, flags, 0640);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    size_t slash = str_rchr(path, '/');
    const char *dir = slash > 0 ? str_cstr(a, str_sub(path, 0, slash)) : NULL;
    if (dir == NULL || mkdir(dir, 0750) != 0)
        return -1;
    return open(z, flags, 0640);
}

/* True if something that is no regular file has the name: a pipe would block, a device is no log. */
static bool
is_regular(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

enum { KEPT_PATH_MAX = 512 };

/* A text, ended by a NUL. */
struct kept_text {
    uint32_t n;
    char text[KEPT_PATH_MAX];
};

struct log_kept {
    int fd; /* -1: none yet */
    dev_t dev;
    ino_t ino;
    int64_t looked_ms;     /* when the name was last seen to mean it */
    struct kept_text path; /* of the file */
    bool has_places;       /* log_file_path and what it comes to, on all days: */
    struct kept_text list, file;
    bool syslog;
    bool holds; /* the next entry waits for the one behind it */
    uint32_t held_n;
    char held[LOG_HELD_MAX];
};

static bool
is_text(const struct kept_text *k, struct str s)
{
    return s.n == k->n && (s.n == 0 || memcmp(s.p, k->text, s.n) == 0);
}

/* s is shorter than KEPT_PATH_MAX. */
static void
keep_text(struct kept_text *k, struct str s)
{
    k->n = s.n;
    if (s.n > 0)
        memcpy(k->text, s.p, s.n);
    k->text[s.n] = '\0';
}

void
log_kept_hold(struct log_kept *k)
{
    k->holds = true;
}

void
log_kept_release(struct log_kept *k)
{
    k->holds = false;
    if (k->held_n > 0 && k->fd >= 0)
        (void)file_write_all(k->fd, k->held, k->held_n);
    k->held_n = 0;
}

static void
close_kept(void *ctx)
{
    struct log_kept *k = ctx;
    log_kept_release(k);
    if (k->fd >= 0)
        close(k->fd);
    k->fd = -1;
}

struct log_kept *
log_kept_new(struct arena *a)
{
    struct log_kept *k = ARENA_NEW(a, struct log_kept);
    k->fd = -1;
    arena_on_free(a, close_kept, k);
    return k;
}

/* Whether the file that is open is still the one of that name. */
static bool
is_kept(struct log_kept *k, struct str path)
{
    struct stat st;
    int64_t now = await_now_ms();
    if (k->fd < 0 || !is_text(&k->path, path))
        return false;
    if (now - k->looked_ms < LOG_KEPT_MS)
        return true;
    k->looked_ms = now;
    return lstat(k->path.text, &st) == 0 && st.st_dev == k->dev && st.st_ino == k->ino;
}

/* With what was held before it, in one write. */
static bool
write_kept(struct arena *a, struct log_kept *k, struct str entry)
{
    if (k->holds && k->held_n == 0 && entry.n <= LOG_HELD_MAX) {
        k->holds = false;
        memcpy(k->held, entry.p, entry.n);
        k->held_n = entry.n;
        return true;
    }
    if (k->held_n > 0)
        entry = str_cat(a, str_from(k->held, k->held_n), entry);
    k->held_n = 0;
    return file_write_all(k->fd, entry.p, entry.n);
}

static bool
append_kept(struct arena *a, struct log_kept *k, struct str path, struct str entry)
{
    struct stat st;
    if (!is_kept(k, path)) {
        close_kept(k);
        k->fd = open_log(a, path);
        if (k->fd < 0 || fstat(k->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
            int saved = errno;
            close_kept(k);
            errno = saved;
            return false;
        }
        k->dev = st.st_dev;
        k->ino = st.st_ino;
        k->looked_ms = await_now_ms();
        keep_text(&k->path, path);
    }
    return write_kept(a, k, entry);
}

/* Root writes as the one whose file it is. */
static bool
is_for_other(const struct log_settings *s)
{
    return s->own && geteuid() == 0;
}

static bool
append(struct arena *a, const struct log_settings *s, struct str path, struct str entry)
{
    bool as_other = is_for_other(s);
    struct priv_files we = {0};
    if (as_other)
        we = priv_files_as((struct priv_files){.uid = s->uid, .gid = s->gid});
    int fd = open_log(a, path);
    int saved = errno;
    if (as_other)
        (void)priv_files_as(we);
    bool ok = fd >= 0 && is_regular(fd);
    if (ok)
        ok = file_write_all(fd, entry.p, entry.n);
    else
        errno = saved;
    saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return ok;
}

/* Where the piece of an entry that begins at `at` ends: at the end of its line, or after as many bytes as a syslog daemon takes. */
static size_t
end_of_piece(struct str entry, size_t at)
{
    size_t end = str_chr(entry, '\n', at);
    if (end == STR_NPOS)
        end = entry.n;
    return end - at > SYSLOG_LINE ? at + SYSLOG_LINE : end;
}

static bool
line_ends_at(struct str entry, size_t at)
{
    return at < entry.n && entry.p[at] == '\n';
}

static size_t
count_pieces(struct str entry)
{
    size_t n = 1;
    for (size_t end = end_of_piece(entry, 0); end < entry.n; n++)
        end = end_of_piece(entry, end + (line_ends_at(entry, end) ? 1 : 0));
    return n;
}

/* An entry that has several lines or a long one goes in pieces, each marked with its number. Source: the manual's section 53.4. */
static void
send_to_syslog(const struct log_settings *s, enum log_kind kind, struct str entry)
{
    openlog(s->syslog_name != NULL ? s->syslog_name : "remex",
            s->syslog_pid ? LOG_PID | LOG_CONS : LOG_CONS,
            s->syslog_facility != 0 ? s->syslog_facility : LOG_MAIL);
    size_t pieces = count_pieces(entry), at = 0;
    for (size_t i = 1; i <= pieces; i++) {
        size_t end = end_of_piece(entry, at);
        struct str piece = str_sub(entry, at, end - at);
        bool line_ends = line_ends_at(entry, end);
        if (pieces == 1)
            syslog(priorities[kind], "%.*s", STR_ARG(piece));
        else
            syslog(priorities[kind], "[%zu%c%zu] %.*s", i, line_ends ? '\\' : '/', pieces,
                   STR_ARG(piece));
        at = end + (line_ends ? 1 : 0);
    }
    closelog();
}

static bool has_date(struct str template)
{
    return str_find(template, STR_LIT("%D"), 0) != STR_NPOS ||
           str_find(template, STR_LIT("%M"), 0) != STR_NPOS;
}

/* Where the main log of a process that keeps it goes: found out once, unless the name has a date in it. */
static bool
find_main_places(struct arena *a, const struct log_settings *s, time_t now,
                 struct log_places *out, struct str *error)
{
    struct log_kept *k = s->kept;
    if (k->has_places && is_text(&k->list, s->file_path)) {
        out->file = k->file.n > 0 ? str_from(k->file.text, k->file.n) : STR_NULL;
        out->syslog = k->syslog;
        return true;
    }
    k->has_places = false;
    if (!log_find_places(a, s, LOGFILE_MAIN, now, out, error))
        return false;
    if (has_date(s->file_path) || has_date(s->default_path) ||
        s->file_path.n >= KEPT_PATH_MAX || out->file.n >= KEPT_PATH_MAX)
        return true;
    k->has_places = true;
    keep_text(&k->list, s->file_path);
    keep_text(&k->file, out->file);
    k->syslog = out->syslog;
    return true;
}

static bool
lines_are_safe(const struct str *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_chr(lines[i], '\n', 0) != STR_NPOS || str_chr(lines[i], '\r', 0) != STR_NPOS ||
            str_has_nul(lines[i]))
            return false;
    }
    return n > 0;
}

bool
log_write(struct arena *a, const struct log_settings *s, enum log_kind kind,
          const struct str *lines, size_t n, struct str *error)
{
    if (!lines_are_safe(lines, n)) {
        *error = STR_LIT("a log entry with CR, LF or NUL was refused");
        return false;
    }
    time_t now = time(NULL);
    struct log_places to;
    bool ok = s->kept != NULL && kind == LOGFILE_MAIN
                  ? find_main_places(a, s, now, &to, error)
                  : log_find_places(a, s, kind, now, &to, error);
    struct str stamp = str_is_set(s->stamp) ? s->stamp : log_stamp(a, now, s->zone);
    struct buf entry = buf_in(a, 0);
    buf_adds(&entry, stamp);
    for (size_t i = 0; i < n; i++) {
        buf_adds(&entry, lines[i]);
        buf_addc(&entry, '\n');
    }
    if (to.syslog && !s->no_syslog) {
        size_t from = s->syslog_timestamp ? 0 : stamp.n;
        send_to_syslog(s, kind, str_sub(buf_str(&entry), from, buf_str(&entry).n - from - 1));
    }
    if (!str_is_set(to.file))
        return ok;
    bool kept = s->kept != NULL && kind == LOGFILE_MAIN && to.file.n < KEPT_PATH_MAX &&
                !is_for_other(s);
    if (kept ? append_kept(a, s->kept, to.file, buf_str(&entry))
             : append(a, s, to.file, buf_str(&entry)))
        return ok;
    *error = str_printf(a, "failed to write %.*s: %s", STR_ARG(to.file), strerror(errno));
    return false;
}

bool
log_debug_path(struct arena *a, const struct log_settings *s, struct str tag, struct str *path,
               struct str *error)
{
    struct log_places to;
    if (!log_find_places(a, s, LOGFILE_DEBUG, time(NULL), &to, error))
        return false;
    if (!str_is_set(to.file)) {
        *error = STR_LIT("log_file_path names no file");
        return false;
    }
    *path = str_printf(a, "%.*s%.*s", STR_ARG(to.file), STR_ARG(tag));
    return true;
}

bool
log_debug_write(struct arena *a, const struct log_settings *s, struct str tag, struct str lines,
                struct str *error)
{
    struct str path;
    if (!log_debug_path(a, s, tag, &path, error))
        return false;
    if (append(a, s, path, lines))
        return true;
    *error = str_printf(a, "failed to write %.*s: %s", STR_ARG(path), strerror(errno));
    return false;
}
