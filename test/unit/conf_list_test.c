/* Unit tests of conf/list.c: the walk, its policies, the host function. */
#include "conf_list_fixture.h"

static void
negation_and_the_end_of_a_list(void **state)
{
    CHECK_CASES(
        *state, LIST_DOMAIN, {"a.ex", "", "no"}, {"a.ex", "b.ex", "no"},
        {"a.ex", "!b.ex", "yes<><><>"}, {"b.ex", "!b.ex", "no"}, {"x", "!a.b.c : *.b.c", "no"},
        {"q.b.c", "!a.b.c : *.b.c", "yes<*.b.c><q.b.c><q>"}, {"a.b.c", "!a.b.c : *.b.c", "no"},
        {"zz", "!!zz", "yes<><><>"}, {"zz", "! zz : *", "no"},
        {"zz", "a : !b : !c", "yes<><><>"}, {"zz", "!", "yes<><><>"}, {"", "!", "no"},
        {"", ":", "yes<><><>"}, {"", "a", "no"});
}

static void
literals_and_patterns_keep_their_order(void **state)
{
    CHECK_CASES(*state, LIST_DOMAIN, {"a.ex", "*.ex : a.ex", "yes<*.ex><a.ex><a>"},
                {"a.ex", "a.ex : *.ex", "yes<a.ex><a.ex><>"}, {"a.ex", "!*.ex : a.ex", "no"},
                {"a.ex", "z : !a.ex : *.ex : a.ex", "no"},
                {"A.EX", "a.ex : A.ex", "yes<a.ex><a.ex><>"},
                {"a.ex", "!z : A.EX", "yes<A.EX><a.ex><>"});
}

static void
a_value_is_left_by_what_was_compared_last(void **state)
{
    struct fixture *f = *state;
    define(f, LIST_DOMAIN, "neg", "!a.ex");
    define(f, LIST_DOMAIN, "dneg", "!a.ex : b.ex");
    CHECK_CASES(f, LIST_DOMAIN, {"a.ex", "!+neg", "yes<a.ex><a.ex><>"},
                {"a.ex", "+dneg : !z", "yes<><><>"});
}

static void
lists_within_lists_have_a_limit(void **state)
{
    struct fixture *f = *state;
    define(f, LIST_DOMAIN, "l1", "+l2");
    define(f, LIST_DOMAIN, "l2", "+l1 : a");
    define(f, LIST_DOMAIN, "self", "+self");
    const char *want = "error: too many lists within lists (more than 40)";
    assert_string_equal(ask(f, LIST_DOMAIN, "a", "+l1"), want);
    for (int i = 0; i < 3; i++)
        assert_string_equal(ask(f, LIST_DOMAIN, "a", "+self"), want);
    char name[16], text[64];
    for (int i = 0; i < LIST_DEPTH_MAX; i++) {
        snprintf(name, sizeof name, "n%d", i);
        snprintf(text, sizeof text, i == 0 ? "a" : "x : +n%d", i - 1);
        define(f, LIST_DOMAIN, str_cstr(f->arena, str_from_cstr(name)),
               str_cstr(f->arena, str_from_cstr(text)));
    }
    /* The list itself is one of them. */
    assert_string_equal(ask(f, LIST_DOMAIN, "a", "y : +n38"), "yes<a><a><>");
    assert_string_equal(ask(f, LIST_DOMAIN, "a", "y : +n39"), want);
}

static void
the_host_function_words_errors(void **state)
{
    struct fixture *f = *state;
    struct host_match q = {
        .kind = LIST_DOMAIN, .subject = STR_LIT("a"), .list = STR_LIT("+nosuch")};
    assert_int_equal(list_host_match(&f->eval, f->vm, &q), VM_DEFER);
    assert_true(str_eqz(vm_error(f->vm),
                        "unable to complete match against \"+nosuch\": unknown "
                        "named domain list \"+nosuch\""));
    q = (struct host_match){
        .kind = LIST_HOST, .subject = STR_LIT("zz"), .list = STR_LIT("*"), .ip_only = true};
    assert_int_equal(list_host_match(&f->eval, f->vm, &q), VM_ERROR);
    assert_true(str_eqz(vm_error(f->vm), "\"zz\" is not an IP address"));
    q.subject = STR_LIT("10.0.0.1");
    q.list = STR_LIT("lsearch;/x");
    assert_int_equal(list_host_match(&f->eval, f->vm, &q), VM_OK);
    assert_true(str_eqz(vm_value(f->vm), "ip1"));
    q.list = STR_LIT("10.0.0.2");
    assert_int_equal(list_host_match(&f->eval, f->vm, &q), VM_NO);
}

static void
marks_are_those_of_the_list_or_the_subject(void **state)
{
    struct fixture *f = *state;
    struct list_question q = {
        .kind = LIST_DOMAIN, .subject = str_tainted(STR_LIT("a.ex")), .list = STR_LIT("a.ex")};
    struct list_answer a;
    const struct str *caps;
    assert_int_equal(list_match(&f->eval, f->vm, &q, &a), OUT_OK);
    assert_false(str_is_tainted(a.value));
    assert_int_equal(vm_captures(f->vm, &caps), 1);
    assert_true(str_is_tainted(caps[0]));
    q.list = str_tainted(STR_LIT("a.ex"));
    assert_int_equal(list_match(&f->eval, f->vm, &q, &a), OUT_OK);
    assert_true(str_is_tainted(a.value));
    q.list = STR_LIT("lsearch;/x");
    assert_int_equal(list_match(&f->eval, f->vm, &q, &a), OUT_OK);
    assert_false(str_is_tainted(a.value));
}

static void
nothing_is_needed_but_a_machine(void **state)
{
    struct fixture *f = *state;
    struct host none = {0};
    struct eval e = {0};
    struct vm *vm = vm_new(&none, &e);
    static const char *const lists[] = {"a : b", "*", "@", "@[]", "^a"};
    for (size_t i = 0; i < 5; i++) {
        struct list_question q = {
            .kind = LIST_DOMAIN, .subject = STR_LIT("b"), .list = str_from_cstr(lists[i])};
        struct list_answer a;
        assert_int_equal(list_match(&e, vm, &q, &a), i < 2 ? OUT_OK : OUT_FAIL);
    }
    struct list_question q = {
        .kind = LIST_DOMAIN, .subject = STR_LIT("b"), .list = STR_LIT("lsearch;/x")};
    struct list_answer a;
    assert_int_equal(list_match(&e, vm, &q, &a), OUT_DEFER);
    vm_free(vm);
    (void)f;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(negation_and_the_end_of_a_list, setup, teardown),
        cmocka_unit_test_setup_teardown(literals_and_patterns_keep_their_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_value_is_left_by_what_was_compared_last, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(lists_within_lists_have_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(the_host_function_words_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(marks_are_those_of_the_list_or_the_subject, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_is_needed_but_a_machine, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
