/* Reads certificates, keys and lists of trusted certificates into GnuTLS's credentials. No state of its own. */
#ifndef REMEX_PLUGINS_TLS_TLS_LOAD_H
#define REMEX_PLUGINS_TLS_TLS_LOAD_H

#include "plugins/tls/tls_store.h"

struct tls_loaded {
    size_t trusted;        /* certificates */
    gnutls_dh_params_t dh; /* must outlive the credentials; NULL: none of its own */
};

/* Fills cred with what want names. False: *fault; *out is valid anyway. */
bool tls_load_credentials(gnutls_certificate_credentials_t cred, const struct tls_want *want,
                          struct tls_loaded *out, struct tls_fault *fault);
/* Every file that was or would be read, in order, NULL-terminated paths; at most max of them. Returns how many. */
size_t tls_load_paths(const struct tls_want *want, const char **paths, size_t max);
/* Says what failed: text in arena. */
bool tls_load_failed(struct arena *a, struct tls_fault *fault, struct str where, int error);

#endif
