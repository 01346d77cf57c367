/* Lines for the logs of mail; see maillog.h. */
#include "engine/maillog.h"

#include "base/buf.h"
#include "base/num.h"
#include "base/utf8.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/debug_log.h"
#include "filter/fn_arg.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one line takes at most; the rest of a longer text is cut off. */
enum { MAILLOG_LINE_MAX = 8192, MAILLOG_ENTRY_MAX = 8192 - 100 };

/* Memory for putting a line together, which is used again for the next. */
struct scratch {
    struct arena *arena;
    struct arena_mark mark;
};

static void
free_lines(void *ctx)
{
    struct engine *e = ctx;
    arena_free(e->lines);
    e->lines = NULL;
}

static struct scratch
scratch_of(struct engine *e)
{
    if (e->lines == NULL) {
        e->lines = arena_new();
        arena_on_free(e->arena, free_lines, e);
    }
    return (struct scratch){e->lines, arena_mark(e->lines)};
}

bool
maillog_selected(const struct engine *e, enum log_selector s)
{
    return log_selector_has(e->selectors, s);
}

struct str
maillog_stamp(struct arena *a, const struct engine *e)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    char text[2 * CLOCK_TEXT_MAX];
    struct clock *c = &e->eval->clock;
    bool ms = maillog_selected(e, LOG_SELECTOR_MILLISEC);
    size_t n = clock_format(c, ms ? CLOCK_LOG_MS : CLOCK_LOG, now, text);
    text[n++] = ' ';
    if (e->conf->main->log_timezone) {
        n += clock_format(c, CLOCK_ZONE, now, text + n);
        text[n++] = ' ';
    }
    return str_dup(a, str_from(text, n));
}

enum { FIRST_PRINTING = 0xa0 }; /* beyond ASCII; what is below are control characters */

/* Characters of other scripts stay what they are; bytes that are none are escaped. */
static void
add_clean(struct buf *b, const struct engine *e, struct str text)
{
    bool top = e->conf->main->print_topbitchars;
    size_t from = 0;
    for (size_t i = 0; i < text.n;) {
        uint32_t code = 0;
        size_t n =
            (unsigned char)text.p[i] < 0x80 ? 0 : utf8_decode(text.p + i, text.n - i, &code);
        if (n < 2 || code < FIRST_PRINTING) {
            i += n > 1 ? n : 1;
            continue;
        }
        fn_add_escaped(b, str_sub(text, from, i - from), top);
        buf_add(b, text.p + i, n);
        from = i += n;
    }
    fn_add_escaped(b, str_sub(text, from, text.n), top);
}

/* Eight characters at once, of which one needs another look if the top bit of one is set, or gets set when one is added (0x7f), when a space is taken off (what is
 * below it), or when one is taken off its difference from a backslash. Carries come only from characters that have failed already. */
static bool
is_plain_word(uint64_t w)
{
    const uint64_t ones = UINT64_MAX / 0xff, tops = ones << 7;
    uint64_t slash = w ^ ones * '\\';
    return ((w | (w + ones) | (w - ones * ' ') | (slash - ones)) & tops) == 0;
}

/* Nothing in it needs another look: printing ASCII, and no sign of escapes. */
static bool
is_plain(struct str text)
{
    size_t i = 0;
    for (uint64_t w; i + sizeof w <= text.n; i += sizeof w) {
        memcpy(&w, text.p + i, sizeof w);
        if (!is_plain_word(w))
            return false;
    }
    bool plain = true;
    for (; i < text.n; i++)
        plain = plain && text.p[i] >= ' ' && text.p[i] < 0x7f && text.p[i] != '\\';
    return plain;
}

