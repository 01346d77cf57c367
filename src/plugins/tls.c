/* Takes certificates apart with GnuTLS, in a plugin since GnuTLS is more than the rest of the program to load.
 *
 * A certificate is the peer's text: its size and the number of its names are capped, and every value comes
 * back marked tainted. Texts of failures are those of Exim with GnuTLS. Nothing is kept between calls.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "plugins/tls/tls_connection.h"
#include "plugins/tls/tls_keys.h"
#include "plugins/tls/tls_socket.h"
#include "sys/cert_plugin.h"
#include "sys/plugin.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509-ext.h>
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

/* --- fields with a list of names ---
 *
 * An extension is decoded once: GnuTLS's functions that take a certificate and a number decode it again for
 * each name, and the peer chooses how many there are. */

static void
add_name(struct reading *r, enum cert_name_kind kind, gnutls_datum_t name)
{
    struct str text = str_dup(r->arena, str_from((const char *)name.data, name.size));
    struct cert_name one = {kind, str_tainted(text)};
    vec_push(r->arena, &r->out->names, one);
}

static void
add_alt_name(struct reading *r, unsigned type, gnutls_datum_t name)
{
    if (type == GNUTLS_SAN_DNSNAME)
        add_name(r, CERT_NAME_DNS, name);
    else if (type == GNUTLS_SAN_URI)
        add_name(r, CERT_NAME_URI, name);
    else if (type == GNUTLS_SAN_RFC822NAME)
        add_name(r, CERT_NAME_MAIL, name);
}

/* Names of other types (addresses, directories) are passed over. */
static int
take_alt_names(struct reading *r, const gnutls_datum_t *der)
{
    gnutls_subject_alt_names_t names;
    int rc = gnutls_subject_alt_names_init(&names);
    if (rc < 0)
        return rc;
    rc = gnutls_x509_ext_import_subject_alt_names(der, names, 0);
    for (unsigned i = 0; rc >= 0 && i < CERT_NAMES_MAX; i++) {
        unsigned type = 0;
        gnutls_datum_t name = {NULL, 0};
        rc = gnutls_subject_alt_names_get(names, i, &type, &name, NULL);
        if (rc >= 0)
            add_alt_name(r, type, name);
    }
    gnutls_subject_alt_names_deinit(names);
    return rc;
}

/* Exim gives up at the first access description that is not about OCSP; most certificates have one that
 * names the issuer's certificate, so here it is passed over. */
static int
take_ocsp(struct reading *r, const gnutls_datum_t *der)
{
    gnutls_x509_aia_t aia;
    int rc = gnutls_x509_aia_init(&aia);
    if (rc < 0)
        return rc;
    rc = gnutls_x509_ext_import_aia(der, aia, 0);
    for (unsigned i = 0; rc >= 0 && i < CERT_NAMES_MAX; i++) {
        unsigned type = 0;
        gnutls_datum_t oid = {NULL, 0}, name = {NULL, 0};
        rc = gnutls_x509_aia_get(aia, i, &oid, &type, &name);
        if (rc >= 0 && type == GNUTLS_SAN_URI &&
            str_eqz(str_from((const char *)oid.data, oid.size), GNUTLS_OID_AD_OCSP))
            add_name(r, CERT_NAME_URI, name);
    }
    gnutls_x509_aia_deinit(aia);
    return rc;
}

static int
take_crl(struct reading *r, const gnutls_datum_t *der)
{
    gnutls_x509_crl_dist_points_t points;
    int rc = gnutls_x509_crl_dist_points_init(&points);
    if (rc < 0)
        return rc;
    rc = gnutls_x509_ext_import_crl_dist_points(der, points, 0);
    for (unsigned i = 0; rc >= 0 && i < CERT_NAMES_MAX; i++) {
        unsigned type = 0, reasons = 0;
        gnutls_datum_t name = {NULL, 0};
        rc = gnutls_x509_crl_dist_points_get(points, i, &type, &name, &reasons);
        if (rc >= 0 && type == GNUTLS_SAN_URI)
            add_name(r, CERT_NAME_URI, name);
    }
    gnutls_x509_crl_dist_points_deinit(points);
    return rc;
}

static enum cert_end
read_names(struct reading *r, const char *oid, const char *where,
           int (*take)(struct reading *r, const gnutls_datum_t *der))
{
    gnutls_datum_t der = {NULL, 0};
    unsigned critical;
    int rc = gnutls_x509_crt_get_extension_by_oid2(r->crt, oid, 0, &der, &critical);
    if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return CERT_NONE;
    if (rc >= 0)
        rc = take(r, &der);
    gnutls_free(der.data);
    if (rc < 0 && rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return failed(r, where, rc);
    return r->out->names.n > 0 ? CERT_OK : CERT_NONE;
}

static enum cert_end
read_alt_names(struct reading *r)
{
    return read_names(r, GNUTLS_X509EXT_OID_SAN, "gs0", take_alt_names);
}

static enum cert_end
read_ocsp(struct reading *r)
{
    return read_names(r, GNUTLS_X509EXT_OID_AUTHORITY_INFO_ACCESS, "tls_cert_ocsp_uri: gai",
                      take_ocsp);
}

static enum cert_end
read_crl(struct reading *r)
{
    return read_names(r, GNUTLS_X509EXT_OID_CRL_DIST_POINTS, "gc0", take_crl);
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
static const void *const objects[] = {&cert, &tls_socket_client, &tls_connection_library,
                                      &tls_keys_library};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_OTHER,
    .name = "tls",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
