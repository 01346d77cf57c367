/* The three messages of NTLM, bytes to structs and back. No I/O, no keys: those are ntlm_proof.h's.
 *
 * A message is a fixed head with security buffers (length, room, offset), low byte first, and what they point at. Only unicode is offered;
 * text of a client that answers in its code page all the same is taken for UTF-8, of which ASCII is a part. Messages are capped at
 * NTLM_MESSAGE_MAX bytes. Source: MS-NLMP section 2.2.
 */
#ifndef REMEX_AUTHS_NTLM_H
#define REMEX_AUTHS_NTLM_H

#include "base/str.h"

struct arena;

enum {
    NTLM_MESSAGE_MAX = 8192,
    NTLM_NONCE = 8,
    NTLM_NAME_MAX = 256, /* bytes of a user's or domain's name, as UTF-8 */
};

/* What the server says. */
struct ntlm_challenge {
    unsigned char nonce[NTLM_NONCE];
    bool unicode;
    struct str target; /* pairs of facts about the server; empty: it knows version 1 alone */
};

/* What the client answers. */
struct ntlm_response {
    struct str user, domain; /* UTF-8 */
    struct str lm, nt;       /* proofs */
    bool unicode;            /* names are to be written, or were read, as UTF-16 */
};

/* The pairs that a server of that name (UTF-8) sends. */
struct str ntlm_target(struct arena *a, struct str computer);
/* The time in the pairs (eight bytes); unset: there is none. */
struct str ntlm_target_time(struct str target);

struct str ntlm_write_request(struct arena *a);
struct str ntlm_write_challenge(struct arena *a, const struct ntlm_challenge *c);
/* False: a name is not UTF-8, or the message would be too long. */
bool ntlm_write_response(struct arena *a, const struct ntlm_response *r, struct str *out);

/* Texts of the results are parts of the message or in the arena. False: it is no such message. */
bool ntlm_read_challenge(struct str message, struct ntlm_challenge *out);
bool ntlm_read_response(struct arena *a, struct str message, struct ntlm_response *out);

#endif
