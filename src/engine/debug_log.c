/* control = debug; see debug_log.h. */
#include "engine/debug_log.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "conf/debug.h"
#include "conf/model.h"
#include "engine/maillog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PRETRIGGER_MAX = 1024 * 1024, TAG_MAX = 200 };

struct debug_log {
    struct str tag;
    uint64_t topics; /* bits of conf/debug.h */
    bool waits;      /* for a trigger: lines go to memory */
    bool on_panic;
    char *kept;
    size_t n, cap;
};

static struct debug_log *
of(const struct engine *e)
{
    const struct session *s = e->eval->session;
    return s == NULL ? NULL : s->debug_log;
}

static void
report(struct engine *e, struct str error)
{
    maillog(e, MAILLOG_MAIN, STR_NULL, "debug log: %.*s", STR_ARG(error));
}

static void
put(struct engine *e, struct debug_log *d, struct str text)
{
    struct arena *a = arena_new();
    struct str error = STR_EMPTY;
    if (!log_debug_write(a, &e->log, d->tag, text, &error)) {
        e->eval->session->debug_log = NULL; /* no more of it */
        report(e, error);
    }
    arena_free(a);
}

/* The oldest lines go when there is no room. */
static void
keep(struct debug_log *d, struct str text)
{
    if (text.n > d->cap)
        text = str_sub(text, text.n - d->cap, text.n);
    while (d->n + text.n > d->cap) {
        char *nl = memchr(d->kept, '\n', d->n);
        size_t gone = nl == NULL ? d->n : (size_t)(nl - d->kept) + 1;
        memmove(d->kept, d->kept + gone, d->n - gone);
        d->n -= gone;
    }
    memcpy(d->kept + d->n, text.p, text.n);
    d->n += text.n;
}

static void
trigger(struct engine *e, struct debug_log *d)
{
    if (!d->waits)
        return;
    d->waits = false;
    if (d->n > 0)
        put(e, d, str_from(d->kept, d->n));
    d->n = 0;
}

bool
debug_log_wants(const struct engine *e, int topic)
{
    const struct debug_log *d = of(e);
    return d != NULL && (topic == DEBUG_LOG_LINES || (d->topics & DEBUG_BIT(topic)) != 0);
}

void
debug_log_add(struct engine *e, int topic, struct str text)
{
    struct debug_log *d = of(e);
    if (!debug_log_wants(e, topic))
        return;
    struct arena *a = arena_new();
    struct buf b = buf_in(a, 0);
    debug_prefix(&b, d->topics);
    buf_printf(&b, "%.*s\n", STR_ARG(text));
    if (d->waits)
        keep(d, buf_str(&b));
    else
        put(e, d, buf_str(&b));
    arena_free(a);
}

void
debug_log_say(struct engine *e, int topic, const char *fmt, ...)
{
    if (!debug_log_wants(e, topic))
        return;
    struct arena *a = arena_new();
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(a, fmt, ap);
    va_end(ap);
    debug_log_add(e, topic, text);
    arena_free(a);
}

void
debug_log_panic(struct engine *e)
{
    struct debug_log *d = of(e);
    if (d != NULL && d->on_panic)
        trigger(e, d);
}

/* --- options --- */

static bool
is_good_tag(struct str tag)
{
    for (size_t i = 0; i < tag.n; i++)
        if ((unsigned char)tag.p[i] <= ' ' || tag.p[i] == '/' || tag.p[i] == 0x7f)
            return false;
    return tag.n <= TAG_MAX;
}

/* The log of the session, made when there is none. */
static struct debug_log *
begin(struct session *s)
{
    if (s->debug_log != NULL)
        return s->debug_log;
    struct debug_log *d = ARENA_NEW(s->arena, struct debug_log);
    d->tag = STR_EMPTY;
    d->topics = debug_default();
    s->debug_log = d;
    return d;
}

static bool
set_pretrigger(struct arena *a, struct debug_log *d, struct str value)
{
    uint64_t n;
    if (!num_parse_digits(value, &n) || n > PRETRIGGER_MAX)
        return false;
    if (n == 0 || n <= d->cap)
        return true;
    d->kept = arena_alloc(a, (size_t)n);
    d->cap = (size_t)n;
    d->n = 0;
    d->waits = true;
    return true;
}

/* trigger=REASON of the option. */
static bool
set_trigger(struct engine *e, struct debug_log *d, struct str reason)
{
    if (str_eqz(reason, "now"))
        trigger(e, d);
    else if (str_eqz(reason, "paniclog"))
        d->on_panic = true;
    else
        return false;
    return true;
}

