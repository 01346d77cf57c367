/* Names of peers; see peer_name.h. */
#include "engine/peer_name.h"

#include "base/arena.h"
#include "engine/maillog.h"
#include "mail/ip.h"
#include "sys/hosts.h"

enum outcome
peer_name_leads_to(struct engine *e, struct str name, struct str address)
{
    struct arena *a = arena_new();
    struct hosts_addresses found;
    struct ip ip;
    enum outcome o = OUT_FAIL;
    (void)e;
    switch (ip_parse(address, &ip) ? hosts_find_addresses(a, name, &found) : HOSTS_NONE) {
    case HOSTS_AGAIN:
        o = OUT_DEFER;
        break;
    case HOSTS_NONE:
        break;
    case HOSTS_OK:
        for (size_t i = 0; i < found.n && o != OUT_OK; i++)
            if (found.v[i].n == ip.n && memcmp(found.v[i].b, ip.b, ip.n) == 0)
                o = OUT_OK;
    }
    arena_free(a);
    return o;
}

static enum outcome
not_found(struct engine *e, struct session *s, bool later)
{
    s->host_lookup_failed = !later;
    s->host_lookup_deferred = later;
    if (!later && maillog_selected(e, LOG_SELECTOR_HOST_LOOKUP_FAILED))
        maillog(e, MAILLOG_MAIN, STR_NULL, "no host name found for IP address %.*s",
                STR_ARG(s->sender_host_address));
    return later ? OUT_DEFER : OUT_FAIL;
}

/* The first of the names that leads back to the address. */
static enum outcome
choose(struct engine *e, struct session *s, const struct hosts_names *names)
{
    bool later = false;
    for (size_t i = 0; i < names->n; i++) {
        enum outcome o = peer_name_leads_to(e, names->v[i], s->sender_host_address);
        if (o == OUT_OK) {
            s->sender_host_name = str_lower(s->arena, names->v[i]);
            return OUT_OK;
        }
        later = later || o == OUT_DEFER;
        if (o == OUT_FAIL && maillog_selected(e, LOG_SELECTOR_HOST_LOOKUP_FAILED))
            maillog(e, MAILLOG_MAIN, STR_NULL, "%.*s does not match any IP address for %.*s",
                    STR_ARG(s->sender_host_address), STR_ARG(names->v[i]));
    }
    s->host_lookup_failed = !later;
    s->host_lookup_deferred = later;
    return later ? OUT_DEFER : OUT_FAIL;
}

enum outcome
peer_name_find(struct engine *e, struct session *s)
{
    struct hosts_names names;
    struct ip ip;
    if (!str_is_set(s->sender_host_address) || str_is_set(s->sender_host_name))
        return OUT_OK;
    if (s->host_lookup_failed || s->host_lookup_deferred)
        return s->host_lookup_deferred ? OUT_DEFER : OUT_FAIL;
    if (!ip_parse(s->sender_host_address, &ip))
        return OUT_FAIL;
    struct arena *a = arena_new();
    enum hosts_status st = hosts_find_names(a, &ip, &names);
    enum outcome o = st == HOSTS_OK ? choose(e, s, &names) : not_found(e, s, st == HOSTS_AGAIN);
    arena_free(a);
    return o;
}
