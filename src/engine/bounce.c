/* Bounces: tells senders which addresses failed, and why; reports of success (DSN) as well.
 *
 * All failures that are told to the same address go into one message. An address is done when the message that tells of it is in the
 * queue, neither before nor later: one append to the journal of the original decides both (spool_held.h). A bounce that fails itself is frozen. Source: specification, "Permanent delivery failure", "Customizing
 * bounce messages"; RFC 3464.
 */
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "engine/notice_mail.h"
#include "filter/expand.h"
#include "mail/address.h"
#include "sys/file.h"
#include "transports/transport.h"

#include <string.h>

/* --- text --- */

/* Whatever a server says, the bounce has no line that is too long to be sent (RFC 5322 section 2.1.1). */
enum {
    ERROR_MAX = 1024,     /* of what a server said */
    ERROR_LINE_MAX = 255, /* of a line of it, for the reader */
    DIAGNOSTIC_MAX = 928, /* of Diagnostic-Code */
};

/* What the sender is told: never what only the log may say. */
static void
add_error(struct buf *b, const struct address *a)
{
    const struct why *w = &a->answer->why;
    struct str text = str_is_set(w->peer) || a->transport != NULL ? w->peer : w->log;
    if (w->host.n > 0) {
        buf_printf(b, "\n  host %.*s", STR_ARG(w->host));
        if (w->host_ip.n > 0)
            buf_printf(b, " [%.*s]", STR_ARG(w->host_ip));
    }
    text = str_sub(text, 0, ERROR_MAX);
    bool first = true;
    for (size_t at = 0; str_is_set(text) && at < text.n;) {
        size_t nl = str_chr(text, '\n', at);
        nl = nl == STR_NPOS ? text.n : nl;
        bool whole = nl - at <= ERROR_LINE_MAX;
        buf_addz(b, "\n    ");
        buf_adds(b, str_sub(text, at, whole ? nl - at : ERROR_LINE_MAX));
        buf_addz(b, whole ? "" : "[truncated]");
        at = nl + 1;
        first = false;
    }
    if (a->answer->gave_up)
        buf_addz(b, first ? "\n    retry timeout exceeded" : ": retry timeout exceeded");
    buf_addc(b, '\n');
}

/* A long list of failed recipients on lines of its own. */
static void
add_failed_header(struct notice_mail *n, const struct address_vec *told)
{
    bool first = true;
    for (size_t i = told->n; i > 0; i--) {
        struct buf ignored = buf_in(n->d->arena, 0);
        const struct address *a = told->v[i - 1];
        if (!notice_add_address(&ignored, a, " "))
            continue;
        struct str shown =
            a->item == ADDRESS_ITEM_MAIL || a->parent == NULL ? a->text : a->parent->text;
        buf_printf(&n->text, "%s%.*s", first ? "X-Failed-Recipients: " : ",\n  ",
                   STR_ARG(shown));
        first = false;
    }
    if (!first)
        buf_addc(&n->text, '\n');
}

static void
add_introduction(struct notice_mail *n, const struct notice_texts *t)
{
    struct delivery *d = n->d;
    const struct conf_main *c = d->engine->conf->main;
    if (notice_add_item(d, t, 1, &n->text))
        return;
    buf_addz(&n->text, "This message was created automatically by mail delivery software.\n");
    if (str_is_set(c->bounce_message_text))
        buf_adds(&n->text, c->bounce_message_text);
    if (str_eq(d->message->sender, n->to))
        buf_addz(&n->text, "\nA message that you sent could not be delivered to one or more of "
                           "its\nrecipients. This is a permanent error. The following "
                           "address(es) failed:\n");
    else
        buf_printf(&n->text,
                   "\nA message sent by\n\n  <%.*s>\n\ncould not be delivered to one or more "
                   "of its recipients. The following\naddress(es) failed:\n",
                   STR_ARG(d->message->sender));
}

enum { OUTPUT_MAX = 1024 * 1024 }; /* bytes of a pipe's output that a bounce shows */

/* What pipes printed: with a heading that says which. */
static void
add_outputs(struct notice_mail *n, const struct notice_texts *t, const struct address_vec *told)
{
    size_t count = 0;
    for (size_t i = 0; i < told->n; i++)
        count += str_is_set(told->v[i]->answer->output);
    if (count == 0)
        return;
    buf_addc(&n->text, '\n');
    if (!notice_add_item(n->d, t, 2, &n->text))
        buf_printf(&n->text,
                   "The following text was generated during the delivery attempt%s:\n",
                   count > 1 ? "s" : "");
    for (size_t i = told->n; i > 0; i--) {
        const struct address *a = told->v[i - 1];
        struct str output = a->answer->output;
        if (!str_is_set(output))
            continue;
        buf_addz(&n->text, "\n------ ");
        (void)notice_add_address(&n->text, a, "\n       ");
        buf_addz(&n->text, " ------\n\n");
        buf_adds(&n->text, str_sub(output, 0, OUTPUT_MAX));
        if (output.n > 0 && output.p[output.n - 1] != '\n')
            buf_addc(&n->text, '\n');
    }
}

