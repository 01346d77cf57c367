/* The preconditions of a router, in the documented order. Source: specification, section "Router preconditions". */
#include "engine/route_step.h"

#include "conf/list.h"

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
    enum outcome o = route_expand(s, option, q->list, &q->list);
    if (o == OUT_DECLINE) /* forced failure: as if the option were not there */
        return OUT_OK;
    if (o != OUT_OK)
        return o;
    q->what = str_from_cstr(option);
    o = list_match(s->eval, s->vm, q, &answer);
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
    struct str home;
    enum outcome o =
        route_expand(s, "router_home_directory", s->g->router_home_directory.text, &home);
    if (o == OUT_DEFER)
        return o;
    if (o == OUT_OK) {
        s->a->home = home;
    }
    return OUT_OK;
}

static bool
is_false(struct str s)
{
    return s.n == 0 || str_eqz(s, "0") || str_ieqz(s, "no") || str_ieqz(s, "false");
}

static enum outcome
check_condition(struct route_step *s)
{
    struct str value;
    enum outcome o = route_expand(s, "condition", s->g->condition.text, &value);
    if (o != OUT_OK)
        return o;
    return is_false(str_trim(value)) ? OUT_DECLINE : OUT_OK;
}

/* Expanded and matched only when the option is set. */
static const struct {
    size_t option; /* offset of the struct xstr; 0: always */
    enum outcome (*check)(struct route_step *s);
} checks[] = {
    {offsetof(struct router_generic, domains), check_domains},
    {offsetof(struct router_generic, local_parts), check_local_parts},
    {0, route_local_user},
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
