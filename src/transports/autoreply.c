/* The autoreply transport: answers a message with one of its own. */
#include "transports/autoreply.h"

#include "base/num.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "filter/expand.h"
#include "filter/filter_run.h"
#include "mail/address.h"
#include "sys/file.h"
#include "transports/once_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct transport_autoreply, bcc, NULL, 0,
        "Addresses that get a blind copy of the reply."),
    OPT_XSTR(struct transport_autoreply, cc, NULL, 0,
        "Addresses that get a copy of the reply."),
    OPT_XSTR(struct transport_autoreply, file, NULL, 0,
        "File whose content goes into the reply."),
    OPT_BOOL(struct transport_autoreply, file_expand, false, 0,
        "Expands each line of the file."),
    OPT_BOOL(struct transport_autoreply, file_optional, false, 0,
        "Puts up with a missing file."),
    OPT_XSTR(struct transport_autoreply, from, NULL, 0,
        "From: header line of the reply."),
    OPT_XSTR(struct transport_autoreply, headers, NULL, 0,
        "Further header lines of the reply."),
    OPT_XSTR(struct transport_autoreply, log, NULL, 0,
        "File in which replies are recorded."),
    OPT_OCTAL(struct transport_autoreply, mode, 0600, 0,
        "Permissions of a log or once file that is made."),
    OPT_ADDRESSES(struct transport_autoreply, never_mail, NULL, 0,
        "Addresses that get no reply."),
    OPT_XSTR(struct transport_autoreply, once, NULL, 0,
        "File in which those who got a reply are remembered, so that they get only one."),
    OPT_INT(struct transport_autoreply, once_file_size, 0, 0,
        "Size at which the once file forgets its oldest entries; zero means never."),
    OPT_XSTR(struct transport_autoreply, once_repeat, NULL, 0,
        "Time after which somebody gets another reply."),
    OPT_XSTR(struct transport_autoreply, reply_to, NULL, 0,
        "Reply-To: header line of the reply."),
    OPT_BOOL(struct transport_autoreply, return_message, false, 0,
        "Adds the original message to the reply."),
    OPT_XSTR(struct transport_autoreply, subject, NULL, 0,
        "Subject of the reply."),
    OPT_XSTR(struct transport_autoreply, text, NULL, 0,
        "Text of the reply."),
    OPT_XSTR(struct transport_autoreply, to, NULL, 0,
        "Address of the reply; by default that of the sender."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "autoreply transport",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct transport_autoreply),
};

bool
autoreply_say(struct autoreply *r, enum outcome outcome, int number, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(r->arena, fmt, ap);
    va_end(ap);
    r->answer->why = (struct why){.outcome = outcome, .sys_errno = number, .log = text};
    return false;
}

/* --- what the reply is made of --- */

enum value_kind {
    VALUE_LINE,  /* a header line: no control characters but newlines that fold */
    VALUE_LINES, /* several */
    VALUE_TEXT,  /* anything */
    VALUE_FILE,  /* a path */
};

/* The first byte that may not be in a header line, or -1. */
static int
unprintable(const struct conf_main *c, enum value_kind kind, struct str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        unsigned char b = (unsigned char)s.p[i];
        bool folds = i + 1 < s.n && (s.p[i + 1] == ' ' || s.p[i + 1] == '\t');
        if (b == '\n' && (folds || kind == VALUE_LINES))
            continue;
        if (b != '\t' && (b < ' ' || b == 0x7f || (b > 0x7f && !c->print_topbitchars)))
            return b;
    }
    return -1;
}

/* One option, expanded and checked. */
static bool
expand(struct autoreply *r, const struct xstr *x, enum value_kind kind, struct str *out)
{
    struct str name = r->job->transport->name;
    if (!str_is_set(x->text))
        return true;
    if (vm_expand_x(r->job->vm, x, out) != VM_OK)
        return autoreply_say(r, OUT_FAIL, 0,
                             "Expansion of \"%.*s\" failed in %.*s transport: %.*s",
                             STR_ARG(x->text), STR_ARG(name), STR_ARG(vm_error(r->job->vm)));
    *out = str_dup(r->arena, *out);
    int byte = kind == VALUE_LINE || kind == VALUE_LINES
                   ? unprintable(r->job->eval->conf->main, kind, *out)
                   : -1;
    if (byte >= 0)
        return autoreply_say(r, OUT_FAIL, 0,
                             "Expansion of \"%.*s\" in %.*s transport contains non-printing "
                             "character %d",
                             STR_ARG(x->text), STR_ARG(name), byte);
    return true;
}

