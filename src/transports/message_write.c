/* Writes a message as a transport delivers it; see message_write.h. */
#include "transports/message_write.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/strlist.h"
#include "conf/eval.h"
#include "filter/expand.h"
#include "mail/why_errno.h"
#include "transports/command.h"
#include "transports/transport_filter.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READ_CHUNK = 64 * 1024 };

void
message_write_plain(struct message_write *w, struct arena *a, const struct message *m,
                    int body_fd, off_t body_start)
{
    *w = (struct message_write){
        .arena = a,
        .message = m,
        .return_path = m->sender,
        .body_fd = body_fd,
        .body_start = body_start,
        .body_max = -1,
        .now = (int64_t)time(NULL),
    };
}

void
message_write_init(struct message_write *w, const struct transport_job *job)
{
    const struct transport_generic *g = job->transport->generic.fields;
    message_write_plain(w, job->arena, job->message, job->body_fd, job->body_start);
    w->vm = job->vm;
    w->utc = job->eval->clock.utc;
    w->transport = job->transport;
    w->addresses = job->addresses;
    w->n = job->n;
    w->return_path = job->return_path;
    w->rewrite = job->rewrite;
    w->rewrite_ctx = job->up_ctx;
    w->flags = (g->body_only ? MESSAGE_WRITE_NO_HEADERS : 0u) |
               (g->headers_only ? MESSAGE_WRITE_NO_BODY : 0u) |
               (g->return_path_add ? MESSAGE_WRITE_RETURN_PATH : 0u) |
               (g->envelope_to_add ? MESSAGE_WRITE_ENVELOPE_TO : 0u) |
               (g->delivery_date_add ? MESSAGE_WRITE_DELIVERY_DATE : 0u) |
               (g->rcpt_include_affixes ? MESSAGE_WRITE_AFFIXES : 0u);
}

/* --- what is expanded beforehand --- */

static enum outcome
header_fault(const struct message_write *w, struct why *why)
{
    struct str text = vm_error(w->vm);
    *why = (struct why){
        .outcome = OUT_ERROR,
        .sys_errno = WHY_HEADERS,
        .log = str_printf(w->arena, "Failed to expand headers_add or headers_remove: %.*s",
                          STR_ARG(text)),
    };
    return OUT_ERROR;
}

/* Expands each item of a list. What comes out is appended with a separator behind it; an empty result or a forced failure
 * adds nothing. False: another failure. */
static bool
expand_items(struct message_write *w, struct str list, char sep, struct buf *out)
{
    struct strlist_split s = strlist_split_start(list, sep);
    struct str item, value;
    while (strlist_split_next(&s, w->arena, &item)) {
        enum vm_status st = vm_expand(w->vm, item, &value);
        if (st == VM_FORCED)
            continue;
        if (st != VM_OK)
            return false;
        if (value.n == 0)
            continue;
        buf_adds(out, value);
        if (sep != '\n' || value.p[value.n - 1] != '\n')
            buf_addc(out, sep);
    }
    return true;
}

/* Names and lines of the routers, then those of the transport. */
static enum outcome
prepare_headers(struct message_write *w, struct why *why)
{
    const struct transport_generic *g =
        w->transport != NULL ? w->transport->generic.fields : NULL;
    const struct address *first = w->n > 0 ? w->addresses[0] : NULL;
    struct buf remove = buf_in(w->arena, 0), add = buf_in(w->arena, 0);
    if (first != NULL && first->headers_remove.n > 0) {
        buf_adds(&remove, first->headers_remove);
        buf_addc(&remove, ':');
    }
    if (w->more_remove.n > 0) {
        buf_adds(&remove, w->more_remove);
        buf_addc(&remove, ':');
    }
    if (first != NULL)
        buf_adds(&add, first->headers_add);
    buf_adds(&add, w->more_add);
    if (g != NULL && str_is_set(g->headers_remove.text) &&
        !expand_items(w, g->headers_remove.text, ':', &remove))
        return header_fault(w, why);
    if (g != NULL && str_is_set(g->headers_add.text) &&
        !expand_items(w, g->headers_add.text, '\n', &add))
        return header_fault(w, why);
    w->remove = buf_str(&remove);
    w->add = buf_str(&add);
    return OUT_OK;
}

static enum outcome
prepare_text(struct message_write *w, const struct xstr *x, const char *what, struct str *out,
             struct why *why)
{
    struct str value;
    *out = STR_EMPTY;
    if (!str_is_set(x->text))
        return OUT_OK;
    if (vm_expand_x(w->vm, x, &value) == VM_OK) {
        *out = str_dup(w->arena, value);
        return OUT_OK;
    }
    struct str text = vm_error(w->vm);
    *why = (struct why){
        .outcome = OUT_ERROR,
        .log =
            str_printf(w->arena, "Expansion of \"%.*s\" (%s for %.*s transport) failed: %.*s",
                       STR_ARG(x->text), what, STR_ARG(w->transport->name), STR_ARG(text)),
    };
    return OUT_ERROR;
}