static void
add_remote(struct notice_mail *n, const struct address *a)
{
    const struct why *w = &a->answer->why;
    if (w->host.n == 0)
        return;
    buf_printf(&n->text, "Remote-MTA: dns; %.*s\n", STR_ARG(w->host));
    size_t at = w->smtp_code > 0 ? str_chr(w->peer, '\n', 0) : STR_NPOS;
    if (at == STR_NPOS)
        return;
    buf_addz(&n->text, "Diagnostic-Code: smtp; ");
    size_t end = n->text.n + DIAGNOSTIC_MAX;
    for (at++; at < w->peer.n && n->text.n < end; at++)
        buf_add(&n->text, w->peer.p[at] == '\n' ? "\n " : &w->peer.p[at],
                w->peer.p[at] == '\n' ? 2 : 1);
    buf_addz(&n->text, at < w->peer.n ? "[truncated]\n" : "\n");
}

/* How much of the message goes back. */
static enum notice_copy
choose_copy(const struct delivery *d)
{
    enum { RET_HDRS = 2, COPY_BLOCK = 8192 };
    const struct conf_main *c = d->engine->conf->main;
    if (d->header.dsn_ret == RET_HDRS || !c->bounce_return_body)
        return NOTICE_COPY_HEADERS;
    /* Whole blocks are copied: that much more may go back. */
    int64_t limit = (c->bounce_return_size_limit + COPY_BLOCK - 1) / COPY_BLOCK * COPY_BLOCK;
    if ((limit > 0 && d->message->body_size > limit) ||
        d->message->max_received_line > c->bounce_return_linesize_limit)
        return NOTICE_COPY_HEADERS_LIMITED;
    return NOTICE_COPY_ALL;
}

/* --- errors_copy --- */

/* One item: a pattern and addresses. True if the pattern fits; *to are the addresses, not expanded. */
static bool
copy_item_fits(struct delivery *d, struct str item, struct str recipient, struct str *to)
{
    struct str pattern;
    item = str_trim(item);
    if (item.n > 0 && item.p[0] == '"') {
        size_t end = str_chr(item, '"', 1);
        end = end == STR_NPOS ? item.n : end;
        pattern = str_sub(item, 1, end - 1);
        *to = str_trim(str_sub(item, end + 1, item.n));
    } else {
        size_t end = 0;
        while (end < item.n && !ascii_space(item.p[end]))
            end++;
        pattern = str_sub(item, 0, end);
        *to = str_trim(str_sub(item, end, item.n));
    }
    const struct list_question q = {.kind = LIST_ADDRESS,
                                    .subject = recipient,
                                    .list = pattern,
                                    .what = STR_LIT("errors_copy"),
                                    .captures = true};
    struct list_answer answer;
    return list_match(d->engine->eval, d->engine->vm, &q, &answer) == OUT_OK;
}

static void
add_copies(struct notice_mail *n)
{
    struct delivery *d = n->d;
    struct engine *e = d->engine;
    struct str item, to = STR_NULL, addresses;
    if (!str_is_set(e->conf->main->errors_copy.text))
        return;
    struct strlist_split items = strlist_split_start(e->conf->main->errors_copy.text, ':');
    bool fits = false;
    while (!fits && strlist_split_next(&items, d->arena, &item))
        fits = copy_item_fits(d, item, n->to, &to);
    if (!fits)
        return;
    struct address now = {.local_uid = -1, .local_gid = -1};
    address_split(n->to, &now.local_part, &now.domain);
    struct address *outer = e->eval->address;
    e->eval->address = &now;
    bool ok = vm_expand(e->vm, to, &addresses) == VM_OK;
    e->eval->address = outer;
    if (!ok) {
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL, "Failed to expand errors_copy: %.*s",
                STR_ARG(vm_error(e->vm)));
        return;
    }
    struct address_list l = address_list_start(addresses, ADDRESS_GROUP | ADDRESS_LITERAL);
    enum address_status st;
    struct address_parts p;
    while (address_list_next(&l, d->arena, &st, &p, NULL))
        if (st == ADDRESS_OK)
            vec_push(d->arena, &n->recipients,
                     address_qualify(d->arena, p.text, e->conf->main->qualify_recipient));
}

/* --- one bounce --- */

