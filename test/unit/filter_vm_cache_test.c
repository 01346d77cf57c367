/* The cache of compiled strings and patterns: the same object again, bounded, emptied as a whole. */
#include "filter/vm_cache.h"

#include "filter/vm_state.h"

#include "filter_vm_fixture.h"

static void
test_same_object(void **state)
{
    struct fixture *f = *state;
    const struct code *a = expand_cached(f->vm, STR_LIT("a${uc:b}"), false);
    char copy[] = "a${uc:b}"; /* found by content */
    assert_ptr_equal(expand_cached(f->vm, str_from_cstr(copy), false), a);
    const struct code *c = expand_cached(f->vm, STR_LIT("eq{a}{b}"), true);
    assert_ptr_equal(expand_cached(f->vm, STR_LIT("eq{a}{b}"), true), c);
    assert_ptr_not_equal(expand_cached(f->vm, STR_LIT("eq{a}{b}"), false), c);
}

/* Only what vm_expand was given right after the refusal is known again. */
static void
test_again(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "a${uc:$domain}";
    struct str s = str_from_cstr(text), out;
    enum vm_status st = VM_ERROR;
    assert_int_equal(vm_expand(f->vm, s, &out), VM_OK);
    assert_false(vm_expand_again(f->vm, s, &st, &out));
    assert_int_equal(vm_expand(f->vm, s, &out), VM_OK);
    assert_true(vm_expand_again(f->vm, STR_LIT("a${uc:$domain}"), &st, &out));
    assert_int_equal(st, VM_OK);
    assert_true(str_eqz(out, "aEXAMPLE.ORG"));
    assert_false(vm_expand_again(f->vm, STR_LIT("b${uc:$domain}"), &st, &out));
    assert_false(vm_expand_again(f->vm, str_tainted(s), &st, &out));
    vm_cache_clear(f->vm);
    assert_false(vm_expand_again(f->vm, s, &st, &out));
}

static void
test_patterns(void **state)
{
    struct fixture *f = *state;
    struct str why;
    size_t at;
    const struct regex *re = vm_regex(f->vm, STR_LIT("^a(b)"), 0, &why, &at);
    assert_non_null(re);
    assert_ptr_equal(vm_regex(f->vm, STR_LIT("^a(b)"), 0, &why, &at), re);
    assert_null(vm_regex(f->vm, STR_LIT("(("), 0, &why, &at));
    assert_true(why.n > 0);
    assert_int_equal(vm_regex_match(f->vm, re, STR_LIT("abc")), VM_OK);
    const struct str *caps;
    assert_int_equal(vm_captures(f->vm, &caps), 2);
    assert_true(str_eqz(caps[1], "b"));
    assert_int_equal(vm_regex_match(f->vm, re, STR_LIT("xyz")), VM_NO);
}

/* The newest match is remembered: the captures lie in the text that is asked about now. */
static void
test_match_again(void **state)
{
    struct fixture *f = *state;
    struct str why;
    size_t at;
    const struct str *caps;
    char first[] = "xabc", again[] = "xabc";
    const struct regex *re = vm_regex(f->vm, STR_LIT("(a)(z)?(b)()"), 0, &why, &at);
    assert_int_equal(vm_regex_match(f->vm, re, str_from_cstr(first)), VM_OK);
    first[1] = '?';
    assert_int_equal(vm_regex_match(f->vm, re, str_tainted(str_from_cstr(again))), VM_OK);
    assert_int_equal(vm_captures(f->vm, &caps), 5);
    assert_true(str_is_tainted(caps[1]));
    assert_int_equal(vm_regex_match(f->vm, re, str_from_cstr(again)), VM_OK);
    assert_int_equal(vm_regex_match(f->vm, re, str_from_cstr(again)), VM_OK);
    assert_int_equal(vm_captures(f->vm, &caps), 5);
    assert_ptr_equal(caps[0].p, again + 1);
    assert_int_equal(caps[0].n, 2);
    assert_true(str_eqz(caps[1], "a") && str_eqz(caps[2], "") && str_eqz(caps[3], "b"));
    assert_false(str_is_tainted(caps[1]));
    assert_int_equal(vm_regex_match(f->vm, re, str_from_cstr(first)), VM_NO);
    assert_int_equal(vm_regex_match(f->vm, re, str_from_cstr(first)), VM_NO);
    vm_cache_clear(f->vm); /* the pattern is gone; a new one may lie in its place */
    re = vm_regex(f->vm, STR_LIT("(a)(z)?(x)()"), 0, &why, &at);
    assert_int_equal(vm_regex_match(f->vm, re, str_from_cstr(again)), VM_NO);
}

/* At the limits of what is remembered, and of patterns that are not in the cache, the answers are the same. */
static void
test_match_limits(void **state)
{
    struct fixture *f = *state;
    struct str why;
    size_t at;
    const struct str *caps;
    static char text[VM_MATCHED_MAX + 1];
    memset(text, 'a', sizeof text);
    for (uint32_t n = VM_MATCHED_MAX - 1; n <= VM_MATCHED_MAX + 1; n++) {
        const struct regex *re = vm_regex(f->vm, STR_LIT("^(a+)$"), 0, &why, &at);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(vm_regex_match(f->vm, re, str_from(text, n)), VM_OK);
            assert_int_equal(vm_captures(f->vm, &caps), 2);
            assert_int_equal(caps[1].n, n);
        }
    }
    const struct regex *many =
        vm_regex(f->vm, STR_LIT("(.)(.)(.)(.)(.)(.)(.)(.)"), 0, &why, &at);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(vm_regex_match(f->vm, many, STR_LIT("12345678")), VM_OK);
        assert_int_equal(vm_captures(f->vm, &caps), 9);
        assert_true(str_eqz(caps[8], "8"));
    }
    assert_int_equal(vm_regex_match(f->vm, many, STR_LIT("")), VM_NO);
}

/* Text after text, far more than the cache holds: memory stays bounded and answers stay right. */
static void
test_bound(void **state)
{
    struct fixture *f = *state;
    static char text[20000];
    for (unsigned i = 0; i < 3000; i++) {
        int n = snprintf(text, sizeof text, "${uc:x%u}", i);
        memset(text + n, 'y', 10000);
        struct arena_mark mark = arena_mark(vm_scratch(f->vm));
        struct str out;
        char want[16];
        assert_int_equal(vm_expand(f->vm, str_from(text, (size_t)n + 10000), &out), VM_OK);
        int k = snprintf(want, sizeof want, "X%uy", i);
        assert_memory_equal(out.p, want, (size_t)k);
        vm_release(f->vm, mark);
    }
    vm_cache_clear(f->vm);
    fixture_check(f, "${uc:x1}", "X1");
}

/* A result that is a constant outlives the code that it came with. */
static void
test_held(void **state)
{
    struct fixture *f = *state;
    struct str held, other;
    assert_int_equal(vm_expand(f->vm, STR_LIT("ju\\x73t words"), &held), VM_OK);
    vm_cache_clear(f->vm);
    assert_int_equal(vm_expand(f->vm, STR_LIT("othe\\x72 ones"), &other), VM_OK);
    assert_true(str_eqz(held, "just words") && str_eqz(other, "other ones"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_object, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_again, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_patterns, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_match_again, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_match_limits, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bound, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_held, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
