/* Takes certificates apart with GnuTLS, in a plugin since GnuTLS is more than the rest of the program to load.
 *
 * A certificate is the peer's text: its size and the number of its names are capped, and every value comes
 * back marked tainted. Texts of failures are those of Exim with GnuTLS. Nothing is kept between calls.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "sys/cert_plugin.h"
#include "sys/plugin.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

enum { VALUE_MAX = 64 * 1024 };

/* What a reader of a field is called with. */
struct reading {
    struct arena *arena;
    gnutls_x509_crt_t crt;
    const char *oid;
    struct cert_answer *out;
};

static enum cert_end
failed(struct reading *r, const char *where, int error)
{
    r->out->text = str_printf(r->arena, "%s fail: %s", where, gnutls_strerror(error));
    return CERT_FAILED;
}

static struct str
hex(struct arena *a, const unsigned char *p, size_t n, const char *separator)
{
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%02x", i > 0 ? separator : "", p[i]);
    struct str s = buf_str(&b);
    return s.p != NULL ? s : STR_EMPTY;
}

/* --- fields with one value --- */

static enum cert_end
read_version(struct reading *r)
{
    int n = gnutls_x509_crt_get_version(r->crt);
    if (n < 0)
        return failed(r, "tls_cert_version", n);
    r->out->text = str_printf(r->arena, "%d", n);
    return CERT_OK;
}

static enum cert_end
read_serial(struct reading *r)
{
    unsigned char bytes[128];
    size_t n = sizeof bytes;
    int rc = gnutls_x509_crt_get_serial(r->crt, bytes, &n);
    if (rc < 0)
        return failed(r, "gs0", rc);
    struct str s = hex(r->arena, bytes, n, "");
    while (s.n > 1 && s.p[0] == '0')
        s = str_sub(s, 1, s.n);
    r->out->text = s;
    return CERT_OK;
}

typedef int get_text(gnutls_x509_crt_t crt, char *to, size_t *n);

static enum cert_end
read_name(struct reading *r, get_text *get, const char *where_size, const char *where)
{
    size_t n = 0;
    int rc = get(r->crt, NULL, &n);
    if (rc != GNUTLS_E_SHORT_MEMORY_BUFFER || n > VALUE_MAX)
        return failed(r, where_size, rc);
    char *p = arena_alloc(r->arena, n);
    rc = get(r->crt, p, &n);
    if (rc < 0)
        return failed(r, where, rc);
    r->out->text = str_from(p, n);
    return CERT_OK;
}

static enum cert_end
read_subject(struct reading *r)
{
    return read_name(r, gnutls_x509_crt_get_dn, "tls_cert_subject: gs0",
                     "tls_cert_subject: gs1");
}

static enum cert_end
read_issuer(struct reading *r)
{
    return read_name(r, gnutls_x509_crt_get_issuer_dn, "tls_cert_issuer: gi0",
                     "tls_cert_issuer: gi1");
}

static enum cert_end
read_time(struct reading *r, time_t t)
{
    if (t == (time_t)-1)
        return failed(r, "tls_cert_time", GNUTLS_E_ASN1_GENERIC_ERROR);
    r->out->number = t;
    return CERT_OK;
}

static enum cert_end
read_not_before(struct reading *r)
{
    return read_time(r, gnutls_x509_crt_get_activation_time(r->crt));
}

static enum cert_end
read_not_after(struct reading *r)
{
    return read_time(r, gnutls_x509_crt_get_expiration_time(r->crt));
}

static enum cert_end
read_sig_algorithm(struct reading *r)
{
    int algorithm = gnutls_x509_crt_get_signature_algorithm(r->crt);
    const char *name =
        algorithm < 0 ? NULL : gnutls_sign_get_name((gnutls_sign_algorithm_t)algorithm);
    if (name == NULL)
        return failed(r, "tls_cert_sig_algorithm",
                      algorithm < 0 ? algorithm : GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM);
    r->out->text = str_dup(r->arena, str_from_cstr(name));
    return CERT_OK;
}

static enum cert_end
read_signature(struct reading *r)
{
    size_t n = 0;
    int rc = gnutls_x509_crt_get_signature(r->crt, NULL, &n);
    if (rc != GNUTLS_E_SHORT_MEMORY_BUFFER || n > VALUE_MAX)
        return failed(r, "gs0", rc);
    char *p = arena_alloc(r->arena, n);
    rc = gnutls_x509_crt_get_signature(r->crt, p, &n);
    if (rc < 0)
        return failed(r, "gs1", rc);
    r->out->text = hex(r->arena, (const unsigned char *)p, n, " ");
    return CERT_OK;
}

static enum cert_end
read_extension(struct reading *r)
{
    unsigned critical;
    size_t n = 0;
    int rc = gnutls_x509_crt_get_extension_by_oid(r->crt, r->oid, 0, NULL, &n, &critical);
    if ((rc < 0 && rc != GNUTLS_E_SHORT_MEMORY_BUFFER) || n > VALUE_MAX)
        return failed(r, "tls_cert_ext_by_oid: ge0", rc);
    unsigned char *p = arena_alloc(r->arena, n);
    rc = gnutls_x509_crt_get_extension_by_oid(r->crt, r->oid, 0, p, &n, &critical);
    if (rc < 0)
        return failed(r, "tls_cert_ext_by_oid: ge1", rc);
    r->out->text = hex(r->arena, p, n, " ");
    return CERT_OK;
}