/* A text as it may stand in a line: itself, or another in a. */
static struct str
clean(struct arena *a, const struct engine *e, struct str text, bool tabs)
{
    if (is_plain(text))
        return str_sub(text, 0, MAILLOG_LINE_MAX);
    struct buf b = buf_in(a, 0);
    for (size_t tab; !tabs && (tab = str_chr(text, '\t', 0)) != STR_NPOS;
         text = str_sub(text, tab + 1, text.n)) {
        add_clean(&b, e, str_sub(text, 0, tab));
        buf_addz(&b, "\\t");
    }
    add_clean(&b, e, text);
    return str_sub(buf_str(&b), 0, MAILLOG_LINE_MAX);
}

/* "[123] 1abc… " before the text. */
static struct str
with_prefix(struct arena *a, const struct engine *e, struct str id, struct str text)
{
    struct buf b = buf_in(a, 0);
    if (maillog_selected(e, LOG_SELECTOR_PID))
        buf_printf(&b, "[%d] ", (int)getpid());
    if (str_is_set(id) && id.n > 0) {
        buf_adds(&b, id);
        buf_addc(&b, ' ');
    }
    buf_adds(&b, text);
    return buf_str(&b);
}

/* again: the line goes to another log as well, which syslog_duplication = false leaves alone in syslog. */
static void
write_one(struct arena *a, struct engine *e, enum log_kind kind, bool again,
          const struct str *lines, size_t n)
{
    struct str error = STR_EMPTY;
    struct log_settings s = e->log;
    s.no_syslog = again && !e->conf->main->syslog_duplication;
    s.stamp = maillog_stamp(a, e);
    if (log_write(a, &s, kind, lines, n, &error))
        return;
    struct str text = str_printf(a, "failed to write a log: %.*s", STR_ARG(error));
    if (kind == LOGFILE_PANIC || !log_write(a, &s, LOGFILE_PANIC, &text, 1, &error))
        (void)fprintf(stderr, "%.*s%.*s\n", STR_ARG(s.stamp), STR_ARG(lines[0]));
}

static void
write_lines(struct arena *a, struct engine *e, unsigned to, const struct str *lines, size_t n)
{
    size_t plain = n > 1 && (to & MAILLOG_BLANK) != 0 ? 2 : 1;
    bool panic = (to & MAILLOG_PANIC) != 0;
    bool reject = (to & MAILLOG_REJECT) != 0 && e->conf->main->write_rejectlog;
    if (debug_log_wants(e, DEBUG_LOG_LINES)) {
        debug_log_add(e, DEBUG_LOG_LINES, str_printf(a, "LOG: %.*s", STR_ARG(lines[0])));
        if (panic)
            debug_log_panic(e);
    }
    if (e->log_to_stderr) { /* of a test: nothing is written, whatever the log */
        (void)fprintf(stderr, "LOG: %.*s\n", STR_ARG(lines[0]));
        return;
    }
    if ((to & MAILLOG_MAIN) != 0 && e->log_aside)
        (void)fprintf(stderr, "%.*s%.*s\n", STR_ARG(maillog_stamp(a, e)), STR_ARG(lines[0]));
    else if ((to & MAILLOG_MAIN) != 0)
        write_one(a, e, LOGFILE_MAIN, panic || reject, lines, plain);
    if (reject)
        write_one(a, e, LOGFILE_REJECT, panic, lines, n);
    if (panic) {
        write_one(a, e, LOGFILE_PANIC, false, lines, plain);
        struct str stamp = maillog_stamp(a, e);
        if ((to & MAILLOG_QUIET) == 0)
            (void)fprintf(stderr, "%.*s%.*s\n%s", STR_ARG(stamp), STR_ARG(lines[0]),
                          plain > 1 ? "\n" : "");
    }
}

static void
write_text(struct arena *a, struct engine *e, unsigned to, struct str id, struct str text)
{
    struct str shown = clean(a, e, text, (to & MAILLOG_TABS) != 0);
    const struct str lines[] = {with_prefix(a, e, id, shown), STR_EMPTY};
    if (e->verbose && (to & MAILLOG_MAIN) != 0 && !e->log_to_stderr)
        (void)fprintf(stderr, "LOG: MAIN%s%s\n  %.*s\n",
                      (to & MAILLOG_REJECT) != 0 ? " REJECT" : "",
                      (to & MAILLOG_PANIC) != 0 ? " PANIC" : "", STR_ARG(shown));
    write_lines(a, e, to, lines, (to & MAILLOG_BLANK) != 0 ? 2 : 1);
}

