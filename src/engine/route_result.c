/* What an accepting router means for the address: its transport, or the addresses that replace it, and with `unseen` a clone
 * that goes on. Source: specification, chapter "Generic options for routers". */
#include "conf/conf.h"
#include "engine/rewrite.h"
#include "engine/route_step.h"
#include "mail/address.h"
#include "transports/transport.h"

#include <string.h>

/* --- transport --- */

static enum outcome
no_transport(struct route_step *s, struct str text)
{
    (void)route_say(s, OUT_DEFER, "%.*s", STR_ARG(text));
    s->r->why.sys_errno = ROUTE_ERRNO_TRANSPORT;
    return OUT_DEFER;
}

/* A name that a stranger chose is no name of a transport. */
static enum outcome
refuse_tainted(struct route_step *s, struct str name, struct str text)
{
    route_panic(s, str_printf(s->r->arena,
                              "attempt to use tainted value '%.*s' from '%.*s' for transport",
                              STR_ARG(name), STR_ARG(text)));
    return no_transport(s, STR_LIT("internal configuration error"));
}

enum outcome
route_find_transport(struct route_step *s, const struct driver_instance **out)
{
    struct str name, text = s->g->transport.text;
    *out = NULL;
    if (!str_is_set(text))
        return OUT_OK;
    if (route_expand(s, text, &name) != VM_OK)
        return no_transport(s, str_printf(s->r->arena,
                                          "failed to expand transport \"%.*s\" in %.*s router: "
                                          "%.*s",
                                          STR_ARG(text), STR_ARG(s->router->name),
                                          STR_ARG(vm_error(s->vm))));
    if (str_is_tainted(name))
        return refuse_tainted(s, name, text);
    *out = conf_transport(s->r->engine->conf, name);
    if (*out != NULL)
        return OUT_OK;
    return no_transport(s,
                        str_printf(s->r->arena, "transport \"%.*s\" not found in %.*s router",
                                   STR_ARG(name), STR_ARG(s->router->name)));
}

/* $home of the transport and its working directory, as texts that it expands; its own options win. */
static void
set_homes(struct route_step *s, struct address *a)
{
    const struct router_generic *g = s->g;
    a->transport_home = g->transport_home_directory.text;
    if (str_is_set(s->user_home))
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

static void
set_transport_name(struct address *a)
{
    a->transport_name = a->transport == NULL ? STR_NULL : a->transport->name;
}

/* --- unseen --- */

/* With `unseen` the address itself only is the parent of two: what this router made of it, under the router's name, and the
 * clone. */
static struct address *
split_off(struct route_step *s)
{
    struct address *seen = ARENA_NEW(s->r->arena, struct address);
    *seen = *s->a;
    seen->parent = s->a;
    seen->depth = s->a->depth + 1;
    seen->children = 0;
    seen->key = str_tainted(
        str_printf(s->r->arena, "%.*s/%.*s", STR_ARG(s->a->text), STR_ARG(s->router->name)));
    s->a->children++;
    return seen;
}

/* What goes on has the address's data, but no header edits and no errors_to of this router. It comes before what the router
 * generated (`at` in again). */
static bool
clone_address(struct route_step *s, struct str errors_to, size_t at)
{
    const struct conf *c = s->r->engine->conf;
    if (s->at + 1 >= c->routers.n)
        return false;
    struct address *clone = ARENA_NEW(s->r->arena, struct address);
    clone->text = s->a->text;
    clone->local_uid = clone->local_gid = clone->mode = -1;
    route_adopt(s->a, clone);
    clone->headers_add = clone->headers_remove = STR_NULL;
    clone->errors_to = errors_to;
    clone->disable_logging = false;
    clone->start = c->routers.v[s->at + 1];
    address_vec_push(s->r->arena, &s->r->again, clone);
    struct address_vec *v = &s->r->again;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): items are pointers */
    memmove(&v->v[at + 1], &v->v[at], (v->n - 1 - at) * sizeof *v->v);
    v->v[at] = clone;
    return true;
}

/* --- accepted for a transport --- */

