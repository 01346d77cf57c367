/* CRC-32C: known sums, the two forms, sums in pieces. */
#include "base/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void
test_known(void **state)
{
    (void)state;
    unsigned char p[32];
    assert_int_equal(crc32c(0, "", 0), 0);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    memset(p, 0, sizeof p); /* RFC 3720, B.4 */
    assert_int_equal(crc32c(0, p, sizeof p), 0x8a9136aa);
    memset(p, 0xff, sizeof p);
    assert_int_equal(crc32c(0, p, sizeof p), 0x62a8ab43);
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = (unsigned char)i;
    assert_int_equal(crc32c(0, p, sizeof p), 0x46dd794e);
    assert_int_equal(crc32c_portable(0, p, sizeof p), 0x46dd794e);
}

static void
test_pieces(void **state)
{
    (void)state;
    unsigned char p[300];
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = (unsigned char)(i * 7 + i / 3);
    uint32_t whole = crc32c(0, p, sizeof p);
    for (size_t cut = 0; cut <= sizeof p; cut++) {
        assert_int_equal(crc32c(crc32c(0, p, cut), p + cut, sizeof p - cut), whole);
        assert_int_equal(crc32c(0, p, cut), crc32c_portable(0, p, cut));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
