/* Unit tests of mail/rfc2231.c. */
#include "mail/rfc2047.h"

#include "base/arena.h"
#include "base/buf.h"
#include "sys/charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
assert_str(struct str s, const char *want)
{
    assert_int_equal(s.n, strlen(want));
    assert_memory_equal(s.p, want, s.n);
}

static void
assert_param(struct arena *a, const char *body, const char *name, const char *want)
{
    struct charset_target target = charset_target(STR_LIT("UTF-8"));
    struct str out;
    struct str in = str_tainted(str_from_cstr(body));
    assert_true(rfc2231_param(a, in, str_from_cstr(name), &target, &out));
    assert_str(out, want);
    assert_int_equal(out.taint, STR_TAINTED);
}

static void
every_form_of_a_parameter(void **state)
{
    assert_param(*state, "a/b; name=x; y=z", "name", "x");
    assert_param(*state, "a/b; name=x; Y = \"z;\\\" w\"", "y", "z;\" w");
    assert_param(*state, "a; n*=utf-8'en'caf%C3%A9%00", "n", "caf\303\251?");
    assert_param(*state, "a; n*=iso-8859-1''caf%E9", "n", "caf\303\251");
    assert_param(*state, "a; n*=nosuch''caf%E9", "n", "caf\351");
    assert_param(*state, "a; n*1=b; n*0=a; n*2*=%20c", "n", "ab c");
    assert_param(*state, "a; n*0*=iso-8859-1''%E9; n*1=\"%E9\"; n*3=x", "n", "\303\251%E9");
    assert_param(*state, "a; n=plain; n*=us-ascii''better", "n", "better");
    assert_param(*state, "a; n=1; n=2", "n", "1");
    assert_param(*state, "a \"; n=no\"; n=yes", "n", "yes");
    assert_param(*state, "a; n=\"open", "n", "open");
}

static void
absent_parameters(void **state)
{
    static const char *const bodies[] = {"", "n=x", "a; m=x", "a; n", "a; n*x=1", "a; n*1=x"};
    struct str out;
    for (size_t i = 0; i < 6; i++)
        assert_false(rfc2231_param(*state, str_from_cstr(bodies[i]), STR_LIT("n"), NULL, &out));
}

static void
sections_are_capped(void **state)
{
    for (int top = 98; top <= 100; top++) {
        struct buf b = buf_in(*state, 0);
        struct str out;
        buf_addc(&b, 'a');
        for (int i = 0; i <= top; i++)
            buf_printf(&b, "; n*%d=x", i);
        assert_true(rfc2231_param(*state, buf_str(&b), STR_LIT("n"), NULL, &out));
        assert_int_equal(out.n, top < 100 ? top + 1 : 100);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_parameter),
        cmocka_unit_test(absent_parameters),
        cmocka_unit_test(sections_are_capped),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