static enum outcome
prepare_filter(struct message_write *w, struct why *why)
{
    const struct transport_generic *g =
        w->transport != NULL ? w->transport->generic.fields : NULL;
    w->filter = NULL;
    if (g == NULL || g->transport_filter.text.n == 0)
        return OUT_OK;
    bool local = transport_driver_of(w->transport)->place == TRANSPORT_LOCAL;
    const struct command_request rq = {
        .arena = w->arena,
        .vm = w->vm,
        .text = g->transport_filter.text,
        .what =
            local ? STR_LIT("transport filter")
                  : str_printf(w->arena, "%.*s transport filter", STR_ARG(w->transport->name)),
        .expand = true,
        .tainted_arguments = true,
        .addresses = w->addresses,
        .n = w->n,
    };
    struct command c;
    enum outcome end = command_make(&rq, &c);
    w->filter_timeout_s = g->transport_filter_timeout;
    if (c.words.n > 0 && c.words.v[0].n == 0)
        return OUT_OK; /* expands to nothing: no filter */
    if (end == OUT_OK) {
        w->filter = c.argv;
        return OUT_OK;
    }
    *why = local ? (struct why){OUT_ERROR, .sys_errno = WHY_UNKNOWN, .log = c.error}
                 : (struct why){OUT_DEFER, .log = c.error};
    return why->outcome;
}

enum outcome
message_write_prepare(struct message_write *w, struct why *why)
{
    enum outcome end = prepare_headers(w, why);
    if (end == OUT_OK)
        end = prepare_text(w, &w->prefix, "prefix", &w->prefix_text, why);
    if (end == OUT_OK)
        end = prepare_text(w, &w->suffix, "suffix", &w->suffix_text, why);
    if (end == OUT_OK)
        end = prepare_filter(w, why);
    return end;
}

/* --- the lines in front --- */

struct str
transport_rcpt_address(struct arena *a, const struct address *addr, bool affixes)
{
    while (addr->item != ADDRESS_ITEM_MAIL && addr->parent != NULL)
        addr = addr->parent;
    if (affixes || (addr->prefix.n == 0 && addr->suffix.n == 0))
        return addr->text;
    size_t at = str_rchr(addr->text, '@');
    if (at == STR_NPOS)
        at = addr->text.n;
    struct str local = str_sub(addr->text, 0, at);
    if (local.n >= addr->prefix.n + addr->suffix.n)
        local = str_sub(local, addr->prefix.n, local.n - addr->prefix.n - addr->suffix.n);
    return str_cat(a, local, str_sub(addr->text, at, addr->text.n));
}

/* The recipient of the envelope that an address comes from. */
static const struct address *
origin_of(const struct address *addr)
{
    while (addr->parent != NULL)
        addr = addr->parent;
    return addr;
}

/* A recipient of the envelope is named once, however many addresses come from it. */
static void
add_origin(struct arena *a, struct buf *out, struct map *seen, const struct address *addr)
{
    const struct address *origin = origin_of(addr);
    struct str key = str_printf(a, "%p", (const void *)origin);
    if (map_has(seen, key))
        return;
    buf_addz(out, map_count(seen) > 0 ? ",\n " : "Envelope-to: ");
    buf_adds(out, origin->text);
    map_set(seen, key, NULL);
}

/* The duplicates of an address stand in front of it, the last one first. */
static void
add_origins(const struct message_write *w, struct buf *out)
{
    struct map *seen = map_new(w->arena, MAP_CASEFUL);
    for (size_t i = 0; i < w->n; i++) {
        const struct address *a = w->addresses[i];
        for (const struct address *d = a->next_duplicate; d != NULL; d = d->next_duplicate)
            add_origin(w->arena, out, seen, d);
        add_origin(w->arena, out, seen, a);
    }
    if (map_count(seen) > 0)
        buf_addc(out, '\n');
}

void
message_write_trace(const struct message_write *w, struct buf *out)
{
    if ((w->flags & MESSAGE_WRITE_RETURN_PATH) != 0)
        buf_printf(out, "Return-path: <%.*s>\n", STR_ARG(w->return_path));
    if ((w->flags & MESSAGE_WRITE_ENVELOPE_TO) != 0)
        add_origins(w, out);
    if ((w->flags & MESSAGE_WRITE_DELIVERY_DATE) != 0) {
        char date[CLOCK_TEXT_MAX];
        struct clock clock = {.utc = w->utc};
        clock_format(&clock, CLOCK_FULL, (struct timespec){.tv_sec = w->now}, date);
        buf_printf(out, "Delivery-date: %s\n", date);
    }
}

