/* A message comes in; see receive.h.
 *
 * Order: header, envelope, fix-ups, body into the spool file, checks, commit, log. Until the commit nothing exists that a
 * crash could leave behind as a message; whatever fails before removes the body file again.
 */
#include "acl/acl_state.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/num.h"
#include "conf/main_options.h"
#include "engine/cutthrough.h"
#include "engine/debug_log.h"
#include "engine/dkim_verify.h"
#include "engine/peer.h"
#include "engine/receive_state.h"
#include "engine/spool_held.h"
#include "engine/spool_model.h"
#include "filter/vm.h"
#include "mail/dkim_headers.h"
#include "scanners/scan_message.h"

#include <errno.h>
#include <unistd.h>

bool
receive_refuse(struct receiving *r, enum receive_fault fault, int code, struct str peer,
               struct str log)
{
    struct receive_result *out = r->out;
    out->end = RECEIVE_REFUSED;
    out->fault = fault;
    out->why = (struct why){.outcome = code / 100 == 4 ? OUT_DEFER : OUT_FAIL,
                            .smtp_code = code,
                            .peer = peer,
                            .log = log,
                            .sys_errno = errno};
    return false;
}

/* --- identity --- */

/* localhost_number. */
static int
host_number(struct receiving *r)
{
    struct str setting = r->e->conf->main->localhost_number.text, text;
    struct arena_mark mark = arena_mark(vm_scratch(r->e->vm));
    uint64_t n = MESSAGE_ID_HOST_MAX + 1;
    if (str_is_set(setting) && vm_expand(r->e->vm, setting, &text) == VM_OK)
        (void)num_parse_digits(str_trim(text), &n);
    vm_release(r->e->vm, mark);
    return n <= MESSAGE_ID_HOST_MAX ? (int)n : MESSAGE_ID_HOST_NONE;
}

static void
make_id(struct receiving *r)
{
    clock_gettime(CLOCK_REALTIME, &r->started);
    r->id_source = (struct message_id_source){
        .now = r->started,
        .pid = (uint64_t)getpid(),
        .host = host_number(r),
        .form = r->e->conf->main->short_message_ids ? MESSAGE_ID_OLD : MESSAGE_ID_NEW,
    };
    if (r->e->ids != NULL)
        message_id_clock_next(r->e->ids, &r->id_source);
    struct message_id id = message_id_make(&r->id_source);
    r->m->id = str_dup(r->a, message_id_str(&id));
    r->started = r->id_source.now;
    r->m->received_time = r->started.tv_sec;
    r->m->received_time_us = r->started.tv_nsec / 1000;
}

/* --- caps --- */

/* message_size_limit; false: it does not expand to a size. */
static bool
size_limit(struct receiving *r, int64_t *limit)
{
    struct str setting = r->e->conf->main->message_size_limit.text, text;
    struct arena_mark mark = arena_mark(vm_scratch(r->e->vm));
    *limit = 0;
    if (!str_is_set(setting))
        return true;
    bool expanded = vm_expand(r->e->vm, setting, &text) == VM_OK, ok = expanded;
    struct str why = expanded ? STR_NULL : vm_error(r->e->vm);
    if (expanded) {
        enum num_status st = num_parse_int(text, limit);
        ok = st == NUM_OK;
        why = ok ? STR_NULL : num_int_error(r->a, st, text);
    }
    if (!ok)
        (void)receive_refuse(
            r, RECEIVE_FAULT_CONFIG, 451, STR_NULL,
            str_printf(r->a, "unable to expand message_size_limit: %.*s", STR_ARG(why)));
    vm_release(r->e->vm, mark);
    return ok;
}

static bool
set_caps(struct receiving *r)
{
    const struct conf_main *c = r->e->conf->main;
    if (r->rq->own)
        return true;
    r->text.caps.header = c->header_maxsize;
    r->text.caps.header_line = c->header_line_maxsize;
    return size_limit(r, &r->text.caps.message);
}

/* Who sends, for the log. */
static struct str
sender_text(const struct receiving *r)
{
    if (r->s->sender_host_address.n > 0)
        return peer_text(r->a, r->e, false);
    return r->s->sender_ident;
}

