/* What the TLS connections of a process share: certificates and keys as GnuTLS wants them, by the files that they come from, and the
 * key of session tickets.
 *
 * An entry is read-only once it is there; connections hold references. Files are looked at (size, time, inode) each time an entry is
 * asked for, and read again when they have changed; when that fails the entry stays as it was, and the failure is told once.
 * **thread**: any; one lock, which is held while files are read.
 */
#ifndef REMEX_PLUGINS_TLS_TLS_STORE_H
#define REMEX_PLUGINS_TLS_TLS_STORE_H

#include "sys/tls.h"

#include <gnutls/gnutls.h>

enum {
    TLS_ENTRIES_MAX = 64, /* kept; the one not used for longest goes first */
    TLS_PRIORITIES_MAX = 32,
    TLS_FILE_MAX = 4 * 1024 * 1024,
};

struct tls_store;
struct tls_entry;

struct tls_store *tls_store_new(void); /* NULL: no memory */
/* From now on the key of tickets and the certificate of one's own making are those of a vault, which stays open. */
void tls_store_share(struct tls_store *store, int vault);

/* What an entry is made for. */
struct tls_want {
    struct arena *arena;
    const struct tls_credentials *files;
    enum tls_role role;
    bool trust; /* the peer is verified: what is trusted is read */
    bool pkcs11;
    int vault; /* the store's affair */
};

/* The entry for these files, referenced. NULL: *fault. Otherwise *fault is left alone, unless files have changed and are no good now: then
 * it says so, and the entry is as it was. */
struct tls_entry *tls_store_get(struct tls_store *store, const struct tls_want *want,
                                struct tls_fault *fault);
void tls_store_release(struct tls_store *store, struct tls_entry *e);
gnutls_certificate_credentials_t tls_entry_credentials(const struct tls_entry *e);
/* Whether there is anything that a peer is measured against. */
bool tls_entry_trusts(const struct tls_entry *e);

/* What a list of priorities means, for a session that is set up; NULL: it is wrong, *error and *at (where in text) say how, or too many
 * different ones are kept already (*error 0). Lives as long as the store. */
gnutls_priority_t tls_store_priority(struct tls_store *store, const char *text, int *error,
                                     const char **at);
/* The key of tickets; lives as long as the store. NULL: none can be made. */
const gnutls_datum_t *tls_store_ticket_key(struct tls_store *store);

#endif
