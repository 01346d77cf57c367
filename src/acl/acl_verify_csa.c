/* verify = csa: client SMTP authorization. Source: specification, section "Client SMTP authorization (CSA)". */
#include "acl/acl_verify.h"

#include "base/arena.h"
#include "conf/csa_find.h"
#include "conf/host_find.h"

/* How it can end. */
enum end {
    END_UNKNOWN,
    END_OK,
    END_AGAIN,
    END_ADDRESS_AGAIN,
    END_NOT_EXPLICIT,
    END_NOT_AUTHORIZED,
    END_NO_ADDRESS,
    END_MISMATCH,
};

/* The condition fails only for what is known to be wrong. */
static const struct {
    const char *status, *text;
} ends[] = {
    [END_UNKNOWN] = {"unknown", "unknown"},
    [END_OK] = {"ok", "ok"},
    [END_AGAIN] = {"defer", "deferred (SRV lookup failed)"},
    [END_ADDRESS_AGAIN] = {"defer", "deferred (target address lookup failed)"},
    [END_NOT_EXPLICIT] = {"fail", "failed (explicit authorization required)"},
    [END_NOT_AUTHORIZED] = {"fail", "failed (host name not authorized)"},
    [END_NO_ADDRESS] = {"fail", "failed (no authorized addresses)"},
    [END_MISMATCH] = {"fail", "failed (client address mismatch)"},
};

/* Whether the client's address is one of the target's. */
static enum end
check_address(struct acl_call *c, struct str target, struct str client)
{
    struct arena *a = arena_new();
    struct host_targets found = {NULL, 0, 0};
    struct host_find q = {.eval = c->r->eval, .vm = c->r->vm, .arena = a, .out = &found};
    struct ip ip, one;
    enum end end = END_NO_ADDRESS;
    q.host = (struct host_target){.name = target};
    enum host_found st = host_find_by_dns(&q);
    if (st != HOST_FOUND || !ip_parse(client, &ip))
        end = st == HOST_AGAIN ? END_ADDRESS_AGAIN : END_NO_ADDRESS;
    for (size_t i = 0; st == HOST_FOUND && i < found.n && end != END_OK; i++) {
        if (!ip_parse(found.v[i].address, &one) || one.n != ip.n)
            continue;
        end = memcmp(one.b, ip.b, ip.n) == 0 ? END_OK : END_MISMATCH;
    }
    arena_free(a);
    return end;
}

static enum end
check(struct acl_call *c, struct str domain, struct str client)
{
    struct csa_found found;
    if (domain.n == 0)
        domain = client;
    switch (csa_find(c->r->eval, c->r->vm, vm_scratch(c->r->vm), domain, &found)) {
    case CSA_NONE:
    case CSA_UNKNOWN:
        return END_UNKNOWN;
    case CSA_AGAIN:
        return END_AGAIN;
    case CSA_NO:
        return END_NOT_AUTHORIZED;
    case CSA_MISSING:
        return END_NOT_EXPLICIT;
    case CSA_YES:
        break;
    }
    return check_address(c, found.target, client);
}

enum acl_test
acl_verify_csa(struct acl_verify_call *v)
{
    struct acl_call *c = v->c;
    struct session *s = c->r->eval->session;
    enum end end = END_UNKNOWN; /* a local process has no say in them */
    if (s != NULL && str_is_set(s->sender_host_address)) {
        struct str domain = str_is_set(v->domain) ? v->domain : s->sender_helo_name;
        end = check(c, domain, s->sender_host_address);
    }
    struct str text = str_printf(c->keep, "client SMTP authorization %s", ends[end].text);
    if (s != NULL) {
        s->csa_status = str_from_cstr(ends[end].status);
        s->acl_verify_message = text;
    }
    if (end < END_NOT_EXPLICIT)
        return ACL_TEST_TRUE;
    c->user = c->log = text;
    return ACL_TEST_FALSE;
}