void
maillog_line(struct engine *e, unsigned to, struct str id, struct str text)
{
    struct scratch scratch = scratch_of(e);
    struct arena *a = scratch.arena;
    write_text(a, e, to, id, text);
    arena_reset(a, scratch.mark);
}

void
maillog(struct engine *e, unsigned to, struct str id, const char *fmt, ...)
{
    struct scratch scratch = scratch_of(e);
    struct arena *a = scratch.arena;
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(a, fmt, ap);
    va_end(ap);
    write_text(a, e, to, id, text);
    arena_reset(a, scratch.mark);
}

void
maillog_pair(struct engine *e, struct str first, struct str second)
{
    struct scratch scratch = scratch_of(e);
    struct arena *a = scratch.arena;
    const struct str lines[] = {with_prefix(a, e, STR_NULL, clean(a, e, first, false)),
                                clean(a, e, second, false)};
    write_lines(a, e, MAILLOG_MAIN | MAILLOG_BLANK, lines, 2);
    arena_reset(a, scratch.mark);
}

struct reject_lines {
    VEC(struct str) v;
};

static void
add_line(struct arena *a, const struct engine *e, struct reject_lines *l, struct str text)
{
    vec_push(a, &l->v, clean(a, e, text, false));
}

/* The lines of a header field: each physical line is one of the entry, the first with its type in front. */
static void
add_header(struct arena *a, const struct engine *e, struct reject_lines *l,
           const struct header *h)
{
    struct str rest = h->text;
    bool first = true;
    while (rest.n > 0) {
        size_t nl = str_chr(rest, '\n', 0);
        nl = nl == STR_NPOS ? rest.n : nl;
        struct buf b = buf_in(a, MAILLOG_LINE_MAX);
        fn_add_escaped(&b, str_sub(rest, 0, nl), e->conf->main->print_topbitchars);
        struct str line = buf_str(&b);
        if (first)
            line = str_printf(a, "%c %.*s", h->type, STR_ARG(line));
        vec_push(a, &l->v, line);
        rest = str_sub(rest, nl + 1, rest.n);
        first = false;
    }
}

static void
add_envelope(struct arena *a, const struct engine *e, struct reject_lines *l,
             const struct message *m)
{
    if (!str_is_set(m->sender))
        return;
    add_line(a, e, l, str_printf(a, "Envelope-from: <%.*s>", STR_ARG(m->sender)));
    for (size_t i = 0; i < m->recipients.n; i++)
        add_line(a, e, l,
                 str_printf(a, "%s<%.*s>", i == 0 ? "Envelope-to: " : "    ",
                            STR_ARG(m->recipients.v[i].address)));
}

/* An entry is no longer than a log buffer of the reference; what is cut is said. */
static void
cut_entry(struct arena *a, const struct engine *e, struct reject_lines *l)
{
    size_t room = MAILLOG_ENTRY_MAX - maillog_stamp(a, e).n, n = 0;
    for (size_t i = 0; i < l->v.n; i++) {
        n += l->v.v[i].n + (size_t)1;
        if (n <= room)
            continue;
        l->v.n = i > 0 ? i : 1;
        vec_push(a, &l->v, STR_LIT("*** truncated ***"));
        return;
    }
}

