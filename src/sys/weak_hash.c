/* MD4 and DES; see the header. */
#include "sys/weak_hash.h"

#include <nettle/des.h>
#include <nettle/md4.h>

void
weak_hash_md4(struct str s, unsigned char out[WEAK_MD4])
{
    struct md4_ctx c;
    md4_init(&c);
    if (s.n > 0)
        md4_update(&c, s.n, (const uint8_t *)s.p);
    md4_digest(&c, WEAK_MD4, out);
    explicit_bzero(&c, sizeof c);
}

void
weak_hash_des(const unsigned char key[WEAK_DES_KEY], const unsigned char in[WEAK_DES],
              unsigned char out[WEAK_DES])
{
    struct des_ctx c;
    uint8_t spread[DES_KEY_SIZE];
    uint64_t bits = 0;
    for (size_t i = 0; i < WEAK_DES_KEY; i++)
        bits = bits << 8 | key[i];
    for (size_t i = 0; i < DES_KEY_SIZE; i++)
        spread[i] = (uint8_t)(bits >> (49 - 7 * i) << 1);
    des_fix_parity(DES_KEY_SIZE, spread, spread);
    /* A weak key is told by the result, and used all the same: the password has chosen it. */
    (void)des_set_key(&c, spread);
    des_encrypt(&c, WEAK_DES, out, in);
    explicit_bzero(&c, sizeof c);
    explicit_bzero(spread, sizeof spread);
}
