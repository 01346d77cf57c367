/* Names of peers; see peer_name.h. */
#include "engine/peer_name.h"

#include "base/arena.h"
#include "conf/host_find.h"
#include "engine/maillog.h"
#include "mail/ip.h"

#include <string.h>

enum { NAMES_MAX = 16 }; /* of one address that are looked at: whoever has it chose them */

enum outcome
peer_name_leads_to(struct engine *e, struct str name, struct str address, bool *secure)
{
    struct arena *a = arena_new();
    struct host_targets found = {NULL, 0, 0};
    struct ip ip, one;
    struct host_find q = {
        .eval = e->eval, .vm = e->vm, .arena = a, .how = HOST_FIND_SECURE_ASK, .out = &found};
    q.host = (struct host_target){.name = name};
    enum host_found st = ip_parse(address, &ip) ? host_find_any(&q) : HOST_NONE;
    enum outcome o = st == HOST_AGAIN ? OUT_DEFER : OUT_FAIL;
    *secure = false;
    for (size_t i = 0; i < found.n && o != OUT_OK; i++)
        if (ip_parse(found.v[i].address, &one) && one.n == ip.n &&
            memcmp(one.b, ip.b, ip.n) == 0) {
            o = OUT_OK;
            *secure = found.v[i].dnssec;
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

static void
take_name(struct session *s, struct str name, bool secure)
{
    if (!str_is_set(s->sender_host_name)) {
        s->sender_host_name = s->sender_host_names = str_lower(s->arena, name);
        s->sender_host_dnssec = secure;
        return;
    }
    s->sender_host_names = str_tainted(
        str_printf(s->arena, "%.*s\n%.*s", STR_ARG(s->sender_host_names), STR_ARG(name)));
}

/* Those of the names that lead back to the address; the first of them is the host's. */
static enum outcome
choose(struct engine *e, struct session *s, const struct host_names *names)
{
    bool later = false, secure;
    for (size_t i = 0; i < names->v.n && i < NAMES_MAX; i++) {
        struct str name = names->v.v[i];
        enum outcome o = peer_name_leads_to(e, name, s->sender_host_address, &secure);
        if (o == OUT_OK)
            take_name(s, name, names->secure && secure);
        later = later || o == OUT_DEFER;
        if (o == OUT_FAIL && maillog_selected(e, LOG_SELECTOR_HOST_LOOKUP_FAILED))
            maillog(e, MAILLOG_MAIN, STR_NULL, "%.*s does not match any IP address for %.*s",
                    STR_ARG(s->sender_host_address), STR_ARG(name));
    }
    if (str_is_set(s->sender_host_name))
        return OUT_OK;
    s->host_lookup_failed = !later;
    s->host_lookup_deferred = later;
    return later ? OUT_DEFER : OUT_FAIL;
}

enum outcome
peer_name_find(struct engine *e, struct session *s)
{
    struct host_names names;
    struct ip ip;
    if (!str_is_set(s->sender_host_address) || str_is_set(s->sender_host_name))
        return OUT_OK;
    if (s->host_lookup_failed || s->host_lookup_deferred)
        return s->host_lookup_deferred ? OUT_DEFER : OUT_FAIL;
    if (!ip_parse(s->sender_host_address, &ip))
        return OUT_FAIL;
    struct arena_mark mark = arena_mark(vm_scratch(e->vm));
    enum host_found st = host_find_names(e->eval, e->vm, &ip, &names);
    enum outcome o =
        st == HOST_FOUND ? choose(e, s, &names) : not_found(e, s, st == HOST_AGAIN);
    vm_release(e->vm, mark);
    return o;
}
