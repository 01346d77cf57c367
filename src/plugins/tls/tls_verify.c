/* Checks the certificates of a peer. Source: specification, options tls_verify_hosts, tls_verify_cert_hostnames, hosts_require_ocsp,
 * event tls:cert. */
#include "plugins/tls/tls_connection.h"

#include "base/arena.h"
#include "base/strlist.h"

#include <gnutls/x509.h>

static bool
say(struct tls_fault *fault, const char *where, struct str text)
{
    fault->where = str_from_cstr(where);
    fault->text = text;
    return false;
}

/* The certificate names one of the hosts. */
static bool
is_named(struct tls_connection *c, const gnutls_datum_t *own, struct str names)
{
    gnutls_x509_crt_t crt;
    struct strlist_split s = strlist_split_start(names, ':');
    struct str name;
    bool good = false;
    if (gnutls_x509_crt_init(&crt) < 0)
        return false;
    bool read = gnutls_x509_crt_import(crt, own, GNUTLS_X509_FMT_DER) >= 0;
    while (read && !good && strlist_split_next(&s, c->arena, &name)) {
        const char *z = str_cstr(c->arena, name);
        good = z != NULL && gnutls_x509_crt_check_hostname(crt, z) != 0;
    }
    gnutls_x509_crt_deinit(crt);
    return good;
}

static bool
check_records(struct tls_connection *c, const gnutls_datum_t *chain, unsigned n,
              struct str *why)
{
    const struct tls_setup *s = c->setup;
    const struct tls_dane q = {
        .records = s->tlsa, .records_n = s->tlsa_n, .chain = chain, .n = n, .names = s->names};
    struct tls_dane_match m = {.name = STR_NULL};
    c->dane = tls_dane_match(c->arena, &q, &m, why);
    c->tlsa_usage = m.usage;
    c->dane_name = c->dane ? m.name : STR_NULL;
    return c->dane;
}

/* Against what is trusted, or against TLSA records. */
static bool
check_chain(struct tls_connection *c, const gnutls_datum_t *chain, unsigned n, struct str *why)
{
    unsigned status = 0;
    *why = STR_LIT("certificate invalid");
    if (tls_dane_is_usable(c->setup->tlsa, c->setup->tlsa_n))
        return check_records(c, chain, n, why);
    if (!tls_entry_trusts(c->entry) ||
        gnutls_certificate_verify_peers2(c->session, &status) < 0)
        return false;
    if ((status & GNUTLS_CERT_REVOKED) != 0)
        *why = STR_LIT("certificate revoked");
    if (status != 0) /* a stapled answer that is no good is a fault, too */
        return false;
    *why = STR_EMPTY;
    return c->setup->names.n == 0 || is_named(c, &chain[0], c->setup->names);
}

/* Tells of each certificate; one that is refused is the end. */
static bool
show_all(struct tls_connection *c, const gnutls_datum_t *chain, unsigned n)
{
    if (c->setup->seen == NULL)
        return true;
    for (unsigned i = n; i-- > 0;)
        if (i < TLS_CERTIFICATES_MAX &&
            !c->setup->seen(c->setup->ctx, i, tls_pem(c->arena, &chain[i])))
            return false;
    return true;
}

bool
tls_verify(struct tls_connection *c, struct tls_fault *fault)
{
    const struct tls_setup *s = c->setup;
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(c->session, &n);
    struct str why = STR_LIT("certificate not supplied");
    if (s->check == TLS_CHECK_NONE)
        return true;
    c->checked = true;
    c->verified = chain != NULL && n > 0 && check_chain(c, chain, n, &why);
    if (chain != NULL && n > 0 && !show_all(c, chain, n))
        return say(fault, "certificate verification failed", STR_LIT("event-action verify"));
    if (!c->verified && s->check == TLS_CHECK_REQUIRE)
        return say(fault, "certificate verification failed", why);
    return !s->ocsp_require || gnutls_ocsp_status_request_is_checked(c->session, 0) != 0 ||
           say(fault, "certificate status check failed", STR_EMPTY);
}
