/* What the server processes of a daemon share of TLS: the key of session tickets, and a certificate of the host's own making.
 *
 * It is a file in memory that the master makes and hands to those who serve, and to nobody else. The key is in it from the start. The
 * certificate is put in by the first process that needs one, with its private key, and from then on nobody can change the file; the
 * master, which has no TLS library, never sees it. Whoever has the descriptor knows the secrets.
 */
#ifndef REMEX_SYS_TLS_VAULT_H
#define REMEX_SYS_TLS_VAULT_H

#include "base/plugin_export.h"
#include "base/str.h"

PLUGIN_API_BEGIN

struct arena;

enum {
    TLS_VAULT_KEY =
        64, /* bytes of GnuTLS's master key: it makes another key of tickets from it every few hours by itself */
    TLS_VAULT_MAX = 64 * 1024,
};

/* A new one, with a key. -1 with errno. */
int tls_vault_new(void);
/* False: it is none. */
bool tls_vault_key(int fd, unsigned char key[TLS_VAULT_KEY]);
/* The certificate and its key as make wrote them, in a; make is called when nobody has put one in yet. When another process makes one
 * and takes too long, or it cannot be put in, what make wrote is for this process alone. STR_NULL: make failed. **thread**: the caller
 * sees to it that one thread of a process calls this at a time. */
struct str tls_vault_identity(struct arena *a, int fd,
                              bool (*make)(void *ctx, struct arena *a, struct str *out),
                              void *ctx);

PLUGIN_API_END

#endif
