/* Connections that outlive their message for a moment; see remote_pool.h. */
#include "engine/remote_pool.h"

#include "conf/conf.h"
#include "conf/main_options.h"
#include "sys/await.h"
#include "sys/file_lock.h"
#include "transports/transport.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECENT = 16 };

struct member {
    struct remote_kept kept;
    int64_t since_ms;
};

struct recent {
    uint64_t destination;
    int64_t at_ms;
};

struct remote_pool {
    struct member members[REMOTE_POOL_MAX]; /* the one kept longest first */
    size_t n;
    struct recent recent[RECENT]; /* a ring of destinations that had a message */
    size_t next;
    int file;   /* of the places; -1: not open */
    bool keeps; /* false in a child */
};

/* --- destinations --- */

static uint64_t
destination_of(struct str address, int64_t port)
{
    return str_hash(address) * 31 + (uint64_t)port;
}

static bool
fits(const struct remote_kept *k, const struct driver_instance *transport,
     const struct smtp_target *t)
{
    return remote_kept_fits(k, transport, t) && k->client->clear == t->clear;
}

/* True if the destination had a message lately; it has one now. */
static bool
note_recent(struct remote_pool *p, uint64_t destination)
{
    int64_t now = await_now_ms();
    for (size_t i = 0; i < RECENT; i++) {
        struct recent *r = &p->recent[i];
        if (r->at_ms == 0 || r->destination != destination)
            continue;
        bool lately = now - r->at_ms <= REMOTE_POOL_RECENT_MS;
        r->at_ms = now;
        return lately;
    }
    p->recent[p->next] = (struct recent){.destination = destination, .at_ms = now};
    p->next = (p->next + 1) % RECENT;
    return false;
}

/* --- what may be kept --- */

/* Options that decide what a connection is. */
static const size_t deciding[] = {
    offsetof(struct transport_smtp, dane_require_tls_ciphers),
    offsetof(struct transport_smtp, dscp),
    offsetof(struct transport_smtp, hosts_avoid_esmtp),
    offsetof(struct transport_smtp, hosts_avoid_tls),
    offsetof(struct transport_smtp, hosts_request_ocsp),
    offsetof(struct transport_smtp, hosts_require_alpn),
    offsetof(struct transport_smtp, hosts_require_dane),
    offsetof(struct transport_smtp, hosts_require_ocsp),
    offsetof(struct transport_smtp, hosts_require_tls),
    offsetof(struct transport_smtp, hosts_try_dane),
    offsetof(struct transport_smtp, interface),
    offsetof(struct transport_smtp, port),
    offsetof(struct transport_smtp, socks_proxy),
    offsetof(struct transport_smtp, tls_alpn),
    offsetof(struct transport_smtp, tls_certificate),
    offsetof(struct transport_smtp, tls_crl),
    offsetof(struct transport_smtp, tls_privatekey),
    offsetof(struct transport_smtp, tls_require_ciphers),
    offsetof(struct transport_smtp, tls_sni),
    offsetof(struct transport_smtp, tls_try_verify_hosts),
    offsetof(struct transport_smtp, tls_verify_cert_hostnames),
    offsetof(struct transport_smtp, tls_verify_certificates),
    offsetof(struct transport_smtp, tls_verify_hosts),
};

static bool
is_fixed(struct str text)
{
    return !str_is_set(text) || str_chr(text, '$', 0) == STR_NPOS;
}

bool
remote_pool_may_keep(struct engine *e, const struct transport_job *job,
                     const struct smtp_client *c)
{
    const struct transport_generic *g = job->transport->generic.fields;
    const struct transport_smtp *o = transport_smtp_options(job->transport);
    if (e->pool == NULL || !e->pool->keeps || c->auth_tried ||
        str_is_set(o->hosts_try_auth.text) || str_is_set(o->hosts_require_auth.text) ||
        str_is_set(o->serialize_hosts.text) || str_is_set(g->event_action.text))
        return false;
    if (!is_fixed(o->helo_data.text) && !str_eqz(o->helo_data.text, "$primary_hostname"))
        return false;
    for (size_t i = 0; i < sizeof deciding / sizeof *deciding; i++) {
        const struct xstr *x =
            (const struct xstr *)(const void *)((const char *)o + deciding[i]);
        if (!is_fixed(x->text))
            return false;
    }
    return true;
}

/* --- keeping --- */

static struct remote_kept
take_out(struct remote_pool *p, size_t i)
{
    struct remote_kept k = p->members[i].kept;
    p->n--;
    for (; i < p->n; i++)
        p->members[i] = p->members[i + 1];
    return k;
}

