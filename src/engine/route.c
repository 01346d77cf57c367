/* Takes an address through the routers; see route.h. */
#include "engine/route.h"

#include "conf/conf.h"
#include "engine/debug_log.h"
#include "engine/maillog.h"
#include "engine/route_step.h"
#include "mail/address.h"

enum outcome
route_say(struct route_step *s, enum outcome o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(s->r->arena, fmt, ap);
    va_end(ap);
    s->r->why =
        (struct why){.outcome = o, .log = text, .sys_errno = ROUTE_ERRNO_UNKNOWN};
    return o;
}

void
route_panic(struct route_step *s, struct str text)
{
    struct str id = s->r->message == NULL ? STR_NULL : s->r->message->id;
    maillog_line(s->r->engine, MAILLOG_MAIN | MAILLOG_PANIC, id, text);
}

enum vm_status
route_expand(struct route_step *s, struct str text, struct str *out)
{
    enum vm_status st = vm_expand(s->vm, text, out);
    if (st == VM_OK)
        *out = str_dup(s->r->arena, *out);
    return st;
}

enum outcome
route_expand_bool(struct route_step *s, const char *option, const struct opt_xbool *x,
                  bool by_default, bool *out)
{
    struct str value;
    *out = x->on;
    if (!route_has(&x->text))
        return OUT_OK;
    enum vm_status st = route_expand(s, x->text.text, &value);
    if (st == VM_FORCED) {
        *out = by_default;
        return OUT_OK;
    }
    if (st != VM_OK)
        return route_say(s, OUT_DEFER, "failed to expand \"%s\" in %.*s router: %.*s", option,
                         STR_ARG(s->router->name), STR_ARG(vm_error(s->vm)));
    *out = str_ieqz(value, "true") || str_ieqz(value, "yes");
    if (*out || str_ieqz(value, "false") || str_ieqz(value, "no"))
        return OUT_OK;
    return route_say(s, OUT_DEFER,
                     "\"%.*s\" is not a valid value for the \"%s\" option in the %.*s router",
                     STR_ARG(value), option, STR_ARG(s->router->name));
}

/* --- one router --- */

/* What the last router left does not belong to the next. */
static void
start_router(struct route_step *s, size_t at)
{
    struct address *a = s->a;
    s->at = at;
    s->router = s->r->engine->conf->routers.v[at];
    s->g = s->router->generic.fields;
    s->uid = s->gid = -1;
    s->login = s->user_home = STR_NULL;
    a->local_part = s->g->caseful_local_part ? s->as_given : s->lower;
    a->prefix = a->prefix_v = a->suffix = a->suffix_v = STR_NULL;
    a->domain_data = a->local_part_data = STR_NULL;
    a->home = STR_NULL;
    a->local_uid = a->local_gid = -1;
    a->router_name = s->router->name;
    if (a->parent == NULL) {
        a->original_local_part = a->local_part;
        a->original_domain = a->domain;
    }
}

/* Whether a private option of type bool is on (true when the driver has none of that name). */
static bool
own_flag(const struct driver_instance *d, const char *name)
{
    int row = opt_find(d->driver->opts, str_from_cstr(name));
    if (row < 0)
        return true;
    return *(const bool *)((const char *)d->own.fields + d->driver->opts->rows[row].offset);
}

static bool
same_address(const struct route_step *s, const struct address *up)
{
    if (!s->g->caseful_local_part)
        return str_ieq(up->text, s->a->text);
    struct str local_part, other, domain;
    address_split(s->a->text, &local_part, &domain);
    address_split(up->text, &other, &domain);
    return str_eq(local_part, other) && str_ieq(up->domain, s->a->domain);
}

/* An address that came out of this router already, from the same text, would go round for ever. */
static bool
has_been_here(const struct route_step *s)
{
    for (const struct address *up = s->a->parent; up != NULL; up = up->parent) {
        if (up->router == s->router &&
            (!own_flag(s->router, "repeat_use") || same_address(s, up)))
            return true;
    }
    return false;
}

