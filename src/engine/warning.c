/* Warnings about messages that wait, reports of success, and letters about frozen messages. Source: specification,
 * "delay_warning", "Customizing warning messages", "freeze_tell"; RFC 3461. */
#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "engine/notice_mail.h"
#include "filter/expand.h"
#include "mail/address.h"
#include "transports/transport.h"

/* --- success --- */

static bool
wants_success(const struct address *a)
{
    return (delivery_ancestor(a)->dsn_flags & SPOOL_DSN_SUCCESS) != 0;
}

/* RFC 3461: who asked for it is told of good deliveries. A host that speaks DSN itself will tell. */
void
delivery_report_success(struct delivery *d)
{
    struct address_vec told = {NULL, 0, 0};
    for (size_t i = 0; i < d->delivered.n; i++)
        if (wants_success(d->delivered.v[i]) && !d->delivered.v[i]->answer->peer_reports)
            vec_push(d->arena, &told, d->delivered.v[i]);
    if (told.n == 0 || d->message->sender.n == 0)
        return;
    struct notice_mail n;
    notice_start(&n, d, d->message->sender);
    notice_add_headers(&n, "auto-generated");
    buf_addz(&n.text, "Subject: Delivery Status Notification\n");
    notice_add_report_headers(&n);
    buf_addc(&n.text, '\n');
    notice_begin_part(&n, "text/plain; charset=us-ascii");
    buf_addz(&n.text,
             "This message was created automatically by mail delivery software.\n"
             " ----- The following addresses had successful delivery notifications -----\n");
    for (size_t i = 0; i < told.n; i++)
        buf_printf(&n.text, "<%.*s> (relayed %s)\n", STR_ARG(notice_report_address(told.v[i])),
                   told.v[i]->answer->why.host.n > 0 ? "to non DSN-aware mailer"
                                                     : "via non \"Remote SMTP\" router");
    buf_addc(&n.text, '\n');
    notice_begin_report(&n);
    for (size_t i = 0; i < told.n; i++) {
        const struct address *a = told.v[i];
        struct str host = a->answer->why.host;
        notice_add_report(&n, a, "delivered", "2.0.0");
        if (host.n > 0)
            buf_printf(&n.text, "Remote-MTA: dns; %.*s\nDiagnostic-Code: smtp; 250 Ok\n\n",
                       STR_ARG(host));
        else
            buf_addz(&n.text, "Diagnostic-Code: X-Exim; relayed via non SMTP router\n\n");
    }
    (void)notice_send_with_copy(&n, NOTICE_COPY_HEADERS);
}

/* --- delay --- */

/* How many warnings are due after `queued` seconds: the times of the list, then its last interval again and again. */
static int64_t
warnings_due(const struct opt_times *times, int64_t queued)
{
    int64_t due = 0;
    if (times->n == 0 || times->v[times->n - 1] <= 0)
        return 0;
    for (uint32_t i = 0; i < times->n && times->v[i] <= queued; i++)
        due++;
    if (due < (int64_t)times->n)
        return due;
    int64_t last = times->v[times->n - 1];
    int64_t step = times->n > 1 ? last - times->v[times->n - 2] : last;
    return step > 0 ? due + (queued - last) / step : due;
}

static bool
condition_holds(struct delivery *d, const struct address_vec *waiting)
{
    struct engine *e = d->engine;
    struct address now = {.local_uid = -1, .local_gid = -1, .domain = waiting->v[0]->domain};
    struct str value;
    for (size_t i = 1; i < waiting->n; i++)
        if (!str_ieq(waiting->v[i]->domain, now.domain))
            now.domain = STR_EMPTY;
    if (!str_is_set(e->conf->main->delay_warning_condition.text))
        return true;
    struct address *outer = e->eval->address;
    e->eval->address = &now;
    enum vm_status st = vm_expand_x(e->vm, &e->conf->main->delay_warning_condition, &value);
    e->eval->address = outer;
    if (st == VM_OK) {
        value = str_trim(value);
        return value.n > 0 && !str_eqz(value, "0") && !str_ieq(value, STR_LIT("no")) &&
               !str_ieq(value, STR_LIT("false"));
    }
    if (st != VM_FORCED)
        maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, d->id,
                "failed to expand delay_warning_condition: %.*s", STR_ARG(vm_error(e->vm)));
    return false;
}

