/* One transaction or none; see mua_wrapper.h. */
#include "engine/mua_wrapper.h"

#include "base/buf.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "engine/remote_batch.h"
#include "transports/transport.h"

#include <stdio.h>
#include <string.h>

bool
mua_wrapper_is_on(const struct delivery *d)
{
    return d->engine->conf->main->mua_wrapper;
}

static struct str
text_of(const struct address *a)
{
    if (a->answer == NULL)
        return STR_NULL;
    return str_is_set(a->answer->why.log) ? a->answer->why.log : a->answer->why.peer;
}

/* A line for the caller, who may be a program that reads lines. */
static void
tell_caller(struct str line)
{
    (void)fprintf(stderr, "%.*s\n", STR_ARG(line));
    (void)fflush(stderr);
}

static void
log_failure(struct delivery *d, const struct address *a, const char *how)
{
    maillog(d->engine, MAILLOG_MAIN, d->id, "** %.*s %s", STR_ARG(a->text), how);
}

/* --- after routing --- */

/* A recipient whose routing did not lead to a remote delivery. The one that the caller gave is named, with the reason if it is its own. */
static bool
refuse_routing(struct delivery *d, const struct address *a, const char *kind, bool logged)
{
    const struct address *top = delivery_ancestor(a);
    struct str text = top == a ? text_of(a) : STR_NULL;
    struct str how = str_printf(d->arena, "routing yielded a %s delivery", kind);
    if (!logged)
        log_failure(d, top, how.p);
    tell_caller(str_printf(d->arena, "routing %.*s yielded a %s delivery%s%.*s",
                           STR_ARG(top->text), kind, text.n > 0 ? ": " : "", STR_ARG(text)));
    return false;
}

/* False: some of the recipients need a transaction of their own. */
static bool
go_together(struct delivery *d)
{
    struct remote_batches batches;
    remote_batches_make(d, &d->remote, 1, &batches);
    return batches.v.n <= 1;
}

bool
mua_wrapper_may_deliver(struct delivery *d)
{
    bool bounce = d->message->sender.n == 0; /* its failures count as deferrals */
    if (d->local.n > 0)
        return refuse_routing(d, d->local.v[0], "local", false);
    if (d->deferred.n > 0)
        return refuse_routing(d, d->deferred.v[d->deferred.n - 1], "deferred", false);
    if (d->failed.n > 0) {
        const struct address *a = d->failed.v[d->failed.n - 1];
        return refuse_routing(d, a, bounce ? "deferred" : "failed",
                              !bounce && a->parent == NULL);
    }
    if (go_together(d))
        return true;
    maillog(d->engine, MAILLOG_MAIN, d->id,
            "** mua_wrapper is set but recipients cannot all be delivered in one transaction");
    tell_caller(STR_LIT("delivery to smarthost failed (configuration problem)"));
    return false;
}

/* --- after the delivery --- */

/* "Delivery failed: Connection timed out: H=name [address]: text" */
static void
tell_failure(struct delivery *d, const struct address *a)
{
    const struct why *w = &a->answer->why;
    struct str text = text_of(a);
    struct buf b = buf_in(d->arena, 0);
    buf_addz(&b, "Delivery failed");
    if (w->sys_errno > 0)
        buf_printf(&b, ": %s", strerror(w->sys_errno));
    if (str_is_set(w->host) && text.n > 0)
        buf_printf(&b, ": H=%.*s [%.*s]", STR_ARG(w->host), STR_ARG(w->host_ip));
    if (text.n > 0)
        buf_printf(&b, ": %.*s", STR_ARG(text));
    tell_caller(buf_str(&b));
}

static void
force(struct delivery *d, const struct address_vec *v)
{
    for (size_t i = v->n; i > 0; i--)
        log_failure(d, v->v[i - 1], "mua_wrapper forced failure for deferred delivery");
}

bool
mua_wrapper_settle(struct delivery *d)
{
    bool failed = d->failed.n > 0 || d->deferred.n > 0;
    if (failed)
        tell_failure(d, d->failed.n > 0 ? d->failed.v[0] : d->deferred.v[0]);
    force(d, &d->deferred);
    if (d->message->sender.n == 0) /* as what cannot be told to a sender stays in a queue */
        force(d, &d->failed);
    return !failed;
}
