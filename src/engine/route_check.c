/* The preconditions of a router, in the documented order. Source: specification, section "Router preconditions". */
#include "engine/route_step.h"

#include "conf/list.h"

#include <stdio.h>

/* --- for whom it runs --- */

static bool
runs_for_purpose(const struct route_step *s)
{
    const struct router_generic *g = s->g;
    switch (s->r->purpose) {
    case ROUTE_FOR_RECIPIENT_CHECK:
        return g->verify[0];
    case ROUTE_FOR_SENDER_CHECK:
        return g->verify[1];
    case ROUTE_FOR_EXPN:
        return !g->verify_only && g->expn;
    case ROUTE_FOR_TEST:
        return !g->verify_only && g->address_test;
    case ROUTE_FOR_DELIVERY:
        return !g->verify_only;
    }
    return true;
}

/* --- lists --- */

static enum outcome
match(struct route_step *s, const char *option, struct list_question *q, struct str *value)
{
    struct list_answer answer;
    struct str text = q->list;
    enum vm_status st = route_expand(s, text, &q->list);
    if (st == VM_FORCED)
        return OUT_DECLINE;
    enum outcome o = OUT_DEFER;
    if (st == VM_OK) {
        q->what = str_from_cstr(option);
        o = list_match(s->eval, s->vm, q, &answer);
    } else {
        route_panic(s, str_printf(s->r->arena,
                                  "failed to expand \"%.*s\" while checking a list: %.*s",
                                  STR_ARG(text), STR_ARG(vm_error(s->vm))));
    }
    if (o == OUT_DEFER || o == OUT_ERROR)
        return route_say(s, OUT_DEFER, "%s check lookup or other defer", option);
    if (o == OUT_OK && value != NULL)
        *value = str_is_set(answer.value) ? str_dup(s->r->arena, answer.value) : STR_NULL;
    return o == OUT_OK ? OUT_OK : OUT_DECLINE;
}

static enum outcome
check_domains(struct route_step *s)
{
    struct list_question q = {.kind = LIST_DOMAIN,
                              .subject = s->a->domain,
                              .list = s->g->domains.text,
                              .remember = true};
    return match(s, "domains", &q, &s->a->domain_data);
}

static enum outcome
check_local_parts(struct route_step *s)
{
    struct list_question q = {.kind = LIST_LOCALPART,
                              .subject = s->a->local_part,
                              .list = s->g->local_parts.text,
                              .caseful = s->g->caseful_local_part};
    return match(s, "local_parts", &q, &s->a->local_part_data);
}

static enum outcome
check_senders(struct route_step *s)
{
    /* While a sender is verified there is none to test. */
    struct str sender = s->r->message == NULL ? STR_NULL : s->r->message->sender;
    struct list_question q = {.kind = LIST_ADDRESS,
                              .subject = str_is_set(sender) ? sender : str_tainted(STR_EMPTY),
                              .list = s->g->senders.text};
    return match(s, "senders", &q, NULL);
}

/* --- the rest --- */

static enum outcome
check_home(struct route_step *s)
{
    struct str home, text = s->g->router_home_directory.text;
    switch (route_expand(s, text, &home)) {
    case VM_OK:
        s->a->home = home;
        return OUT_OK;
    case VM_FORCED:
        return OUT_OK;
    case VM_NO:
    case VM_DEFER:
    case VM_ERROR:
        break;
    }
    return route_say(s, OUT_DEFER, "failed to expand \"%.*s\" for router_home_directory: %.*s",
                     STR_ARG(text), STR_ARG(vm_error(s->vm)));
}

static bool
is_false(struct str s)
{
    return s.n == 0 || str_eqz(s, "0") || str_ieqz(s, "no") || str_ieqz(s, "false");
}

/* A condition that cannot be expanded is logged, and does not hold. */
static enum outcome
check_condition(struct route_step *s)
{
    struct str value, text = s->g->condition.text;
    enum vm_status st = route_expand(s, text, &value);
    if (st == VM_OK)
        return is_false(str_trim(value)) ? OUT_DECLINE : OUT_OK;
    if (st != VM_FORCED)
        route_panic(s, str_printf(s->r->arena,
                                  "failed to expand condition \"%.*s\" for %.*s router: %.*s",
                                  STR_ARG(text), STR_ARG(s->router->name),
                                  STR_ARG(vm_error(s->vm))));
    return OUT_DECLINE;
}

/* debug_print comes behind the tests of who it is for. */
static enum outcome
debug_print(struct route_step *s)
{
    struct str value, text = s->g->debug_print.text;
    if (s->eval->debug == 0 && s->r->purpose != ROUTE_FOR_TEST)
        return OUT_OK;
    if (route_expand(s, text, &value) != VM_OK)
        value = str_printf(s->r->arena, "failed to expand debug_output \"%.*s\": %.*s",
                           STR_ARG(text), STR_ARG(vm_error(s->vm)));
    bool ended = value.n > 0 && value.p[value.n - 1] == '\n';
    (void)fprintf(stderr, "%.*s%s", STR_ARG(value), ended ? "" : "\n");
    return OUT_OK;
}

/* Expanded and matched only when the option is set. */
static const struct {
    size_t option; /* offset of the struct xstr; 0: always */
    enum outcome (*check)(struct route_step *s);
} checks[] = {
    {offsetof(struct router_generic, domains), check_domains},
    {offsetof(struct router_generic, local_parts), check_local_parts},
    {0, route_local_user},
    {offsetof(struct router_generic, debug_print), debug_print},
    {offsetof(struct router_generic, router_home_directory), check_home},
    {offsetof(struct router_generic, senders), check_senders},
    {offsetof(struct router_generic, require_files), route_files},
    {offsetof(struct router_generic, condition), check_condition},
};

static bool
is_set(const struct router_generic *g, size_t option)
{
    return option == 0 || route_has((const struct xstr *)((const char *)g + option));
}

enum outcome
route_check(struct route_step *s)
{
    enum outcome o = route_affix(s);
    if (o == OUT_OK && !runs_for_purpose(s))
        o = OUT_DECLINE;
    for (size_t i = 0; o == OUT_OK && i < sizeof checks / sizeof *checks; i++) {
        if (is_set(s->g, checks[i].option))
            o = checks[i].check(s);
    }
    return o;
}
