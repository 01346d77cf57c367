/* New addresses of a redirection: qualified, checked against the ancestors, given their transports. Source: specification,
 * section 22.10.
 */
#include "routers/redirect.h"

#include "conf/eval.h"
#include "conf/main_options.h"
#include "mail/address.h"
#include "mail/why_errno.h"
#include "routers/filter_actions.h"
#include "transports/transport.h"

/* What a child is that will never get to a transport. */
static void
refuse(const struct redirection *r, struct address *child, enum outcome outcome, int number,
       struct str text)
{
    child->answer = ARENA_NEW(r->arena, struct transport_answer);
    child->answer->why =
        (struct why){.outcome = outcome, .sys_errno = number, .log = text, .peer = text};
}

/* --- transports of files, pipes and replies --- */

struct kind {
    const char *option;
    const struct xstr *text;
    const char *forbidden; /* NULL: it is not */
};

static struct kind
kind_of(const struct router_redirect *o, enum address_item item)
{
    switch (item) {
    case ADDRESS_ITEM_FILE:
        return (struct kind){"file_transport", &o->file_transport,
                             o->forbid_file ? "delivery to file forbidden" : NULL};
    case ADDRESS_ITEM_DIRECTORY:
        return (struct kind){"directory_transport", &o->directory_transport,
                             o->forbid_file ? "delivery to file forbidden" : NULL};
    case ADDRESS_ITEM_PIPE:
        return (struct kind){"pipe_transport", &o->pipe_transport,
                             o->forbid_pipe ? "delivery to pipe forbidden" : NULL};
    case ADDRESS_ITEM_REPLY:
    case ADDRESS_ITEM_MAIL:
        break;
    }
    return (struct kind){"reply_transport", &o->reply_transport,
                         o->forbid_filter_reply ? "autoreply forbidden" : NULL};
}

/* The transport that the option names; NULL with *fault. */
static const struct driver_instance *
find_transport(const struct redirection *r, const struct kind *k, struct str *fault)
{
    const struct route_call *c = r->call;
    struct str router = c->router->name, name;
    if (!str_is_set(k->text->text)) {
        *fault = str_printf(r->arena, "%s unset in %.*s router", k->option, STR_ARG(router));
        return NULL;
    }
    if (vm_expand_x(c->vm, k->text, &name) != VM_OK) {
        *fault =
            str_printf(r->arena, "failed to expand transport \"%.*s\" in %.*s router: %.*s",
                       STR_ARG(k->text->text), STR_ARG(router), STR_ARG(vm_error(c->vm)));
        return NULL;
    }
    if (str_is_tainted(name)) {
        struct str text = str_printf(
            r->arena, "attempt to use tainted value '%.*s' from '%.*s' for transport",
            STR_ARG(name), STR_ARG(k->text->text));
        c->up->log(c->up->ctx, ROUTE_LOG_BOTH, text);
        *fault = STR_LIT("internal configuration error");
        return NULL;
    }
    const struct driver_instance *t = conf_transport(c->eval->conf, name);
    if (t == NULL)
        *fault = str_printf(r->arena, "transport \"%.*s\" not found in %.*s router",
                            STR_ARG(name), STR_ARG(router));
    return t;
}

static void
set_transport(const struct redirection *r, struct address *child)
{
    struct kind k = kind_of(r->o, child->item);
    struct str fault = STR_NULL;
    child->file = child->item == ADDRESS_ITEM_FILE || child->item == ADDRESS_ITEM_DIRECTORY
                      ? child->text
                      : STR_NULL;
    child->pipe = child->item == ADDRESS_ITEM_PIPE ? child->text : STR_NULL;
    /* the option may look at $address_file and $address_pipe */
    struct address *parent = r->call->address;
    struct str file = parent->file, pipe = parent->pipe;
    parent->file = child->file;
    parent->pipe = child->pipe;
    child->transport = find_transport(r, &k, &fault);
    parent->file = file;
    parent->pipe = pipe;
    if (str_eqz(child->text, FILTER_BAD_REPLY)) {
        child->ignore_error = true;
        refuse(r, child, OUT_FAIL, 0, STR_LIT(FILTER_BAD_REPLY_WHY));
    } else if (k.forbidden != NULL) {
        refuse(r, child, OUT_FAIL, 0, str_from_cstr(k.forbidden));
        child->answer->why.peer = STR_EMPTY; /* the log says enough */
    } else if (child->transport == NULL) {
        refuse(r, child, OUT_DEFER, WHY_NO_TRANSPORT, fault);
    }
}

