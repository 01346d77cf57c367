/* What proves in NTLM that a client knows the password. Source: MS-NLMP section 3.3.
 *
 * Version 1 is the nonce under DES with the MD4 of the password; version 2 a keyed MD5 over nonces of both sides, the time and facts about
 * the server. The old LM hash, of the password in capitals, is neither made nor looked at.
 */
#ifndef REMEX_AUTHS_NTLM_PROOF_H
#define REMEX_AUTHS_NTLM_PROOF_H

#include "auths/ntlm.h"

/* What a client puts into version 2 besides. */
struct ntlm_salt {
    unsigned char nonce[NTLM_NONCE];
    uint64_t time; /* tenths of microseconds since 1601 */
};

/* Fills r->lm and r->nt; by version 2 if the server has told of itself. False: password or name is not UTF-8. */
bool ntlm_proof_make(struct arena *a, const struct ntlm_challenge *c,
                     const struct ntlm_salt *salt, struct str password,
                     struct ntlm_response *r);
/* r->nt is right, in either version; the time it takes does not tell how much of it is. */
bool ntlm_proof_holds(struct arena *a, const struct ntlm_challenge *c,
                      const struct ntlm_response *r, struct str password);

/* Seconds since 1970 as a time of NTLM. */
uint64_t ntlm_proof_time(int64_t unix_s);

#endif
