/* What the program and the plugin that reads certificates agree on.
 *
 * The plugin (plugins/tls.c) takes a certificate apart and knows nothing of ${certextract}; what a
 * configuration may ask for and how an answer looks is proc/host_cert.c's.
 */
#ifndef REMEX_SYS_CERT_PLUGIN_H
#define REMEX_SYS_CERT_PLUGIN_H

#include "base/str.h"
#include "base/vec.h"

enum cert_field {
    CERT_VERSION,       /* text */
    CERT_SERIAL,        /* text: hexadecimal, without leading zeros */
    CERT_SUBJECT,       /* text: RFC 4514 */
    CERT_ISSUER,        /* text: RFC 4514 */
    CERT_NOT_BEFORE,    /* number: seconds since the epoch */
    CERT_NOT_AFTER,     /* number */
    CERT_SIG_ALGORITHM, /* text */
    CERT_SIGNATURE,     /* text: hexadecimal octets with spaces between */
    CERT_ALT_NAMES,     /* names */
    CERT_OCSP,          /* names */
    CERT_CRL,           /* names */
    CERT_EXTENSION,     /* text: as the signature; the extension is named by its OID */
};

enum cert_name_kind { CERT_NAME_DNS, CERT_NAME_URI, CERT_NAME_MAIL };

struct cert_name {
    enum cert_name_kind kind;
    struct str text;
};

enum { CERT_NAMES_MAX = 1024, CERT_SIZE_MAX = 64 * 1024 };

struct cert_answer {
    struct str text; /* the value, or the reason of a failure */
    int64_t number;
    VEC(struct cert_name) names;
};

enum cert_end {
    CERT_OK,
    CERT_NONE, /* the certificate has no such field */
    CERT_FAILED,
};

/* The one object of the plugin. Values are in a and tainted: the peer chose them. */
struct cert_plugin {
    enum cert_end (*read)(struct arena *a, struct str pem, enum cert_field field,
                          struct str oid, struct cert_answer *out);
};

#endif
