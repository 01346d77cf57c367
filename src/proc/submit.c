/* A message on the standard input; see submit.h.
 *
 * Who calls decides what may be claimed: only trusted users say who sends and where the message came from. Source:
 * specification, "Trusted and admin users", options -bm, -f, -oM, -t.
 */
#include "proc/submit.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "conf/conf.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "engine/receive.h"
#include "engine/spool_space.h"
#include "filter/vm.h"
#include "mail/address.h"
#include "proc/context.h"
#include "proc/engine_start.h"
#include "proc/info.h"
#include "proc/queueing.h"
#include "proc/reception.h"
#include "proc/submit_client.h"
#include "sys/await.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How errors are told. */
enum report_style { REPORT_STDERR, REPORT_MAIL, REPORT_MAIL_QUIETLY /* exit status 0 */ };

struct submission {
    struct mode *mode;
    struct engine *e;
    struct arena *a;
    struct session *s;
    struct message *m;
    struct submitter who;
    struct receive_request rq;
    struct reception *r;
    enum report_style style;
    int status;            /* of the process */
    VEC(struct str) given; /* recipients as they were given */
    int64_t deadline_ms;   /* of the whole input; 0: none */
};

static bool
given(const struct submission *k, const char *option)
{
    return cli_has(k->mode->cli, option);
}

/* --- input --- */

static ssize_t
get_input(void *ctx, char *p, size_t n)
{
    const struct submission *k = ctx;
    if (k->deadline_ms > 0) {
        struct pollfd one = {.fd = STDIN_FILENO, .events = POLLIN};
        int64_t left = k->deadline_ms - await_now_ms();
        int ready = left <= 0 ? 0 : poll(&one, 1, left > 60000 ? 60000 : (int)left);
        while (ready == 0 && (left = k->deadline_ms - await_now_ms()) > 0)
            ready = poll(&one, 1, left > 60000 ? 60000 : (int)left);
        if (ready == 0)
            errno = ETIMEDOUT;
        if (ready <= 0)
            return -1;
    }
    return read(STDIN_FILENO, p, n);
}

/* --- who sends --- */

/* -f. False: it is no address, which was reported. */
static bool
take_sender(struct submission *k)
{
    struct str own = address_qualify(k->a, k->who.login, k->e->conf->main->qualify_domain);
    struct str wanted = k->mode->cli->sender;
    struct address_parts p = {.text = STR_EMPTY};
    k->m->sender = own;
    if (!str_is_set(wanted))
        return true;
    if (wanted.n > 0 && !context_parse_sender(k->mode, wanted, &p))
        return false;
    struct str sender = address_qualify(k->a, p.text, k->e->conf->main->qualify_domain);
    bool allowed = k->mode->trusted || sender.n == 0 || receive_may_send_as(k->e, sender);
    if (!allowed)
        return true;
    k->m->sender = str_tainted(sender.n > 0 ? sender : STR_EMPTY);
    k->rq.sender_given = true;
    k->rq.sender_untrusted = !k->mode->trusted;
    if (k->mode->trusted && !given(k, "-oMai"))
        k->s->authenticated_id = STR_NULL;
    if (k->mode->trusted && !given(k, "-oMas"))
        k->m->authenticated_sender = STR_NULL;
    return true;
}

/* --- errors --- */

/* The last -oe option wins. */
static enum report_style
report_style(const struct cli *cli)
{
    enum report_style style = REPORT_MAIL;
    for (size_t i = 0; i < cli->settings.n; i++) {
        const struct cli_setting *one = &cli->settings.v[i];
        char kind = '\0';
        if (strncmp(one->row->name, "-oe", 3) == 0)
            kind = one->row->name[3];
        else if (strcmp(one->row->name, "-e") == 0 && one->value.n > 0)
            kind = one->value.p[0];
        if (kind == 'e')
            style = REPORT_MAIL_QUIETLY;
        else if (kind == 'm' || kind == 'w')
            style = REPORT_MAIL;
        else if (kind != '\0')
            style = REPORT_STDERR;
    }
    return style;
}