/* --- header lines --- */

/* One item of headers_remove: a name, or the beginning of one before an asterisk. */
static bool
name_matches(struct str item, struct str name)
{
    item = str_trim(item);
    if (item.n > 0 && item.p[item.n - 1] == '*')
        return name.n >= item.n - 1 &&
               str_ieq(str_sub(name, 0, item.n - 1), str_sub(item, 0, item.n - 1));
    return item.n > 0 && str_ieq(item, name);
}

static bool
is_removed(const struct message_write *w, const struct header *h)
{
    for (size_t at = 0; at < w->remove.n;) {
        size_t end = str_chr(w->remove, ':', at);
        if (end == STR_NPOS)
            end = w->remove.n;
        if (name_matches(str_sub(w->remove, at, end - at), header_name(h)))
            return true;
        at = end + 1;
    }
    return false;
}

static void
add_headers(const struct message_write *w, void (*add)(void *ctx, struct str text), void *ctx)
{
    const struct header_list *l = w->message->headers;
    for (size_t i = 0; l != NULL && i < l->n; i++) {
        struct str text = l->v[i].text;
        if (l->v[i].type == HEADER_TYPE_DELETED || is_removed(w, &l->v[i]))
            continue;
        if (w->rewrite != NULL)
            w->rewrite(w->rewrite_ctx, w->arena, &l->v[i], &text);
        add(ctx, text);
    }
    if (w->add.n > 0) {
        add(ctx, w->add);
        if (w->add.p[w->add.n - 1] != '\n')
            add(ctx, STR_LIT("\n"));
    }
}

static void
add_to_buf(void *ctx, struct str text)
{
    buf_adds(ctx, text);
}

void
message_write_headers(const struct message_write *w, struct buf *out)
{
    add_headers(w, add_to_buf, out);
}

static void
add_size(void *ctx, struct str text)
{
    *(int64_t *)ctx += text.n;
}

int64_t
message_write_estimate(const struct message_write *w)
{
    int64_t n = (int64_t)w->prefix_text.n + w->suffix_text.n + 1;
    struct buf trace = buf_in(w->arena, 0);
    message_write_trace(w, &trace);
    if (str_is_set(w->header_text)) {
        n += w->header_text.n;
    } else if ((w->flags & MESSAGE_WRITE_NO_HEADERS) == 0) {
        n += (int64_t)trace.n;
        add_headers(w, add_size, &n);
    }
    if ((w->flags & MESSAGE_WRITE_NO_BODY) == 0)
        n += w->body_fd < 0 ? (int64_t)w->message->body_text.n : w->message->body_size;
    return n;
}

/* --- writing --- */

/* One message on its way. */
struct writing {
    const struct message_write *w;
    struct message_sink *out;
    struct message_lines lines;
    struct transport_filter filter;
    struct message_sink to_filter;
    bool filtered;
    struct message_written *end;
};

static void
emit(void *ctx, struct str text)
{
    struct writing *g = ctx;
    if (g->filtered)
        message_sink_add(&g->to_filter, text.p, text.n);
    else
        message_sink_lines(g->out, &g->lines, text.p, text.n);
}

static bool
is_broken(const struct writing *g)
{
    return g->out->sys_errno != 0 || (g->filtered && g->to_filter.sys_errno != 0);
}

static void
write_body_text(struct writing *g)
{
    struct str text = g->w->message->body_text;
    if (g->w->body_max >= 0 && (int64_t)text.n > g->w->body_max)
        text = str_sub(text, 0, (size_t)g->w->body_max);
    emit(g, text);
}

static void
write_body(struct writing *g)
{
    const struct message_write *w = g->w;
    char *chunk = arena_alloc(w->arena, READ_CHUNK);
    off_t at = w->body_start;
    int64_t left = w->body_max;
    while (left != 0 && !is_broken(g)) {
        size_t want = left > 0 && left < READ_CHUNK ? (size_t)left : READ_CHUNK;
        ssize_t n = pread(w->body_fd, chunk, want, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g->end->reading = true;
            g->end->sys_errno = errno;
        }
        if (n <= 0)
            return;
        emit(g, str_from(chunk, (size_t)n));
        at += n;
        left -= left > 0 ? n : 0;
    }
}

/* check_string is looked for in the body alone, save that SMTP doubles every dot. */
static void
write_header_lines(struct writing *g)
{
    const struct message_write *w = g->w;
    struct buf trace = buf_in(w->arena, 0);
    struct str check = g->lines.check;
    if ((w->flags & (MESSAGE_WRITE_DOTS | MESSAGE_WRITE_BSMTP)) == 0)
        g->lines.check = STR_EMPTY;
    if (str_is_set(w->header_text)) {
        emit(g, w->header_text);
    } else {
        message_write_trace(w, &trace);
        emit(g, buf_str(&trace));
        add_headers(w, emit, g);
        if ((w->flags & MESSAGE_WRITE_NO_BLANK) == 0)
            emit(g, STR_LIT("\n"));
    }
    g->lines.check = check;
}

