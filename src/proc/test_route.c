/* -bt and -bv; see test_route.h. The words and the layout are Exim's, since scripts read them. */
#include "proc/test_route.h"

#include "base/map.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "engine/rewrite.h"
#include "engine/route_verify.h"
#include "mail/why_errno.h"
#include "proc/context.h"
#include "proc/engine_start.h"
#include "transports/transport.h"

#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 }; /* of an address on the standard input; more is cut off */

/* The exit status, worst last. */
enum { ALL_GOOD = 0, SOME_UNKNOWN = 1, SOME_FAILED = 2 };

struct test {
    struct mode *m;
    struct engine *engine;
    enum route_purpose purpose;
    bool full; /* every address that comes out is shown */
    int status;
    struct map *seen; /* what was shown */
    struct str typed; /* the address that is tested */
};

static void
worsen(struct test *t, int status)
{
    if (t->status < status)
        t->status = status;
}

/* --- one that could not be routed --- */

static const char *
fail_words(const struct test *t)
{
    return t->purpose == ROUTE_FOR_TEST ? "is undeliverable" : "failed to verify";
}

static void
print_ancestors(const struct address *a)
{
    for (const struct address *up = a->parent; up != NULL; up = up->parent)
        printf("\n    <-- %.*s", STR_ARG(up->text));
}

/* Details may hold passwords of databases: only an admin user sees them. */
static void
print_fate(struct test *t, const struct address *a, const struct why *why, bool failed)
{
    struct str text = str_is_set(why->log) ? why->log : why->peer;
    printf("%.*s %s", STR_ARG(a->text),
           failed ? fail_words(t) : "cannot be resolved at this time");
    if (str_is_set(text) && t->m->admin)
        printf(": %.*s", STR_ARG(text));
    if (t->full)
        print_ancestors(a);
    printf("\n");
    worsen(t, failed ? SOME_FAILED : SOME_UNKNOWN);
}

/* --- one that was routed --- */

enum { ADDRESS_WIDTH_MIN = 7 };

static void
print_hosts(const struct address *a)
{
    int name_n = 0, address_n = ADDRESS_WIDTH_MIN;
    for (size_t i = 0; i < a->hosts.n; i++) {
        const struct host_target *h = &a->hosts.v[i];
        name_n = (int)h->name.n > name_n ? (int)h->name.n : name_n;
        address_n = (int)h->address.n > address_n ? (int)h->address.n : address_n;
    }
    for (size_t i = 0; i < a->hosts.n; i++) {
        const struct host_target *h = &a->hosts.v[i];
        printf("  host %-*.*s ", name_n, STR_ARG(h->name));
        if (str_is_set(h->address))
            printf("[%.*s]%*s", STR_ARG(h->address), address_n - (int)h->address.n, "");
        else
            printf("%*s", address_n + 2, "");
        if (h->preference >= 0)
            printf(" MX=%d", (int)h->preference);
        if (h->port != 0)
            printf(" port=%d", (int)h->port);
        if (h->dnssec)
            printf(" AD");
        printf("\n");
    }
}

static void
print_item(struct test *t, const struct address *a)
{
    if (a->answer != NULL && a->answer->why.outcome == OUT_FAIL) {
        printf("%.*s -> %.*s *** forbidden ***\n", STR_ARG(a->parent->text), STR_ARG(a->text));
        return;
    }
    if (a->answer != NULL && a->answer->why.outcome == OUT_DEFER &&
        a->answer->why.sys_errno != WHY_NO_TRANSPORT) {
        print_fate(t, a, &a->answer->why, false);
        return;
    }
    bool reply = a->item == ADDRESS_ITEM_REPLY;
    printf("%.*s -> %s%.*s", STR_ARG(a->parent->text), reply ? "mail " : "",
           STR_ARG(str_sub(a->text, reply, a->text.n)));
    if (a->answer != NULL && a->answer->why.outcome == OUT_FAIL)
        printf(" *** forbidden ***\n");
    else if (a->answer != NULL)
        printf("\n*** Error in setting up pipe, file, or autoreply:\n%.*s\n",
               STR_ARG(a->answer->why.log));
    else
        printf("\n  transport = %.*s\n", STR_ARG(a->transport->name));
}

/* An address that was typed is compared as it was written, one that came out of it with its domain in small letters. */
static bool
was_seen(struct test *t, const struct address *a)
{
    struct str name = t->typed;
    if (a->parent != NULL)
        name = str_cat(t->m->arena, str_sub(a->text, 0, a->text.n - a->domain.n), a->domain);
    if (a->parent != NULL && a->parent->router == a->router) /* of an unseen router */
        name = str_printf(t->m->arena, "%.*s/%.*s",
                          STR_ARG(a->parent->parent == NULL ? t->typed : name),
                          STR_ARG(a->router->name));
    bool seen = map_has(t->seen, name);
    map_set(t->seen, name, t);
    return seen;
}