static bool
send_bounce(struct delivery *d, struct str to, const struct address_vec *told)
{
    struct notice_mail n;
    struct notice_texts t;
    struct engine *e = d->engine;
    notice_start(&n, d, to);
    n.told = told;
    d->message->bounce_recipient = to;
    notice_read_texts(d, &e->conf->main->bounce_message_file, "bounce_message_file", &t);
    add_copies(&n);
    add_failed_header(&n, told);
    notice_add_headers(&n, "auto-replied");
    notice_add_report_headers(&n);
    if (!notice_add_item(d, &t, 0, &n.text))
        buf_printf(&n.text, "Subject: Mail delivery failed%s\n",
                   str_eq(to, d->message->sender) ? ": returning message to sender" : "");
    buf_addc(&n.text, '\n');
    notice_begin_part(&n, "text/plain; charset=us-ascii");
    add_introduction(&n, &t);
    buf_addc(&n.text, '\n');
    for (size_t i = told->n; i > 0; i--) {
        buf_addz(&n.text, "  ");
        if (notice_add_address(&n.text, told->v[i - 1], "\n    "))
            add_error(&n.text, told->v[i - 1]);
        else
            buf_addc(&n.text, '\n');
    }
    add_outputs(&n, &t, told);
    buf_addc(&n.text, '\n');
    notice_begin_report(&n);
    for (size_t i = 0; i < told->n; i++) {
        notice_add_report(&n, told->v[i], "failed", "5.0.0");
        add_remote(&n, told->v[i]);
        buf_addc(&n.text, '\n');
    }
    bool sent = notice_send_with_copy(&n, choose_copy(d));
    d->message->bounce_recipient = STR_NULL;
    return sent;
}

/* --- who is told --- */

/* NOTIFY of the recipient: no failure is to be told. */
static bool
wants_no_failure(const struct address *a)
{
    return (a->dsn_flags & SPOOL_DSN_NEVER) != 0 ||
           (a->dsn_flags != 0 && (a->dsn_flags & SPOOL_DSN_FAILURE) == 0);
}

/* A bounce to nobody that is older than ignore_bounce_errors_after is given up. */
static bool
is_old(const struct delivery *d)
{
    int64_t after = d->engine->conf->main->ignore_bounce_errors_after;
    return (int64_t)d->started.tv_sec - d->message->received_time >= after;
}

static void
forget(struct delivery *d, struct address *a)
{
    struct str line = delivery_message_line(d, a);
    delivery_address_done(d, a);
    delivery_event_failed(d, a);
    if (delivery_is_logged(a))
        maillog(d->engine, MAILLOG_MAIN, d->id, "%.*s: error ignored", STR_ARG(line));
}

/* A bounce that failed would be told to the very address that failed: that has no end. */
static bool
leads_back(const struct delivery *d, const struct address *a)
{
    return d->message->sender.n == 0 && str_is_set(a->errors_to) &&
           str_ieq(a->errors_to, delivery_ancestor(a)->text);
}

/* No one can be told: the message waits for the administrator. */
static void
keep_frozen(struct delivery *d, struct address *a)
{
    d->freeze = true;
    d->freeze_bounce = true;
    for (struct address *p = a; p != NULL; p = p->parent)
        p->waits = true;
    vec_push(d->arena, &d->deferred, a);
}

bool
delivery_ignores_failure(const struct delivery *d, const struct address *a)
{
    bool nobody = notice_errors_address(d, a).n == 0;
    bool hopeless = is_old(d) || a->answer->gave_up || str_is_set(a->errors_to);
    return a->ignore_error || (nobody && hopeless) || leads_back(d, a);
}

/* Those that are not told to anybody are taken out. */
static void
settle_untold(struct delivery *d, struct address_vec *failed)
{
    size_t kept = 0;
    for (size_t i = 0; i < failed->n; i++) {
        struct address *a = failed->v[i];
        if (delivery_ignores_failure(d, a))
            forget(d, a);
        else if (notice_errors_address(d, a).n == 0)
            keep_frozen(d, a);
        else if (wants_no_failure(a))
            delivery_address_done(d, a);
        else
            failed->v[kept++] = a;
    }
    failed->n = kept;
}

bool
delivery_tells_nobody(const struct delivery *d, const struct address *a)
{
    return notice_errors_address(d, a).n == 0 || wants_no_failure(a);
}

void
delivery_bounce(struct delivery *d)
{
    struct address_vec rest = d->failed;
    d->failed = (struct address_vec){NULL, 0, 0};
    settle_untold(d, &rest);
    while (rest.n > 0) {
        struct address_vec told = {NULL, 0, 0};
        struct str to = notice_errors_address(d, rest.v[rest.n - 1]);
        size_t kept = 0;
        for (size_t i = 0; i < rest.n; i++) {
            struct address *a = rest.v[i];
            if (str_eq(notice_errors_address(d, a), to))
                vec_push(d->arena, &told, a);
            else
                rest.v[kept++] = a;
        }
        rest.n = kept;
        bool sent = !d->unsettled && send_bounce(d, to, &told);
        for (size_t i = 0; i < told.n; i++) {
            if (sent)
                delivery_address_done(d, told.v[i]);
            else
                vec_push(d->arena, &d->deferred, told.v[i]); /* told the next time */
        }
    }
}
