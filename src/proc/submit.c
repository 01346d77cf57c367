/* A message on the standard input; see submit.h.
 *
 * Who calls decides what may be claimed: only trusted users say who sends and where the message came from. Source:
 * specification, "Trusted and admin users", options -bm, -f, -oM, -t.
 */
#include "proc/submit.h"

#include "base/arena.h"
#include "base/num.h"
#include "conf/conf.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "engine/receive.h"
#include "filter/vm.h"
#include "mail/address.h"
#include "proc/context.h"
#include "proc/engine_start.h"
#include "proc/info.h"
#include "proc/queueing.h"
#include "proc/reception.h"
#include "sys/await.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct submission {
    struct mode *mode;
    struct engine *e;
    struct arena *a;
    struct session *s;
    struct message *m;
    struct submitter who;
    struct receive_request rq;
    int64_t deadline_ms; /* of the whole input; 0: none */
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

/* True if untrusted_set_sender lets anybody use the address. */
static bool
is_permitted(struct submission *k, struct str address)
{
    struct str list;
    struct list_answer answer;
    const struct xstr *setting = &k->e->conf->main->untrusted_set_sender;
    if (!str_is_set(setting->text) || vm_expand(k->e->vm, setting->text, &list) != VM_OK)
        return false;
    const struct list_question q = {
        .kind = LIST_ADDRESS,
        .subject = address,
        .list = list,
        .what = STR_LIT("untrusted_set_sender"),
    };
    return list_match(k->e->eval, k->e->vm, &q, &answer) == OUT_OK;
}

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
    bool allowed = k->mode->trusted || sender.n == 0 || is_permitted(k, sender);
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

/* --- recipients --- */

static bool
add_recipient(struct submission *k, enum address_status st, const struct address_parts *p,
              struct str item)
{
    if (st == ADDRESS_EMPTY)
        return true;
    struct str why = st == ADDRESS_BAD ? p->error : STR_NULL;
    if (st == ADDRESS_OK && p->domain == 0 && !k->rq.unqualified_recipient)
        why = STR_LIT("unqualified recipient address not allowed");
    if (str_is_set(why)) {
        (void)fprintf(stderr, "%s: bad recipient address \"%.*s\": %.*s\n",
                      k->mode->cli->program, STR_ARG(item), STR_ARG(why));
        return false;
    }
    struct recipient one = {.address = str_tainted(address_qualify(
                                k->a, p->text, k->e->conf->main->qualify_recipient))};
    vec_push(k->a, &k->m->recipients, one);
    return true;
}

static bool
take_recipients(struct submission *k)
{
    const struct cli *cli = k->mode->cli;
    for (size_t i = 0; i < cli->args.n; i++) {
        struct address_list l =
            address_list_start(cli->args.v[i], ADDRESS_GROUP | ADDRESS_LITERAL);
        enum address_status st;
        struct address_parts p;
        struct str item;
        while (address_list_next(&l, k->a, &st, &p, &item)) {
            if (!add_recipient(k, st, &p, item))
                return false;
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
    m->eval->session = k->s;
    m->eval->message = k->m;
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
        .local = true,
        .suppress_fixups = given(k, "-G"),
        .extract_recipients = given(k, "-t") || given(k, "-ti"),
        .from_line = true,
        .from_line_sets = k->mode->trusted && !str_is_set(k->mode->cli->sender),
        .unqualified_sender = qualify,
        .unqualified_recipient = qualify,
        .reference = cli_value(k->mode->cli, "-oMm"),
        .login = k->who.login,
        .full_name = k->who.name,
    };
    if (str_is_set(limit))
        (void)num_parse_interval(limit, &seconds);
    k->deadline_ms = seconds > 0 ? await_now_ms() + seconds * 1000 : 0;
}

static int
judge(struct submission *k, struct reception *r, const struct receive_result *out)
{
    if (out->end == RECEIVE_ACCEPTED) {
        enum reception_delivery when = queueing_choose(k->mode, k->e, QUEUEING_LOCAL);
        if (!out->queue_only && !out->frozen)
            reception_deliver(r, k->m->id, k->m->queue_name, when);
        return 0;
    }
    struct str why = str_is_set(out->why.log) ? out->why.log : out->why.peer;
    (void)fprintf(stderr, "%s: %.*s\n", k->mode->cli->program, STR_ARG(why));
    return out->end == RECEIVE_DISCARDED ? 0 : 1;
}

static int
submit(struct reception *r, void *ctx)
{
    struct mode *m = ctx;
    struct submission k = {.mode = m, .e = r->engine, .a = arena_new()};
    fill_models(&k);
    fill_request(&k);
    int status = 1;
    if (take_sender(&k) && take_recipients(&k)) {
        struct receive_result out;
        receive_message(k.e, &k.rq, &out);
        status = judge(&k, r, &out);
    }
    arena_free(k.a);
    return status;
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
    struct engine *e = engine_start(m);
    return e == NULL ? 1 : reception_run(e, submit, m);
}
