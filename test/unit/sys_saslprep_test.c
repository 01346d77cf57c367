/* SASLprep against the examples of RFC 4013 section 3, and at its limits. */
#include "sys/saslprep.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *from, *to; /* NULL: refused */
} examples[] = {
    /* of the RFC */
    {"I\xc2\xadX", "IX"},
    {"user", "user"},
    {"USER", "USER"},
    {"\xc2\xaa", "a"},
    {"\xe2\x85\xa8", "IX"},
    {"\x07", NULL},
    {"\xd8\xa7\x31", NULL},
    /* an accent, spaces, what vanishes */
    {"e\xcc\x81", "\xc3\xa9"},
    {"a\xc2\xa0\xe3\x80\x80z", "a  z"},
    {"\xe2\x80\x8b", " "},
    {"\xef\xbb\xbfx\xe2\x81\xa0", "x"},
    {"\xc2\xad", ""},
    {"", ""},
    /* forbidden: DEL, private use, the replacement character, no character, a tag */
    {"a\x7f", NULL},
    {"\xee\x80\x80", NULL},
    {"\xef\xbf\xbd", NULL},
    {"\xef\xbf\xbe", NULL},
    {"\xf3\xa0\x80\xa1", NULL},
    {"\xc3", NULL},
    /* both directions: right to left at both ends and nothing of the other between */
    {"\xd8\xa7\x31\xd8\xa8", "\xd8\xa7\x31\xd8\xa8"},
    {"\xd8\xa7"
     "a\xd8\xa8",
     NULL},
    {"\x31\xd8\xa7", NULL},
};

static void
examples_of_the_standard(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str out;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        bool good = saslprep(a, str_from_cstr(examples[i].from), &out);
        assert_int_equal(good, examples[i].to != NULL);
        assert_true(!good || str_eqz(out, examples[i].to));
    }
    assert_false(saslprep(a, STR_LIT("a\0b"), &out));
    assert_true(saslprep(a, str_tainted(STR_LIT("e\xcc\x81")), &out) && str_is_tainted(out));
    arena_free(a);
}

static void
cap(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str out;
    char *p = arena_alloc(a, SASLPREP_MAX + 1);
    memset(p, 'x', SASLPREP_MAX + 1);
    assert_true(saslprep(a, str_from(p, SASLPREP_MAX - 1), &out));
    assert_true(saslprep(a, str_from(p, SASLPREP_MAX), &out));
    assert_false(saslprep(a, str_from(p, SASLPREP_MAX + 1), &out));
    /* U+FDFA is the longest that a character becomes: eighteen. */
    for (size_t i = 0; i + 3 <= SASLPREP_MAX; i += 3)
        memcpy(p + i, "\xef\xb7\xba", 3);
    assert_true(saslprep(a, str_from(p, SASLPREP_MAX / 3 * 3), &out));
    assert_int_equal(out.n, SASLPREP_MAX / 3 * 33);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_standard),
        cmocka_unit_test(cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