/* "H=name [address] U=ident", or nothing. */
static struct str
host_text(const struct receiving *r)
{
    struct str host = r->s->sender_fullhost, ident = r->s->sender_ident;
    if (host.n == 0)
        return STR_EMPTY;
    return str_printf(r->a, "H=%.*s%s%.*s", STR_ARG(host), ident.n > 0 ? " U=" : "",
                      STR_ARG(ident));
}

/* The input ended early or was too large. Always false. */
static bool
end_badly(struct receiving *r, enum receive_text_end end)
{
    struct str who = sender_text(r);
    switch (end) {
    case RECEIVE_TEXT_HEADER_BIG:
        return receive_refuse(r, RECEIVE_FAULT_HEADER_BIG, 552,
                              STR_LIT("Message header is ridiculously long"),
                              str_printf(r->a,
                                         "ridiculously long message header received from %.*s "
                                         "(more than %lld characters): message abandoned",
                                         STR_ARG(who), (long long)r->text.caps.header));
    case RECEIVE_TEXT_LINE_BIG:
        return receive_refuse(r, RECEIVE_FAULT_LINE_BIG, 552,
                              STR_LIT("A message header line is too long"),
                              str_printf(r->a,
                                         "overlong message header line received from %.*s "
                                         "(more than %lld characters): message abandoned",
                                         STR_ARG(who), (long long)r->text.caps.header_line));
    case RECEIVE_TEXT_BIG:
        r->out->limit = r->text.caps.message;
        return receive_refuse(
            r, RECEIVE_FAULT_SIZE, 552, STR_LIT("Message size exceeds maximum permitted"),
            str_printf(r->a, "rejected from <%.*s>%s%.*s: message too big: read=%lld max=%lld",
                       STR_ARG(r->m->sender), " ", STR_ARG(peer_text(r->a, r->e, true)),
                       (long long)r->text.caps.message + 1, (long long)r->text.caps.message));
    case RECEIVE_TEXT_LINE_END:
        return receive_refuse(
            r, RECEIVE_FAULT_LINE_END, 552, STR_LIT("Message header not CRLF terminated"),
            str_printf(r->a,
                       "rejected from <%.*s> %.*s: Non-CRLF-terminated header, under CHUNKING: "
                       "message abandoned",
                       STR_ARG(r->m->sender), STR_ARG(host_text(r))));
    case RECEIVE_TEXT_NO_WRITE:
        return false;
    case RECEIVE_TEXT_CUT_OFF:
    case RECEIVE_TEXT_NO_READ:
        r->out->end = RECEIVE_LOST;
        r->out->why = (struct why){.outcome = OUT_FAIL,
                                   .sys_errno = end == RECEIVE_TEXT_NO_READ ? errno : 0};
        return false;
    case RECEIVE_TEXT_MORE:
    case RECEIVE_TEXT_BODY:
    case RECEIVE_TEXT_OVER:
        break;
    }
    return true;
}

/* --- header --- */

uint64_t
receive_recipients_max(struct engine *e)
{
    struct str setting = e->conf->main->recipients_max.text, text;
    struct arena_mark mark = arena_mark(vm_scratch(e->vm));
    uint64_t most = 0;
    if (str_is_set(setting) && vm_expand(e->vm, setting, &text) == VM_OK)
        (void)num_parse_digits(str_trim(text), &most);
    vm_release(e->vm, mark);
    return most;
}

static bool
too_many_recipients(struct receiving *r)
{
    uint64_t most = receive_recipients_max(r->e);
    return most > 0 && r->m->recipients.n > most;
}

/* ARC is asked about later, when lines may have been rewritten or taken out. */
static void
keep_lines(struct receiving *r)
{
    if (r->rq->smtp &&
        header_list_find(r->m->headers, STR_LIT("ARC-Message-Signature"), 0) != STR_NPOS)
        r->m->arrived = dkim_headers_new(r->a, r->m->headers, DKIM_LINES_ALL);
}