static void
call(struct route_step *s, struct route_result *res)
{
    const struct router_driver *driver = router_driver_of(s->router);
    struct route_up up = route_up_for(s);
    struct route_call c = {
        .arena = s->r->arena,
        .eval = s->eval,
        .vm = s->vm,
        .router = s->router,
        .message = s->r->message,
        .address = s->a,
        .purpose = s->r->purpose,
        .uid = s->uid,
        .gid = s->gid,
        .login = s->login,
        .home = s->a->home,
        .up = &up,
    };
    if (driver->route == NULL) {
        res->outcome = OUT_DEFER;
        res->why.log = str_printf(s->r->arena, "%.*s: this kind of router cannot route yet",
                                  STR_ARG(s->router->name));
        return;
    }
    driver->route(&c, res);
    if (str_is_set(res->mail)) {
        struct route_mail mail = {.text = res->mail, .to = res->mail_to};
        vec_push(s->r->arena, &s->r->mails, mail);
    }
}

/* Preconditions, then the driver. OUT_DECLINE with *ran false: the router was skipped. */
static enum outcome
run_router(struct route_step *s, struct route_result *res, bool *ran)
{
    *ran = false;
    debug_log_say(s->r->engine, DEBUG_ROUTE, "router %.*s for %.*s", STR_ARG(s->router->name),
                  STR_ARG(s->a->text));
    if (has_been_here(s))
        return OUT_DECLINE;
    enum outcome o = route_check(s);
    if (o != OUT_OK)
        return o;
    *ran = true;
    o = route_data(s);
    if (o == OUT_OK && router_driver_of(s->router)->needs_user)
        o = route_set_user(s);
    if (o != OUT_OK)
        return o;
    call(s, res);
    s->r->why = res->why;
    s->r->why.outcome = res->outcome;
    if (res->outcome == OUT_DEFER && res->why.sys_errno == 0)
        s->r->why.sys_errno = ROUTE_ERRNO_UNKNOWN;
    return res->outcome;
}

/* --- the way --- */

static void
trace_router(struct route_step *s, enum outcome o, bool ran)
{
    static const char *const words[] = {
        [OUT_OK] = "accepted",    [OUT_DECLINE] = "declined", [OUT_PASS] = "passed on",
        [OUT_DEFER] = "deferred", [OUT_FAIL] = "failed",      [OUT_ERROR] = "failed to work",
    };
    debug_log_say(s->r->engine, DEBUG_ROUTE, "router %.*s: %s%s%.*s", STR_ARG(s->router->name),
                  ran || o != OUT_DECLINE ? words[o] : "not for this address",
                  s->r->why.log.n > 0 ? ": " : "", STR_ARG(s->r->why.log));
}

static size_t
index_of(const struct conf *c, const struct driver_instance *d)
{
    size_t i = 0;
    while (d != NULL && i < c->routers.n && c->routers.v[i] != d)
        i++;
    return d == NULL ? 0 : i;
}

/* No router took it: the text of the last one that saw it. */
static enum route_end
unrouteable(struct route_step *s)
{
    struct str text = STR_LIT("Unrouteable address"), own;
    if (str_is_set(s->declined))
        text = s->declined;
    if (s->router != NULL && route_has(&s->g->cannot_route_message)) {
        enum vm_status st = route_expand(s, s->g->cannot_route_message.text, &own);
        if (st == VM_OK)
            text = own;
        else if (st != VM_FORCED)
            route_panic(s, str_printf(s->r->arena,
                                      "failed to expand cannot_route_message in %.*s router: "
                                      "%.*s",
                                      STR_ARG(s->router->name), STR_ARG(vm_error(s->vm))));
    }
    s->a->router = NULL;
    s->r->why = (struct why){.outcome = OUT_FAIL, .peer = text, .log = text};
    if (str_is_set(s->declined) && str_eq(text, s->declined))
        s->r->why.peer = str_is_set(s->declined_peer) ? s->declined_peer : STR_EMPTY;
    return ROUTE_FAILED;
}