void
maillog_reject(struct engine *e, unsigned to, struct str id, struct str text)
{
    struct scratch scratch = scratch_of(e);
    struct arena *a = scratch.arena;
    struct reject_lines l = {.v = {NULL, 0, 0}};
    const struct message *m = e->eval->message;
    vec_push(a, &l.v, with_prefix(a, e, id, clean(a, e, text, false)));
    size_t n = m == NULL || m->headers == NULL ? 0 : m->headers->n;
    if ((n > 0 || (m != NULL && (to & MAILLOG_UNDER_WAY) != 0)) &&
        maillog_selected(e, LOG_SELECTOR_REJECTED_HEADER)) {
        add_envelope(a, e, &l, m);
        for (size_t i = 0; i < n; i++)
            add_header(a, e, &l, &m->headers->v[i]);
    }
    cut_entry(a, e, &l);
    write_lines(a, e, (to & ~(unsigned)MAILLOG_UNDER_WAY) | MAILLOG_REJECT, l.v.v, l.v.n);
    arena_reset(a, scratch.mark);
}

/* The file of a message's log, in msglog/ or msglog.OLD/ (top). *dir is what it is in. */
static const char *
message_log_path(struct arena *a, struct engine *e, const struct spool_entry *entry,
                 const char *top, struct str *dir)
{
    struct spool_place place = engine_place(e);
    bool named = place.queue != NULL;
    char sub[3] = {entry->sub != 0 ? '/' : '\0', entry->sub, '\0'};
    struct buf path = buf_in(a, 0);
    buf_addz(&path, place.root);
    buf_addc(&path, '/');
    buf_addz(&path, named ? place.queue : "");
    buf_addz(&path, named ? "/" : "");
    buf_addz(&path, top);
    buf_addz(&path, sub);
    size_t dir_n = path.n;
    buf_addc(&path, '/');
    buf_addz(&path, entry->id.text);
    struct str whole = buf_str(&path);
    *dir = str_sub(whole, 0, dir_n);
    return str_cstr(a, whole);
}

const char *
maillog_message_path(struct arena *a, struct engine *e, const struct spool_entry *entry)
{
    struct str dir;
    return message_log_path(a, e, entry, "msglog", &dir);
}

/* Makes the directory, and msglog above a subdirectory. */
static bool
make_log_directory(struct arena *a, const struct spool_entry *entry, struct str dir)
{
    if (entry->sub != 0) {
        const char *top = str_cstr(a, str_sub(dir, 0, dir.n - 2));
        if (mkdir(top, 0750) != 0 && errno != EEXIST)
            return false;
    }
    return mkdir(str_cstr(a, dir), 0750) == 0 || errno == EEXIST;
}

static int
open_message_log(struct arena *a, struct engine *e, const struct spool_entry *entry)
{
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
    struct spool_place place = engine_place(e);
    int logs = spool_kept_logs(&place, entry);
    int fd = logs >= 0 ? openat(logs, entry->id.text, flags, 0640) : -1;
    if (fd >= 0)
        return fd;
    struct str dir;
    const char *path = message_log_path(a, e, entry, "msglog", &dir);
    fd = open(path, flags, 0640);
    if (fd >= 0 || errno != ENOENT || !make_log_directory(a, entry, dir))
        return fd;
    return open(path, flags, 0640);
}

