/* What came of a handshake, as logs and variables have it. */
#include "plugins/tls/tls_connection.h"

#include "base/arena.h"
#include "base/buf.h"

#include <gnutls/x509.h>

enum { NAME_MAX = 64 * 1024 };

struct str
tls_pem(struct arena *a, const gnutls_datum_t *der)
{
    gnutls_datum_t pem = {NULL, 0};
    if (gnutls_pem_base64_encode2("CERTIFICATE", der, &pem) < 0)
        return STR_NULL;
    struct str s = str_dup(a, str_from((const char *)pem.data, pem.size));
    gnutls_free(pem.data);
    return s;
}

static struct str
name_of(struct arena *a, const gnutls_datum_t *der)
{
    gnutls_x509_crt_t crt;
    struct str name = STR_NULL;
    size_t n = 0;
    if (gnutls_x509_crt_init(&crt) < 0)
        return name;
    if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) >= 0 &&
        gnutls_x509_crt_get_dn(crt, NULL, &n) == GNUTLS_E_SHORT_MEMORY_BUFFER &&
        n <= NAME_MAX) {
        char *p = arena_alloc(a, n);
        if (gnutls_x509_crt_get_dn(crt, p, &n) >= 0)
            name = str_tainted(str_from(p, n));
    }
    gnutls_x509_crt_deinit(crt);
    return name;
}

/* "(TLS1.3)-(ECDHE-X25519)-(RSA-PSS-RSAE-SHA256)-(AES-256-GCM)" as "TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256". */
static struct str
cipher_text(struct arena *a, struct str desc, int64_t bits)
{
    struct buf b = buf_in(a, 0);
    bool first = true;
    for (uint32_t i = 0; i < desc.n; i++) {
        char c = desc.p[i];
        if (c == '(')
            continue;
        if (c == ')') {
            if (i + 1 < desc.n && desc.p[i + 1] == '-') {
                buf_addz(&b, first ? ":" : "__");
                i++;
            }
            first = false;
        } else {
            buf_addc(&b, !first && c == '-' ? '_' : ascii_space(c) ? '-' : c);
        }
    }
    buf_printf(&b, ":%lld", (long long)bits);
    return buf_str(&b);
}

/* In the middle of an early handshake GnuTLS does not describe the session yet; what it will say is known, since it is TLS 1.3 and a
 * certificate was shown. */
static struct str
describe(struct tls_connection *c, struct arena *a)
{
    const char *group = gnutls_group_get_name(gnutls_group_get(c->session));
    const char *sign =
        gnutls_sign_get_name((gnutls_sign_algorithm_t)gnutls_sign_algorithm_get(c->session));
    const char *cipher = gnutls_cipher_get_name(gnutls_cipher_get(c->session));
    if (group == NULL || sign == NULL || cipher == NULL)
        return STR_NULL;
    return str_printf(a, "(TLS1.3)-(%s-%s)-(%s)-(%s)", group[0] == 'F' ? "DHE" : "ECDHE", group,
                      sign, cipher);
}

static void
read_cipher(struct tls_connection *c, struct arena *a, struct tls_facts *out)
{
    const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(c->session));
    const char *std = gnutls_ciphersuite_get(c->session);
    char *desc = gnutls_session_get_desc(c->session);
    out->bits = (int64_t)gnutls_cipher_get_key_size(gnutls_cipher_get(c->session)) * 8;
    out->version = str_dup(a, str_from_cstr(version != NULL ? version : "?"));
    out->cipher_std = std != NULL ? str_dup(a, str_from_cstr(std)) : STR_NULL;
    struct str text = desc != NULL ? str_from_cstr(desc) : describe(c, a);
    if (str_is_set(text))
        out->cipher = cipher_text(a, text, out->bits);
    gnutls_free(desc);
}

static enum tls_ocsp
ocsp_of(struct tls_connection *c)
{
    gnutls_datum_t answer;
    if (!c->asked_ocsp)
        return TLS_OCSP_NOT_ASKED;
    /* What a server staples is not its own to check. */
    if (c->role == TLS_SERVER || gnutls_ocsp_status_request_get(c->session, &answer) < 0)
        return TLS_OCSP_NO_ANSWER;
    if (!c->checked)
        return TLS_OCSP_UNCHECKED;
    return gnutls_ocsp_status_request_is_checked(c->session, 0) != 0 ? TLS_OCSP_GOOD
                                                                     : TLS_OCSP_BAD;
}

static unsigned
resumption_of(const struct tls_connection *c)
{
    unsigned bits = TLS_RESUME_SUPPORTED | c->resumption;
    if (!c->resume)
        return bits;
    if ((gnutls_session_get_flags(c->session) & GNUTLS_SFLAGS_SESSION_TICKET) != 0)
        bits |= TLS_RESUME_TICKET;
    if (gnutls_session_is_resumed(c->session) != 0)
        bits |= TLS_RESUME_USED;
    return bits;
}

void
tls_facts_read(struct tls_connection *c, struct arena *a, struct tls_facts *out)
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(c->session, &n);
    const gnutls_datum_t *own = gnutls_certificate_get_ours(c->session);
    *out = (struct tls_facts){.peer_dn = STR_NULL,
                              .peer_cert = STR_NULL,
                              .own_cert = STR_NULL,
                              .cipher_std = STR_NULL,
                              .sni = c->sni.n > 0 ? c->sni : STR_NULL,
                              .verified = c->verified,
                              .dane = c->dane,
                              .tlsa_usage = c->tlsa_usage,
                              .dane_name = c->dane_name};
    read_cipher(c, a, out);
    if (chain != NULL && n > 0) {
        out->peer_dn = name_of(a, &chain[0]);
        out->peer_cert = tls_pem(a, &chain[0]);
    }
    if (own != NULL)
        out->own_cert = tls_pem(a, own);
    out->ocsp = ocsp_of(c);
    out->resumed = resumption_of(c);
}
