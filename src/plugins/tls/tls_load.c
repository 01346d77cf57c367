/* Reads certificates and keys; see tls_load.h. Texts of failures are the reference's with GnuTLS. */
#include "plugins/tls/tls_load.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "sys/tls_vault.h"

#include <gnutls/crypto.h>
#include <gnutls/ocsp.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    SELF_BITS = 2048,
    SELF_DAYS = 365,
    DAY_S = 86400,
};

bool
tls_load_failed(struct arena *a, struct tls_fault *fault, struct str where, int error)
{
    fault->where = str_dup(a, where);
    fault->text = str_dup(a, str_from_cstr(gnutls_strerror(error)));
    return false;
}

/* Items of a list as paths; empty ones keep their place. */
static size_t
split(struct arena *a, struct str list, const char *out[TLS_LIST_MAX])
{
    size_t n = 0;
    struct str item;
    struct strlist_split s = strlist_split_start(list, ':');
    while (n < TLS_LIST_MAX && strlist_split_next(&s, a, &item)) {
        out[n] = str_cstr(a, item);
        if (out[n] != NULL)
            n++;
    }
    return n;
}

/* --- the own identity --- */

static bool
pair_failed(const struct tls_want *w, struct tls_fault *fault, const char *cert,
            const char *key, int error)
{
    return tls_load_failed(w->arena, fault,
                           str_printf(w->arena, "cert/key setup: cert=%s key=%s", cert, key),
                           error);
}

/* One answer about certificate number index; *pem: how files are written, until the list says otherwise. */
static bool
staple(gnutls_certificate_credentials_t cred, const struct tls_want *w, const char *item,
       unsigned index, bool *pem, struct tls_fault *fault)
{
    if (strncmp(item, "PEM ", 4) == 0 || strncmp(item, "DER ", 4) == 0) {
        *pem = item[0] == 'P';
        item += 4;
    }
    if (*item == '\0')
        return true;
    int rc = gnutls_certificate_set_ocsp_status_request_file2(
        cred, item, index, *pem ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER);
    return rc >= 0 ||
           tls_load_failed(w->arena, fault,
                           STR_LIT("gnutls_certificate_set_ocsp_status_request_file2"), rc);
}

static bool
load_pairs(gnutls_certificate_credentials_t cred, const struct tls_want *w,
           struct tls_fault *fault)
{
    const char *certs[TLS_LIST_MAX], *keys[TLS_LIST_MAX], *answers[TLS_LIST_MAX];
    size_t n = split(w->arena, w->files->certificates, certs);
    size_t keys_n = split(w->arena, w->files->keys, keys);
    size_t answers_n = split(w->arena, w->files->stapled, answers);
    bool pem = false;
    for (size_t i = 0; i < n; i++) {
        const char *key = keys_n == 0 ? certs[i] : i < keys_n ? keys[i] : "";
        int rc = gnutls_certificate_set_x509_key_file(cred, certs[i], key, GNUTLS_X509_FMT_PEM);
        if (rc < 0)
            return pair_failed(w, fault, certs[i], key, rc);
        if (i < answers_n && !staple(cred, w, answers[i], (unsigned)rc, &pem, fault))
            return false;
    }
    return true;
}

/* --- a certificate of one's own making --- */

struct self {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
};

static int
describe_self(struct self *s, const char *name)
{
    static const struct {
        const char *oid, *text;
    } parts[] = {{GNUTLS_OID_X520_COUNTRY_NAME, "UK"},
                 {GNUTLS_OID_X520_ORGANIZATION_NAME, "Exim Developers"}};
    time_t now = time(NULL);
    unsigned char serial[4] = {1};
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < sizeof parts / sizeof *parts; i++)
        rc = gnutls_x509_crt_set_dn_by_oid(s->crt, parts[i].oid, 0, parts[i].text,
                                           (unsigned)strlen(parts[i].text));
    if (rc >= 0)
        rc = gnutls_x509_crt_set_dn_by_oid(s->crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                           (unsigned)strlen(name));
    if (rc >= 0)
        rc = gnutls_x509_crt_set_version(s->crt, 3);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_serial(s->crt, serial, sizeof serial);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_activation_time(s->crt, now - DAY_S);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_expiration_time(s->crt, now + SELF_DAYS * DAY_S);
    return rc;
}

static int
make_self(struct self *s, const char *name)
{
    int rc = gnutls_x509_privkey_init(&s->key);
    if (rc >= 0)
        rc = gnutls_x509_crt_init(&s->crt);
    if (rc >= 0)
        rc = gnutls_x509_privkey_generate(s->key, GNUTLS_PK_RSA, SELF_BITS, 0);
    if (rc >= 0)
        rc = describe_self(s, name);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_key(s->crt, s->key);
    if (rc >= 0)
        rc = gnutls_x509_crt_sign2(s->crt, s->crt, s->key, GNUTLS_DIG_SHA256, 0);
    return rc;
}

struct self_wanted {
    const char *name;
    int rc;
};