static void
end(struct engine *e, struct remote_kept k)
{
    smtp_client_close(k.client, NULL);
    remote_pool_leave(e, k.place);
}

void
remote_pool_put(struct engine *e, struct remote_kept k)
{
    struct remote_pool *p = e->pool;
    if (p == NULL || !p->keeps ||
        !note_recent(p, destination_of(k.client->host.address, k.client->port))) {
        end(e, k);
        return;
    }
    if (p->n == REMOTE_POOL_MAX)
        end(e, take_out(p, 0));
    p->members[p->n++] = (struct member){.kept = k, .since_ms = await_now_ms()};
}

bool
remote_pool_take(struct engine *e, const struct driver_instance *transport,
                 const struct smtp_target *t, struct remote_kept *out)
{
    struct remote_pool *p = e->pool;
    for (size_t i = p == NULL ? 0 : p->n; i > 0; i--) {
        if (!fits(&p->members[i - 1].kept, transport, t))
            continue;
        *out = take_out(p, i - 1);
        if (smtp_client_is_quiet(out->client))
            return true;
        out->client->broken = true; /* whatever it says, it is no answer to anything */
        end(e, *out);
    }
    return false;
}

int
remote_pool_wait_ms(const struct engine *e)
{
    const struct remote_pool *p = e->pool;
    if (p == NULL || p->n == 0)
        return -1;
    int64_t left = p->members[0].since_ms + REMOTE_POOL_KEEP_MS - await_now_ms();
    return left <= 0 ? 0 : (int)left;
}

bool
remote_pool_expire(struct engine *e, struct remote_kept *out)
{
    if (remote_pool_wait_ms(e) != 0)
        return false;
    *out = take_out(e->pool, 0);
    return true;
}

void
remote_pool_end(struct engine *e)
{
    struct remote_pool *p = e->pool;
    while (p != NULL && p->n > 0) {
        struct remote_kept k = take_out(p, p->n - 1);
        smtp_client_leave(k.client);
        remote_pool_leave(e, k.place);
    }
}

void
remote_pool_abandon(struct engine *e)
{
    struct remote_pool *p = e->pool;
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n; i++)
        close(p->members[i].kept.client->fd);
    p->n = 0;
    p->keeps = false;
    /* Locks belong to the open file: this process needs one of its own. */
    if (p->file >= 0)
        close(p->file);
    p->file = -1;
}

/* --- places --- */

static bool
open_file(struct engine *e, struct remote_pool *p)
{
    char path[4096];
    const char *root = engine_place(e).root;
    if (p->file >= 0)
        return true;
    if (root == NULL || snprintf(path, sizeof path, "%s/db", root) >= (int)sizeof path - 16)
        return false;
    (void)mkdir(path, 0750); /* a failure shows when the file is opened */
    (void)snprintf(path, sizeof path, "%s/db/connections", root);
    p->file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    return p->file >= 0;
}

/* The lock would not keep us from a place of our own. */
static bool
is_ours(const struct engine *e, int64_t place)
{
    for (size_t i = 0; i < e->pool->n; i++)
        if (e->pool->members[i].kept.place == place)
            return true;
    return e->kept != NULL && e->kept->place == place;
}

bool
remote_pool_place(struct engine *e, const struct smtp_target *t, int64_t *place)
{
    int64_t max = e->conf->main->deliver_host_connections;
    *place = REMOTE_PLACE_NONE;
    if (e->pool == NULL || max <= 0 || !open_file(e, e->pool))
        return true;
    if (max > REMOTE_POOL_PLACES_MAX)
        max = REMOTE_POOL_PLACES_MAX;
    int64_t first =
        (int64_t)(destination_of(t->host->address, t->port) >> 16) * REMOTE_POOL_PLACES_MAX;
    first &= INT64_MAX;
    for (int64_t i = first; i < first + max; i++) {
        if (is_ours(e, i))
            continue;
        enum file_lock_result r = file_lock_range(e->pool->file, (off_t)i, 1);
        if (r == FILE_LOCK_BUSY)
            continue;
        if (r == FILE_LOCK_OK)
            *place = i;
        return true;
    }
    return false;
}

void
remote_pool_leave(struct engine *e, int64_t place)
{
    if (place != REMOTE_PLACE_NONE && e->pool != NULL && e->pool->file >= 0)
        file_unlock_range(e->pool->file, (off_t)place, 1);
}

struct remote_pool *
remote_pool_new(struct engine *e)
{
    struct remote_pool *p = ARENA_NEW(e->arena, struct remote_pool);
    p->file = -1;
    p->keeps = true;
    return p;
}