static bool
wants_delay(const struct address *a)
{
    int64_t flags = delivery_ancestor(a)->dsn_flags;
    return flags == 0 || ((flags & SPOOL_DSN_DELAY) != 0 && (flags & SPOOL_DSN_NEVER) == 0);
}

static void
add_warning_text(struct notice_mail *n, const struct notice_texts *t, struct str delay,
                 bool several)
{
    struct delivery *d = n->d;
    struct str value;
    if (notice_add_item(d, t, 1, &n->text))
        return;
    buf_addz(&n->text, "This message was created automatically by mail delivery software.\n");
    if (str_eq(d->message->sender, n->to))
        buf_addz(&n->text,
                 "A message that you sent has not yet been delivered to one or more of "
                 "its\nrecipients after more than ");
    else
        buf_printf(&n->text,
                   "A message sent by\n\n  <%.*s>\n\nhas not yet been delivered to one or more "
                   "of its recipients after more than \n",
                   STR_ARG(d->message->sender));
    buf_printf(&n->text, "%.*s on the queue on %.*s.\n\nThe message identifier is:     %.*s\n",
               STR_ARG(delay), STR_ARG(d->engine->conf->main->primary_hostname),
               STR_ARG(d->id));
    static const struct {
        const char *text, *expression;
    } fields[] = {{"The subject of the message is: ", "$h_subject:"},
                  {"The date of the message is:    ", "$h_date:"}};
    for (size_t i = 0; i < 2; i++)
        if (vm_expand(d->engine->vm, str_from_cstr(fields[i].expression), &value) == VM_OK &&
            value.n > 0)
            buf_printf(&n->text, "%s%.*s\n", fields[i].text, STR_ARG(value));
    buf_printf(&n->text,
               "\nThe address%s to which the message has not yet been delivered %s:\n",
               several ? "es" : "", several ? "are" : "is");
}

static void
add_waiting(struct notice_mail *n, const struct address_vec *waiting)
{
    buf_addc(&n->text, '\n');
    for (size_t i = waiting->n; i > 0; i--) {
        const struct address *a = waiting->v[i - 1];
        const struct why *w = &a->answer->why;
        buf_addz(&n->text, "  ");
        bool shown = notice_add_address(&n->text, a, "\n    ");
        buf_addc(&n->text, '\n');
        if (!shown)
            continue;
        if (w->host.n > 0)
            buf_printf(&n->text, "    host %.*s [%.*s]\n", STR_ARG(w->host),
                       STR_ARG(w->host_ip));
        struct str text = str_is_set(w->peer) || a->transport != NULL ? w->peer : w->log;
        if (str_is_set(text) && text.n > 0 && a->item == ADDRESS_ITEM_MAIL)
            buf_printf(&n->text, "    Delay reason: %.*s\n", STR_ARG(text));
    }
    buf_addc(&n->text, '\n');
}

static bool
send_warning(struct delivery *d, const struct address_vec *waiting, int64_t queued)
{
    struct notice_mail n;
    struct notice_texts t;
    int64_t minutes = queued / 60;
    struct str to = notice_errors_address(d, waiting->v[waiting->n - 1]);
    struct str delay = minutes > 120
                           ? str_printf(d->arena, "%lld hours", (long long)(minutes / 60))
                           : str_printf(d->arena, "%lld minutes", (long long)minutes);
    notice_start(&n, d, to);
    d->message->warn_delay = delay;
    d->message->warn_recipients = to;
    notice_read_texts(d, &d->engine->conf->main->warn_message_file, "warn_message_file", &t);
    notice_add_headers(&n, "auto-replied");
    notice_add_report_headers(&n);
    if (!notice_add_item(d, &t, 0, &n.text))
        buf_printf(&n.text, "Subject: Warning: message %.*s delayed %.*s\n", STR_ARG(d->id),
                   STR_ARG(delay));
    buf_addc(&n.text, '\n');
    notice_begin_part(&n, "text/plain; charset=us-ascii");
    add_warning_text(&n, &t, delay, waiting->n > 1);
    add_waiting(&n, waiting);
    if (!notice_add_item(d, &t, 2, &n.text))
        buf_addz(&n.text,
                 "No action is required on your part. Delivery attempts will continue for\n"
                 "some time, and this warning may be repeated at intervals if the message\n"
                 "remains undelivered. Eventually the mail delivery software will give up,\n"
                 "and when that happens, the message will be returned to you.\n");
    buf_addc(&n.text, '\n');
    notice_begin_report(&n);
    for (size_t i = waiting->n; i > 0; i--) {
        notice_add_report(&n, waiting->v[i - 1], "delayed", "4.0.0");
        if (waiting->v[i - 1]->answer->why.host.n > 0)
            buf_printf(&n.text, "Remote-MTA: dns; %.*s\n",
                       STR_ARG(waiting->v[i - 1]->answer->why.host));
        buf_addc(&n.text, '\n');
    }
    return notice_send_with_copy(&n, NOTICE_COPY_HEADERS);
}

