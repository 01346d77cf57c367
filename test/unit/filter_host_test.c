/* Unit tests of filter/host.c: variables by name, families by what they accept. */
#include "filter/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool
is_digit(struct str rest)
{
    return rest.n == 1 && ascii_digit(rest.p[0]);
}

static bool
is_word(struct str rest)
{
    return rest.n > 0 && ascii_alnum(rest.p[0]);
}

static const struct var vars[] = {
    {STR_INIT("a"), NULL, 0, NULL, ""},      {STR_INIT("acl_c"), NULL, VAR_FAMILY, is_word, ""},
    {STR_INIT("acl_cx"), NULL, 0, NULL, ""}, {STR_INIT("n"), NULL, VAR_FAMILY, is_digit, ""},
    {STR_INIT("name"), NULL, 0, NULL, ""},
};
static const struct host host = {.vars = vars, .vars_n = sizeof vars / sizeof *vars};

/* Index of the row, -1: none; *rest as found. */
static int
find(const char *name, const char *rest)
{
    struct str got;
    const struct var *v = host_var(&host, str_from_cstr(name), &got);
    assert_true(str_eqz(got, rest));
    return v != NULL ? (int)(v - vars) : -1;
}

static void
plain_names_come_first(void **state)
{
    (void)state;
    assert_int_equal(find("a", ""), 0);
    assert_int_equal(find("name", ""), 4);
    assert_int_equal(find("acl_cx", ""), 2);
    assert_int_equal(find("nam", "am"), -1);
    assert_int_equal(find("b", ""), -1);
    assert_int_equal(find("", ""), -1);
}

static void
families_take_what_they_accept(void **state)
{
    (void)state;
    assert_int_equal(find("n1", "1"), 3);
    assert_int_equal(find("acl_c0", "0"), 1);
    assert_int_equal(find("acl_cxy", "xy"), 1);
    struct str rest;
    assert_null(host_var(&host, STR_LIT("n12"), &rest));
    assert_null(host_var(&host, STR_LIT("n"), &rest));
    assert_null(host_var(&host, STR_LIT("acl_c_"), &rest));
    const struct host empty = {.vars = NULL, .vars_n = 0};
    assert_null(host_var(&empty, STR_LIT("a"), &rest));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_names_come_first),
        cmocka_unit_test(families_take_what_they_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