/* Messages that come by SMTP are verified, unless an ACL said otherwise. */
static void
start_dkim(struct receiving *r)
{
    const struct acl_message *acl = r->m->acl;
    if (r->rq->smtp && (acl == NULL || !acl->dkim_disable_verify))
        r->dkim = dkim_check_start(r->e, r->a);
}

static bool
read_header(struct receiving *r)
{
    enum receive_text_end end = receive_header_read(r);
    if (r->rq->extract_recipients && end != RECEIVE_TEXT_CUT_OFF && end != RECEIVE_TEXT_NO_READ)
        receive_header_recipients(r);
    if (!end_badly(r, end))
        return false;
    keep_lines(r); /* of the header as it was sent */
    start_dkim(r);
    return receive_fixup(r);
}

/* --- body --- */

static bool
spool_refusal(struct receiving *r, const struct spool_fault *f)
{
    errno = f->sys_errno;
    (void)receive_refuse(r, RECEIVE_FAULT_IO, 451, STR_LIT("Error while writing spool file"),
                         str_dup(r->a, str_from_cstr(f->text)));
    maillog_line(r->e, MAILLOG_MAIN | MAILLOG_PANIC, r->m->id, r->out->why.log);
    return false;
}

/* The body goes on in a file. */
static bool
put_body(void *ctx, const char *p, size_t n)
{
    struct receiving *r = ctx;
    struct durable_fault d;
    struct spool_fault f;
    if (r->lane && receive_lane_put_body(r, p, n))
        return true;
    if (!receive_leave_lane(r))
        return false;
    if (durable_append(r->e->calls, r->entry.body, r->entry.id.text, str_from(p, n), &d))
        return true;
    (void)spool_system_fault(&f, &d);
    return spool_refusal(r, &f);
}

/* What is read of the body. */
static bool
take_body(void *ctx, const char *p, size_t n)
{
    struct receiving *r = ctx;
    if (r->dkim != NULL)
        dkim_check_feed(r->dkim, p, n);
    return put_body(r, p, n);
}

static bool
create(struct receiving *r)
{
    struct spool_place place = engine_place(r->e);
    struct spool_fault f;
    struct message_id id;
    if (r->m->queue_name.n > 0)
        place.queue = str_cstr(r->a, r->m->queue_name);
    (void)message_id_parse(r->m->id, &id);
    enum spool_result result = spool_create(&place, r->e->calls, &id, &r->entry, &f);
    if (result != SPOOL_OK)
        return spool_refusal(r, &f);
    r->created = true;
    r->m->body_fd = r->entry.body;
    r->m->body_start = r->entry.body_start;
    return true;
}

bool
receive_leave_lane(struct receiving *r)
{
    struct str body = buf_str(&r->body);
    if (!r->lane)
        return true;
    r->lane = false;
    r->m->body_text = STR_EMPTY;
    return create(r) && (body.n == 0 || put_body(r, body.p, body.n));
}

/* Bytes of the message as it is now: visible header lines, the empty line, the body. */
static int64_t
message_size(const struct receiving *r)
{
    int64_t n = 1 + r->text.body_size;
    for (size_t i = 0; i < r->m->headers->n; i++) {
        if (r->m->headers->v[i].type != HEADER_TYPE_DELETED)
            n += r->m->headers->v[i].text.n;
    }
    return n;
}

static void
take_figures(struct receiving *r)
{
    struct message *m = r->m;
    m->body_size = r->text.body_size;
    /* Nobody counts the lines of a message that is kept as it came. */
    bool counted = !r->e->conf->main->spool_wireformat || r->rq->framing != RECEIVE_CHUNKS;
    m->body_lines = counted ? r->text.body_lines : 0;
    m->body_zeros = r->text.body_zeros;
    m->max_received_line = r->text.max_line;
    /* The line that ends a header counts, also when it is the first of the body. */
    m->lines = r->text.header_lines + r->text.body_lines + (r->body_first.n > 0);
    m->size = r->text.header_size + r->text.body_size;
    r->out->wire_size = m->size + m->lines;
}

