/* Connections for several messages; see remote_kept.h. */
#include "engine/remote_kept.h"

#include "engine/remote_batch.h"
#include "engine/remote_pool.h"
#include "engine/remote_wait.h"
#include "transports/smtp_transaction.h"

#include <unistd.h>

bool
remote_kept_may_go_on(const struct smtp_client *c)
{
    int64_t max = c->opt->connection_max_messages;
    if (c->peer.limits && c->peer.mail_max > 0 && (max <= 0 || c->peer.mail_max < max))
        max = c->peer.mail_max;
    return !c->broken && c->owed == 0 && !c->dane_by_domain && (max <= 0 || c->sent < max);
}

static void
drop(struct engine *e)
{
    struct remote_kept *k = e->kept;
    e->kept = NULL;
    if (k == NULL)
        return;
    struct remote_kept out = *k; /* it is in the arena of the connection */
    if (out.shared && remote_kept_may_go_on(out.client)) {
        remote_pool_put(e, out);
        return;
    }
    smtp_client_close(out.client, NULL);
    remote_pool_leave(e, out.place);
}

/* hosts_nopass_tls; hosts_noproxy_tls means nothing here, where a connection stays in its process. */
static bool
may_be_passed(const struct smtp_client *c, const struct transport_job *job)
{
    return c->secure == NULL ||
           !smtp_client_in_list(job, &c->host, &c->opt->hosts_nopass_tls, "hosts_nopass_tls");
}

/* True if a message waits for the host, besides this one. */
static bool
has_waiting(struct delivery *d, const struct driver_instance *transport, struct str host)
{
    struct engine *e = d->engine;
    struct str id = remote_wait_first(e, d->arena, transport->name, host, STR_EMPTY);
    if (str_is_set(id) && str_eq(id, d->id))
        id = remote_wait_first(e, d->arena, transport->name, host,
                               str_cat(d->arena, d->id, STR_LIT("0")));
    return str_is_set(id);
}

void
remote_kept_put(struct delivery *d, const struct transport_job *job, struct smtp_client *c,
                int64_t place)
{
    const struct driver_instance *transport = job->transport;
    struct engine *e = d->engine;
    struct smtp_end end;
    bool shared = remote_pool_may_keep(e, job, c);
    bool waiting = has_waiting(d, transport, c->host.name);
    if ((!waiting && !shared) || !remote_kept_may_go_on(c) || !may_be_passed(c, job) ||
        !smtp_transaction_reset(c, d->arena, &end)) {
        smtp_client_close(c, job);
        remote_pool_leave(e, place);
        return;
    }
    const struct remote_kept k = {.client = c,
                                  .transport = str_dup(c->arena, transport->name),
                                  .place = place,
                                  .shared = shared};
    if (!waiting) {
        remote_pool_put(e, k);
        return;
    }
    drop(e);
    e->kept = ARENA_NEW(c->arena, struct remote_kept);
    *e->kept = k;
}

bool
remote_kept_fits(const struct remote_kept *k, const struct driver_instance *transport,
                 const struct smtp_target *t)
{
    struct ip own;
    if (!str_eq(k->transport, transport->name) || k->client->port != t->port ||
        !remote_batch_same_host(&k->client->host, t->host,
                                transport_smtp_needs_names(transport_smtp_options(transport))))
        return false;
    return t->from.n == 0 || (ip_parse(k->client->own_address, &own) && own.n == t->from.n &&
                              memcmp(own.b, t->from.b, own.n) == 0);
}

bool
remote_kept_differs(const struct engine *e, const struct driver_instance *transport,
                    const struct smtp_target *t)
{
    return e->kept != NULL && str_ieq(e->kept->client->host.name, t->host->name) &&
           !remote_kept_fits(e->kept, transport, t);
}

bool
remote_kept_take(struct engine *e, const struct driver_instance *transport,
                 const struct smtp_target *t, struct remote_kept *out)
{
    if (e->kept == NULL || !remote_kept_fits(e->kept, transport, t))
        return remote_pool_take(e, transport, t, out);
    *out = *e->kept;
    e->kept = NULL;
    return true;
}

bool
remote_kept_excludes(const struct engine *e, const struct driver_instance *transport,
                     const struct host_target *hosts, size_t n)
{
    const struct remote_kept *k = e->kept;
    if (k == NULL)
        return false;
    if (!str_eq(k->transport, transport->name))
        return true;
    for (size_t i = 0; i < n; i++)
        if (str_ieq(hosts[i].name, k->client->host.name))
            return false;
    return true;
}

struct str
remote_kept_next(struct engine *e, struct arena *a, struct str last)
{
    struct str host = e->kept->client->host.name, transport = e->kept->transport;
    struct str from = last.n > 0 ? str_cat(a, last, STR_LIT("0")) : STR_EMPTY;
    struct str id = remote_wait_first(e, a, transport, host, from);
    if (!str_is_set(id)) {
        drop(e);
        return STR_NULL;
    }
    remote_wait_forget(e, transport, host, id);
    return id;
}

void
remote_kept_abandon(struct engine *e)
{
    if (e->kept != NULL)
        close(e->kept->client->fd);
    e->kept = NULL;
    remote_pool_abandon(e);
}