/* Both in PEM, one after the other. */
static int
write_self(const struct self *s, struct arena *a, struct str *out)
{
    gnutls_datum_t crt = {NULL, 0}, key = {NULL, 0};
    int rc = gnutls_x509_crt_export2(s->crt, GNUTLS_X509_FMT_PEM, &crt);
    if (rc >= 0)
        rc = gnutls_x509_privkey_export2(s->key, GNUTLS_X509_FMT_PEM, &key);
    if (rc >= 0)
        *out = str_printf(a, "%.*s%.*s", (int)crt.size, (const char *)crt.data, (int)key.size,
                          (const char *)key.data);
    if (key.data != NULL)
        gnutls_memset(key.data, 0, key.size);
    gnutls_free(crt.data);
    gnutls_free(key.data);
    return rc;
}

/* For tls_vault_identity. */
static bool
make_identity(void *ctx, struct arena *a, struct str *out)
{
    struct self_wanted *want = ctx;
    struct self s = {NULL, NULL};
    want->rc = make_self(&s, want->name);
    if (want->rc >= 0)
        want->rc = write_self(&s, a, out);
    if (s.crt != NULL)
        gnutls_x509_crt_deinit(s.crt);
    if (s.key != NULL)
        gnutls_x509_privkey_deinit(s.key);
    return want->rc >= 0;
}

static bool
load_self(gnutls_certificate_credentials_t cred, const struct tls_want *w,
          struct tls_fault *fault)
{
    const char *name = str_cstr(w->arena, w->files->self);
    struct self_wanted want = {.name = name != NULL ? name : "localhost",
                               .rc = GNUTLS_E_INTERNAL_ERROR};
    struct arena *a = arena_new();
    struct str text = STR_NULL;
    if (w->vault >= 0)
        text = tls_vault_identity(a, w->vault, make_identity, &want);
    else
        (void)make_identity(&want, a, &text);
    if (str_is_set(text)) {
        gnutls_datum_t both = {(unsigned char *)(uintptr_t)text.p, text.n};
        want.rc = gnutls_certificate_set_x509_key_mem(cred, &both, &both, GNUTLS_X509_FMT_PEM);
        explicit_bzero(both.data, both.size);
    }
    arena_free(a);
    return want.rc >= 0 ||
           tls_load_failed(w->arena, fault, STR_LIT("selfsigned cert"), want.rc);
}

/* --- what is trusted --- */

static bool
is_system(struct str trusted)
{
    return str_eqz(trusted, "system") || str_eqz(trusted, "system,cache");
}

static bool
load_trusted(gnutls_certificate_credentials_t cred, const struct tls_want *w, size_t *trusted,
             struct tls_fault *fault)
{
    struct str from = w->files->trusted;
    const char *path = str_cstr(w->arena, from);
    struct stat st;
    int n;
    if (from.n == 0 || path == NULL)
        return true;
    if (is_system(from)) {
        n = gnutls_certificate_set_x509_system_trust(cred);
    } else if (stat(path, &st) != 0) {
        fault->where =
            str_printf(w->arena, "could not stat '%s' (tls_verify_certificates)", path);
        fault->text = STR_EMPTY;
        return false;
    } else if (S_ISDIR(st.st_mode)) {
        n = gnutls_certificate_set_x509_trust_dir(cred, path, GNUTLS_X509_FMT_PEM);
    } else {
        n = gnutls_certificate_set_x509_trust_file(cred, path, GNUTLS_X509_FMT_PEM);
    }
    if (n < 0 && !is_system(from) && st.st_size > 0 && S_ISREG(st.st_mode))
        return tls_load_failed(w->arena, fault, STR_LIT("setting certificate trust"), n);
    *trusted = n > 0 ? (size_t)n : 0;
    return true;
}

static bool
load_revoked(gnutls_certificate_credentials_t cred, const struct tls_want *w,
             struct tls_fault *fault)
{
    const char *path = str_cstr(w->arena, w->files->revoked);
    if (w->files->revoked.n == 0 || path == NULL)
        return true;
    int n = gnutls_certificate_set_x509_crl_file(cred, path, GNUTLS_X509_FMT_PEM);
    return n >= 0 ||
           tls_load_failed(w->arena, fault, STR_LIT("gnutls_certificate_set_x509_crl_file"), n);
}

/* --- Diffie-Hellman --- */

static int
read_group(const char *path, gnutls_dh_params_t *dh)
{
    gnutls_datum_t text = {NULL, 0};
    int rc = gnutls_load_file(path, &text);
    if (rc >= 0)
        rc = gnutls_dh_params_init(dh);
    if (rc >= 0)
        rc = gnutls_dh_params_import_pkcs3(*dh, &text, GNUTLS_X509_FMT_PEM);
    gnutls_free(text.data);
    return rc;
}

