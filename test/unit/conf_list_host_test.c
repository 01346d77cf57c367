/* Unit tests of conf/list_host.c: items of host lists. */
#include "conf_list_fixture.h"

static void
addresses_and_networks(void **state)
{
    CHECK_CASES(
        *state, LIST_HOST, {"10.1.2.3", "10.0.0.0/8", "yes<><><>"},
        {"10.1.2.3", "10.1.2.3/32", "yes<><><>"}, {"10.1.2.3", "10.1.2.4", "no"},
        {"10.1.2.3", "10.0.0.0/33 : 10.1.2.3", "yes<><><>"},
        {"11.1.2.3", "10.0.0.0/", "yes<><><>"}, {"fe80::1", "<; fe80::/10", "yes<><><>"},
        {"fe80::1", "fe80::::1", "yes<><><>"}, {"fe80::1", "<; fe80::/129", "no"},
        {"::ffff:10.0.0.1", "10.0.0.1", "yes<><><>"},
        {"::ffff:10.0.0.1", "<; ::ffff:10.0.0.1", "no"}, {"::1", "0.0.0.0/0", "no"},
        {"10.1.2.3", "*", "yes<><><>"}, {"", "*", "yes<><><>"}, {"", ":", "yes<><><>"},
        {"", "foo : 10.0.0.1 : ^x : @[] : lsearch;/x", "no"}, {"", "foo : : bar", "yes<><><>"},
        {"10.1.2.3", ":", "no"}, {"127.0.0.1", "@[]", "yes<><><>"}, {"10.1.2.3", "@[]", "no"});
}

static void
lookups_by_address(void **state)
{
    CHECK_CASES(
        *state, LIST_HOST, {"10.0.0.1", "net-lsearch;/x", "yes<ip1><><>"},
        {"10.0.0.9", "net24-lsearch;/x", "yes<net24><><>"},
        {"10.0.1.9", "net24-lsearch;/x", "no"},
        {"fe80::1", "net-lsearch;/x", "yes<dotted><><>"},
        {"fe80::1", "net-iplsearch;/x", "yes<colons><><>"},
        {"10.0.0.1", "q;word", "yes<word><><>"}, {"10.0.0.1", "net-q;word", "yes<word><><>"},
        {"10.0.0.1", "qdefer;x", "defer: no answer"},
        {"10.0.0.1", "foo;x", "defer: unknown lookup type \"foo\" in host list item \"foo;x\""},
        {"10.0.0.1", "+ignore_defer : foo;x : 10.0.0.1", "yes<><><>"},
        {"10.0.0.1", "+include_defer : foo;x", "yes<><><>"},
        {"10.0.0.1", "+ignore_defer : +nosuch", "defer: unknown named host list \"+nosuch\""});
}

static void
names_are_found_when_needed(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, LIST_HOST, "10.0.0.1", "10.0.0.1 : *.foo.ex"), "yes<><><>");
    assert_int_equal(f->resolved, 0);
    CHECK_CASES(f, LIST_HOST, {"10.0.0.1", "*.FOO.ex", "yes<*.FOO.ex><><>"},
                {"10.0.0.1", "*.bar.ex", "yes<*.bar.ex><><>"}, {"10.0.0.1", "*.zz", "no"},
                {"10.0.0.1", "^host", "yes<^host><><>"}, {"10.0.0.1", "^(?-i)host", "no"},
                {"10.0.0.1", "lsearch;/x", "yes<by name><><>"},
                {"10.0.0.1", "two.ex", "yes<><><>"}, {"10.0.0.2", "two.ex", "no"},
                {"192.168.7.7", "@", "yes<><><>"},
                {"10.0.0.1", "again.ex", "defer: DNS lookup of \"again.ex\" deferred"},
                {"10.9.9.9", "*.foo", "defer: DNS lookup of \"10.9.9.9\" deferred"});
    f->resolved = 0;
    struct list_question q = {.kind = LIST_HOST,
                              .subject = STR_LIT("10.5.5.5"),
                              .host_name = STR_LIT("x.given.ex"),
                              .list = STR_LIT("*.given.ex")};
    assert_string_equal(ask_question(f, &q), "yes<*.given.ex><><>");
    assert_int_equal(f->resolved, 0);
}

static void
the_unknown_ends_a_list(void **state)
{
    struct fixture *f = *state;
    define(f, LIST_HOST, "hn", "*.foo.ex");
    define(f, LIST_HOST, "hu", "+include_unknown : *.foo.ex");
    CHECK_CASES(
        f, LIST_HOST, {"10.0.0.2", "*.ex : 10.0.0.2", "no"}, {"10.0.0.2", "! *.ex", "no"},
        {"10.0.0.2", "nosuch.ex : 10.0.0.2", "no"},
        {"10.0.0.2", "+ignore_unknown : *.ex : nosuch.ex : 10.0.0.2", "yes<><><>"},
        {"10.0.0.2", "+include_unknown : *.ex", "yes<><><>"},
        {"10.0.0.2", "+include_unknown : ! *.ex", "yes<><><>"},
        {"10.0.0.2", "+include_unknown : +hn", "no"}, {"10.0.0.2", "+hu : zz", "yes<><><>"},
        {"10.0.0.2", "+hn : 10.0.0.2", "yes<><><>"}, {"10.0.0.2", "300.1.1.1 : *", "no"},
        {"10.0.0.2", "10.0.0/x : *", "no"}, {"10.0.0.2", "foo bar : *", "no"},
        {"10.0.0.2", "! 10.0.0.3 : +ignore_unknown", "yes<><><>"},
        {"10.0.0.2", "+caseful", "defer: unknown named host list \"+caseful\""});
    assert_true(str_find(buf_str(&f->log),
                         STR_LIT("M failed to find host name for 10.0.0.2: accepted by "
                                 "+include_unknown\n"),
                         0) != STR_NPOS);
}

static void
match_ip_asks_for_no_names(void **state)
{
    struct fixture *f = *state;
    static const struct list_case cases[] = {
        {"10.0.0.1", "lsearch;/x", "yes<ip1><><>"},
        {"10.0.0.1", "*.foo.ex : 10.0.0.1", "no"},
        {"10.0.0.1", "two.ex", "no"},
        {"10.0.0.1", "+ignore_unknown : two.ex : 10.0.0.1", "yes<><><>"},
        {"10.0.0.1", "netx-lsearch;/x", "no"},
        {"10.0.0.1", "+include_unknown : @", "yes<><><>"},
        {"10.0.0.1", "foo;x", "defer: unknown lookup type \"foo\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct list_question q = {.kind = LIST_HOST,
                                  .subject = str_from_cstr(cases[i].subject),
                                  .list = str_from_cstr(cases[i].list),
                                  .ip_only = true};
        assert_string_equal(ask_question(f, &q), cases[i].answer);
    }
    assert_int_equal(f->resolved, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(addresses_and_networks, setup, teardown),
        cmocka_unit_test_setup_teardown(lookups_by_address, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_found_when_needed, setup, teardown),
        cmocka_unit_test_setup_teardown(the_unknown_ends_a_list, setup, teardown),
        cmocka_unit_test_setup_teardown(match_ip_asks_for_no_names, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
