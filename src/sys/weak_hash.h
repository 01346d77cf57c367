/* MD4 (RFC 1320) and DES with a key of 56 bits (nettle). Both are broken: they are here for NTLM (auths/ntlm_proof.h), which is made of
 * them, and for nothing else. */
#ifndef REMEX_SYS_WEAK_HASH_H
#define REMEX_SYS_WEAK_HASH_H

#include "base/str.h"

enum { WEAK_MD4 = 16, WEAK_DES_KEY = 7, WEAK_DES = 8 };

void weak_hash_md4(struct str s, unsigned char out[WEAK_MD4]);
/* Enciphers one block; parity bits are added to the key. */
void weak_hash_des(const unsigned char key[WEAK_DES_KEY], const unsigned char in[WEAK_DES],
                   unsigned char out[WEAK_DES]);

#endif