static void
print_routed(struct test *t, const struct address *a)
{
    printf("%.*s%s", STR_ARG(a->text),
           was_seen(t, a) ? "   [duplicate, would not be delivered]" : "");
    print_ancestors(a);
    printf("\n  router = %.*s, ", STR_ARG(a->router->name));
    if (a->transport == NULL)
        printf("transport = unset\n");
    else
        printf("transport = %.*s\n", STR_ARG(a->transport->name));
    if (a->transport != NULL)
        print_hosts(a);
}

static void
route_one(struct test *t, struct routing *r, struct address *a)
{
    switch (route_address(r, a)) {
    case ROUTE_DELIVER:
    case ROUTE_REDIRECTED:
        break;
    case ROUTE_DISCARDED:
        printf("mail to %.*s is discarded\n", STR_ARG(a->text));
        break;
    case ROUTE_FAILED:
        print_fate(t, a, &r->why, true);
        break;
    case ROUTE_DEFERRED:
        print_fate(t, a, &r->why, false);
        break;
    }
}

/* What is made of an address comes before what is next to it; what was routed is shown at the end, the last first. */
static void
route_all(struct test *t, struct routing *r, struct address *first)
{
    struct address_vec waiting = {NULL, 0, 0};
    address_vec_push(r->arena, &waiting, first);
    while (waiting.n > 0) {
        struct address *a = waiting.v[--waiting.n];
        if (a->item != ADDRESS_ITEM_MAIL) {
            print_item(t, a);
            continue;
        }
        r->again.n = 0;
        route_one(t, r, a);
        for (size_t i = r->again.n; i > 0; i--)
            address_vec_push(r->arena, &waiting, r->again.v[i - 1]);
    }
    for (size_t i = r->deliver.n; i > 0; i--)
        print_routed(t, r->deliver.v[i - 1]);
}

static void
verify(struct test *t, struct routing *r, struct address *a)
{
    enum outcome o = route_verify(r, a, 0);
    if (o == OUT_OK)
        printf("%.*s verified\n", STR_ARG(a->text));
    else
        print_fate(t, a, &r->why, o == OUT_FAIL);
}

/* The address as reception would take it: complete and rewritten. */
static bool
take_address(struct test *t, struct str text, struct address **a)
{
    const struct conf_main *c = t->engine->conf->main;
    bool sender = t->purpose == ROUTE_FOR_SENDER_CHECK;
    struct str fault, before;
    if (!route_parse_address(t->m->arena, t->engine, text,
                             sender ? c->qualify_domain : c->qualify_recipient, a, &fault)) {
        printf("syntax error: %.*s\n", STR_ARG(fault));
        return false;
    }
    before = (*a)->text;
    struct str after = route_rewrite(t->engine, t->m->arena,
                                     sender ? REWRITE_ENV_FROM : REWRITE_ENV_TO, before);
    if (!str_eq(before, after)) {
        printf("Address rewritten as: %.*s\n", STR_ARG(after));
        *a = route_envelope_address(t->m->arena, after, 0);
    }
    return true;
}

static void
test_address(struct test *t, struct str text)
{
    struct address *a;
    struct routing r = {.engine = t->engine,
                        .message = t->m->eval->message,
                        .purpose = t->purpose,
                        .arena = t->m->arena};
    t->typed = text = str_trim(text);
    if (text.n == 0)
        return;
    if (!take_address(t, text, &a))
        worsen(t, SOME_FAILED);
    else if (t->full)
        route_all(t, &r, a);
    else
        verify(t, &r, a);
    (void)fflush(stdout);
}

/* Lines of the standard input, with a prompt. */
static void
test_input(struct test *t)
{
    char line[LINE_MAX_BYTES];
    for (;;) {
        printf("> ");
        (void)fflush(stdout);
        if (fgets(line, sizeof line, stdin) == NULL)
            break;
        test_address(t, str_dup(t->m->arena, str_tainted(str_from_cstr(line))));
    }
    printf("\n");
}

static int
run(struct mode *m, enum route_purpose purpose)
{
    struct test t = {.m = m, .purpose = purpose, .status = ALL_GOOD};
    t.seen = map_new(m->arena, MAP_CASEFUL);
    t.full = purpose == ROUTE_FOR_TEST || m->cli->verbose || m->cli->debug;
    if (!context_fill(m))
        return 1;
    t.engine = engine_start(m);
    if (t.engine == NULL)
        return 1;
    t.engine->log_to_stderr = true;
    if (m->cli->args.n == 0)
        test_input(&t);
    for (size_t i = 0; i < m->cli->args.n; i++)
        test_address(&t, m->cli->args.v[i]);
    return t.status;
}

int
test_route_run(struct mode *m)
{
    return run(m, ROUTE_FOR_TEST);
}

int
test_verify_run(struct mode *m)
{
    bool sender = cli_has(m->cli, "-bvs");
    return run(m, sender ? ROUTE_FOR_SENDER_CHECK : ROUTE_FOR_RECIPIENT_CHECK);
}