static void
append_message_log(struct arena *a, struct engine *e, const struct spool_entry *entry,
                   struct str line)
{
    int fd = open_message_log(a, e, entry);
    if (fd < 0 || !file_write_all(fd, line.p, line.n))
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "failed to write the message log of %s: %s", entry->id.text, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void
to_message_log(struct engine *e, const struct spool_entry *entry, struct str stamp,
               struct str text)
{
    if (!e->conf->main->message_logs)
        return;
    struct scratch scratch = scratch_of(e);
    struct arena *a = scratch.arena;
    struct buf line = buf_in(a, 0);
    buf_adds(&line, stamp);
    buf_adds(&line, clean(a, e, text, false));
    buf_addc(&line, '\n');
    if (entry->log != NULL)
        buf_adds(entry->log, buf_str(&line));
    else
        append_message_log(a, e, entry, buf_str(&line));
    arena_reset(a, scratch.mark);
}

void
maillog_hold(struct engine *e)
{
    if (e->log.kept != NULL)
        log_kept_hold(e->log.kept);
}

void
maillog_release(struct engine *e)
{
    if (e->log.kept != NULL)
        log_kept_release(e->log.kept);
}

void
maillog_message_lines(struct engine *e, const struct spool_entry *entry, struct str lines)
{
    if (!e->conf->main->message_logs || lines.n == 0)
        return;
    struct scratch scratch = scratch_of(e);
    struct arena *a = scratch.arena;
    append_message_log(a, e, entry, lines);
    arena_reset(a, scratch.mark);
}

void
maillog_message(struct engine *e, const struct spool_entry *entry, struct str text)
{
    struct scratch scratch = scratch_of(e);
    struct arena *a = scratch.arena;
    to_message_log(e, entry, maillog_stamp(a, e), text);
    arena_reset(a, scratch.mark);
}

void
maillog_message_plain(struct engine *e, const struct spool_entry *entry, struct str text)
{
    to_message_log(e, entry, STR_EMPTY, text);
}

void
maillog_message_remove(struct engine *e, const struct spool_entry *entry)
{
    if (!e->conf->main->message_logs)
        return;
    struct scratch scratch = scratch_of(e);
    struct arena *a = scratch.arena;
    struct str dir, old;
    const char *path = message_log_path(a, e, entry, "msglog", &dir);
    bool ok;
    if (e->conf->main->preserve_message_logs) {
        const char *to = message_log_path(a, e, entry, "msglog.OLD", &old);
        ok = rename(path, to) == 0 || errno != ENOENT ||
             (make_log_directory(a, entry, old) && rename(path, to) == 0);
    } else {
        ok = unlink(path) == 0;
    }
    if (!ok && errno != ENOENT)
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "failed to remove the message log of %s: %s", entry->id.text, strerror(errno));
    arena_reset(a, scratch.mark);
}

int64_t
maillog_between(int64_t seconds, int64_t microseconds, struct timespec now)
{
    int64_t us = ((int64_t)now.tv_sec - seconds) * 1000000 + now.tv_nsec / 1000 - microseconds;
    return us > 0 ? us : 0;
}

struct str
maillog_duration(struct arena *a, const struct engine *e, int64_t us)
{
    if (maillog_selected(e, LOG_SELECTOR_MILLISEC) && us < 60 * 1000000)
        return str_printf(a, "%lld.%03llds", (long long)(us / 1000000),
                          (long long)(us / 1000 % 1000));
    struct buf b = buf_in(a, 0);
    num_add_interval(&b, us / 1000000);
    return buf_str(&b);
}

/* --- fields --- */

enum { RESUMED = 1u << 4 }; /* of $tls_in_resumption */

void
maillog_add_tls(const struct engine *e, struct buf *b, const struct tls_state *t, bool sni)
{
    if (t->cipher.n == 0)
        return;
    if (maillog_selected(e, LOG_SELECTOR_TLS_CIPHER)) {
        buf_printf(b, " X=%.*s", STR_ARG(t->cipher));
        if (maillog_selected(e, LOG_SELECTOR_TLS_RESUMPTION) && (t->resumption & RESUMED) != 0)
            buf_addc(b, '*');
    }
    if (maillog_selected(e, LOG_SELECTOR_TLS_CERTIFICATE_VERIFIED) && str_is_set(t->peercert))
        buf_printf(b, " CV=%s", t->dane ? "dane" : t->verified != 0 ? "yes" : "no");
    if (maillog_selected(e, LOG_SELECTOR_TLS_PEERDN) && t->peerdn.n > 0)
        buf_printf(b, " DN=\"%.*s\"", STR_ARG(t->peerdn));
    if (sni && maillog_selected(e, LOG_SELECTOR_TLS_SNI) && t->sni.n > 0)
        buf_printf(b, " SNI=\"%.*s\"", STR_ARG(t->sni));
}
