/* TLS of SMTP connections, both roles: what the program and the plugin with GnuTLS (plugins/tls) agree on.
 *
 * GnuTLS is more than the rest of the program to load, so it is loaded when the first connection wants it, or before a process
 * is jailed. What is made once (certificates, lists of trusted ones, keys for tickets) is kept in a struct tls that all threads of
 * a process share; files are looked at before each connection, and read again when they have changed: if that fails, what was read
 * before stays in use. A connection belongs to one thread at a time. Nothing here waits: a call that cannot go on returns -1 with errno
 * EAGAIN and says what to wait for. Source: specification, chapter "Encrypted SMTP connections using TLS/SSL".
 */
#ifndef REMEX_SYS_TLS_H
#define REMEX_SYS_TLS_H

#include "base/str.h"

#include <sys/types.h>

struct arena;
struct tls_connection;
struct sign_key_library;

enum {
    TLS_LIST_MAX = 16,         /* files in a list of certificates */
    TLS_CERTIFICATES_MAX = 16, /* certificates that a peer may show */
    TLS_TICKET_MAX = 16 * 1024,
};

enum tls_role { TLS_SERVER, TLS_CLIENT };

enum tls_check {
    TLS_CHECK_NONE,
    TLS_CHECK_TRY,     /* the peer's certificate is looked at, whatever comes of it */
    TLS_CHECK_REQUIRE, /* it must be good */
};

/* Files that make an identity and what it trusts. Unset and empty are the same: none. */
struct tls_credentials {
    struct str certificates,
        keys; /* lists, separated by colons; keys empty: in the same files */
    struct str
        stapled; /* list of files with answers about them (OCSP), one for each: "DER name" or "PEM name", or the name alone */
    struct str trusted; /* "system", a file or a directory */
    struct str revoked; /* file */
    struct str dh;      /* tls_dhparam: a file, the name of a group, or "none" */
    struct str
        self; /* a server without certificates gets one that it signed itself, for this name */
};

/* A TLSA record that DNSSEC secured (RFC 6698). */
struct tlsa {
    int usage, selector, matching;
    struct str data;
};

struct tls_setup {
    struct arena *arena; /* lives as long as the connection */
    enum tls_role role;
    int in, out; /* non-blocking or not: both do */
    struct tls_credentials credentials;
    struct str priority; /* in GnuTLS's words; empty: NORMAL */
    struct str alpn;     /* list of names, separated by colons; empty: none */
    bool alpn_required;
    enum tls_check check;
    struct str
        names; /* client: the certificate must name one of these, separated by colons; empty: it need not */
    struct str sni; /* client: the name that the server is asked for */
    /* Client: records decide in place of the trusted certificates (DANE), with check REQUIRE; names are those that a certificate under a
     * trust anchor must have. None that can be used (RFC 7672 section 2.2): there is no DANE. */
    const struct tlsa *tlsa;
    size_t tlsa_n;
    bool ocsp_request, ocsp_require;
    bool resume;       /* tickets are given, or kept */
    struct str ticket; /* client: of an earlier session, or empty */
    int64_t dh_bits;   /* client: fewest of a server's prime; 0: as it comes */
    bool tolerant;     /* gnutls_compat_mode */
    bool early;        /* server: with TLS 1.3 the handshake is over once our part of it is said; reading does the rest */
    bool pkcs11;       /* gnutls_allow_auto_pkcs11; the first connection of a process decides */
    /* Server: the client asks for this name. True: *again, which holds what was set up, was changed. May be NULL. */
    bool (*named)(void *ctx, struct str name, struct tls_credentials *again);
    /* A certificate that the peer showed, from the last to its own (depth 0). False: it is refused. May be NULL. */
    bool (*seen)(void *ctx, unsigned depth, struct str pem);
    /* Files have changed and are no good now: what was read before stays in use. May be NULL. */
    void (*notice)(void *ctx, struct str where, struct str text);
    void *ctx;
};

struct tls_fault {
    struct str where; /* "gnutls_handshake", "recv" … as logs have it */
    struct str text;  /* in the arena of the connection */
    short events;     /* EAGAIN: for poll */
};

enum tls_ocsp {
    TLS_OCSP_NOT_ASKED,
    TLS_OCSP_NO_ANSWER,
    TLS_OCSP_UNCHECKED,
    TLS_OCSP_BAD,
    TLS_OCSP_GOOD
};

