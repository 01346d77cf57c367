/* A TLS connection with GnuTLS; sys/tls.h says what its functions do. */
#ifndef REMEX_PLUGINS_TLS_TLS_CONNECTION_H
#define REMEX_PLUGINS_TLS_TLS_CONNECTION_H

#include "plugins/tls/tls_store.h"

enum { TLS_AHEAD = 2048, TLS_HELD = 4096 };

struct tls_connection {
    struct tls_store *store;
    const struct tls_setup *setup; /* until the handshake is over */
    struct arena *arena;
    enum tls_role role;
    int in, out;
    bool in_is_socket;
    gnutls_session_t session;
    struct tls_entry *entry;
    struct tls_credentials files; /* in use: SNI may have changed them */
    bool shaken;                  /* the handshake is over */
    bool checked, verified, dane;
    int tlsa_usage;
    struct str dane_name; /* that the certificate has; unset: it needed none */
    bool asked_ocsp;      /* by the client, which we may be */
    bool resume;
    unsigned resumption; /* bits of enum tls_resumed that were seen on the way */
    struct str sni;
    /* Bytes that came with those that GnuTLS asked for: it asks for the head of a record, then for the rest. */
    size_t ahead_at, ahead_n;
    char ahead[TLS_AHEAD];
    /* Messages of the handshake, which GnuTLS writes one by one, and which go out together. */
    char *held; /* NULL: the handshake is over */
    size_t held_n;
    bool holding, agreed;
};

extern const struct tls_library tls_connection_library;

/* Checks what the peer showed, once the handshake is over. False: *fault, and the peer is told. tls_verify.c */
bool tls_verify(struct tls_connection *c, struct tls_fault *fault);
/* --- tls_dane.c --- */
struct tls_dane {
    const struct tlsa *records;
    size_t records_n;
    const gnutls_datum_t *chain; /* DER, the host's own first */
    unsigned n;
    struct str names; /* separated by colons */
};
/* Whether there is a record that mail can use. */
bool tls_dane_is_usable(const struct tlsa *records, size_t n);
struct tls_dane_match {
    int usage; /* of the record that is satisfied */
    struct str
        name; /* of those asked for, with usage 2: what the certificate has; else unset */
};
/* True: a record is satisfied. False: *why. */
bool tls_dane_match(struct arena *a, const struct tls_dane *q, struct tls_dane_match *out,
                    struct str *why);
/* tls_facts.c */
void tls_facts_read(struct tls_connection *c, struct arena *a, struct tls_facts *out);
/* A certificate in PEM, in a. */
struct str tls_pem(struct arena *a, const gnutls_datum_t *der);

#endif