static void
stop(struct engine *e, bool kill)
{
    struct debug_log *d = of(e);
    if (d == NULL)
        return;
    struct arena *a = arena_new();
    struct str path, error;
    if (kill && log_debug_path(a, &e->log, d->tag, &path, &error))
        (void)unlink(str_cstr(a, path));
    arena_free(a);
    e->eval->session->debug_log = NULL;
}

static bool
take(struct engine *e, struct debug_log *d, struct str o)
{
    struct session *s = e->eval->session;
    size_t eq = str_chr(o, '=', 0);
    struct str name = str_sub(o, 0, eq == STR_NPOS ? o.n : eq);
    struct str value = eq == STR_NPOS ? STR_EMPTY : str_sub(o, eq + 1, o.n);
    if (str_eqz(name, "tag")) {
        if (!is_good_tag(value))
            return false;
        d->tag = str_dup(s->arena, value);
    } else if (str_eqz(name, "opts")) {
        struct str bad;
        return debug_select(value, &d->topics, &bad);
    } else if (str_eqz(name, "pretrigger")) {
        return set_pretrigger(s->arena, d, value);
    } else if (str_eqz(name, "trigger")) {
        return set_trigger(e, d, value);
    } else {
        return false;
    }
    return true;
}

/* The next option behind a slash; false at the end. */
static bool
next_option(struct str *options, struct str *o)
{
    if (options->n == 0)
        return false;
    size_t end = str_chr(*options, '/', 1);
    end = end == STR_NPOS ? options->n : end;
    *o = str_sub(*options, 1, end - 1);
    *options = str_sub(*options, end, options->n);
    return true;
}

bool
debug_log_control(struct engine *e, struct str options)
{
    struct session *s = e->eval->session;
    struct str o;
    if (s == NULL || s->arena == NULL)
        return true;
    if (str_eqz(options, "/stop") || str_eqz(options, "/kill")) {
        stop(e, str_eqz(options, "/kill"));
        return true;
    }
    struct debug_log *d = begin(s);
    while (next_option(&options, &o)) {
        if (take(e, d, o))
            continue;
        s->debug_log = NULL;
        return false;
    }
    return true;
}

/* --- across the time in the spool --- */

/* What waits for a trigger goes on waiting: "800" or "800 paniclog". */
static struct str
pretrigger_text(struct arena *a, const struct debug_log *d)
{
    return d->waits ? str_printf(a, "%zu%s", d->cap, d->on_panic ? " paniclog" : "") : STR_NULL;
}

void
debug_log_store(struct arena *a, const struct engine *e, struct spool_header *h)
{
    const struct debug_log *d = of(e);
    struct str path, error;
    if (d == NULL || !log_debug_path(a, &e->log, d->tag, &path, &error))
        return;
    h->debug_selector = str_printf(a, "0x%llx", (unsigned long long)d->topics);
    h->debuglog_name = path;
    h->debug_pretrigger = pretrigger_text(a, d);
}

/* The file is a debug log of this configuration, whatever the spool says. */
static bool
find_tag(struct arena *a, const struct engine *e, struct str path, struct str *tag)
{
    struct str untagged, error;
    if (!log_debug_path(a, &e->log, STR_EMPTY, &untagged, &error) || path.n < untagged.n ||
        !str_eq(str_sub(path, 0, untagged.n), untagged))
        return false;
    *tag = str_sub(path, untagged.n, path.n);
    return is_good_tag(*tag);
}

void
debug_log_resume(struct engine *e, const struct spool_header *h)
{
    struct session *s = e->eval->session;
    struct str tag, bad;
    if (!str_is_set(h->debuglog_name) || !str_is_set(h->debug_selector) ||
        !find_tag(s->arena, e, h->debuglog_name, &tag))
        return;
    struct debug_log *d = begin(s);
    d->tag = tag;
    d->topics = 0;
    (void)debug_select(str_printf(s->arena, "=%.*s", STR_ARG(h->debug_selector)), &d->topics,
                       &bad);
    if (!str_is_set(h->debug_pretrigger))
        return;
    size_t blank = str_chr(h->debug_pretrigger, ' ', 0);
    bool alone = blank == STR_NPOS;
    (void)set_pretrigger(
        s->arena, d, str_sub(h->debug_pretrigger, 0, alone ? h->debug_pretrigger.n : blank));
    d->on_panic = !alone;
}