static enum route_end
deliver(struct route_step *s, struct route_result *res, bool unseen)
{
    enum outcome o = OUT_OK;
    s->a->transport = res->transport;
    if (res->transport == NULL)
        o = route_find_transport(s, &s->a->transport);
    if (o == OUT_OK)
        o = route_set_user(s);
    if (o == OUT_OK)
        o = route_translate(s, &res->hosts);
    if (o != OUT_OK)
        return ROUTE_DEFERRED;
    struct address *a = unseen ? split_off(s) : s->a;
    set_homes(s, a);
    set_identity(s, a);
    a->hosts = res->hosts;
    a->log_as_local = s->g->log_as_local;
    a->dsn_lasthop = s->g->dsn_lasthop;
    set_transport_name(a);
    a->copies_routing = res->copies_routing && !unseen && a->transport != NULL &&
                        transport_driver_of(a->transport)->place == TRANSPORT_REMOTE &&
                        !str_is_set(a->headers_add) && !str_is_set(a->headers_remove);
    route_fallback(s, a);
    address_vec_push(s->r->arena, &s->r->deliver, a);
    return ROUTE_DELIVER;
}

/* --- replaced by others --- */

static void
adopt(struct route_step *s, struct address *parent, struct address *child,
      const struct driver_instance *start)
{
    child->local_uid = child->local_gid = -1;
    route_adopt(parent, child);
    if (child->item == ADDRESS_ITEM_MAIL) {
        child->start = start;
    } else {
        child->router = s->router;
        child->router_name = s->router->name;
        set_identity(s, child);
        child->home = parent->home;
        set_homes(s, child);
        set_transport_name(child);
    }
    address_vec_push(s->r->arena, &s->r->again, child);
}

static void
adopt_all(struct route_step *s, struct route_result *res, struct address *parent)
{
    const struct driver_instance *start = NULL;
    if (str_is_set(s->g->redirect_router))
        start = conf_router(s->r->engine->conf, s->g->redirect_router);
    for (size_t i = 0; i < res->children.n; i++) {
        struct address *child = res->children.v[i];
        if (res->rewrite_children && child->item == ADDRESS_ITEM_MAIL)
            child->text = route_rewrite(s->r->engine, s->r->arena, REWRITE_ENV_TO, child->text);
        adopt(s, parent, child, start);
    }
}

static enum route_end
redirect(struct route_step *s, struct route_result *res, bool unseen)
{
    if (route_set_user(s) != OUT_OK)
        return ROUTE_DEFERRED;
    /* what a filter set up in passing stays the address's own */
    adopt_all(s, res, unseen && !res->unseen ? split_off(s) : s->a);
    return res->children.n == 0 ? ROUTE_DISCARDED : ROUTE_REDIRECTED;
}

void
route_take_children(struct route_step *s, struct route_result *res)
{
    struct why why = s->r->why;
    if (res->children.n == 0)
        return;
    if (route_tail(s) == OUT_OK && route_set_user(s) == OUT_OK)
        adopt_all(s, res, s->a);
    s->r->why = why;
}

/* self = reroute: the same local part in another domain. */
static enum route_end
reroute(struct route_step *s, struct route_result *res, bool unseen)
{
    struct address *child = ARENA_NEW(s->r->arena, struct address);
    struct str local_part, domain;
    address_split(s->a->text, &local_part, &domain);
    child->text = str_printf(s->r->arena, "%.*s@%.*s", STR_ARG(local_part),
                             STR_ARG(res->rerouted_domain));
    child->mode = -1;
    if (res->rewrite_headers)
        route_rewrite_headers(s, s->a->domain, res->rerouted_domain);
    adopt(s, unseen ? split_off(s) : s->a, child, NULL);
    return ROUTE_REDIRECTED;
}

static enum route_end
finish(struct route_step *s, struct route_result *res, bool unseen)
{
    if (str_is_set(res->rerouted_domain))
        return reroute(s, res, unseen);
    if (res->children.n > 0 || res->discard || res->discard_seen)
        return redirect(s, res, unseen);
    return deliver(s, res, unseen);
}

enum route_end
route_accept(struct route_step *s, struct route_result *res)
{
    bool unseen;
    struct str errors_to = s->a->errors_to;
    s->a->disable_logging = s->g->disable_logging;
    if (route_expand_bool(s, "unseen", &s->g->unseen, false, &unseen) != OUT_OK ||
        route_tail(s) != OUT_OK)
        return ROUTE_DEFERRED;
    unseen = unseen || res->unseen;
    s->r->discard_seen = res->discard_seen;
    size_t first = s->r->again.n;
    enum route_end end = finish(s, res, unseen);
    if (!unseen || end == ROUTE_DEFERRED)
        return end;
    bool goes_on = clone_address(s, errors_to, first);
    return end == ROUTE_DISCARDED && goes_on ? ROUTE_REDIRECTED : end;
}