static int
failure_status(const struct submission *k, bool reported, bool no_recipients)
{
    if (k->style == REPORT_STDERR)
        return 1;
    if (reported)
        return k->style == REPORT_MAIL_QUIETLY ? 0 : 1;
    return no_recipients ? 2 : 1;
}

/* Messages to senders are delivered at once unless everything waits. */
static void
deliver_own(const struct submission *k, struct str id)
{
    if (!k->e->conf->main->queue_only && !k->e->conf->main->mua_wrapper)
        reception_deliver(k->r, id, STR_NULL, RECEPTION_BACKGROUND);
}

/* The text that was to be the message, for a copy. */
static struct str
rest_of_input(struct submission *k)
{
    int64_t limit = k->e->conf->main->bounce_return_size_limit;
    size_t most = limit > 0 ? (size_t)limit : RECEIVE_REPORT_COPY_MAX;
    struct buf b = buf_in(k->a, most);
    char block[4096];
    ssize_t n;
    while (!b.overflow && (n = get_input(k, block, sizeof block)) > 0)
        buf_add(&b, block, (size_t)n < most - b.n ? (size_t)n : most - b.n);
    return b.n > 0 ? buf_str(&b) : STR_EMPTY;
}

/* Something is wrong before the message is even read. Always false; k->status is set. */
static bool
fail_early(struct submission *k, enum receive_fault fault,
           const struct receive_bad_address *bad)
{
    struct str id;
    bool reported = false;
    if (k->style != REPORT_STDERR) {
        struct receive_report c = {
            .fault = fault,
            .to = k->m->sender,
            .bad = bad,
            .bad_n = bad != NULL ? 1 : 0,
            .received_index = STR_NPOS,
            .text = rest_of_input(k),
            .body_fd = -1,
            .arena = k->e->arena,
        };
        reported = receive_report_by_mail(k->e, &c, &id);
        if (reported)
            deliver_own(k, id);
    } else if (bad != NULL) {
        (void)fprintf(stderr, "%s: bad recipient address \"%.*s\": %.*s\n",
                      k->mode->cli->program, STR_ARG(bad->address), STR_ARG(bad->reason));
    } else {
        (void)fprintf(stderr, "%s: too many recipients\n", k->mode->cli->program);
    }
    k->status = failure_status(k, reported, false);
    return false;
}

/* --- recipients --- */

static bool
has_high_byte(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] > 127)
            return true;
    }
    return false;
}

static bool
add_recipient(struct submission *k, enum address_status st, const struct address_parts *p,
              struct str item)
{
    if (st == ADDRESS_EMPTY)
        return true;
    struct receive_bad_address bad = {.address = item, .reason = p->error};
    bool good = st == ADDRESS_OK;
    if (good && p->domain == 0 && !k->rq.unqualified_recipient) {
        bad.reason = STR_LIT("unqualified recipient address not allowed");
        good = false;
    }
    if (!good)
        return fail_early(k, RECEIVE_FAULT_ADDRESS, &bad);
    k->m->smtputf8 = k->m->smtputf8 || has_high_byte(p->text);
    struct recipient one = {.address = str_tainted(address_qualify(
                                k->a, p->text, k->e->conf->main->qualify_recipient))};
    vec_push(k->a, &k->m->recipients, one);
    vec_push(k->a, &k->given, p->text);
    return true;
}

static unsigned
address_flags(const struct submission *k)
{
    const struct conf_main *c = k->e->conf->main;
    return ADDRESS_LITERAL | (c->strip_trailing_dot ? (unsigned)ADDRESS_STRIP_DOT : 0u) |
           (c->strip_excess_angle_brackets ? (unsigned)ADDRESS_STRIP_ANGLES : 0u) |
           (c->allow_utf8_domains || c->smtputf8_advertise_hosts.text.n > 0
                ? (unsigned)ADDRESS_UTF8_DOMAIN
                : 0u);
}

