/* DANE: whether a chain of certificates is what TLSA records promise. Source: RFC 6698 section 2, RFC 7671 sections 4 and 5, RFC 7672
 * section 3: of the four usages mail knows DANE-TA(2) and DANE-EE(3); others are as if they were not there. */
#include "plugins/tls/tls_connection.h"

#include "base/arena.h"
#include "base/strlist.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

enum { USAGE_TA = 2, USAGE_EE = 3, SELECT_CERT = 0, SELECT_KEY = 1, MATCH_ALL = 0 };

static bool
is_usable(const struct tlsa *r)
{
    return (r->usage == USAGE_TA || r->usage == USAGE_EE) &&
           (r->selector == SELECT_CERT || r->selector == SELECT_KEY) && r->matching <= 2 &&
           r->data.n > 0;
}

/* The public key of a certificate, in DER; freed with gnutls_free. */
static bool
key_of(const gnutls_datum_t *der, gnutls_datum_t *key)
{
    gnutls_x509_crt_t crt = NULL;
    gnutls_pubkey_t pub = NULL;
    int rc = gnutls_x509_crt_init(&crt);
    if (rc >= 0)
        rc = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER);
    if (rc >= 0)
        rc = gnutls_pubkey_init(&pub);
    if (rc >= 0)
        rc = gnutls_pubkey_import_x509(pub, crt, 0);
    if (rc >= 0)
        rc = gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_DER, key);
    if (pub != NULL)
        gnutls_pubkey_deinit(pub);
    if (crt != NULL)
        gnutls_x509_crt_deinit(crt);
    return rc >= 0;
}

static bool
is_same(const struct tlsa *r, const gnutls_datum_t *part)
{
    static const gnutls_digest_algorithm_t digests[] = {GNUTLS_DIG_UNKNOWN, GNUTLS_DIG_SHA256,
                                                        GNUTLS_DIG_SHA512};
    unsigned char hash[64];
    if (r->matching == MATCH_ALL)
        return part->size == r->data.n && memcmp(part->data, r->data.p, r->data.n) == 0;
    gnutls_digest_algorithm_t d = digests[r->matching];
    return gnutls_hash_get_len(d) == r->data.n &&
           gnutls_hash_fast(d, part->data, part->size, hash) >= 0 &&
           memcmp(hash, r->data.p, r->data.n) == 0;
}

static bool
matches(const struct tlsa *r, const gnutls_datum_t *der)
{
    gnutls_datum_t key = {NULL, 0};
    if (r->selector == SELECT_CERT)
        return is_same(r, der);
    bool same = key_of(der, &key) && is_same(r, &key);
    gnutls_free(key.data);
    return same;
}

/* The first n certificates lead to the next one, which is trusted, and the host has one of the names: *name. */
static bool
leads_to(struct arena *a, const struct tls_dane *q, unsigned n, struct str *name)
{
    const gnutls_datum_t *chain = q->chain;
    gnutls_x509_trust_list_t list;
    gnutls_x509_crt_t crt[TLS_CERTIFICATES_MAX + 1];
    unsigned made = 0, status = ~0u;
    bool good = false;
    struct strlist_split s = strlist_split_start(q->names, ':');
    if (gnutls_x509_trust_list_init(&list, 0) < 0)
        return false;
    for (bool ok = true; ok && made <= n && gnutls_x509_crt_init(&crt[made]) >= 0; made++)
        ok = gnutls_x509_crt_import(crt[made], &chain[made], GNUTLS_X509_FMT_DER) >= 0;
    if (made == n + 1 && gnutls_x509_trust_list_add_cas(list, &crt[n], 1, 0) == 1 &&
        gnutls_x509_trust_list_verify_crt(list, crt, n, 0, &status, NULL) >= 0 && status == 0)
        while (!good && strlist_split_next(&s, a, name)) {
            const char *z = str_cstr(a, *name);
            good = z != NULL && gnutls_x509_crt_check_hostname(crt[0], z) != 0;
        }
    gnutls_x509_trust_list_deinit(list, 0);
    while (made > 0)
        gnutls_x509_crt_deinit(crt[--made]);
    return good;
}

static bool
satisfies(struct arena *a, const struct tlsa *r, const struct tls_dane *q, struct str *name,
          struct str *why)
{
    unsigned n = q->n < TLS_CERTIFICATES_MAX ? q->n : TLS_CERTIFICATES_MAX;
    bool found = false;
    *name = STR_NULL;
    if (r->usage == USAGE_EE) {
        /* neither names nor times count: RFC 7671 section 5.1 */
        *why = STR_LIT("Verification failed. The certificate differs. ");
        return matches(r, &q->chain[0]);
    }
    for (unsigned i = 1; i < n; i++) {
        if (!matches(r, &q->chain[i]))
            continue;
        if (leads_to(a, q, i, name))
            return true;
        found = true;
    }
    *why = found ? STR_LIT("certificate invalid")
                 : STR_LIT("Verification failed. CA constrains were violated. "); /* sic */
    return false;
}

bool
tls_dane_is_usable(const struct tlsa *records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_usable(&records[i]))
            return true;
    return false;
}

bool
tls_dane_match(struct arena *a, const struct tls_dane *q, struct tls_dane_match *out,
               struct str *why)
{
    for (size_t i = 0; i < q->records_n && q->n > 0; i++) {
        if (!is_usable(&q->records[i]) || !satisfies(a, &q->records[i], q, &out->name, why))
            continue;
        out->usage = q->records[i].usage;
        return true;
    }
    return false;
}
