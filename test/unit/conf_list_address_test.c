/* Unit tests of conf/list_address.c: items of address lists. */
#include "conf_list_fixture.h"

static void
whole_addresses(void **state)
{
    CHECK_CASES(*state, LIST_ADDRESS, {"U@A.ex", "u@a.EX", "yes<u@a.EX><><>"},
                {"u@a.ex", "v@a.ex", "no"}, {"", ":", "yes<><><>"}, {"", "", "no"},
                {"", "* : *@* : a.ex", "no"}, {"", "^$", "yes<><><>"},
                {"", "!a.ex", "yes<><><>"}, {"User@A.ex", "^us(..)@a", "yes<><><>"},
                {"User@A.ex", "^(?-i)us", "yes<><><>"},
                {"Bob@a.ex", "lsearch;/x", "yes<whole><><>"},
                {"a@b@c.ex", "a@b@c.ex", "yes<a@b@c.ex><><>"}, {"x@y.ex", "q;1", "yes<1><><>"},
                {"", "q;1", "yes<1><><>"}, {"Case@a.ex", "lsearch;/x", "no"},
                {"Case@a.ex", "+caseful : lsearch;/x", "yes<caseful key><><>"});
}

static void
local_part_and_domain_apart(void **state)
{
    struct fixture *f = *state;
    define(f, LIST_DOMAIN, "dl", "a.ex : *.b.ex");
    CHECK_CASES(f, LIST_ADDRESS, {"U@A.ex", "a.ex", "yes<@a.ex><><>"},
                {"u@a.ex", "*", "yes<@*><><>"}, {"u@a.ex", "*@a.ex", "yes<*@a.ex><><>"},
                {"user@a.ex", "*ER@*.ex", "yes<*ER@*.ex><><>"}, {"user@a.ex", "us*@*.ex", "no"},
                {"u@x.a.ex", "*.a.ex", "yes<@*.a.ex><><>"},
                {"u@a.ex", "*@+dl", "yes<*@a.ex><><>"},
                {"u@a.ex", "u@lsearch;/x", "yes<u@data for a><><>"},
                {"u@a.ex", "*@^A", "yes<*@^A><><>"}, {"u@a.ex", "u@!a.ex : *", "yes<@*><><>"},
                {"u@myhost.example", "u@@", "yes<u@MyHost.example><><>"},
                {"u@[127.0.0.1]", "u@@[]", "yes<u@@[]><><>"}, {"u@", "u@", "no"},
                {"u@y.ex", "u@ y.ex", "yes<u@y.ex><><>"},
                {"u@a.ex", "*@+none", "defer: unknown named domain list \"+none\""},
                {"u@a.ex", "v@+none", "no"},
                {"u@a.ex", "+dl", "defer: unknown named address list \"+dl\""});
}

static void
case_counts_after_caseful(void **state)
{
    struct fixture *f = *state;
    define(f, LIST_ADDRESS, "alc", "+caseful : Bob@a.ex");
    CHECK_CASES(f, LIST_ADDRESS, {"User@A.ex", "+caseful : User@a.ex", "yes<User@a.ex><><>"},
                {"User@A.ex", "+caseful : user@a.ex", "no"},
                {"User@A.ex", "+caseful : User@A.ex", "no"},
                {"User@A.ex", "USER@a.ex : +caseful", "yes<USER@a.ex><><>"},
                {"User@A.ex", "+caseful : ^User@a", "yes<><><>"},
                {"User@A.ex", "+caseful : ^user", "no"}, {"User@A.ex", "+caseful : A.ex", "no"},
                {"User@A.ex", "+caseful : *@a.ex", "yes<*@a.ex><><>"},
                {"bob@a.ex", "+alc : BOB@a.ex", "no"},
                {"bob@a.ex", "+alc : bob@a.ex", "yes<bob@a.ex><><>"});
}

static void
local_parts_looked_up_by_domain(void **state)
{
    struct fixture *f = *state;
    CHECK_CASES(f, LIST_ADDRESS, {"BOB@chain.ex", "@@lsearch;/x", "yes<bob><><>"},
                {"xX@chain.ex", "@@lsearch;/x", "yes<^x(.)><><>"},
                {"qzed@chain.ex", "@@lsearch;/x", "yes<*zed><><>"},
                {"11@chain.ex", "@@lsearch;/x", "yes<^\\d+$><><>"},
                {"carol@chain.ex", "@@lsearch;/x", "no"},
                {"karl@chain.ex", "@@lsearch;/x", "yes<*l><><>"},
                {"u@chain.ex", "@@lsearch;/x", "no"}, {"u@none.ex", "@@lsearch;/x", "no"},
                {"", "@@lsearch;/x", "no"}, {"Bob@chain.ex", "+caseful : @@lsearch;/x", "no"},
                {"u@a.ex", "@@foo;x", "defer: unknown lookup type \"foo\""},
                {"q@loop.ex", "@@lsearch;/x",
                 "error: Loop detected in lookup of local part of q@loop.ex in @@lsearch;/x"});
    assert_string_equal(ask(f, LIST_ADDRESS, "u@x.ex", "<| @@q;!u : *"), "no");
    assert_string_equal(ask(f, LIST_ADDRESS, "v@x.ex", "<| @@q;!u : *"), "yes<*><><>");
    assert_string_equal(ask(f, LIST_ADDRESS, "v@x.ex", "<| @@q;!u"), "no");
}

static void
odd_subjects_and_types_are_logged(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, LIST_ADDRESS, "abc", "abc : * : ^a"), "no");
    assert_string_equal(ask(f, LIST_ADDRESS, "abc", "!abc"), "yes<><><>");
    assert_string_equal(ask(f, LIST_ADDRESS, "bob@a.ex", "partial-lsearch;/x"),
                        "yes<whole><><>");
    assert_true(
        str_eqz(buf_str(&f->log),
                "P no @ found in the subject of an address list match: subject=\"abc\" "
                "pattern=\"abc : * : ^a\"\n"
                "P no @ found in the subject of an address list match: subject=\"abc\" "
                "pattern=\"!abc\"\n"
                "P partial matching is not applicable to whole-address lookups: ignored "
                "\"partial-\" in \"partial-lsearch;/x\"\n"));
}

static void
captures_only_for_rewriting(void **state)
{
    struct fixture *f = *state;
    struct list_question q = {.kind = LIST_ADDRESS,
                              .subject = STR_LIT("User@x.a.ex"),
                              .list = STR_LIT("*@*.a.ex"),
                              .captures = true};
    assert_string_equal(ask_question(f, &q), "yes<*@*.a.ex><User@x.a.ex><User>");
    q.list = STR_LIT("*@x.a.ex");
    assert_string_equal(ask_question(f, &q), "yes<*@x.a.ex><User@x.a.ex><User>");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(local_part_and_domain_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(case_counts_after_caseful, setup, teardown),
        cmocka_unit_test_setup_teardown(local_parts_looked_up_by_domain, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_subjects_and_types_are_logged, setup, teardown),
        cmocka_unit_test_setup_teardown(captures_only_for_rewriting, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