static bool
take_recipients(struct submission *k)
{
    const struct cli *cli = k->mode->cli;
    uint64_t most = receive_recipients_max(k->e);
    for (size_t i = 0; i < cli->args.n; i++) {
        struct address_list l = address_list_start(cli->args.v[i], address_flags(k));
        enum address_status st;
        struct address_parts p;
        struct str item;
        while (address_list_next(&l, k->a, &st, &p, &item)) {
            if (!add_recipient(k, st, &p, item))
                return false;
            if (most > 0 && k->m->recipients.n > most && !k->rq.extract_recipients)
                return fail_early(k, RECEIVE_FAULT_RECIPIENTS, NULL);
        }
    }
    return true;
}

/* --- the message --- */

static void
fill_models(struct submission *k)
{
    struct mode *m = k->mode;
    k->s = ARENA_NEW(k->a, struct session);
    k->m = ARENA_NEW(k->a, struct message);
    k->s->arena = k->m->arena = k->a;
    k->m->body_fd = -1;
    k->m->originator_uid = m->caller.uid;
    k->m->originator_gid = m->caller.gid;
    k->who = context_submitter(m);
    k->s->sender_ident = k->who.login;
    k->s->authenticated_id = k->who.login;
    k->m->authenticated_sender =
        address_qualify(k->a, k->who.login, k->e->conf->main->qualify_domain);
    if (m->trusted)
        context_claims(m, k->s, k->m);
    if (k->s->sender_host_address.n == 0)
        k->s->sender_host_name = STR_NULL;
    m->eval->session = k->s;
    m->eval->message = k->m;
    peer_set_names(k->e, k->s);
}

static void
fill_request(struct submission *k)
{
    bool to_end = given(k, "-i") || given(k, "-oi") || given(k, "-oitrue") || given(k, "-ti");
    bool qualify = !given(k, "-bnq");
    struct str limit = cli_value(k->mode->cli, "-or");
    int64_t seconds = k->e->conf->main->receive_timeout;
    k->rq = (struct receive_request){
        .message = k->m,
        .session = k->s,
        .framing = to_end ? RECEIVE_TO_END : RECEIVE_DOT,
        .source = {.get = get_input, .ctx = k},
        .local = k->s->sender_host_address.n == 0,
        .suppress_fixups = given(k, "-G"),
        .extract_recipients = given(k, "-t") || given(k, "-ti"),
        .from_line = true,
        .from_line_sets = !str_is_set(k->mode->cli->sender),
        .unqualified_sender = qualify,
        .unqualified_recipient = qualify,
        .reference = cli_value(k->mode->cli, "-oMm"),
        .login = k->who.login,
        .full_name = k->who.name,
        .claimed_name = cli_value(k->mode->cli, "-F"),
        .report_by_mail = k->style != REPORT_STDERR,
    };
    if (str_is_set(limit))
        (void)num_parse_interval(limit, &seconds);
    k->deadline_ms = seconds > 0 ? await_now_ms() + seconds * 1000 : 0;
}

/* The input ended or took too long in the middle. */
static int
lost(const struct submission *k, const struct receive_result *out)
{
    if (out->why.sys_errno == ETIMEDOUT) {
        maillog(k->e, MAILLOG_MAIN, out->in_body ? k->m->id : STR_NULL,
                "timed out while reading local message");
        (void)fprintf(stderr, "%s: timed out while reading - message abandoned\n",
                      k->mode->cli->program);
    } else {
        (void)fprintf(stderr, "%s: error while reading the message: %s\n",
                      k->mode->cli->program, strerror(out->why.sys_errno));
    }
    return 1;
}