static bool
read_body(struct receiving *r)
{
    if (receive_lane_wants(r))
        receive_lane_start(r);
    else if (!create(r))
        return false;
    int64_t longest = r->text.max_line; /* of the header */
    r->text.max_line = 0;
    r->text.put = take_body;
    r->text.put_ctx = r;
    r->out->in_body = true;
    enum receive_text_end end = receive_text_body(&r->text, r->body_first);
    r->body_longest = r->text.max_line;
    if (r->text.max_line < longest)
        r->text.max_line = longest;
    take_figures(r);
    return end_badly(r, end);
}

/* --- -t --- */

static enum receive_fault
envelope_fault(struct receiving *r)
{
    if (r->m->recipients.n > 0 && too_many_recipients(r))
        return RECEIVE_FAULT_RECIPIENTS;
    if (r->out->bad.n > 0)
        return RECEIVE_FAULT_ADDRESSES;
    if (r->m->recipients.n > 0)
        return RECEIVE_FAULT_NONE;
    return r->all_removed ? RECEIVE_FAULT_ALL_REMOVED : RECEIVE_FAULT_NO_RECIPIENTS;
}

/* Now that the message is there to be copied: what was wrong with the addresses in its header. */
static bool
check_envelope(struct receiving *r)
{
    enum receive_fault fault =
        r->rq->extract_recipients ? envelope_fault(r) : RECEIVE_FAULT_NONE;
    if (fault == RECEIVE_FAULT_NONE)
        return true;
    if (fault != RECEIVE_FAULT_RECIPIENTS)
        maillog(r->e, MAILLOG_MAIN | MAILLOG_PANIC, r->m->id, "%.*s %s found in headers",
                STR_ARG(r->m->id),
                fault == RECEIVE_FAULT_ADDRESSES ? "bad addresses" : "no recipients");
    if (fault == RECEIVE_FAULT_ADDRESSES && r->m->recipients.n > 0 && r->rq->report_by_mail) {
        receive_tell_sender(r, fault);
        return true;
    }
    (void)receive_refuse(r, fault, 550, STR_NULL, STR_NULL);
    if (r->m->recipients.n == 0 && fault != RECEIVE_FAULT_ADDRESSES)
        r->out->end = RECEIVE_NO_RECIPIENTS;
    return false;
}

void
receive_tell_sender(struct receiving *r, enum receive_fault fault)
{
    bool header = fault == RECEIVE_FAULT_HEADER_BIG || fault == RECEIVE_FAULT_LINE_BIG;
    struct receive_report c = {
        .fault = fault,
        .to = r->m->sender,
        .id = header ? STR_NULL : r->m->id,
        .reference = r->rq->reference,
        .message_id = header ? STR_NULL : receive_log_message_id(r),
        .bad = r->out->bad.v,
        .bad_n = r->out->bad.n,
        .others = r->m->recipients.n > 0,
        .limit = fault == RECEIVE_FAULT_HEADER_BIG ? r->text.caps.header
                 : header                          ? r->text.caps.header_line
                                                   : r->text.caps.message,
        .why = fault == RECEIVE_FAULT_ACL || fault == RECEIVE_FAULT_LOCAL_SCAN
                   ? r->out->why.peer
                   : STR_NULL,
        .headers = r->m->headers,
        .received_index = receive_fixup_find_received(r),
        .partial = header ? r->partial : STR_EMPTY,
        .body_fd = r->created ? r->entry.body : -1,
        .body_start = r->created ? (int64_t)r->entry.body_start : 0,
        .arena = r->a,
    };
    struct str id;
    if (header)
        c.text = receive_text_rest(&r->text, r->a, RECEIVE_REPORT_TITLE_LIMIT);
    r->out->reported = receive_report_by_mail(r->e, &c, &id);
    if (r->out->reported)
        vec_push(r->a, &r->out->own, id);
}

/* --- commit --- */

static void
add_acl_variables(struct receiving *r, const struct map *m, bool of_message,
                  struct spool_header *h)
{
    for (size_t i = 0; m != NULL && i < map_count(m); i++) {
        const struct map_entry *one = map_at(m, i);
        const struct str *value = one->value;
        struct spool_acl_variable v = {.of_message = of_message,
                                       .name = str_sub(one->key, 1, one->key.n),
                                       .value = *value};
        vec_push(r->a, &h->acl_variables, v);
    }
}