/* Names of tls_dhparam. Those of IKE (RFC 2409, 3526, 5114) stand for the group of RFC 7919 that is no smaller: GnuTLS has only these. */
static const struct named_group {
    const char *names; /* with a blank before and behind each */
    const gnutls_datum_t *prime, *generator;
    const unsigned *key_bits;
} groups[] = {
    {" ffdhe2048 ike1 ike2 ike5 ike14 ike22 ike23 ike24 default historic exim.dev.20160529.3 ",
     &gnutls_ffdhe_2048_group_prime, &gnutls_ffdhe_2048_group_generator,
     &gnutls_ffdhe_2048_key_bits},
    {" ffdhe3072 ike15 ", &gnutls_ffdhe_3072_group_prime, &gnutls_ffdhe_3072_group_generator,
     &gnutls_ffdhe_3072_key_bits},
    {" ffdhe4096 ike16 ", &gnutls_ffdhe_4096_group_prime, &gnutls_ffdhe_4096_group_generator,
     &gnutls_ffdhe_4096_key_bits},
    {" ffdhe6144 ike17 ", &gnutls_ffdhe_6144_group_prime, &gnutls_ffdhe_6144_group_generator,
     &gnutls_ffdhe_6144_key_bits},
    {" ffdhe8192 ike18 ", &gnutls_ffdhe_8192_group_prime, &gnutls_ffdhe_8192_group_generator,
     &gnutls_ffdhe_8192_key_bits},
};

static const struct named_group *
find_group(struct arena *a, struct str name)
{
    struct str word = str_printf(a, " %.*s ", STR_ARG(name));
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (str_find(str_from_cstr(groups[i].names), word, 0) != STR_NPOS)
            return &groups[i];
    return NULL;
}

static bool
load_named_group(const struct tls_want *w, gnutls_dh_params_t *dh, struct tls_fault *fault)
{
    const struct named_group *g = find_group(w->arena, w->files->dh);
    if (g == NULL) {
        fault->where = str_printf(w->arena, "tls_dhparam: no group has the name \"%.*s\"",
                                  STR_ARG(w->files->dh));
        fault->text = STR_EMPTY;
        return false;
    }
    int rc = gnutls_dh_params_init(dh);
    if (rc >= 0)
        rc = gnutls_dh_params_import_raw2(*dh, g->prime, g->generator, *g->key_bits);
    return rc >= 0 ||
           tls_load_failed(w->arena, fault, STR_LIT("gnutls_dh_params_import_raw2"), rc);
}

/* Without a name it is what GnuTLS suggests. */
static bool
load_group(gnutls_certificate_credentials_t cred, const struct tls_want *w,
           struct tls_loaded *out, struct tls_fault *fault)
{
    struct str dh = w->files->dh;
    const char *path = str_cstr(w->arena, dh);
    if (w->role == TLS_CLIENT || str_eqz(dh, "none"))
        return true;
    if (dh.n == 0 || path == NULL) {
        int rc = gnutls_certificate_set_known_dh_params(cred, GNUTLS_SEC_PARAM_MEDIUM);
        return rc >= 0 ||
               tls_load_failed(w->arena, fault,
                               STR_LIT("gnutls_certificate_set_known_dh_params"), rc);
    }
    if (dh.p[0] != '/') {
        if (!load_named_group(w, &out->dh, fault))
            return false;
    } else {
        int rc = read_group(path, &out->dh);
        if (rc < 0)
            return tls_load_failed(w->arena, fault, STR_LIT("gnutls_dh_params_import_pkcs3"),
                                   rc);
    }
    gnutls_certificate_set_dh_params(cred, out->dh);
    return true;
}

/* --- all of it --- */

bool
tls_load_credentials(gnutls_certificate_credentials_t cred, const struct tls_want *w,
                     struct tls_loaded *out, struct tls_fault *fault)
{
    *out = (struct tls_loaded){.trusted = 0};
    gnutls_certificate_set_flags(cred, GNUTLS_CERTIFICATE_API_V2);
    if (w->files->certificates.n > 0) {
        if (!load_pairs(cred, w, fault))
            return false;
    } else if (w->role == TLS_SERVER && w->files->self.n > 0) {
        if (!load_self(cred, w, fault))
            return false;
    }
    if (w->trust &&
        (!load_trusted(cred, w, &out->trusted, fault) || !load_revoked(cred, w, fault)))
        return false;
    return load_group(cred, w, out, fault);
}

static void
add_path(const char **paths, size_t max, size_t *n, const char *path)
{
    if (path != NULL && path[0] == '/' && *n < max)
        paths[(*n)++] = path;
}

size_t
tls_load_paths(const struct tls_want *w, const char **paths, size_t max)
{
    const char *items[TLS_LIST_MAX];
    const struct str lists[] = {w->files->certificates, w->files->keys, w->files->stapled};
    size_t n = 0;
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
        size_t items_n = split(w->arena, lists[k], items);
        for (size_t i = 0; i < items_n; i++) {
            const char *slash = strchr(items[i], '/');
            add_path(paths, max, &n, slash);
        }
    }
    if (w->trust && is_system(w->files->trusted))
        add_path(paths, max, &n, "/etc/ssl/certs/ca-certificates.crt");
    else if (w->trust)
        add_path(paths, max, &n, str_cstr(w->arena, w->files->trusted));
    if (w->trust)
        add_path(paths, max, &n, str_cstr(w->arena, w->files->revoked));
    add_path(paths, max, &n, str_cstr(w->arena, w->files->dh));
    return n;
}