/* fail_verify makes a failure of what the router accepts. */
static bool
fails_check(const struct route_step *s)
{
    const bool *fail = s->g->fail_verify;
    return (s->r->purpose == ROUTE_FOR_RECIPIENT_CHECK && fail[0]) ||
           (s->r->purpose == ROUTE_FOR_SENDER_CHECK && fail[1]);
}

static enum route_end
accepted(struct route_step *s, struct route_result *res)
{
    s->a->router = s->router;
    s->a->routes_by_local_part = s->g->retry_use_local_part;
    if (fails_check(s)) {
        (void)route_say(s, OUT_FAIL, "%.*s router forced verify failure",
                        STR_ARG(s->router->name));
        return ROUTE_FAILED;
    }
    return route_accept(s, res);
}

/* Where the address goes after a router that did not accept it. SIZE_MAX: nowhere. */
static size_t
next_router(struct route_step *s, size_t at, enum outcome o, bool ran, bool *deferred)
{
    const struct conf *c = s->r->engine->conf;
    bool more = true;
    *deferred = false;
    if (o == OUT_PASS && str_is_set(s->g->pass_router))
        return index_of(c, conf_router(c, s->g->pass_router));
    if (o == OUT_DECLINE && ran) {
        *deferred = route_expand_bool(s, "more", &s->g->more, true, &more) != OUT_OK;
    }
    return more ? at + 1 : SIZE_MAX;
}

static enum route_end
walk(struct route_step *s)
{
    const struct conf *c = s->r->engine->conf;
    for (size_t at = index_of(c, s->a->start); at < c->routers.n;) {
        struct route_result res = {.outcome = OUT_DECLINE};
        bool ran, deferred;
        start_router(s, at);
        enum outcome o = run_router(s, &res, &ran);
        trace_router(s, o, ran);
        if (o == OUT_OK)
            return accepted(s, &res);
        if (o == OUT_DEFER || o == OUT_ERROR || o == OUT_FAIL) {
            s->a->router = s->router;
            s->r->freeze = res.freeze;
            route_take_children(s, &res);
            return o == OUT_FAIL ? ROUTE_FAILED : ROUTE_DEFERRED;
        }
        if (ran) {
            s->declined = o == OUT_DECLINE ? res.why.log : STR_NULL;
            s->declined_peer = o == OUT_DECLINE ? res.why.peer : STR_NULL;
        }
        at = next_router(s, at, o, ran, &deferred);
        if (deferred)
            return ROUTE_DEFERRED;
    }
    return unrouteable(s);
}

enum route_end
route_address(struct routing *r, struct address *a)
{
    struct engine *e = r->engine;
    struct route_step s = {.r = r, .eval = e->eval, .vm = e->vm, .a = a};
    struct address *before = e->eval->address;
    struct map *vars_before = e->eval->router_vars;
    struct message *message_before = e->eval->message;
    struct arena_mark mark = arena_mark(vm_scratch(e->vm));
    r->why = (struct why){.outcome = OUT_OK};
    r->freeze = false;
    struct str local_part, domain;
    address_split(a->text, &local_part, &domain);
    s.as_given = str_tainted(address_unquote_local_part(r->arena, local_part));
    s.lower = str_lower(r->arena, s.as_given);
    e->eval->address = a;
    e->eval->router_vars = a->router_vars;
    if (r->message != NULL)
        e->eval->message = r->message;
    enum route_end end = walk(&s);
    e->eval->address = before;
    e->eval->router_vars = vars_before;
    e->eval->message = message_before;
    e->eval->fatal = STR_NULL; /* it was logged, and the address is deferred */
    vm_release(e->vm, mark);
    return end;
}