/* A warning follows an attempt that failed, not one that was not even made. */
static bool
was_tried(const struct address *a)
{
    int number = a->answer->why.sys_errno;
    return number != DELIVERY_ERRNO_ROUTE_RETRY && number != DELIVERY_ERRNO_LOCAL_RETRY &&
           number != DELIVERY_ERRNO_HOST_RETRY;
}

void
delivery_warn(struct delivery *d)
{
    bool tried = false;
    struct address_vec waiting = {NULL, 0, 0};
    int64_t queued = (int64_t)d->started.tv_sec - d->message->received_time;
    int64_t due = warnings_due(&d->engine->conf->main->delay_warning, queued);
    for (size_t i = 0; i < d->deferred.n; i++) {
        tried = tried || was_tried(d->deferred.v[i]);
        if (wants_delay(d->deferred.v[i]))
            vec_push(d->arena, &waiting, d->deferred.v[i]);
    }
    if (waiting.n == 0 || !tried || due <= d->header.warning_count || d->freeze ||
        notice_errors_address(d, waiting.v[waiting.n - 1]).n == 0 ||
        !condition_holds(d, &waiting))
        return;
    if (!send_warning(d, &waiting, queued))
        return;
    d->header.warning_count = due;
    d->changed = true;
}

/* --- frozen --- */

/* freeze_tell: a plain letter to whom it names. Not for messages that are letters of that kind. */
void
delivery_tell_frozen(struct delivery *d)
{
    struct engine *e = d->engine;
    struct str list = e->conf->main->freeze_tell.text;
    if (!str_is_set(list) || str_trim(list).n == 0 || d->header.localerror)
        return;
    struct notice_mail n;
    notice_start(&n, d, list);
    n.recipients.n = 0;
    struct address_list l = address_list_start(list, ADDRESS_GROUP | ADDRESS_LITERAL);
    enum address_status st;
    struct address_parts p;
    while (address_list_next(&l, d->arena, &st, &p, NULL))
        if (st == ADDRESS_OK)
            vec_push(d->arena, &n.recipients,
                     address_qualify(d->arena, p.text, e->conf->main->qualify_recipient));
    notice_add_headers(&n, "auto-replied");
    buf_printf(&n.text,
               "Subject: Message frozen\n\nMessage %.*s has been frozen%.*s\nThe sender is "
               "<%.*s>.\n\n",
               STR_ARG(d->id),
               STR_ARG(str_is_set(d->freeze_tell) ? d->freeze_tell : STR_LIT(".")),
               STR_ARG(d->message->sender));
    buf_addz(&n.text, "The following address(es) have yet to be delivered:\n");
    for (size_t i = d->deferred.n; i > 0; i--) {
        const struct address *a = d->deferred.v[i - 1];
        buf_addz(&n.text, "  ");
        (void)notice_add_address(&n.text, a, "\n    ");
        if (a->answer->why.log.n > 0)
            buf_printf(&n.text, ": %.*s", STR_ARG(a->answer->why.log));
        buf_addc(&n.text, '\n');
    }
    (void)notice_send(&n);
}
