/* Events of deliveries (event_action): what is raised when an address or a message has ended, and what it shows.
 *
 * Source: specification, chapter "Events".
 */
#include "conf/conf.h"
#include "conf/event.h"
#include "conf/main_options.h"
#include "engine/delivery.h"
#include "mail/why_errno.h"
#include "routers/filter_actions.h"
#include "transports/transport.h"

#include <string.h>

/* Shows the address as its transport saw it while an action of its own, or that of the main configuration, is expanded. */
static void
raise_for(struct delivery *d, const struct address *a, const struct event *event)
{
    struct eval *ev = d->engine->eval;
    struct vm *vm = d->engine->vm;
    struct address *outer = ev->address, view;
    struct map *vars = ev->router_vars;
    struct arena_mark mark = arena_mark(vm_scratch(vm));
    const struct transport_answer *answer = a->answer;
    view = *a;
    if (a->item != ADDRESS_ITEM_MAIL) {
        /* A pipe, a file or a reply has no local part of its own: its text stands there. */
        view.local_part = a->text;
        if (str_eqz(a->text, FILTER_BAD_REPLY))
            view.domain = STR_EMPTY;
    }
    view.router_name = a->router != NULL ? a->router->name : STR_EMPTY;
    view.transport_name = a->transport != NULL ? a->transport->name : STR_EMPTY;
    bool vain = answer != NULL && answer->gave_up && answer->why.sys_errno == WHY_AUTH_FAILED;
    if (answer != NULL && str_is_set(answer->why.host) && !vain) {
        view.host = answer->why.host;
        view.host_address = answer->why.host_ip;
        view.host_port = answer->host_port;
    }
    ev->address = &view;
    ev->router_vars = a->router_vars;
    if (answer != NULL && a->transport != NULL &&
        transport_driver_of(a->transport)->place == TRANSPORT_REMOTE) {
        d->session->tls_out = answer->tls;
        d->session->tls_out_active = answer->tls.cipher.n > 0;
    }
    if (a->transport == NULL) {
        (void)event_raise_main(ev, vm, event);
    } else {
        const struct transport_generic *g = a->transport->generic.fields;
        (void)event_raise(ev, vm, &g->event_action, a->transport->name, event);
    }
    ev->address = outer;
    ev->router_vars = vars;
    vm_release(vm, mark);
}

static struct str
reason_of(const struct transport_answer *t)
{
    struct str text = str_is_set(t->why.log) ? t->why.log : t->why.peer;
    return str_is_set(text) ? text : STR_EMPTY;
}

/* Local deliveries have no answer of a server to show; a reply that cannot be made tells why. */
static bool
shows_reason(const struct address *a)
{
    const struct driver *driver = a->transport->driver;
    return transport_driver_of(a->transport)->place == TRANSPORT_REMOTE ||
           str_is_set(a->answer->why.host) || str_eqz(driver->name, "lmtp") ||
           str_eqz(driver->name, "autoreply");
}

/* Where nothing is raised, nothing need be put together for it. */
static bool
is_raised(const struct delivery *d, const struct address *a)
{
    const struct transport_generic *g =
        a->transport != NULL ? a->transport->generic.fields : NULL;
    return str_is_set(g != NULL ? g->event_action.text
                                : d->engine->conf->main->event_action.text);
}

void
delivery_event_delivered(struct delivery *d, const struct address *a)
{
    struct str said = a->answer->confirmation;
    const struct event event = {.name = "msg:delivery",
                                .data = str_is_set(said) ? said : STR_EMPTY};
    if (a->transport != NULL)
        raise_for(d, a, &event);
}

void
delivery_event_failed(struct delivery *d, const struct address *a)
{
    struct event event = {.name = "msg:fail:internal", .data = reason_of(a->answer)};
    if (a->transport != NULL) {
        event.name = "msg:fail:delivery";
        if (!shows_reason(a))
            event.data = STR_EMPTY;
    }
    if (a->answer->gave_up)
        event.data = str_printf(d->arena, "%.*s%sretry timeout exceeded", STR_ARG(event.data),
                                event.data.n > 0 ? ": " : "");
    raise_for(d, a, &event);
}

void
delivery_event_deferred(struct delivery *d, const struct address *a)
{
    /* A recipient that was put off alone had an event of its own while the connection was open. */
    if (a->transport == NULL || transport_driver_of(a->transport)->place != TRANSPORT_REMOTE ||
        a->answer->why.sys_errno == WHY_RCPT_4XX || !is_raised(d, a))
        return;
    int number = a->answer->why.sys_errno;
    struct str text = reason_of(a->answer);
    const struct event event = {
        .name = "msg:defer",
        .number = number,
        .data = number > 0 ? str_printf(d->arena, "%.*s%s%s", STR_ARG(text),
                                        text.n > 0 ? ": " : "", strerror(number))
                           : text,
    };
    raise_for(d, a, &event);
}

void
delivery_event_cancelled(struct delivery *d, const struct address *a, struct str why)
{
    const struct event event = {.name = "msg:fail:internal", .data = why};
    raise_for(d, a, &event);
}

void
delivery_event_complete(struct engine *e)
{
    struct arena_mark mark = arena_mark(vm_scratch(e->vm));
    struct address *outer = e->eval->address;
    const struct event event = {.name = "msg:complete", .data = STR_EMPTY};
    e->eval->address = NULL;
    (void)event_raise_main(e->eval, e->vm, &event);
    e->eval->address = outer;
    vm_release(e->vm, mark);
}
