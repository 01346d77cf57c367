/* Answers to ident queries: those that name somebody, those that do not, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "engine/ident.h"

enum { CLIENT = 6193, OWN = 25 };

static void
assert_user(const char *line, const char *want)
{
    struct arena *a = arena_new();
    struct str user;
    bool ok = ident_read(str_from_cstr(line), CLIENT, OWN, &user);
    if (want == NULL) {
        assert_false(ok);
    } else {
        assert_true(ok);
        assert_string_equal(str_cstr(a, user), want);
        assert_true(str_is_tainted(user));
    }
    arena_free(a);
}

static void
test_users(void **state)
{
    (void)state;
    assert_user("6193, 25 : USERID : UNIX : joe", "joe");
    assert_user("6193,25:userid:UNIX-OS,US-ASCII:joe\r", "joe");
    assert_user(" 6193 , 25 :USERID:OTHER:  a:b ", "a:b");
}

static void
test_one_word(void **state)
{
    (void)state;
    assert_user("6193,25:USERID:UNIX:joe P=local", "joe");
    assert_user("6193,25:USERID:UNIX:joe\x01x", "joe");
    assert_user("6193,25:USERID:UNIX:\x80", NULL);
    assert_user("6193,25:USERID:UNIX:", NULL);
}

static void
test_others(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "6193, 25",
        "6193, 25 : ERROR : NO-USER",
        "6193, 25 : ERROR : UNIX : joe",
        "6194, 25 : USERID : UNIX : joe",
        "6193, 26 : USERID : UNIX : joe",
        "6193x, 25 : USERID : UNIX : joe",
        "6193 : USERID : UNIX : joe",
        "99999999999999999999999, 25 : USERID : UNIX : joe",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_user(lines[i], NULL);
}

static void
test_lengths(void **state)
{
    struct arena *a = arena_new();
    struct str user;
    (void)state;
    for (int more = -1; more <= 1; more++) {
        char *line = arena_alloc(a, IDENT_LINE_MAX + 2);
        size_t n = (size_t)(IDENT_LINE_MAX + more);
        memset(line, 'x', n);
        memcpy(line, "6193,25:USERID:UNIX:", 20);
        assert_int_equal(ident_read(str_from(line, n), CLIENT, OWN, &user), more <= 0);
        if (more <= 0)
            assert_int_equal(user.n, IDENT_USER_MAX);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_one_word),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
