/* Traditional .forward files under -bf; see test_forward.h. */
#include "proc/test_forward.h"

#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "mail/address.h"
#include "routers/redirect.h"

#include <stdio.h>

static void
print_child(struct mode *m, const struct redirect_child *c)
{
    const struct conf_main *main = m->conf->main;
    struct str text = c->text;
    if (c->item == ADDRESS_ITEM_MAIL)
        text = address_qualify(
            m->arena, text, c->own_domain ? m->eval->address->domain : main->qualify_recipient);
    printf("  %.*s\n", STR_ARG(text));
}

/* The newest is shown first. */
static void
print_children(struct mode *m, const struct redirect_result *res)
{
    if (res->end == REDIRECT_END_BLACKHOLE)
        printf("%s: forwardfile contains \":blackhole:\"\n", m->cli->program);
    if (res->children.n == 0) {
        printf("%s: no addresses generated from forward file\n", m->cli->program);
        return;
    }
    printf("%s: forward file generated:\n", m->cli->program);
    for (size_t i = res->children.n; i > 0; i--)
        print_child(m, &res->children.v[i - 1]);
}

int
test_forward_run(struct mode *m, struct str text)
{
    static const struct router_redirect options = {.forbid_pipe = false};
    struct redirect_result res = {.end = REDIRECT_END_NONE};
    const struct route_call call = {
        .arena = m->arena,
        .eval = m->eval,
        .vm = m->vm,
        .message = m->eval->message,
        .address = m->eval->address,
        .purpose = ROUTE_FOR_TEST,
        .uid = -1,
        .gid = -1,
    };
    const struct redirection r = {
        .call = &call,
        .o = &options,
        .arena = m->arena,
        .text = str_untaint_by_rule(text, "the file that the caller wants to have tested"),
        .qualify = m->conf->main->qualify_recipient,
    };
    redirect_items(&r, &res);
    if (res.end != REDIRECT_END_BAD) {
        print_children(m, &res);
        return 0;
    }
    printf("%s: error in forward file: %.*s\n", m->cli->program, STR_ARG(res.text));
    return 1;
}
