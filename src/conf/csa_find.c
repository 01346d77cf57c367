/* Client SMTP Authorization; see csa_find.h. A record of version 1 (the priority) has an authorization in the lowest bits of its weight,
 * and in the lowest bit of its port whether hosts below the domain must have records of their own. */
#include "conf/csa_find.h"

#include "conf/conf.h"
#include "conf/host_find.h"
#include "conf/main_options.h"

enum { VERSION = 1, AUTHORIZATION = 3, EXPLICIT = 1 };

/* The name to begin with: addresses stand in the reverse zone. */
static struct str
start_name(const struct eval *e, struct arena *a, struct str domain)
{
    struct ip ip;
    struct str address = domain;
    if (e->conf != NULL && !e->conf->main->dns_csa_use_reverse)
        return domain;
    if (address.n > 2 && address.p[0] == '[' && address.p[address.n - 1] == ']')
        address = str_sub(address, 1, address.n - 2);
    if (str_istarts(address, "ipv6:") || str_istarts(address, "ipv4:"))
        address = str_sub(address, 5, address.n);
    return ip_parse(address, &ip) ? host_find_reverse(a, &ip) : domain;
}

static const struct dns_record *
find_record(const struct resolve_answer *found)
{
    const struct dns_record *r;
    size_t at = 0;
    while ((r = resolve_next(&found->reply.answer, DNS_SRV, &at)) != NULL)
        if (r->number[0] == VERSION)
            return r;
    return NULL;
}

static enum csa_verdict
own_verdict(const struct dns_record *r)
{
    switch (r->number[1] & AUTHORIZATION) {
    case 2:
        return CSA_YES;
    case 3:
        return CSA_UNKNOWN;
    default:
        return CSA_NO;
    }
}

/* The parent, unless it is a top-level domain. */
static bool
parent_of(struct str *name)
{
    size_t dot = str_chr(*name, '.', 0);
    if (dot == STR_NPOS)
        return false;
    struct str parent = str_sub(*name, dot + 1, name->n);
    if (str_chr(parent, '.', 0) == STR_NPOS || str_ieqz(parent, "in-addr.arpa") ||
        str_ieqz(parent, "ip6.arpa"))
        return false;
    *name = parent;
    return true;
}

enum csa_verdict
csa_find(struct eval *e, struct vm *vm, struct arena *a, struct str domain,
         struct csa_found *out)
{
    struct str name = start_name(e, a, domain);
    int64_t most = e->conf == NULL ? 5 : e->conf->main->dns_csa_search_limit;
    bool own = true;
    *out = (struct csa_found){.target = STR_EMPTY};
    for (int64_t i = 0; i <= most; i++, own = false) {
        const struct dns_question q = {.name = str_cat(a, STR_LIT("_client._smtp."), name),
                                       .type = DNS_SRV};
        enum dns_status st = resolve_ask(e, vm, a, &q, &out->answer);
        if (st == DNS_AGAIN || st == DNS_FAILED)
            return CSA_AGAIN;
        const struct dns_record *r = st == DNS_FOUND ? find_record(&out->answer) : NULL;
        if (r != NULL) {
            out->target = r->name;
            if (own)
                return own_verdict(r);
            return (r->number[2] & EXPLICIT) != 0 ? CSA_MISSING : CSA_UNKNOWN;
        }
        if (!parent_of(&name))
            break;
    }
    return CSA_NONE;
}

char
csa_letter(enum csa_verdict v)
{
    static const char letters[] = {
        [CSA_YES] = 'Y', [CSA_NO] = 'N', [CSA_MISSING] = 'X', [CSA_UNKNOWN] = '?'};
    return (size_t)v < sizeof letters ? letters[v] : '\0';
}