/* --- fields with a list of names --- */

static void
add_name(struct reading *r, enum cert_name_kind kind, const void *p, size_t n)
{
    struct cert_name one = {kind, str_tainted(str_dup(r->arena, str_from(p, n)))};
    vec_push(r->arena, &r->out->names, one);
}

static enum cert_end
names_end(const struct reading *r)
{
    return r->out->names.n > 0 ? CERT_OK : CERT_NONE;
}

/* Names of other types (addresses, directories) are passed over. */
static enum cert_end
read_alt_names(struct reading *r)
{
    char *p = arena_alloc(r->arena, VALUE_MAX);
    for (unsigned i = 0; i < CERT_NAMES_MAX; i++) {
        size_t n = VALUE_MAX;
        int rc = gnutls_x509_crt_get_subject_alt_name(r->crt, i, p, &n, NULL);
        if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            break;
        if (rc == GNUTLS_SAN_DNSNAME)
            add_name(r, CERT_NAME_DNS, p, n);
        else if (rc == GNUTLS_SAN_URI)
            add_name(r, CERT_NAME_URI, p, n);
        else if (rc == GNUTLS_SAN_RFC822NAME)
            add_name(r, CERT_NAME_MAIL, p, n);
        else if (rc < 0 && rc != GNUTLS_E_SHORT_MEMORY_BUFFER)
            return failed(r, "gs0", rc);
    }
    return names_end(r);
}

/* Exim gives up at the first access description that is not about OCSP; most certificates have one that
 * names the issuer's certificate, so here it is passed over. */
static enum cert_end
read_ocsp(struct reading *r)
{
    for (unsigned i = 0; i < CERT_NAMES_MAX; i++) {
        gnutls_datum_t uri = {NULL, 0};
        int rc = gnutls_x509_crt_get_authority_info_access(r->crt, i, GNUTLS_IA_OCSP_URI, &uri,
                                                           NULL);
        if (rc >= 0)
            add_name(r, CERT_NAME_URI, uri.data, uri.size);
        gnutls_free(uri.data);
        if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            break;
        if (rc < 0 && rc != GNUTLS_E_UNKNOWN_ALGORITHM)
            return failed(r, "tls_cert_ocsp_uri: gai", rc);
    }
    return names_end(r);
}

static enum cert_end
read_crl(struct reading *r)
{
    char *p = arena_alloc(r->arena, VALUE_MAX);
    for (unsigned i = 0; i < CERT_NAMES_MAX; i++) {
        size_t n = VALUE_MAX;
        int rc = gnutls_x509_crt_get_crl_dist_points(r->crt, i, p, &n, NULL, NULL);
        if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            break;
        if (rc == GNUTLS_SAN_URI)
            add_name(r, CERT_NAME_URI, p, n);
        else if (rc < 0 && rc != GNUTLS_E_SHORT_MEMORY_BUFFER)
            return failed(r, "gc0", rc);
    }
    return names_end(r);
}

/* --- the plugin --- */

static enum cert_end (*const readers[])(struct reading *r) = {
    [CERT_VERSION] = read_version,
    [CERT_SERIAL] = read_serial,
    [CERT_SUBJECT] = read_subject,
    [CERT_ISSUER] = read_issuer,
    [CERT_NOT_BEFORE] = read_not_before,
    [CERT_NOT_AFTER] = read_not_after,
    [CERT_SIG_ALGORITHM] = read_sig_algorithm,
    [CERT_SIGNATURE] = read_signature,
    [CERT_ALT_NAMES] = read_alt_names,
    [CERT_OCSP] = read_ocsp,
    [CERT_CRL] = read_crl,
    [CERT_EXTENSION] = read_extension,
};

static enum cert_end
read_field(struct reading *r, struct str pem, enum cert_field field)
{
    char *copy = arena_alloc(r->arena, (size_t)pem.n + 1);
    memcpy(copy, pem.p, pem.n);
    copy[pem.n] = '\0';
    gnutls_datum_t text = {(unsigned char *)copy, pem.n};
    int rc = gnutls_x509_crt_import(r->crt, &text, GNUTLS_X509_FMT_PEM);
    return rc < 0 ? failed(r, "tls_import_cert", rc) : readers[field](r);
}

static enum cert_end
tls_read(struct arena *a, struct str pem, enum cert_field field, struct str oid,
         struct cert_answer *out)
{
    struct reading r = {.arena = a, .out = out};
    *out = (struct cert_answer){.text = STR_EMPTY};
    r.oid = str_cstr(a, oid);
    if (r.oid == NULL || pem.n == 0 || pem.n > CERT_SIZE_MAX) {
        out->text = STR_LIT("the certificate is too large");
        return CERT_FAILED;
    }
    int rc = gnutls_x509_crt_init(&r.crt);
    if (rc < 0)
        return failed(&r, "tls_import_cert", rc);
    enum cert_end end = read_field(&r, pem, field);
    gnutls_x509_crt_deinit(r.crt);
    if (end == CERT_OK)
        out->text = str_tainted(out->text);
    return end;
}

static const struct cert_plugin cert = {.read = tls_read};
static const void *const objects[] = {&cert};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_OTHER,
    .name = "tls",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