static void
write_content(struct writing *g)
{
    const struct message_write *w = g->w;
    if ((w->flags & MESSAGE_WRITE_NO_HEADERS) == 0)
        write_header_lines(g);
    if ((w->flags & MESSAGE_WRITE_NO_BODY) != 0)
        return;
    if (w->body_fd < 0)
        write_body_text(g);
    else
        write_body(g);
}

/* A line of our own, as the destination wants lines. */
static void
add_line(struct writing *g, const char *before, struct str text, const char *after)
{
    message_sink_add(g->out, before, strlen(before));
    message_sink_adds(g->out, text);
    message_sink_add(g->out, after, strlen(after));
    if ((g->w->flags & MESSAGE_WRITE_CRLF) != 0)
        message_sink_add(g->out, "\r", 1);
    message_sink_add(g->out, "\n", 1);
}

static void
write_envelope(struct writing *g)
{
    const struct message_write *w = g->w;
    bool affixes = (w->flags & MESSAGE_WRITE_AFFIXES) != 0;
    add_line(g, "MAIL FROM:<", w->return_path, ">");
    for (size_t i = 0; i < w->n; i++)
        add_line(g, "RCPT TO:<", transport_rcpt_address(w->arena, w->addresses[i], affixes),
                 ">");
    add_line(g, "DATA", STR_EMPTY, "");
}

static bool
start_filter(struct writing *g)
{
    g->filtered = true;
    g->filter = (struct transport_filter){
        .to = g->out, .lines = &g->lines, .timeout_ms = g->w->filter_timeout_s * 1000};
    g->to_filter = (struct message_sink){
        .arena = g->w->arena, .put = transport_filter_put, .ctx = &g->filter, .fd = -1};
    return transport_filter_start(&g->filter, g->w->filter);
}

static void
end_filter(struct writing *g)
{
    message_sink_flush(&g->to_filter);
    bool whole = !is_broken(g) && !g->end->reading;
    bool ok = transport_filter_finish(&g->filter, whole);
    g->end->filter_timed_out = g->filter.timed_out;
    g->end->filter_status = g->filter.status;
    g->end->filter_failed = ok && whole && g->filter.status != 0;
}

/* SMTP's end of data: a line with a dot. */
static void
end_lines(struct writing *g)
{
    message_sink_lines_end(g->out, &g->lines);
    if ((g->w->flags & (MESSAGE_WRITE_DOTS | MESSAGE_WRITE_BSMTP)) == 0)
        return;
    if (g->lines.any && !g->lines.newline)
        add_line(g, "", STR_EMPTY, "");
    add_line(g, ".", STR_EMPTY, "");
}

static void
start_lines(struct writing *g)
{
    const struct message_write *w = g->w;
    bool smtp = (w->flags & (MESSAGE_WRITE_DOTS | MESSAGE_WRITE_BSMTP)) != 0;
    g->lines = (struct message_lines){
        .check = smtp ? STR_LIT(".") : w->check,
        .escape = smtp ? STR_LIT("..") : w->escape,
        .crlf = (w->flags & MESSAGE_WRITE_CRLF) != 0,
    };
}

static bool
write_all(struct writing *g)
{
    const struct message_write *w = g->w;
    start_lines(g);
    message_sink_adds(g->out, w->prefix_text);
    if ((w->flags & MESSAGE_WRITE_BSMTP) != 0)
        write_envelope(g);
    if (w->filter != NULL && !start_filter(g)) {
        g->end->sys_errno = errno;
        return false;
    }
    write_content(g);
    if (g->filtered)
        end_filter(g);
    if (g->end->filter_failed || g->end->filter_timed_out || g->end->reading)
        return false;
    end_lines(g);
    message_sink_adds(g->out, w->suffix_text);
    return message_sink_flush(g->out);
}

void
message_write(const struct message_write *w, struct message_sink *sink,
              struct message_written *out)
{
    *out = (struct message_written){.ok = false};
    struct writing g = {.w = w, .out = sink, .end = out};
    out->ok = write_all(&g);
    out->bytes = sink->bytes;
    if (out->sys_errno == 0)
        out->sys_errno = sink->sys_errno;
    if (out->filter_timed_out && out->sys_errno == 0)
        out->sys_errno = ETIMEDOUT;
}

int
message_written_code(const struct message_written *end)
{
    return WIFEXITED(end->filter_status) ? WEXITSTATUS(end->filter_status)
                                         : -WTERMSIG(end->filter_status);
}