enum tls_resumed {
    TLS_RESUME_SUPPORTED = 1u << 0,
    TLS_RESUME_CLIENT_REQUEST = 1u << 1,
    TLS_RESUME_CLIENT_SESSION = 1u << 2, /* the client came with one */
    TLS_RESUME_TICKET = 1u << 3,         /* the server gave one */
    TLS_RESUME_USED = 1u << 4,
};

/* What came of a handshake. */
struct tls_facts {
    struct str version, cipher, cipher_std; /* "TLS1.3", as logs have it, the registered name */
    int64_t bits;
    struct str peer_dn, peer_cert, own_cert; /* texts in PEM; unset: none was shown */
    struct str sni;
    bool verified;
    bool dane;            /* by TLSA records */
    int tlsa_usage;       /* of the one that did it */
    struct str dane_name; /* under an authority: which of the names the certificate has */
    enum tls_ocsp ocsp;
    unsigned resumed; /* bits of enum tls_resumed */
};

enum tls_binding { TLS_BINDING_UNIQUE, TLS_BINDING_EXPORTER };

/* What the plugin exports (its third object); called by way of a struct tls. */
struct tls_library {
    void *(*start)(void); /* what connections share; NULL: no memory. Never freed */
    void (*share)(void *shared, int vault);
    /* NULL: *fault. */
    struct tls_connection *(*open)(void *shared, const struct tls_setup *s,
                                   struct tls_fault *fault);
    int (*handshake)(struct tls_connection *c, struct tls_fault *fault);
    ssize_t (*receive)(struct tls_connection *c, char *p, size_t n, struct tls_fault *fault);
    ssize_t (*send)(struct tls_connection *c, const char *p, size_t n, struct tls_fault *fault);
    size_t (*pending)(const struct tls_connection *c);
    void (*facts)(struct tls_connection *c, struct arena *a, struct tls_facts *out);
    bool (*binding)(struct tls_connection *c, enum tls_binding kind, struct arena *a,
                    struct str *out);
    bool (*ticket)(struct tls_connection *c, struct arena *a, struct str *out);
    void (*close)(struct tls_connection *c, bool goodbye);
    void (*prepare)(void *shared, struct arena *a, const struct tls_credentials *files);
};

struct tls {
    const struct tls_library *library;
    const struct sign_key_library *keys; /* sign_key.h */
    void *shared;
};

/* Loads the plugin, once: *slot is where the process keeps it. a lives as long as the process uses it. NULL: *why. */
struct tls *tls_load(struct tls **slot, struct arena *a, struct str plugin_directory,
                     struct str *why);

/* What other processes have as well comes from there (tls_vault.h); before the first connection. vault stays open as long as t. */
void tls_share(struct tls *t, int vault);
/* Reads what a server will need ahead of its first connection; what cannot be read is told then. */
void tls_prepare(struct tls *t, struct arena *a, const struct tls_credentials *files);
/* A connection over descriptors that are connected. NULL: *fault. s and its texts live until the handshake is over. */
struct tls_connection *tls_open(struct tls *t, const struct tls_setup *s,
                                struct tls_fault *fault);
/* Goes on with the handshake until deadline_ms (monotonic clock; 0: for ever). False: *fault, and the connection is of no use; the peer
 * has been told why. where is "timed out" when it was that. */
bool tls_handshake(struct tls *t, struct tls_connection *c, int in, int out,
                   int64_t deadline_ms, struct tls_fault *fault);
/* As recv(2) and send(2) without blocking; 0: the peer said goodbye. -1 with errno EAGAIN (fault->events) or EPROTO (*fault). */
ssize_t tls_receive(struct tls *t, struct tls_connection *c, char *p, size_t n,
                    struct tls_fault *fault);
ssize_t tls_send(struct tls *t, struct tls_connection *c, const char *p, size_t n,
                 struct tls_fault *fault);
/* Bytes that came already, decrypted or not: the descriptor does not tell of them. 0: there are none. */
size_t tls_pending(struct tls *t, const struct tls_connection *c);
void tls_facts(struct tls *t, struct tls_connection *c, struct arena *a, struct tls_facts *out);
/* Channel binding data (RFC 5929, 9266); false: there is none of this kind. */
bool tls_binding(struct tls *t, struct tls_connection *c, enum tls_binding kind,
                 struct arena *a, struct str *out);
/* Client: what resumes this session later. False: the server gave nothing (so far). */
bool tls_ticket(struct tls *t, struct tls_connection *c, struct arena *a, struct str *out);
/* Frees the connection, not its descriptors. goodbye: the peer is told (without waiting). NULL is allowed. */
void tls_close(struct tls *t, struct tls_connection *c, bool goodbye);

#endif
