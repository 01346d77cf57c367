/* Unit tests of conf/macro_builtin.c: macros of features, options and drivers. */
#include "conf/macro_builtin.h"

#include "conf/macro.h"
#include "conf_fixture.h"

static size_t
length(struct reading *r, const char *text)
{
    struct str value = STR_NULL;
    size_t n =
        macro_builtin_at(macro_builtins_new(r->arena, &r->rq), str_from_cstr(text), &value);
    if (n > 0)
        assert_true(value.n > 0);
    return n;
}

static void
test_names(void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {
        {"_HAVE_TLS", 9},
        {"_HAVE_TLS_RES", 9},
        {"_HAVE_TLS_RESUME_X", 16},
        {"_HAVE_", 0},
        {"_OPT_MAIN_AN_INT", 16},
        {"_OPT_MAIN_AN_INTEGER", 16},
        {"_OPT_MAIN_an_int", 0},
        {"_OPT_MAIN_OLD", 0},
        {"_OPT_ROUTERS_DRIVER", 19},
        {"_OPT_ROUTER_FILE", 0},
        {"_OPT_ROUTER_LOOSE_FILE", 22},
        {"_OPT_ROUTER_LOOSE_FIL", 0},
        {"_OPT_ROUTER_LOOSE", 0},
        {"_DRIVER_ROUTER_STRICTER", 21},
        {"_DRIVER_ROUTER_X", 0},
        {"_DRIVER_TRANSPORT_LOOSE", 23},
        {"_DRIVER_AUTHENTICATOR_X", 0},
        {"_", 0},
        {"_O", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(length(*state, cases[i].text), cases[i].n);
}

static void
test_text(void **state)
{
    struct reading *r = *state;
    struct str value;
    macro_builtin_at(macro_builtins_new(r->arena, &r->rq), STR_LIT("_LIST_OF"), &value);
    assert_true(str_eqz(value, "a:b"));
}

struct seen {
    size_t n;
    bool option, driver, hidden;
};

static void
count(void *ctx, struct str name, struct str text)
{
    struct seen *s = ctx;
    assert_true(text.n > 0);
    s->n++;
    s->option |= str_eqz(name, "_OPT_TRANSPORT_STRICT_FLAG");
    s->driver |= str_eqz(name, "_DRIVER_ROUTER_LOOSE");
    s->hidden |= str_eqz(name, "_OPT_MAIN_OLD");
}

static void
test_listing(void **state)
{
    struct reading *r = *state;
    struct seen s = {.n = 0};
    macro_each_builtin(r->arena, &r->rq, count, &s);
    /* three features, main rows but one, and for each of two classes 3 + 2 * (2 + 1) */
    assert_int_equal(s.n, 3 + sample_table.n - 1 + 2 * 9);
    assert_true(s.option && s.driver);
    assert_false(s.hidden);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_names),
        CASE(test_text),
        CASE(test_listing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
