/* Events: event_action of the configuration and of transports is expanded when something happens.
 *
 * One function raises all of them; what stands in $domain, $host and their like is what the context shows at that moment, so
 * who raises an event for an address shows that address first. The caller releases scratch. Source: specification, chapter "Events".
 */
#ifndef REMEX_CONF_EVENT_H
#define REMEX_CONF_EVENT_H

#include "base/str.h"
#include "filter/expand.h"

#include <stdint.h>

struct eval;

struct event {
    const char *name; /* "msg:delivery" */
    struct str data;  /* $event_data */
    int64_t number;   /* $event_defer_errno; 0 where nothing was deferred */
};

/* Expands the action, if it is set. `where`: what the option belongs to, for the log: a transport's name, or unset for the main
 * configuration. Returns what it came to when that is something else than nothing: events that are raised before the fact
 * (tcp:connect, tls:cert, smtp:connect) are refused by it, others take no notice. In scratch. STR_NULL otherwise, and when it
 * cannot be expanded, which is logged. */
struct str event_raise(struct eval *ev, struct vm *vm, const struct xstr *action,
                       struct str where, const struct event *event);
/* The same with event_action of the main configuration. */
struct str event_raise_main(struct eval *ev, struct vm *vm, const struct event *event);

#endif
