/* MD4 against RFC 1320, DES against an example of FIPS 81's key with its parity bits taken away. */
#include "sys/weak_hash.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
md4(void **state)
{
    (void)state;
    unsigned char out[WEAK_MD4];
    weak_hash_md4(STR_EMPTY, out);
    assert_memory_equal(out, "\x31\xd6\xcf\xe0\xd1\x6a\xe9\x31\xb7\x3c\x59\xd7\xe0\xc0\x89\xc0",
                        16);
    weak_hash_md4(STR_LIT("message digest"), out);
    assert_memory_equal(out, "\xd9\x13\x0a\x81\x64\x54\x9f\xe8\x18\x87\x48\x06\xe1\xc7\x01\x4b",
                        16);
}

static void
des(void **state)
{
    (void)state;
    /* 0123456789abcdef without its parity bits; "Now is t" is 3fa40e8a984d4815. */
    unsigned char spread[8], packed[WEAK_DES_KEY] = {0}, out[WEAK_DES];
    uint64_t bits = 0;
    memcpy(spread, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
    for (size_t i = 0; i < 8; i++)
        bits = bits << 7 | spread[i] >> 1;
    for (size_t i = 0; i < WEAK_DES_KEY; i++)
        packed[i] = (unsigned char)(bits >> (48 - 8 * i));
    weak_hash_des(packed, (const unsigned char *)"Now is t", out);
    assert_memory_equal(out, "\x3f\xa4\x0e\x8a\x98\x4d\x48\x15", 8);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(md4),
        cmocka_unit_test(des),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
