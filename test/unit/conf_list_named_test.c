/* Unit tests of conf/list_named.c. */
#include "conf_list_fixture.h"

static const char *
named(struct fixture *f, const char *name, char type)
{
    struct str out;
    if (list_host_named(&f->eval, f->vm, str_from_cstr(name), type, &out) != VM_OK)
        out = vm_error(f->vm);
    return str_cstr(f->arena, out);
}

static void
texts_of_named_lists(void **state)
{
    struct fixture *f = *state;
    define(f, LIST_DOMAIN, "q1", "a::b : <z : c");
    define(f, LIST_DOMAIN, "q2", "<; x:y ; +q1 ; !+q1");
    define(f, LIST_DOMAIN, "q5", "a : : b :");
    define(f, LIST_DOMAIN, "bad", "+nosuch");
    define(f, LIST_DOMAIN, "loop", "+loop");
    define(f, LIST_ADDRESS, "al", "+caseful : Bob@a.ex");
    define(f, LIST_LOCALPART, "dup", "x");
    define(f, LIST_DOMAIN, "dup", "y");
    define(f, LIST_DOMAIN, "exp", "${lc:X} : +q5");
    assert_string_equal(named(f, "q1", 0), "a::b : <z : c");
    assert_string_equal(named(f, "q2", 'd'), "x::y : a::b : <z : c : !+q1");
    assert_string_equal(named(f, "q5", 0), "a :  : b");
    assert_string_equal(named(f, "bad", 0), "\"nosuch\" is not a named list");
    assert_string_equal(named(f, "al", 0), "+caseful : Bob@a.ex");
    assert_string_equal(named(f, "al", 'd'), "\"al\" is not a domain named list");
    assert_string_equal(named(f, "dup", 0), "y");
    assert_string_equal(named(f, "dup", 'l'), "x");
    assert_string_equal(named(f, "", 0), "\"\" is not a named list");
    assert_string_equal(named(f, "exp", 0), "${lc : X} : a :  : b");
    assert_string_equal(named(f, "loop", 0), "too many lists within lists (more than 40)");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(texts_of_named_lists, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
