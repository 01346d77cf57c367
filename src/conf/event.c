/* Events; see event.h. */
#include "conf/event.h"

#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "filter/host.h"

static void
log_fault(struct vm *vm, struct str where, const struct event *event)
{
    const struct host *h = vm_host(vm);
    if (h->log == NULL)
        return;
    struct str place = str_is_set(where) ? where : STR_LIT("main");
    h->log(vm_env(vm), true,
           str_printf(vm_scratch(vm), "failed to expand event_action %s in %.*s: %.*s\n",
                      event->name, STR_ARG(place), STR_ARG(vm_error(vm))));
}

struct str
event_raise(struct eval *ev, struct vm *vm, const struct xstr *action, struct str where,
            const struct event *event)
{
    if (!str_is_set(action->text))
        return STR_NULL;
    struct session none = {.arena = NULL}, *outer = ev->session;
    struct session *s = outer != NULL ? outer : &none;
    struct str name = s->event_name, data = s->event_data, value = STR_EMPTY;
    int64_t number = s->event_errno;
    ev->session = s;
    s->event_name = str_from_cstr(event->name);
    s->event_data = event->data;
    s->event_errno = event->number;
    enum vm_status st = vm_expand_x(vm, action, &value);
    if (st == VM_ERROR || st == VM_DEFER)
        log_fault(vm, where, event);
    s->event_name = name;
    s->event_data = data;
    s->event_errno = number;
    ev->session = outer;
    return st == VM_OK && value.n > 0 ? value : STR_NULL;
}

struct str
event_raise_main(struct eval *ev, struct vm *vm, const struct event *event)
{
    return event_raise(ev, vm, &ev->conf->main->event_action, STR_NULL, event);
}
