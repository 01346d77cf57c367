/* Unit tests of conf/list_string.c: items of domain and local part lists, named lists. */
#include "conf_list_fixture.h"

#include "conf/model.h"

static void
domains_match_without_case(void **state)
{
    CHECK_CASES(*state, LIST_DOMAIN, {"A.ex", "a.EX", "yes<a.EX><a.ex><>"},
                {"x.B.ex", "*b.EX", "yes<*b.EX><x.b.ex><x.>"}, {"b.ex", "*.b.ex", "no"},
                {".b.ex", "*.b.ex", "yes<*.b.ex><.b.ex><>"}, {"", "*", "yes<*><><>"},
                {"C.ex", "^c\\.(ex|org)$", "yes<^c\\.(ex|org)$><C.ex><ex>"},
                {"C.ex", "^(?-i)c", "no"}, {"cxy", "^c", "yes<^c><cxy><>"},
                {"z", "^(z",
                 "error: regular expression error: missing closing parenthesis at "
                 "offset 3 while compiling ^(z"});
}

static void
own_names_and_addresses(void **state)
{
    CHECK_CASES(*state, LIST_DOMAIN,
                {"myHOST.example", "@", "yes<MyHost.example><myhost.example><>"},
                {"other", "@", "no"}, {"[127.0.0.1]", "@[]", "yes<@[]><[127.0.0.1]><>"},
                {"[::1]", "<; @[]", "yes<@[]><[::1]><>"}, {"127.0.0.1", "@[]", "no"},
                {"[10.1.1.1]", "@[]", "no"}, {"@foo", "@foo", "yes<@foo><@foo><>"},
                {"mx.ex", "@MX_any/ignore=127.0.0.1", "yes<@MX_any/ignore=127.0.0.1><mx.ex><>"},
                {"mx.ex", "@mx_any", "no"}, {"", "@mx_any", "no"},
                {"again.ex", "@mx_primary", "defer: DNS lookup of \"again.ex\" deferred"},
                {"@mx_anyx", "@mx_anyx", "yes<@mx_anyx><@mx_anyx><>"});
}

static void
lookups_give_data(void **state)
{
    CHECK_CASES(*state, LIST_DOMAIN, {"A.ex", "lsearch; /x", "yes<data for a><a.ex><>"},
                {"b.ex", "lsearch;/x", "yes<><b.ex><>"}, {"zz", "lsearch;/x", "no"},
                {"q.c.ex", "partial-lsearch;/x", "yes<wild><q.c.ex><q>"},
                {"any", "q;select it", "yes<select it><any><>"}, {"any", "q;none", "no"},
                {"any", "qdefer;x", "defer: no answer"},
                {"a", "foo;x", "defer: unknown lookup type \"foo\""},
                {"a", ";x", "defer: unknown lookup type \"\""},
                {"a", "lsearch;/absent",
                 "defer: failed to open /absent for linear search: No such file or directory"});
}

static void
local_parts_mind_case_when_told(void **state)
{
    struct fixture *f = *state;
    define(f, LIST_LOCALPART, "ll", "bob");
    define(f, LIST_LOCALPART, "llc", "+caseful : Bob");
    CHECK_CASES(f, LIST_LOCALPART, {"Bob", "alice : bOB", "yes<bOB><bob><>"},
                {"Bob", "+caseful : bob", "no"}, {"Bob", "+caseful : Bob", "yes<Bob><Bob><>"},
                {"Bob", "bob : +caseful", "yes<bob><bob><>"}, {"Bob", "+caseful : *B", "no"},
                {"Bob", "^b(.)b", "yes<^b(.)b><Bob><o>"}, {"Bob", "+caseful : ^b", "no"},
                {"Bob", "+caseful : +ll", "no"}, {"bob", "+llc : BOB", "no"},
                {"bob", "+llc : zz : bob", "yes<bob><bob><>"}, {"@", "@", "yes<@><@><>"},
                {"MyHost.example", "@", "no"}, {"x", "! b : +caseful", "yes<><><>"});
    struct list_question q = {.kind = LIST_LOCALPART,
                              .subject = STR_LIT("Bob"),
                              .list = STR_LIT("bob"),
                              .caseful = true};
    assert_string_equal(ask_question(f, &q), "no");
}

