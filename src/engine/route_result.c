/* What an accepting router means for the address: its transport or its children, and what the generic options add. Source:
 * specification, chapter "Generic options for routers". */
#include "engine/route_step.h"

#include "base/buf.h"
#include "base/strlist.h"
#include "conf/conf.h"

/* --- options that go with the address --- */

static enum outcome
set_errors_to(struct route_step *s)
{
    struct str value;
    if (!route_has(&s->g->errors_to))
        return OUT_OK;
    enum outcome o = route_expand(s, "errors_to", s->g->errors_to.text, &value);
    if (o == OUT_OK)
        s->a->errors_to = value;
    return o == OUT_DECLINE ? OUT_OK : o;
}

static enum outcome
add_headers(struct route_step *s)
{
    if (!route_has(&s->g->headers_add))
        return OUT_OK;
    struct buf b = buf_in(s->r->arena, 0);
    if (str_is_set(s->a->headers_add))
        buf_adds(&b, s->a->headers_add);
    struct strlist_split split = strlist_split_start(s->g->headers_add.text, '\n');
    struct str item, text;
    while (strlist_split_next(&split, s->r->arena, &item)) {
        enum outcome o = route_expand(s, "headers_add", item, &text);
        if (o == OUT_DEFER)
            return o;
        if (o == OUT_DECLINE || text.n == 0)
            continue;
        buf_adds(&b, text);
        if (text.p[text.n - 1] != '\n')
            buf_addc(&b, '\n');
    }
    if (b.n > 0)
        s->a->headers_add = buf_str(&b);
    return OUT_OK;
}

static enum outcome
remove_headers(struct route_step *s)
{
    if (!route_has(&s->g->headers_remove))
        return OUT_OK;
    struct buf b = buf_in(s->r->arena, 0);
    bool first = true;
    if (str_is_set(s->a->headers_remove)) {
        buf_adds(&b, s->a->headers_remove);
        first = false;
    }
    struct strlist_split split = strlist_split_start(s->g->headers_remove.text, ':');
    struct str item, text;
    while (strlist_split_next(&split, s->r->arena, &item)) {
        enum outcome o = route_expand(s, "headers_remove", item, &text);
        if (o == OUT_DEFER)
            return o;
        if (o == OUT_DECLINE || text.n == 0)
            continue;
        strlist_append(&b, text, ':', first);
        first = false;
    }
    if (b.n > 0)
        s->a->headers_remove = buf_str(&b);
    return OUT_OK;
}

static bool
is_for_delivery(const struct route_step *s)
{
    return s->r->purpose == ROUTE_FOR_DELIVERY || s->r->purpose == ROUTE_FOR_TEST;
}

static enum outcome
set_transport(struct route_step *s, const struct route_result *res)
{
    struct str name;
    s->a->transport = res->transport;
    if (res->transport != NULL || !route_has(&s->g->transport))
        return OUT_OK;
    enum outcome o = route_expand(s, "transport", s->g->transport.text, &name);
    if (o == OUT_DECLINE)
        return route_say(s, OUT_DEFER,
                         "failed to expand \"%.*s\" in %.*s router: forced failure",
                         STR_ARG(s->g->transport.text), STR_ARG(s->router->name));
    if (o != OUT_OK)
        return o;
    s->a->transport = conf_transport(s->r->engine->conf, name);
    if (s->a->transport == NULL)
        return route_say(s, OUT_DEFER, "unable to find transport \"%.*s\" in %.*s router",
                         STR_ARG(name), STR_ARG(s->router->name));
    return OUT_OK;
}

/* --- transport --- */

/* $home of the transport: its own option wins later. */
static void
set_homes(struct route_step *s)
{
    struct address *a = s->a;
    const struct router_generic *g = s->g;
    if (route_has(&g->transport_home_directory))
        a->home = g->transport_home_directory.text;
    else if (str_is_set(s->user_home))
        a->home = s->user_home;
    a->current_directory = g->transport_current_directory.text;
}

static void
set_identity(struct route_step *s, struct address *a)
{
    a->local_uid = s->uid;
    a->local_gid = s->gid;
    a->identity_set = s->uid >= 0;
    a->initgroups = s->g->initgroups;
}

static enum route_end
deliver(struct route_step *s, struct route_result *res)
{
    struct address *a = s->a;
    enum outcome o = set_transport(s, res);
    if (o == OUT_OK)
        o = route_set_user(s);
    if (o != OUT_OK)
        return ROUTE_DEFERRED;
    set_homes(s);
    set_identity(s, a);
    a->hosts = res->hosts;
    a->log_as_local = s->g->log_as_local;
    a->dsn_lasthop = s->g->dsn_lasthop;
    if (a->transport != NULL)
        a->transport_name = a->transport->name;
    address_vec_push(s->r->arena, &s->r->deliver, a);
    return ROUTE_DELIVER;
}

/* --- children --- */

static void
adopt(struct route_step *s, struct address *child, const struct driver_instance *start)
{
    route_adopt(s->a, child);
    if (child->item == ADDRESS_ITEM_MAIL) {
        child->start = start;
        address_vec_push(s->r->arena, &s->r->again, child);
        return;
    }
    child->router = s->router;
    child->router_name = s->router->name;
    set_identity(s, child);
    child->home = s->a->home;
    child->current_directory = s->a->current_directory;
    if (child->transport != NULL)
        child->transport_name = child->transport->name;
    address_vec_push(s->r->arena, &s->r->deliver, child);
}

static enum route_end
redirect(struct route_step *s, struct route_result *res)
{
    const struct driver_instance *start = NULL;
    if (str_is_set(s->g->redirect_router))
        start = conf_router(s->r->engine->conf, s->g->redirect_router);
    if (route_set_user(s) != OUT_OK)
        return ROUTE_DEFERRED;
    set_homes(s);
    for (size_t i = 0; i < res->children.n; i++)
        adopt(s, res->children.v[i], start);
    return res->children.n == 0 ? ROUTE_DISCARDED : ROUTE_REDIRECTED;
}

enum route_end
route_accept(struct route_step *s, struct route_result *res)
{
    enum outcome o = OUT_OK;
    s->a->disable_logging = s->g->disable_logging;
    if (is_for_delivery(s)) {
        o = set_errors_to(s);
        if (o == OUT_OK)
            o = add_headers(s);
        if (o == OUT_OK)
            o = remove_headers(s);
    }
    if (o != OUT_OK)
        return ROUTE_DEFERRED;
    return res->children.n > 0 || res->discard || res->discard_seen ? redirect(s, res)
                                                                    : deliver(s, res);
}
