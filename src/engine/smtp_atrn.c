/* ATRN, of a provider: a client that has said who it is gets the mail that waits for its domains, over the connection that it has made.
 * Source: RFC 2645; options acl_smtp_atrn, condition atrn_domains. */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "conf/eval.h"
#include "conf/list.h"
#include "engine/maillog.h"
#include "engine/policy.h"
#include "engine/queue_run.h"
#include "engine/smtp_relay.h"
#include "engine/turned.h"
#include "sys/entropy.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- which domains --- */

static bool
is_domain_name(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if (!ascii_alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '-' && s.p[i] != '_')
            return false;
    return s.n > 0;
}

/* The argument as names in lower case with commas between. False: it has something else in it. */
static bool
read_argument(struct smtp_session *s, struct str *out)
{
    struct strlist_split l = strlist_split_start(s->argument, ',');
    struct buf b = buf_in(s->message_arena, 0);
    struct str item;
    *out = STR_EMPTY;
    if (s->argument.n > 0 && s->argument.p[0] == '<')
        return false;
    while (strlist_split_next(&l, s->message_arena, &item)) {
        if (!is_domain_name(item))
            return false;
        if (b.n > 0)
            buf_addc(&b, ',');
        buf_adds(&b, str_lower(s->message_arena, item));
    }
    if (b.n > 0)
        *out = buf_str(&b);
    return true;
}

static void
add_domain(struct smtp_session *s, struct buf *b, struct str domain)
{
    struct str name = str_lower(s->message_arena, domain);
    if (turned_has_domain(b->n > 0 ? buf_str(b) : STR_EMPTY, name))
        return;
    if (b->n > 0)
        buf_addc(b, ',');
    buf_adds(b, name);
}

/* Those that the client has named; each must be in the list, or it gets nothing. */
static enum outcome
choose_wanted(struct smtp_session *s, struct str list, struct buf *b)
{
    struct strlist_split l = strlist_split_start(s->atrn_wanted, ',');
    struct str item;
    while (strlist_split_next(&l, s->message_arena, &item)) {
        struct list_answer answer;
        const struct list_question q = {.kind = LIST_DOMAIN,
                                        .subject = item,
                                        .host_name = STR_NULL,
                                        .list = list,
                                        .what = STR_LIT("atrn_domains"),
                                        .keep_domain = true};
        enum outcome o = list_match(s->engine->eval, s->engine->vm, &q, &answer);
        if (o != OUT_OK)
            return o;
        add_domain(s, b, item);
    }
    return OUT_OK;
}

/* Without names the client gets all that the list names as such. */
static void
choose_all(struct smtp_session *s, struct str list, struct buf *b)
{
    struct strlist_split l = strlist_split_start(list, ':');
    struct str item;
    while (strlist_split_next(&l, s->message_arena, &item))
        if (is_domain_name(item))
            add_domain(s, b, item);
}

enum outcome
smtp_atrn_domains(void *ctx, struct str list)
{
    struct smtp_session *s = ctx;
    struct buf b = buf_in(s->message_arena, 0);
    enum outcome o = OUT_OK;
    if (s->atrn_wanted.n > 0)
        o = choose_wanted(s, list, &b);
    else
        choose_all(s, list, &b);
    if (o != OUT_OK)
        return o;
    struct str waiting = STR_EMPTY;
    if (b.n > 0)
        waiting = queue_run_waiting(s->engine, s->message_arena, buf_str(&b));
    s->atrn_domains = str_untaint_by_rule(turned_domains_that_travel(waiting), "list match");
    return s->atrn_domains.n > 0 ? OUT_OK : OUT_FAIL;
}

/* --- handing over --- */

static struct str
make_id(struct arena *a)
{
    uint64_t number;
    entropy_fill(&number, sizeof number);
    return str_printf(a, TURNED_MARK "%llx", (unsigned long long)number);
}

/* Gives who delivers a descriptor. */
static bool
give(struct smtp_session *s, int fd)
{
    struct held_connection h;
    struct arena *a = s->message_arena;
    if (s->setup->turn != NULL && turned_pack(a, s->model, make_id(a), s->atrn_domains, fd, &h))
        return s->setup->turn(s->setup->ctx, &h);
    close(fd);
    return false;
}

/* In the clear the socket itself goes. */
static enum smtp_next
turn_clear(struct smtp_session *s)
{
    int fd = fcntl(s->setup->in, F_DUPFD_CLOEXEC, 0);
    if (fd < 0 || !give(s, fd)) {
        smtp_answer(s, "451 Unable to process ATRN request now");
        return SMTP_NEXT_COMMAND;
    }
    smtp_answer(s, "250 ODMR provider turning line around");
    (void)smtp_io_flush(s->io);
    return SMTP_NEXT_CLOSE;
}

/* One end of a pair goes, this process passes on what comes to the other. */
static enum smtp_next
turn_by_relay(struct smtp_session *s)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        pair[0] = pair[1] = -1;
    if (pair[0] < 0 || !give(s, pair[1])) {
        if (pair[0] >= 0)
            close(pair[0]);
        smtp_answer(s, "451 Unable to process ATRN request now");
        return SMTP_NEXT_COMMAND;
    }
    const struct smtp_relay relay = {.in = s->setup->in,
                                     .out = s->setup->out,
                                     .tls = s->engine->eval->tls,
                                     .secure = smtp_io_tls(s->io),
                                     .other = pair[0]};
    smtp_answer(s, "250 ODMR provider turning line around");
    if (smtp_io_flush(s->io))
        smtp_relay(&relay);
    close(pair[0]);
    smtp_io_end_tls(s->io);
    smtp_io_give_up(s->io); /* what the client says within TLS when it goes is heard */
    return SMTP_NEXT_CLOSE;
}

/* --- the verb --- */

enum smtp_next
smtp_do_atrn(struct smtp_session *s)
{
    struct acl_answer a;
    if (s->sender_given)
        return smtp_refuse(s, SMTP_ERROR_PROTOCOL, 503, STR_NULL,
                           STR_LIT("ATRN is not permitted inside a transaction"));
    if (maillog_selected(s->engine, LOG_SELECTOR_ETRN))
        smtp_log(s, MAILLOG_MAIN, "ATRN '%.*s' received from %.*s", STR_ARG(s->argument),
                 STR_ARG(smtp_peer(s, false)));
    if (s->model->sender_host_authenticated.n == 0)
        return smtp_refuse(s, SMTP_ERROR_PROTOCOL, 530, STR_NULL,
                           STR_LIT("Authentication required"));
    s->atrn_domains = STR_EMPTY;
    if (!read_argument(s, &s->atrn_wanted))
        return smtp_refuse(s, SMTP_ERROR_SYNTAX, 501, STR_NULL,
                           STR_LIT("argument must be names of domains"));
    if (policy_run(s->engine, ACL_PHASE_ATRN, &a) != ACL_ACCEPT)
        return smtp_acl_refusal(s, ACL_PHASE_ATRN, &a);
    if (s->atrn_domains.n == 0) { /* the ACL has not asked for which */
        smtp_answer(s, "453 You have no mail");
        return SMTP_NEXT_COMMAND;
    }
    if (s->test || s->batch) {
        smtp_answer(s, "250 ODMR provider turning line around");
        return SMTP_NEXT_COMMAND;
    }
    smtp_io_discard_input(s->io);
    return s->setup->socket && smtp_io_tls(s->io) == NULL ? turn_clear(s) : turn_by_relay(s);
}