/* --- mail addresses --- */

static struct str
qualified(const struct redirection *r, const struct redirect_child *c)
{
    struct str local_part, domain;
    address_split(c->text, &local_part, &domain);
    if (str_is_set(domain))
        return c->text;
    if (!c->own_domain)
        return address_qualify(r->arena, c->text, r->qualify);
    address_split(r->call->address->text, &local_part, &domain); /* as it was written */
    return address_qualify(r->arena, c->text, domain);
}

/* The case of local parts counts where the ancestor was routed with it. */
static bool
is_same_address(const struct address *up, struct str text)
{
    struct str local_part, domain, up_local_part, up_domain;
    const struct router_generic *g = up->router == NULL ? NULL : up->router->generic.fields;
    if (g == NULL || !g->caseful_local_part)
        return str_ieq(up->text, text);
    address_split(text, &local_part, &domain);
    address_split(up->text, &up_local_part, &up_domain);
    return str_eq(local_part, up_local_part) && str_ieq(domain, up_domain);
}

/* check_ancestor: what leads back to where the address comes from becomes the address itself again. */
static bool
is_ancestor(const struct redirection *r, struct str text)
{
    for (const struct address *up = r->call->address->parent; up != NULL; up = up->parent) {
        if (is_same_address(up, text))
            return true;
    }
    return false;
}

static struct str
mail_text(const struct redirection *r, const struct redirect_child *c)
{
    struct str text = qualified(r, c);
    if (r->o->check_ancestor && is_ancestor(r, text))
        return r->call->address->text;
    return text;
}

/* What a process that is the user calls an address must be one. */
static bool
is_address(const struct redirection *r, struct str text)
{
    struct address_parts p;
    unsigned flags = ADDRESS_LITERAL | ADDRESS_UTF8_DOMAIN;
    return address_parse(r->arena, text, flags, &p) == ADDRESS_OK && str_eq(p.text, text) &&
           p.domain > 0;
}

static struct address *
make_child(const struct redirection *r, const struct redirect_child *c)
{
    struct address *child = ARENA_NEW(r->arena, struct address);
    child->arena = r->arena;
    child->item = c->item;
    child->mode = c->mode;
    child->ignore_error = c->ignore_error;
    child->hide_child = r->o->hide_child_in_errmsg;
    child->reply = c->reply;
    child->refuse = redirect_refused(r->o);
    if (str_is_set(c->errors_to))
        child->errors_to = c->errors_to;
    child->text = c->item == ADDRESS_ITEM_MAIL ? mail_text(r, c) : c->text;
    return child;
}

/* One that cannot be was not written by redirect_interpret. */
static bool
is_sound(const struct redirection *r, const struct address *child)
{
    static const char marks[] = {
        [ADDRESS_ITEM_FILE] = 0,
        [ADDRESS_ITEM_PIPE] = '|',
        [ADDRESS_ITEM_REPLY] = '>',
    };
    struct str text = child->text;
    if (str_is_set(child->errors_to) && child->errors_to.n > 0 &&
        !is_address(r, child->errors_to))
        return false;
    if (child->item == ADDRESS_ITEM_MAIL)
        return is_address(r, text);
    if (text.n == 0 || str_has_nul(text))
        return false;
    if (child->item == ADDRESS_ITEM_FILE || child->item == ADDRESS_ITEM_DIRECTORY)
        return (text.p[text.n - 1] == '/') == (child->item == ADDRESS_ITEM_DIRECTORY);
    return text.p[0] == marks[child->item];
}

void
redirect_children(const struct redirection *r, const struct redirect_result *res,
                  struct route_result *out)
{
    for (size_t i = 0; i < res->children.n; i++) {
        struct address *child = make_child(r, &res->children.v[i]);
        child->expands = res->filter && child->item == ADDRESS_ITEM_PIPE;
        if (!is_sound(r, child)) {
            refuse(r, child, OUT_DEFER, WHY_NO_TRANSPORT,
                   STR_LIT("bad address from a redirection"));
            child->text = STR_LIT("?");
        } else if (child->item != ADDRESS_ITEM_MAIL) {
            set_transport(r, child);
        }
        vec_push(r->arena, &out->children, child);
    }
    out->rewrite_children = r->o->rewrite;
}