/* What is wrong with a message that was read, on the standard error. */
static void
tell(const struct submission *k, const struct receive_result *out)
{
    const struct conf_main *c = k->e->conf->main;
    struct str why = str_is_set(out->why.peer) ? out->why.peer : out->why.log;
    struct str text = STR_NULL;
    switch ((int)out->fault) {
    case RECEIVE_FAULT_ADDRESSES:
        text = str_printf(k->a, "invalid address%s: ", out->bad.n > 1 ? "es" : "");
        for (size_t i = 0; i < out->bad.n; i++)
            text = str_printf(k->a, "%.*s%s %.*s: %.*s", STR_ARG(text), i > 0 ? "\n " : "",
                              STR_ARG(out->bad.v[i].address), STR_ARG(out->bad.v[i].reason));
        break;
    case RECEIVE_FAULT_NO_RECIPIENTS:
    case RECEIVE_FAULT_ALL_REMOVED:
        text = STR_LIT("no recipients in message");
        break;
    case RECEIVE_FAULT_RECIPIENTS:
        text = STR_LIT("too many recipients");
        break;
    case RECEIVE_FAULT_SIZE:
        text = str_printf(k->a, "message rejected: message too big (max=%lld)",
                          (long long)out->limit);
        break;
    case RECEIVE_FAULT_HEADER_BIG:
        text = str_printf(k->a,
                          "message header longer than %lld characters received: message not "
                          "accepted",
                          (long long)c->header_maxsize);
        break;
    case RECEIVE_FAULT_LINE_BIG:
        text = str_printf(k->a,
                          "message header line longer than %lld characters received: message "
                          "not accepted",
                          (long long)c->header_line_maxsize);
        break;
    case RECEIVE_FAULT_ACL:
    case RECEIVE_FAULT_LOCAL_SCAN:
        text = str_printf(k->a, "message rejected by %s: %.*s",
                          out->fault == RECEIVE_FAULT_ACL ? "non-SMTP ACL" : "local scan code",
                          STR_ARG(why));
        break;
    default:
        text = why;
        break;
    }
    if (text.n > 0)
        (void)fprintf(stderr, "%s: %.*s\n", k->mode->cli->program, STR_ARG(text));
}

static int
judge(struct submission *k, const struct receive_result *out)
{
    for (size_t i = 0; i < out->own.n; i++)
        deliver_own(k, out->own.v[i]);
    if (out->end == RECEIVE_ACCEPTED) {
        enum reception_delivery when = queueing_choose_for(k->mode, k->e, k->m->id);
        if (out->route_only && when != RECEPTION_QUEUE)
            when = RECEPTION_ROUTE;
        if (!out->queue_only && !out->frozen)
            reception_deliver(k->r, k->m->id, k->m->queue_name, when);
        return k->r->failed ? 1 : 0;
    }
    if (out->end == RECEIVE_DISCARDED)
        return 1; /* as the reference */
    if (out->end == RECEIVE_LOST)
        return lost(k, out);
    if (k->style == REPORT_STDERR)
        tell(k, out);
    return failure_status(k, out->reported, out->end == RECEIVE_NO_RECIPIENTS);
}

static int
submit(struct reception *r, void *ctx)
{
    struct mode *m = ctx;
    if (!spool_space_is_enough(r->engine, -1)) {
        (void)fprintf(stderr, "%s: insufficient disk space\n", m->cli->program);
        return 1;
    }
    struct submission k = {.mode = m, .e = r->engine, .r = r, .a = arena_new(), .status = 1};
    k.style = k.e->conf->main->mua_wrapper ? REPORT_STDERR : report_style(m->cli);
    fill_models(&k);
    fill_request(&k);
    if (take_sender(&k) && take_recipients(&k)) {
        struct receive_result out;
        k.rq.given = k.given.v;
        k.rq.given_n = k.given.n;
        receive_message(k.e, &k.rq, &out);
        k.status = judge(&k, &out);
    }
    arena_free(k.a);
    return k.status;
}

int
submit_with(struct mode *m, struct reception *r)
{
    if (m->cli->args.n == 0 && !cli_has(m->cli, "-t") && !cli_has(m->cli, "-ti"))
        return info_usage();
    return submit(r, m);
}

int
submit_run(struct mode *m)
{
    if (m->cli->args.n == 0 && !cli_has(m->cli, "-t") && !cli_has(m->cli, "-ti"))
        return info_usage();
    if (cli_has(m->cli, "-G") && !m->trusted) {
        (void)fprintf(stderr, "%s: permission denied (-G requires a trusted user)\n",
                      m->cli->program);
        return 1;
    }
    if (submit_client_is_needed(m))
        return submit_client_run(m);
    struct engine *e = engine_start(m);
    return e == NULL ? 1 : reception_run(e, submit, m);
}
