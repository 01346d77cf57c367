/* SCRAM (RFC 5802, 7677), both sides, for SHA-1 and SHA-256, with channel binding (RFC 5929, 9266). No I/O: messages in, messages out.
 *
 * Names and passwords are prepared (sys/saslprep.h); a client's name that cannot be is refused, a password taken as it is. Of clients that do
 * not prepare their password (Dovecot's, say) the proof is taken as well.
 * What a peer sends is capped: SCRAM_MESSAGE_MAX bytes a message, SCRAM_ROUNDS_MAX iterations.
 */
#ifndef REMEX_AUTHS_SCRAM_H
#define REMEX_AUTHS_SCRAM_H

#include "base/str.h"
#include "sys/digest.h"

struct arena;

enum {
    SCRAM_MESSAGE_MAX = 4096,
    SCRAM_ROUNDS_MAX = 1000000,
    SCRAM_ROUNDS = 4096,
};

/* "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS" …; NULL: no such mechanism. *plus: with channel binding. */
const struct digest *scram_digest(struct str mechanism, bool *plus);

/* What both sides know and build up. */
struct scram {
    struct arena *arena;
    const struct digest *digest;
    bool plus; /* the mechanism has channel binding */
    bool
        could_bind; /* client: there is binding data, the server offers no PLUS; server: it offered PLUS as well */
    struct str binding_name, binding_data; /* "tls-exporter"; of plus alone */
    struct str user, authz;
    struct str nonce; /* own part */
    /* In between: */
    struct str gs2, first_bare, server_first, whole_nonce;
    unsigned char salted[DIGEST_MAX]; /* client: the salted password */
    unsigned char server_key[DIGEST_MAX], stored_key[DIGEST_MAX];
    unsigned char signature[DIGEST_MAX];
    /* Of scram_server_password: the password, unless preparing it changed nothing, and what it was salted with. */
    struct str unprepared, salt;
    int64_t rounds;
};

/* --- server --- */
/* Reads the client's first message: s->user, s->authz. */
bool scram_server_begin(struct scram *s, struct str message);
/* What is known of the user: the password, or keys (of digest_size bytes). */
void scram_server_password(struct scram *s, struct str password, struct str salt,
                           int64_t rounds);
void scram_server_keys(struct scram *s, struct str stored_key, struct str server_key);
/* The server's first message. */
struct str scram_server_first(struct scram *s, struct str salt, int64_t rounds);
/* Checks the client's proof. True: *message is the server's last one. */
bool scram_server_finish(struct scram *s, struct str message, struct str *last);

/* --- client --- */
struct str scram_client_first(struct scram *s);
/* Reads the server's first message. */
bool scram_client_begin(struct scram *s, struct str message, struct str *salt, int64_t *rounds);
/* The password, or what it comes to with this salt (digest_size bytes). */
void scram_client_password(struct scram *s, struct str password, struct str salt,
                           int64_t rounds);
void scram_client_salted(struct scram *s, struct str salted);
struct str scram_client_final(struct scram *s);
/* The server knows the password as well. */
bool scram_client_finish(const struct scram *s, struct str message);

#endif