static void
fill_header(struct receiving *r, struct spool_header *h)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    spool_header_init(h);
    (void)spool_model_store(r->a, r->m, r->s, h);
    if (!r->rq->own)
        debug_log_store(r->a, r->e, h);
    h->login = r->rq->login;
    h->warning_count = 0;
    h->received_complete_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    h->local = r->rq->local && !r->rq->own && !(r->sender_given && r->e->caller.trusted);
    h->localerror = r->rq->own && r->m->sender.n == 0;
    h->allow_unqualified_sender = r->rq->unqualified_sender;
    h->allow_unqualified_recipient = r->rq->unqualified_recipient;
    h->sender_set_untrusted = r->sender_untrusted;
    h->dont_deliver = r->e->dont_deliver;
    h->first_delivery = true;
    if (r->out->frozen)
        h->frozen_time = now.tv_sec;
    for (size_t i = 0; i < r->removed.n; i++)
        (void)spool_tree_add(r->a, &h->done, r->removed.v[i]);
    add_acl_variables(r, r->e->eval->acl_c, false, h);
    add_acl_variables(r, r->e->eval->acl_m, true, h);
}

/* The message is accepted and thrown away. */
static void
discard(struct receiving *r)
{
    const struct acl_message *acl = r->m->acl;
    bool known = acl != NULL && str_is_set(acl->discarded_by);
    struct str by = str_is_set(r->discarded_by) ? r->discarded_by
                    : known                     ? acl->discarded_by
                                                : STR_LIT("RCPT ACL");
    receive_log_arrival(r);
    maillog(r->e, MAILLOG_MAIN, r->m->id, "=> blackhole (%.*s discarded recipients)%s%.*s",
            STR_ARG(by), r->discard_why.n > 0 ? ": " : "", STR_ARG(r->discard_why));
    maillog(r->e, MAILLOG_MAIN, r->m->id, "Completed");
    r->out->end = RECEIVE_DISCARDED;
}

/* Into the queue; what has to be noted elsewhere first is noted while the message is held. */
static enum spool_result
put_into_queue(struct receiving *r, const struct spool_header *h, struct spool_fault *f)
{
    if (r->lane) {
        enum spool_result lane = receive_lane_commit(r, h, f);
        if (lane != SPOOL_ABSENT)
            return lane;
        *f = (struct spool_fault){.text = "the message has no place in the spool"};
        if (!receive_leave_lane(r))
            return SPOOL_ERROR;
    }
    if (r->rq->held == NULL)
        return spool_commit(r->a, &r->entry, h, f);
    enum spool_result result = spool_commit_held(r->a, &r->entry, h, f);
    if (result != SPOOL_OK)
        return result;
    if (r->rq->held(r->rq->held_ctx, r->m->id))
        return spool_show(&r->entry, f);
    spool_drop(&r->entry);
    *f = (struct spool_fault){.text = "it could not be noted in the message that it is about"};
    return SPOOL_ERROR;
}

static bool
commit(struct receiving *r)
{
    struct spool_header h;
    struct spool_fault f;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (!receive_fixup_received(r, now.tv_sec))
        return false;
    r->m->size = r->out->size = message_size(r);
    if (r->m->recipients.n == 0) {
        discard(r);
        return true;
    }
    fill_header(r, &h);
    enum spool_result result = put_into_queue(r, &h, &f);
    if (result != SPOOL_OK) {
        spool_close(&r->entry);
        r->created = false;
        return spool_refusal(r, &f);
    }
    r->out->end = RECEIVE_ACCEPTED;
    r->out->queue_only = r->rq->queue_only || r->out->queue_only;
    receive_log_arrival(r);
    receive_policy_log(r);
    return true;
}

