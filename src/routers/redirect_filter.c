/* A user's filter: for whom it runs, and what the options of the router let it do. */
#include "routers/redirect.h"

#include "conf/eval.h"
#include "conf/main_options.h"
#include "filter/host_refuse.h"
#include "routers/filter_actions.h"

unsigned
redirect_refused(const struct router_redirect *o)
{
    return (o->forbid_filter_dlfunc ? HOST_REFUSE_DLFUNC : 0u) |
           (o->forbid_filter_existstest ? HOST_REFUSE_EXISTS : 0u) |
           (o->forbid_filter_lookup ? HOST_REFUSE_LOOKUP : 0u) |
           (o->forbid_filter_perl ? HOST_REFUSE_PERL : 0u) |
           (o->forbid_filter_readfile ? HOST_REFUSE_READFILE : 0u) |
           (o->forbid_filter_readsocket ? HOST_REFUSE_READSOCKET : 0u) |
           (o->forbid_filter_run ? HOST_REFUSE_RUN : 0u);
}

static unsigned
allowed(const struct router_redirect *o)
{
    return (o->allow_defer ? FILTER_ALLOW_DEFER : 0u) |
           (o->allow_fail ? FILTER_ALLOW_FAIL : 0u) |
           (o->allow_freeze ? FILTER_ALLOW_FREEZE : 0u);
}

void
redirect_filter(const struct redirection *r, struct redirect_result *out)
{
    const struct route_call *c = r->call;
    struct address *a = c->address;
    const struct message *m = c->message;
    struct str return_path = str_is_set(a->errors_to) ? a->errors_to : m->sender;
    struct filter_job job = {
        .arena = r->arena,
        .eval = c->eval,
        .vm = c->vm,
        .name = str_is_set(r->file) ? r->file : STR_LIT("filter"),
        .text = r->text,
        .compile = allowed(r->o),
        .refuse = redirect_refused(r->o),
        .logs = r->logs,
        .forbid_logwrite = r->o->forbid_filter_logwrite,
        .home = r->o->filter_prepend_home ? c->home : STR_NULL,
        .run =
            {
                .error_message = str_is_set(m->sender) && m->sender.n == 0,
                .no_return_path = return_path.n == 0,
                .first_delivery = m->first_delivery,
                .manually_thawed = m->manually_thawed,
                .local_part = a->local_part,
                .domain = a->domain,
                .prefix = a->prefix,
                .suffix = a->suffix,
                .qualify = r->qualify,
            },
    };
    struct str before = a->return_path;
    a->return_path = return_path;
    filter_actions_run(&job, out);
    a->return_path = before;
}
