/* errors_to, headers_add and headers_remove: what goes with an address that a router accepts. Source: specification, chapter
 * "Generic options for routers". */
#include "base/buf.h"
#include "base/strlist.h"
#include "engine/route_step.h"
#include "engine/route_verify.h"

static bool
is_for_delivery(const struct route_step *s)
{
    return s->r->purpose == ROUTE_FOR_DELIVERY || s->r->purpose == ROUTE_FOR_TEST;
}

/* A recipient that is checked may get the message at once (cutthrough.h). */
static bool
carries_headers(const struct route_step *s)
{
    return is_for_delivery(s) || s->r->purpose == ROUTE_FOR_RECIPIENT_CHECK;
}

/* True if bounces can be sent there: it routes as a recipient of a message without a sender. *out is it with its domain. */
static bool
verifies(struct route_step *s, struct str text, struct str *out)
{
    struct address *a;
    struct str fault;
    struct message own = {.arena = s->r->arena, .sender = STR_EMPTY, .body_fd = -1};
    struct message *message = s->r->message != NULL ? s->r->message : &own;
    struct str sender = message->sender;
    struct routing r = {.engine = s->r->engine,
                        .message = message,
                        .purpose = ROUTE_FOR_RECIPIENT_CHECK,
                        .arena = s->r->arena};
    if (!route_new_address(s->r->arena, s->r->engine, text, &a, &fault))
        return false;
    message->sender = STR_EMPTY;
    *out = a->text;
    bool ok = route_verify(&r, a, 0) == OUT_OK;
    message->sender = sender;
    return ok;
}

static enum outcome
set_errors_to(struct route_step *s)
{
    struct str value, text = s->g->errors_to.text, whole;
    switch (route_expand(s, text, &value)) {
    case VM_OK:
        break;
    case VM_FORCED:
        return OUT_OK;
    case VM_NO:
    case VM_DEFER:
    case VM_ERROR:
        return route_say(s, OUT_DEFER, "%.*s router failed to expand \"%.*s\": %.*s",
                         STR_ARG(s->router->name), STR_ARG(text), STR_ARG(vm_error(s->vm)));
    }
    value = str_trim(value);
    if (value.n == 0)
        s->a->errors_to = STR_EMPTY;
    else if (!is_for_delivery(s)) /* no verifying within verifying */
        s->a->errors_to = value;
    else if (verifies(s, value, &whole))
        s->a->errors_to = whole;
    return OUT_OK;
}

/* One item of headers_add or headers_remove. OUT_DECLINE: it has no effect. */
static enum outcome
expand_item(struct route_step *s, const char *what, struct str item, struct str *out)
{
    switch (route_expand(s, item, out)) {
    case VM_OK:
        return out->n > 0 ? OUT_OK : OUT_DECLINE;
    case VM_FORCED:
        return OUT_DECLINE;
    case VM_NO:
    case VM_DEFER:
    case VM_ERROR:
        break;
    }
    return route_say(s, OUT_DEFER, "%.*s router failed to expand %s item \"%.*s\": %.*s",
                     STR_ARG(s->router->name), what, STR_ARG(item), STR_ARG(vm_error(s->vm)));
}

static enum outcome
add_headers(struct route_step *s)
{
    struct buf b = buf_in(s->r->arena, 0);
    if (str_is_set(s->a->headers_add))
        buf_adds(&b, s->a->headers_add);
    struct strlist_split split = strlist_split_start(s->g->headers_add.text, '\n');
    struct str item, text;
    while (strlist_split_next(&split, s->r->arena, &item)) {
        enum outcome o = expand_item(s, "add_headers", item, &text);
        if (o == OUT_DEFER)
            return o;
        if (o == OUT_DECLINE)
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
    struct buf b = buf_in(s->r->arena, 0);
    if (str_is_set(s->a->headers_remove))
        buf_adds(&b, s->a->headers_remove);
    struct strlist_split split = strlist_split_start(s->g->headers_remove.text, ':');
    struct str item, text;
    while (strlist_split_next(&split, s->r->arena, &item)) {
        enum outcome o = expand_item(s, "remove_headers", item, &text);
        if (o == OUT_DEFER)
            return o;
        if (o == OUT_OK)
            strlist_append(&b, text, ':', b.n == 0);
    }
    if (b.n > 0)
        s->a->headers_remove = buf_str(&b);
    return OUT_OK;
}

enum outcome
route_tail(struct route_step *s)
{
    enum outcome o = OUT_OK;
    if (route_has(&s->g->errors_to))
        o = set_errors_to(s);
    if (o == OUT_OK && route_has(&s->g->headers_add) && carries_headers(s))
        o = add_headers(s);
    if (o == OUT_OK && route_has(&s->g->headers_remove) && carries_headers(s))
        o = remove_headers(s);
    return o;
}
