/* Before a transport runs; see transport_setup.h. */
#include "engine/transport_setup.h"

#include "base/num.h"
#include "engine/become.h"
#include "engine/local_identity.h"
#include "transports/transport.h"

#include <stdio.h>

static const struct transport_generic *
generic_of(const struct driver_instance *transport)
{
    return transport->generic.fields;
}

void
transport_setup_view(struct address *view, const struct driver_instance *transport,
                     struct address *const *batch, size_t n)
{
    *view = *batch[0];
    view->transport = transport;
    view->transport_name = transport->name;
    if (view->hosts.n > 0) {
        view->host = view->hosts.v[0].name;
        view->host_address = view->hosts.v[0].address;
    }
    if (n == 1)
        return;
    view->local_part = view->local_part_data = STR_NULL;
    view->prefix = view->prefix_v = view->suffix = view->suffix_v = STR_NULL;
    view->original_local_part = view->original_domain = STR_NULL;
    for (size_t i = 1; i < n; i++)
        if (!str_ieq(batch[i]->domain, view->domain))
            view->domain = view->domain_data = STR_NULL;
}

void
transport_setup_host(struct address *view, const struct host_target *host, int64_t port)
{
    view->host = host->name;
    view->host_address = host->address;
    view->host_port = port;
}

enum outcome
transport_setup_return_path(struct delivery *d, const struct driver_instance *transport,
                            struct address *view, struct why *why)
{
    const struct transport_generic *g = generic_of(transport);
    struct str value;
    view->return_path = str_is_set(view->errors_to) ? view->errors_to : d->message->sender;
    if (!str_is_set(g->return_path.text))
        return OUT_OK;
    enum vm_status st = vm_expand_x(d->engine->vm, &g->return_path, &value);
    if (st == VM_OK)
        view->return_path = str_dup(d->arena, value);
    if (st == VM_OK || st == VM_FORCED)
        return OUT_OK;
    return local_fault(d, why, WHY_EXPANSION,
                       "Failed to expand return path \"%.*s\" in %.*s transport: %.*s",
                       STR_ARG(g->return_path.text), STR_ARG(transport->name),
                       STR_ARG(vm_error(d->engine->vm)));
}

/* --- size --- */

static enum outcome
size_fault(struct why *why, enum outcome o, struct str text)
{
    *why =
        (struct why){.outcome = o, .sys_errno = o == OUT_DEFER ? WHY_UNKNOWN : 0, .log = text};
    return o;
}

enum outcome
transport_setup_size(struct delivery *d, const struct driver_instance *transport,
                     struct why *why)
{
    const struct transport_generic *g = generic_of(transport);
    struct arena *a = d->arena;
    struct str value;
    int64_t limit;
    if (!str_is_set(g->message_size_limit.text))
        return OUT_OK;
    if (vm_expand_x(d->engine->vm, &g->message_size_limit, &value) != VM_OK) {
        struct str text = vm_error(d->engine->vm);
        return size_fault(
            why, OUT_DEFER,
            str_printf(a, "failed to expand message_size_limit in %.*s transport: %.*s",
                       STR_ARG(transport->name), STR_ARG(text)));
    }
    struct str fault;
    if (!num_parse_option(a, value, &limit, &fault))
        return size_fault(why, OUT_DEFER,
                          str_printf(a, "invalid message_size_limit in %.*s transport: %.*s",
                                     STR_ARG(transport->name), STR_ARG(fault)));
    if (limit > 0 && d->message->size > limit)
        return size_fault(
            why, OUT_FAIL,
            str_printf(a, "message is too big (transport limit = %lld)", (long long)limit));
    return OUT_OK;
}

void
transport_setup_debug(struct delivery *d, const struct driver_instance *transport)
{
    const struct transport_generic *g = generic_of(transport);
    struct str text;
    struct engine *e = d->engine;
    if (e->eval->debug == 0 || !str_is_set(g->debug_print.text))
        return;
    if (vm_expand_x(e->vm, &g->debug_print, &text) != VM_OK)
        (void)fprintf(stderr, "expansion of \"%.*s\" failed: %.*s\n",
                      STR_ARG(g->debug_print.text), STR_ARG(vm_error(e->vm)));
    else
        (void)fprintf(stderr, "%.*s%s", STR_ARG(text),
                      text.n > 0 && text.p[text.n - 1] == '\n' ? "" : "\n");
}

static int
open_key(void *ctx, struct str transport, struct str path, struct key_file_result *why)
{
    struct engine *e = ctx;
    const struct become_key key = {.transport = transport, .path = path};
    return e->become->open_key(e->become, e, &key, why);
}

struct transport_job
transport_setup_base(const struct delivery *d, const struct driver_instance *transport,
                     struct address **batch, size_t n)
{
    return (struct transport_job){.arena = d->arena,
                                  .eval = d->engine->eval,
                                  .vm = d->engine->vm,
                                  .transport = transport,
                                  .message = d->message,
                                  .session = d->session,
                                  .addresses = batch,
                                  .n = n,
                                  .open_key = d->engine->can_become ? open_key : NULL,
                                  .open_key_ctx = d->engine};
}

bool
transport_setup_job(struct delivery *d, const struct driver_instance *transport,
                    struct address **batch, size_t n, struct local_job *job, struct why *why)
{
    const struct transport_driver *driver = transport_driver_of(transport);
    struct transport_job prepared = transport_setup_base(d, transport, batch, n);
    if (driver->prepare != NULL && !driver->prepare(&prepared, why))
        return false;
    job->prepared = prepared.prepared;
    job->prepared_rows = &driver->prepared;
    return true;
}