/* The lines of the logs for a message that is refused because of its size. */
static void
log_refusal(struct receiving *r)
{
    struct str text = r->out->why.log;
    enum receive_fault fault = r->out->fault;
    if (r->out->end != RECEIVE_REFUSED || !str_is_set(text))
        return;
    if (fault == RECEIVE_FAULT_HEADER_BIG || fault == RECEIVE_FAULT_LINE_BIG)
        maillog_line(r->e, MAILLOG_MAIN, STR_NULL, text);
    else if (fault == RECEIVE_FAULT_LINE_END)
        maillog_reject(r->e, MAILLOG_MAIN, STR_NULL, text);
    else if (fault == RECEIVE_FAULT_CONFIG)
        maillog_line(r->e, MAILLOG_MAIN | MAILLOG_PANIC,
                     !str_is_set(r->received) ? STR_NULL : r->m->id, text);
    else if (fault == RECEIVE_FAULT_SIZE && maillog_selected(r->e, LOG_SELECTOR_SIZE_REJECT)) {
        struct header_list all = *r->m->headers; /* ours is not shown */
        size_t at = receive_fixup_find_received(r);
        if (at == 0)
            *r->m->headers = (struct header_list){.v = all.v + 1, .n = all.n - 1};
        maillog_reject(r->e, MAILLOG_MAIN, r->m->id, text);
        *r->m->headers = all;
    }
}

static void
end(struct receiving *r)
{
    scan_message_end(r->m, r->m->acl != NULL && r->m->acl->no_mbox_unspool);
    if (r->created) {
        if (r->out->end != RECEIVE_ACCEPTED)
            spool_abandon(&r->entry);
        spool_close(&r->entry);
    }
    r->m->body_fd = -1;
    r->created = false;
    /* What is still to come of a message that was not wanted is not the next command. */
    if (r->rq->smtp && r->out->end != RECEIVE_LOST)
        (void)receive_text_drain(&r->text);
    if (r->e->ids == NULL)
        message_id_wait(&r->id_source);
}

/* True: it goes to the spool. */
static bool
decide(struct receiving *r)
{
    cutthrough_prepare(r);
    if (!receive_policy_end(r) || !receive_scan(r))
        return false;
    r->m->size = r->out->size = message_size(r);
    return cutthrough_send(r);
}

void
receive_message(struct engine *e, const struct receive_request *rq, struct receive_result *out)
{
    struct receiving r = {
        .e = e,
        .rq = rq,
        .out = out,
        .m = rq->message,
        .s = rq->session,
        .a = rq->message->arena,
        .sender_given = rq->sender_given,
        .sender_untrusted = rq->sender_untrusted,
        .original_sender = rq->message->sender,
        .body_first = STR_EMPTY,
    };
    *out = (struct receive_result){.end = RECEIVE_REFUSED};
    struct message *outer_message = e->eval->message;
    struct session *outer_session = e->eval->session;
    e->eval->message = r.m;
    e->eval->session = r.s;
    e->eval->fatal = STR_NULL; /* of an earlier evaluation */
    r.m->headers = ARENA_NEW(r.a, struct header_list);
    r.m->body_fd = -1;
    if (!str_is_set(r.m->received_protocol))
        r.m->received_protocol = STR_LIT("local");
    /* What an untrusted user says in MAIL does not count. */
    if (rq->local && !rq->own && !rq->sender_given && r.m->sender.n > 0)
        r.m->sender = r.original_sender = receive_fixup_own_address(&r);
    receive_policy_start(&r);
    make_id(&r);
    receive_text_start(&r.text, r.a, rq->framing, &rq->source);
    for (size_t i = 0; i < r.m->recipients.n; i++)
        vec_push(r.a, &r.to, i < rq->given_n ? rq->given[i] : r.m->recipients.v[i].address);
    if (set_caps(&r) && read_header(&r) && read_body(&r) && check_envelope(&r) && decide(&r))
        (void)commit(&r);
    log_refusal(&r);
    if (out->end != RECEIVE_ACCEPTED && out->fault != RECEIVE_FAULT_NONE &&
        out->fault != RECEIVE_FAULT_CONFIG && rq->report_by_mail)
        receive_tell_sender(&r, out->fault);
    end(&r);
    e->eval->message = outer_message;
    e->eval->session = outer_session;
}
