/* Unit tests of base/utf8.c; the expected answers are Exim's. */
#include "base/utf8.h"

#include "base/arena.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
assert_str(struct str s, const char *want)
{
    assert_int_equal(s.n, strlen(want));
    assert_memory_equal(s.p, want, s.n);
}

struct pair {
    const char *in;
    const char *out;
};

/* clang-format off */
static const struct pair clean_rows[] = {
    {"abc", "abc"},
    {"\303\251", "\303\251"},
    {"\303", "?"},
    {"\303a", "?a"},
    {"\342\202", "?"},
    {"\342\202a", "?a"},
    {"\342\202\254", "\342\202\254"},
    {"\377\376", "?\?"},
    {"\200\200", "?\?"},
    {"\300\200", "?\?"},
    {"\301\277", "?\?"},
    {"\340\200\200", "\340\200\200"},
    {"\355\240\200", "?"},
    {"\360\237\230\200", "\360\237\230\200"},
    {"\360\200\200\200", "\360\200\200\200"},
    {"\364\220\200\200", "?"},
    {"\370\210\200\200\200", "?\??\??"},
    {"a\342\202\342\202\254", "a?\??"},
    {"\303\303\251", "?\?"},
    {"\360\237", "?"},
    {"\360\237\230", "?"},
    {"\360\237\230z", "?z"},
    {"\360z", "?z"},
    {"\342z", "?z"},
    {"\365\200\200\200", "?"},
    {"\374\204\200\200\200\200", "?\??\??\?"},
    {"\360\237\303\251", "?\?"},
    {"\342\202\200\200", "\342\202\200?"},
    {"\357\277\277", "\357\277\277"},
    {"a\001b", "a\001b"},
    {"\340\200", "?"},
    {"\340\200\200x", "\340\200\200x"},
    {"\355\240", "?"},
    {"\364\220", "?"},
    {"\300", "?"},
    {"\300\300", "?\?"},
};
/* clang-format on */

/* clang-format off */
static const struct pair latin1_rows[] = {
    {"abc", "abc"},
    {"\303\251", "\351"},
    {"\342\202\254", "_"},
    {"\360\237\230\200", "_"},
    {"\303", "\300"},
    {"\303a", "\341"},
    {"\377", "_"},
    {"\200", "\200"},
    {"\342\202", "_"},
    {"\342\202ab", "_b"},
    {"\304\200", "_"},
    {"a\303\277b", "a\377b"},
    {"\342ab", "_"},
    {"\370\210\200\200\200z", "_z"},
    {"\374\204\200\200\200\200z", "_z"},
    {"\376z", "_"},
    {"\277z", "\277z"},
    {"\351z", "_"},
    {"\351zz", "_"},
    {"\351zzz", "_z"},
    {"\303\303\251", "\303\251"},
};
/* clang-format on */

static void
clean_replaces_as_exim(void **state)
{
    for (size_t i = 0; i < sizeof clean_rows / sizeof clean_rows[0]; i++)
        assert_str(utf8_clean(*state, str_from_cstr(clean_rows[i].in)), clean_rows[i].out);
}

static void
to_latin1_as_exim(void **state)
{
    for (size_t i = 0; i < sizeof latin1_rows / sizeof latin1_rows[0]; i++)
        assert_str(utf8_to_latin1(*state, str_from_cstr(latin1_rows[i].in)),
                   latin1_rows[i].out);
    assert_str(utf8_from_latin1(*state, STR_LIT("a\351")), "a\303\251");
}

static void
every_character_round_trips(void **state)
{
    char bytes[4];
    uint32_t back;
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        size_t n = utf8_encode(code, bytes);
        size_t got = utf8_decode(bytes, n, &back);
        if (code >= 0xd800 && code < 0xe000) {
            assert_int_equal(got, 0);
            continue;
        }
        assert_int_equal(got, n);
        assert_int_equal(back, code);
        assert_int_equal(utf8_decode(bytes, n - 1, NULL), 0);
    }
}

static void
decode_is_strict(void **state)
{
    (void)state;
    assert_false(utf8_valid(STR_LIT("\300\200")));
    assert_false(utf8_valid(STR_LIT("\340\200\200")));
    assert_false(utf8_valid(STR_LIT("\360\200\200\200")));
    assert_false(utf8_valid(STR_LIT("\364\220\200\200")));
    assert_false(utf8_valid(STR_LIT("\200")));
    assert_false(utf8_valid(STR_LIT("a\303")));
    assert_true(utf8_valid(STR_LIT("a\303\251\360\237\230\200")));
    assert_false(utf8_has_8bit(STR_LIT("abc\177")));
}

static void
folder_names(void **state)
{
    static const struct {
        const char *in;
        char sep;
        const char *specials;
        const char *out;
    } rows[] = {
        {"Foo/Bar", '/', "", "Foo.Bar"},
        {"Foo/Bar", '.', "/", "Foo&AC8-Bar"},
        {"Foo&Bar", '/', "", "Foo&-Bar"},
        {"\303\251/\303\251.x", '/', ".", "&AOk-.&AOkALg-x"},
        {"a\303\251&\303\251", '/', "", "a&AOk-&-&AOk-"},
        {"\360\237\230\200", '/', "", "&2D3eAA-"},
        {"\177\tc", '/', "", "&AH8ACQ-c"},
        {"", '/', "", ""},
        {"//a//b/", '/', "", "a.b"},
        {"//", '/', "", ""},
    };
    char bad = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf b = buf_in(*state, 0);
        assert_int_equal(utf8_to_folder(&b, str_from_cstr(rows[i].in), rows[i].sep,
                                        str_from_cstr(rows[i].specials), &bad),
                         UTF8_FOLDER_OK);
        assert_str(buf_str(&b), rows[i].out);
    }
    struct buf b = buf_in(*state, 0);
    assert_int_equal(utf8_to_folder(&b, STR_LIT("a.b"), '/', STR_EMPTY, &bad),
                     UTF8_FOLDER_ILLEGAL);
    assert_int_equal(bad, '.');
    assert_int_equal(utf8_to_folder(&b, STR_LIT("\344x"), '/', STR_EMPTY, &bad),
                     UTF8_FOLDER_INVALID);
    static const char *const cut[] = {"\344", "a\303", "\342\202", "\360\237\230", "\340"};
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++)
        assert_int_equal(utf8_to_folder(&b, str_from_cstr(cut[i]), '/', STR_EMPTY, &bad),
                         UTF8_FOLDER_CUT);
    assert_int_equal(utf8_to_folder(&b, STR_LIT("\377"), '/', STR_EMPTY, &bad),
                     UTF8_FOLDER_INVALID);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_replaces_as_exim),
        cmocka_unit_test(to_latin1_as_exim),
        cmocka_unit_test(every_character_round_trips),
        cmocka_unit_test(decode_is_strict),
        cmocka_unit_test(folder_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