/* A time as once_repeat gives it. */
static bool
read_repeat(struct autoreply *r, struct str text)
{
    if (text.n == 0 || num_parse_interval(str_trim(text), &r->repeat_s))
        return true;
    return autoreply_say(r, OUT_FAIL, 0,
                         "Invalid time value \"%.*s\" for \"once_repeat\" in %.*s transport",
                         STR_ARG(text), STR_ARG(r->job->transport->name));
}

static bool
take_options(struct autoreply *r)
{
    const struct transport_autoreply *o = r->opt;
    struct str repeat = STR_NULL;
    r->expand_file = o->file_expand;
    return expand(r, &o->from, VALUE_LINE, &r->from) &&
           expand(r, &o->reply_to, VALUE_LINE, &r->reply_to) &&
           expand(r, &o->to, VALUE_LINE, &r->to) && expand(r, &o->cc, VALUE_LINE, &r->cc) &&
           expand(r, &o->bcc, VALUE_LINE, &r->bcc) &&
           expand(r, &o->subject, VALUE_LINE, &r->subject) &&
           expand(r, &o->headers, VALUE_LINES, &r->headers) &&
           expand(r, &o->text, VALUE_TEXT, &r->text) &&
           expand(r, &o->file, VALUE_FILE, &r->file) &&
           expand(r, &o->log, VALUE_FILE, &r->log) &&
           expand(r, &o->once, VALUE_FILE, &r->once) &&
           expand(r, &o->once_repeat, VALUE_TEXT, &repeat) && read_repeat(r, repeat);
}

/* What a filter's mail or vacation command says; it was expanded there. */
static bool
take_action(struct autoreply *r, const struct filter_action *f)
{
    struct str *const fields[FILTER_MAIL_ARGUMENTS] = {
        [FILTER_MAIL_TO] = &r->to,
        [FILTER_MAIL_CC] = &r->cc,
        [FILTER_MAIL_BCC] = &r->bcc,
        [FILTER_MAIL_FROM] = &r->from,
        [FILTER_MAIL_REPLY_TO] = &r->reply_to,
        [FILTER_MAIL_SUBJECT] = &r->subject,
        [FILTER_MAIL_EXTRA_HEADERS] = &r->headers,
        [FILTER_MAIL_TEXT] = &r->text,
        [FILTER_MAIL_FILE] = &r->file,
        [FILTER_MAIL_LOG] = &r->log,
        [FILTER_MAIL_ONCE] = &r->once,
    };
    for (size_t i = 0; i < FILTER_MAIL_ARGUMENTS && i < f->argc; i++)
        if (fields[i] != NULL)
            *fields[i] = f->argv[i];
    r->expand_file = (f->flags & FILTER_EXPAND_FILE) != 0;
    r->return_message = (f->flags & FILTER_RETURN_MESSAGE) != 0;
    return f->argc <= FILTER_MAIL_ONCE_REPEAT ||
           read_repeat(r, f->argv[FILTER_MAIL_ONCE_REPEAT]);
}

/* --- files --- */

/* The path for the system; NULL, and the answer says why, when a stranger could have chosen it. */
static char *
path_of(struct autoreply *r, struct str path, const char *what)
{
    if (str_is_tainted(path))
        (void)autoreply_say(r, OUT_DEFER, EACCES,
                            "Tainted '%.*s' (%s for %.*s transport) not permitted",
                            STR_ARG(path), what, STR_ARG(r->job->transport->name));
    char *z = str_is_tainted(path) ? NULL : str_cstr(r->arena, path);
    if (z == NULL && !str_is_tainted(path))
        (void)autoreply_say(r, OUT_DEFER, EINVAL, "NUL byte in a file name of %.*s transport",
                            STR_ARG(r->job->transport->name));
    return z;
}

static bool
read_file(struct autoreply *r)
{
    if (r->file.n == 0)
        return true;
    char *path = path_of(r, r->file, "file");
    if (path == NULL)
        return false;
    if (file_read(r->arena, path, AUTOREPLY_MAX, &r->file_text) == FILE_OK)
        return true;
    int fault = errno;
    r->file_text = STR_EMPTY;
    if (r->opt->file_optional)
        return true;
    return autoreply_say(r, OUT_DEFER, fault,
                         "Failed to open file %s when sending message from %.*s transport: %s",
                         path, STR_ARG(r->job->transport->name), strerror(fault));
}

