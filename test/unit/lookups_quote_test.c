/* Unit tests of lookups/quote.c. Expected values are those of the specification and of Exim. */
#include "lookups/quote.h"
#include "lookups_fixture.h"

static void
check(struct lookups_fixture *f, quote_function *fn, const char *in, const char *opt,
      const char *expected)
{
    struct str out = STR_NULL;
    assert_int_equal(
        fn(f->vm, str_from_cstr(in), opt != NULL ? str_from_cstr(opt) : STR_NULL, &out), VM_OK);
    assert_string_equal(str_printf(f->arena, "%.*s", STR_ARG(out)).p, expected);
}

static void
sql(void **state)
{
    struct lookups_fixture *f = *state;
    check(f, quote_sqlite, "it's \"x\\", NULL, "it''s \"x\\");
    check(f, quote_ibase, "a'b", NULL, "a''b");
    check(f, quote_mysql, "a'b\"c\\ \n\t\r\b%_", NULL, "a\\'b\\\"c\\\\ \\n\\t\\r\\b%_");
    check(f, quote_pgsql, "a'b\"c\\ \n\t\r\b%_", NULL, "a''b\\\"c\\\\ \\n\\t\\r\\b%_");
}

static void
ldap(void **state)
{
    struct lookups_fixture *f = *state;
    check(f, quote_ldap, " a(bc)*, a<yz>; ", NULL,
          "%20a%5C28bc%5C29%5C2A%2C%20a%3Cyz%3E%3B%20");
    check(f, quote_ldap, "a(b)*\\,+c=d#!", NULL, "a%5C28b%5C29%5C2A%5C5C%2C+c%3Dd%23!");
    check(f, quote_ldap, "", NULL, "");
    check(f, quote_ldap, "\xc3\xa9", NULL, "%C3%A9");
    check(f, quote_ldap, " a(bc)*, a<yz>; ", "dn",
          "%5C%20a(bc)*%5C%2C%20a%5C%3Cyz%5C%3E%5C%3B%5C%20");
    check(f, quote_ldap, " #a  ", "dn", "%5C%20%5C%23a%5C%20%5C%20");
    check(f, quote_ldap, "a#b,+c=d", "dn", "a%23b%5C%2C%5C+c%3Dd");
    check(f, quote_ldap, "##a ##", "dn", "%5C%23%5C%23a%20%23%23");
    check(f, quote_ldap, "   ", "dn", "%5C%20%5C%20%5C%20");
}

static void
others(void **state)
{
    struct lookups_fixture *f = *state;
    check(f, quote_redis, "a b\\\t", NULL, "a\\ b\\\\\\\t");
    check(f, quote_nisplus, "a\"b", NULL, "a\"\"b");
    check(f, quote_plain, "a'b", NULL, "a'b");
}

static void
unknown_options_and_marks(void **state)
{
    struct lookups_fixture *f = *state;
    struct str out, in = str_tainted(STR_LIT("a'b"));
    quote_function *const all[] = {quote_sqlite, quote_mysql,   quote_pgsql, quote_ibase,
                                   quote_redis,  quote_nisplus, quote_ldap,  quote_plain};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(all[i](f->vm, in, STR_LIT("x"), &out), VM_NO);
        assert_int_equal(all[i](f->vm, in, STR_NULL, &out), VM_OK);
        assert_int_equal(out.taint, STR_TAINTED);
    }
    struct str nul = str_from("a\0'", 3);
    assert_int_equal(quote_mysql(f->vm, nul, STR_NULL, &out), VM_OK);
    assert_int_equal(out.n, 4);
    assert_memory_equal(out.p, "a\0\\'", 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(sql),
        LOOKUP_TEST(ldap),
        LOOKUP_TEST(others),
        LOOKUP_TEST(unknown_options_and_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
