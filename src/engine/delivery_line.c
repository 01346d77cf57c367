/* Log lines of deliveries: the address with its ancestors, and the fields behind it. Source: specification, "Logging
 * deliveries", "Reducing or increasing what is logged". */
#include "base/buf.h"
#include "conf/conf.h"
#include "engine/delivery.h"
#include "engine/maillog.h"
#include "mail/address.h"
#include "transports/transport.h"

#include <string.h>

const struct address *
delivery_ancestor(const struct address *a)
{
    while (a->parent != NULL)
        a = a->parent;
    return a;
}

/* A good delivery that stays here is shown without its domain. */
static bool
shows_local_part(const struct address *a, enum outcome outcome)
{
    return outcome == OUT_OK && a->item == ADDRESS_ITEM_MAIL && a->log_as_local &&
           a->transport != NULL && transport_driver_of(a->transport)->place == TRANSPORT_LOCAL;
}

/* What was routed in vain is shown as the routers saw it: the local part without quotes, in lower case. */
static struct str
routed_text(struct arena *a, const struct address *addr)
{
    struct str local, domain;
    address_split(addr->text, &local, &domain);
    if (!str_is_set(domain))
        return addr->text;
    struct str text = str_printf(a, "%.*s@%.*s", STR_ARG(address_unquote_local_part(a, local)),
                                 STR_ARG(domain));
    char *lower = arena_alloc(a, text.n);
    for (uint32_t i = 0; i < text.n; i++)
        lower[i] = ascii_lower(text.p[i]);
    return str_from(lower, text.n);
}

static void
add_address(struct delivery *d, struct buf *b, const struct address *a, enum outcome outcome)
{
    const struct address *top = delivery_ancestor(a);
    bool local = shows_local_part(a, outcome);
    bool unrouted = a->item == ADDRESS_ITEM_MAIL && outcome != OUT_OK;
    struct str shown = local ? a->local_part : unrouted ? routed_text(d->arena, a) : a->text;
    buf_adds(b, shown);
    if (maillog_selected(d->engine, LOG_SELECTOR_ALL_PARENTS)) {
        for (const struct address *p = a->parent; p != NULL && p != top; p = p->parent)
            buf_printf(b, " (%.*s)", STR_ARG(p->text));
    } else if (a->item != ADDRESS_ITEM_MAIL && a->parent != NULL && a->parent != top) {
        buf_printf(b, " (%.*s)", STR_ARG(a->parent->text));
    }
    struct str first = str_is_set(top->list) ? top->list : top->text;
    if (local || a->item != ADDRESS_ITEM_MAIL || !str_eq(first, shown))
        buf_printf(b, " <%.*s>", STR_ARG(first));
}

static void
add_path(struct delivery *d, struct buf *b, const struct address *a)
{
    if (maillog_selected(d->engine, LOG_SELECTOR_SENDER_ON_DELIVERY))
        buf_printf(b, " F=<%.*s>", STR_ARG(d->message->sender));
    if (maillog_selected(d->engine, LOG_SELECTOR_RETURN_PATH_ON_DELIVERY) &&
        a->transport != NULL)
        buf_printf(b, " P=<%.*s>", STR_ARG(a->return_path));
}

/* Router and transport; what is delivered to nothing has its own word. */
static void
add_route(struct buf *b, const struct address *a)
{
    if (a->router != NULL)
        buf_printf(b, " R=%.*s", STR_ARG(a->router->name));
    if (a->transport != NULL)
        buf_printf(b, " T=%.*s", STR_ARG(a->transport->name));
    else if (str_is_set(a->transport_name) && a->transport_name.n > 0)
        buf_printf(b, " T=%.*s", STR_ARG(a->transport_name));
}

static void
add_times(struct delivery *d, struct buf *b, const struct address *a, enum outcome outcome)
{
    struct engine *e = d->engine;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (outcome == OUT_OK && maillog_selected(e, LOG_SELECTOR_QUEUE_TIME))
        buf_printf(
            b, " QT=%.*s",
            STR_ARG(maillog_duration(d->arena, e,
                                     maillog_between(d->message->received_time,
                                                     d->message->received_time_us, now))));
    if (a->transport != NULL && a->answer->took_us > 0 &&
        maillog_selected(e, LOG_SELECTOR_DELIVER_TIME))
        buf_printf(b, " DT=%.*s", STR_ARG(maillog_duration(d->arena, e, a->answer->took_us)));
}

/* "(-1): text", "(13): Permission denied: text". */
static void
add_reason(struct delivery *d, struct buf *b, const struct transport_answer *w, bool number)
{
    struct str text = str_is_set(w->why.log) ? w->why.log : w->why.peer;
    if (number)
        buf_printf(b, " (%d)", w->why.sys_errno);
    if (w->why.sys_errno > 0)
        buf_printf(b, ": %s", strerror(w->why.sys_errno));
    if (str_is_set(text) && text.n > 0)
        buf_printf(b, ": %.*s", STR_ARG(text));
    (void)d;
}

static void
add_success(struct delivery *d, struct buf *b, const struct address *a)
{
    if (maillog_selected(d->engine, LOG_SELECTOR_DELIVERY_SIZE) && a->answer->size > 0)
        buf_printf(b, " S=%lld", (long long)a->answer->size);
    if (str_is_set(a->answer->shadow))
        buf_printf(b, " ST=%.*s", STR_ARG(a->answer->shadow));
    if (str_is_set(a->answer->log_note) && a->answer->log_note.n > 0)
        buf_printf(b, " %.*s", STR_ARG(a->answer->log_note));
}

struct str
delivery_line(struct delivery *d, const struct address *a, enum outcome outcome)
{
    struct buf b = buf_in(d->arena, 0);
    add_address(d, &b, a, outcome);
    add_path(d, &b, a);
    add_route(&b, a);
    if (outcome == OUT_OK)
        add_success(d, &b, a);
    if (outcome == OUT_FAIL && str_is_set(a->answer->log_note))
        buf_printf(&b, " %.*s", STR_ARG(a->answer->log_note));
    add_times(d, &b, a, outcome);
    if (outcome == OUT_DEFER)
        buf_addz(&b, a->answer->routing_skipped ? " routing defer" : " defer");
    if (outcome == OUT_DEFER)
        add_reason(d, &b, a->answer, true);
    else if (outcome == OUT_FAIL) {
        buf_addc(&b, ' ');
        add_reason(d, &b, a->answer, false);
    }
    return buf_str(&b);
}

struct str
delivery_message_line(struct delivery *d, const struct address *a)
{
    const struct address *top = delivery_ancestor(a);
    if (top == a)
        return a->text;
    return str_printf(d->arena, "%.*s <%.*s>", STR_ARG(a->text), STR_ARG(top->text));
}