static void
named_lists(void **state)
{
    struct fixture *f = *state;
    define(f, LIST_DOMAIN, "dl", "a.ex : *.b.ex");
    define(f, LIST_DOMAIN, "nest", "+dl : d.ex");
    define(f, LIST_DOMAIN, "not", "!+dl");
    define(f, LIST_DOMAIN, "fails", "${if bool{no}{a}fail}");
    define(f, LIST_DOMAIN, "bad", "${nosuch:a}");
    define(f, LIST_HOST, "hl", "*");
    CHECK_CASES(f, LIST_DOMAIN, {"a.ex", "+dl", "yes<a.ex><a.ex><>"},
                {"x.b.ex", "+nest", "yes<*.b.ex><x.b.ex><x>"}, {"a.ex", "! +nest : *", "no"},
                {"zz", "+not", "yes<><><>"}, {"a.ex", "+not", "no"},
                {"a", "+hl", "defer: unknown named domain list \"+hl\""},
                {"a", "+DL", "defer: unknown named domain list \"+DL\""},
                {"a", "+", "defer: unknown named domain list \"+\""},
                {"a", "+caseful", "defer: unknown named domain list \"+caseful\""},
                {"a", "a : +nosuch", "yes<a><a><>"}, {"a", "+fails : a", "yes<a><a><>"},
                {"a", "+fails", "no"}, {"a", "!+fails", "yes<><><>"},
                {"a", "+bad",
                 "defer: failed to expand \"${nosuch:a}\" while checking a list: "
                 "unknown expansion operator \"nosuch\""});
    assert_true(str_find(buf_str(&f->log), STR_LIT("P unknown named domain list \"+hl\"\n"),
                         0) != STR_NPOS);
}

static enum vm_status
get_domain(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)vm;
    (void)rest;
    struct eval *e = env;
    *out = e->address == NULL ? STR_LIT("unset") : e->address->domain;
    return VM_OK;
}

static void
the_domain_is_set_while_a_list_expands(void **state)
{
    struct fixture *f = *state;
    static const struct var vars[] = {{.name = STR_INIT("domain"), .get = get_domain}};
    f->host.vars = vars;
    f->host.vars_n = 1;
    define(f, LIST_DOMAIN, "exp", "$domain");
    define(f, LIST_LOCALPART, "lexp", "$domain");
    assert_string_equal(ask(f, LIST_DOMAIN, "ZZ.ex", "+exp"), "yes<zz.ex><zz.ex><>");
    assert_null(f->eval.address);
    assert_string_equal(ask(f, LIST_LOCALPART, "unset", "+lexp"), "yes<unset><unset><>");
    struct list_question q = {.kind = LIST_DOMAIN,
                              .subject = STR_LIT("ZZ.ex"),
                              .list = STR_LIT("+exp"),
                              .keep_domain = true};
    assert_string_equal(ask_question(f, &q), "no");
}

static void
results_are_remembered_when_asked(void **state)
{
    struct fixture *f = *state;
    define(f, LIST_DOMAIN, "look", "lsearch;/x");
    define(f, LIST_DOMAIN, "exp", "${uc:LSEARCH;/x} : q;1");
    define(f, LIST_DOMAIN, "exp_cache", "q;${lc:ONE}")->cache = true;
    struct list_question q = {.kind = LIST_DOMAIN,
                              .subject = STR_LIT("a.ex"),
                              .list = STR_LIT("z : +look"),
                              .remember = true};
    for (int i = 0; i < 3; i++)
        assert_string_equal(ask_question(f, &q),
                            i == 0 ? "yes<data for a><a.ex><>" : "yes<data for a><><>");
    assert_int_equal(f->lookups, 1);
    q.subject = STR_LIT("zz");
    assert_string_equal(ask_question(f, &q), "no");
    assert_string_equal(ask_question(f, &q), "no");
    assert_int_equal(f->lookups, 2);
    list_cache_forget(f->eval.lists);
    assert_string_equal(ask_question(f, &q), "no");
    assert_int_equal(f->lookups, 3);
    q.list = STR_LIT("z : +exp_cache");
    assert_string_equal(ask_question(f, &q), "yes<one><zz><>");
    assert_string_equal(ask_question(f, &q), "yes<one><><>");
    assert_int_equal(f->lookups, 4);
    q.remember = false;
    assert_string_equal(ask_question(f, &q), "yes<one><zz><>");
    assert_int_equal(f->lookups, 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(domains_match_without_case, setup, teardown),
        cmocka_unit_test_setup_teardown(own_names_and_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(lookups_give_data, setup, teardown),
        cmocka_unit_test_setup_teardown(local_parts_mind_case_when_told, setup, teardown),
        cmocka_unit_test_setup_teardown(named_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(the_domain_is_set_while_a_list_expands, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(results_are_remembered_when_asked, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