/* The recipients of a list, without names: what once remembers. */
static void
add_addresses(struct arena *a, struct str list, struct buf *out)
{
    struct address_list l = address_list_start(list, ADDRESS_GROUP);
    enum address_status st;
    struct address_parts parts;
    while (address_list_next(&l, a, &st, &parts, NULL)) {
        if (st != ADDRESS_OK)
            continue;
        if (out->n > 0)
            buf_addc(out, ',');
        buf_adds(out, parts.text);
    }
}

/* False: it had a reply, or the answer says why. */
static bool
may_send(struct autoreply *r)
{
    if (r->once.n == 0)
        return true;
    char *path = path_of(r, r->once, "once file");
    if (path == NULL)
        return false;
    struct buf who = buf_in(r->arena, 0);
    add_addresses(r->arena, r->to, &who);
    const struct once_question q = {
        .path = path,
        .mode = (mode_t)r->opt->mode,
        .max_size = r->opt->once_file_size,
        .who = buf_str(&who),
        .now = (int64_t)time(NULL),
        .repeat_s = r->repeat_s,
    };
    enum once_answer answer = once_file_ask(r->arena, &q);
    int fault = errno;
    if (answer == ONCE_ERROR)
        (void)autoreply_say(
            r, OUT_DEFER, fault,
            "Failed to open \"once\" file %s when sending message from %.*s transport: %s",
            path, STR_ARG(r->job->transport->name), strerror(fault));
    return answer == ONCE_SEND;
}

static void
add_log_line(struct buf *b, const char *name, struct str value)
{
    if (value.n > 0)
        buf_printf(b, "  %s%.*s\n", name, STR_ARG(value));
}

/* The record of the log option. That it cannot be written stops nothing. */
static void
write_log(struct autoreply *r)
{
    char *path = r->log.n == 0 || str_is_tainted(r->log) ? NULL : str_cstr(r->arena, r->log);
    int fd = path == NULL ? -1
                          : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
                                 (mode_t)r->opt->mode);
    if (fd < 0)
        return;
    char stamp[CLOCK_TEXT_MAX];
    struct buf b = buf_in(r->arena, 0);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_format(&r->job->eval->clock, CLOCK_LOG, now, stamp);
    buf_printf(&b, "%s\n", stamp);
    add_log_line(&b, "From: ", r->from);
    add_log_line(&b, "To: ", r->to);
    add_log_line(&b, "Cc: ", r->cc);
    add_log_line(&b, "Bcc: ", r->bcc);
    add_log_line(&b, "Subject: ", r->subject);
    add_log_line(&b, "", r->headers);
    (void)file_write_all(fd, b.p, b.n);
    close(fd);
}

/* --- the delivery --- */

static bool
prepare(struct autoreply *r)
{
    const struct filter_action *f = r->job->addresses[0]->reply;
    if (!(f != NULL ? take_action(r, f) : take_options(r)))
        return false;
    r->return_message = r->return_message || r->opt->return_message;
    return autoreply_drop_never(r, &r->to) && autoreply_drop_never(r, &r->cc) &&
           autoreply_drop_never(r, &r->bcc);
}

static void
make(struct autoreply *r)
{
    struct buf to = buf_in(r->arena, 0), text = buf_in(r->arena, AUTOREPLY_MAX);
    add_addresses(r->arena, r->to, &to);
    add_addresses(r->arena, r->cc, &to);
    add_addresses(r->arena, r->bcc, &to);
    if (to.n == 0 || !read_file(r) || r->job->dont_deliver || !may_send(r) ||
        !autoreply_write(r, &text))
        return;
    if (text.overflow) {
        (void)autoreply_say(r, OUT_DEFER, EFBIG, "the reply of %.*s transport is too long",
                            STR_ARG(r->job->transport->name));
        return;
    }
    write_log(r);
    r->answer->reply = buf_str(&text);
    r->answer->reply_to = buf_str(&to);
}

static void
deliver(const struct transport_job *job, struct transport_answer *answers)
{
    struct autoreply r = {
        .job = job,
        .opt = job->transport->own.fields,
        .arena = job->arena,
        .answer = &answers[0],
    };
    r.answer->why = (struct why){.outcome = OUT_OK};
    if (prepare(&r))
        make(&r);
    for (size_t i = 1; i < job->n; i++)
        answers[i] = (struct transport_answer){.why = answers[0].why};
}

const struct transport_driver transport_autoreply = {
    .base =
        {
            .name = STR_INIT("autoreply"),
            .opts = &opts,
            .check = transport_check,
        },
    .place = TRANSPORT_LOCAL,
    .deliver = deliver,
};
