/* Unit tests of lookups/lookup_type.c: the syntax of a lookup type. */
#include "lookups_fixture.h"

static void
check_error(struct lookups_fixture *f, const char *type, const char *text)
{
    struct lookup_type t;
    assert_int_equal(lookup_type_parse(f->vm, str_from_cstr(type), &t), VM_ERROR);
    assert_true(str_eqz(vm_error(f->vm), text));
}

static struct lookup_type
parsed(struct lookups_fixture *f, const char *type)
{
    struct lookup_type t;
    assert_int_equal(lookup_type_parse(f->vm, str_from_cstr(type), &t), VM_OK);
    return t;
}

static void
parts_of_a_type(void **state)
{
    struct lookups_fixture *f = *state;
    struct lookup_type t = parsed(f, "lsearch");
    assert_int_equal(t.partial, -1);
    assert_false(t.star);
    assert_false(t.star_at);
    assert_int_equal(t.options.n, 0);
    t = parsed(f, "partial-lsearch*@,ret=key,cache=no");
    assert_int_equal(t.partial, 2);
    assert_true(str_eqz(t.affix, "*."));
    assert_true(t.star && t.star_at);
    assert_true(str_eqz(t.options, "ret=key,cache=no"));
    assert_true(str_eqz(t.text, "lsearch*@,ret=key,cache=no"));
    t = parsed(f, "partial12(.)cdb*");
    assert_int_equal(t.partial, 12);
    assert_true(str_eqz(t.affix, "."));
    assert_true(t.star && !t.star_at);
    t = parsed(f, "partial0()dbm");
    assert_int_equal(t.partial, 0);
    assert_int_equal(t.affix.n, 0);
    t = parsed(f, "partial99999999999999999999-lsearch");
    assert_true(t.partial >= 1000);
    t = parsed(f, "lsearch*x");
    assert_true(t.star && !t.star_at);
}

static void
errors_are_worded_as_in_exim(void **state)
{
    struct lookups_fixture *f = *state;
    check_error(f, "foo", "unknown lookup type \"foo\"");
    check_error(f, "LSEARCH", "unknown lookup type \"LSEARCH\"");
    check_error(f, "partial-foo*,x", "unknown lookup type \"foo\"");
    check_error(f, "partial-", "unknown lookup type \"\"");
    check_error(f, "", "missing lookup type");
    check_error(f, "*lsearch", "missing lookup type");
    check_error(f, ",ret=key", "missing lookup type");
    check_error(f, "partialx-lsearch", "format error in lookup type \"partialx-lsearch\"");
    check_error(f, "partial", "format error in lookup type \"partial\"");
    check_error(f, "partial(-lsearch", "format error in lookup type \"partial(-lsearch\"");
    check_error(f, "partial(abc)lsearch",
                "format error in lookup type \"partial(abc)lsearch\"");
    check_error(f, "partial2(*.)-lsearch", "unknown lookup type \"-lsearch\"");
    check_error(f, "partial3-passwd",
                "\"partial\" is not permitted for lookup type \"passwd\"");
    check_error(
        f, "passwd*@,x=y",
        "defaults using \"*\" or \"*@\" are not permitted for lookup type \"passwd*@,x=y\"");
}

static void
every_driver_is_found_by_its_name(void **state)
{
    (void)state;
    const struct lookup_driver *d;
    size_t n = 0;
    for (; (d = lookup_type_driver_at(n)) != NULL; n++) {
        assert_ptr_equal(lookup_type_driver(d->name), d);
        assert_non_null(d->doc);
        assert_true(d->plugin != NULL || d->find != NULL);
    }
    assert_true(n >= 30);
    assert_null(lookup_type_driver(STR_LIT("lsearc")));
}

static void
drivers_that_quote_alike_share_a_number(void **state)
{
    (void)state;
    uint32_t testdb = lookup_type_quoter(lookup_type_driver(STR_LIT("testdb")));
    assert_int_equal(testdb, lookup_type_quoter(lookup_type_driver(STR_LIT("testdb2"))));
    uint32_t mysql = lookup_type_quoter(lookup_type_driver(STR_LIT("mysql")));
    assert_int_not_equal(testdb, mysql);
    assert_int_not_equal(mysql, lookup_type_quoter(lookup_type_driver(STR_LIT("pgsql"))));
    assert_int_equal(lookup_type_quoter(lookup_type_driver(STR_LIT("ldap"))),
                     lookup_type_quoter(lookup_type_driver(STR_LIT("ldapm"))));
}

static void
options_are_found_by_name(void **state)
{
    (void)state;
    struct str o = STR_LIT("ret=full,filter=dir,empty=,retx=1,ret=key");
    assert_true(str_eqz(lookup_option(o, "ret"), "full"));
    assert_true(str_eqz(lookup_option(o, "filter"), "dir"));
    assert_true(str_eqz(lookup_option(o, "empty"), ""));
    assert_true(str_is_set(lookup_option(o, "empty")));
    assert_false(str_is_set(lookup_option(o, "re")));
    assert_false(str_is_set(lookup_option(STR_EMPTY, "ret")));
    assert_false(str_is_set(lookup_option(STR_LIT(",,ret"), "ret")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(parts_of_a_type),
        LOOKUP_TEST(errors_are_worded_as_in_exim),
        cmocka_unit_test(every_driver_is_found_by_its_name),
        cmocka_unit_test(drivers_that_quote_alike_share_a_number),
        cmocka_unit_test(options_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
