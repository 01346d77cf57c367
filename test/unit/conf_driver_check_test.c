/* Helpers for checks of drivers: what an instance sets, and how faults are worded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "conf/driver_check.h"
#include "conf/opt_parse.h"

struct generic {
    bool more;
};

struct own {
    struct str colour;
    int64_t size;
};

static const struct opt generic_rows[] = {OPT_BOOL(struct generic, more, true, 0, "More.")};
static const struct opt own_rows[] = {OPT_STR(struct own, colour, NULL, 0, "Colour."),
                                      OPT_INT(struct own, size, 0, 0, "Size.")};
static const struct opt_table generic_table = {"router", generic_rows, 1,
                                               sizeof(struct generic)};
static const struct opt_table own_table = {"box router", own_rows, 2, sizeof(struct own)};
static const struct driver_class boxes = {.what = "router", .generic = &generic_table};

struct fixture {
    struct arena *arena;
    struct diags *diags;
    struct source source;
    struct driver_instance d;
};

static void
set_option(struct fixture *f, struct opt_set *s, const char *line, uint32_t line_no)
{
    struct textmap_run *run = ARENA_NEW(f->arena, struct textmap_run);
    *run = (struct textmap_run){.line = line_no, .col = 3};
    struct textmap *map = ARENA_NEW(f->arena, struct textmap);
    *map = (struct textmap){.source = &f->source, .runs = run, .n = 1};
    struct opt_ctx ctx = {.arena = f->arena, .diags = f->diags};
    struct opt_line l = opt_line_scan(str_from_cstr(line), map);
    assert_int_equal(opt_parse(&ctx, s, &l), OPT_DONE);
}

static struct fixture *
make(struct arena *a)
{
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->arena = a;
    f->diags = diags_new(a, 0);
    f->source.name = STR_LIT("conf");
    f->d = (struct driver_instance){.name = STR_INIT("b"),
                                    .cls = &boxes,
                                    .generic = opt_new(a, &generic_table),
                                    .own = opt_new(a, &own_table),
                                    .where = {.source = &f->source, .line = 7}};
    set_option(f, &f->d.own, "size = 3", 9);
    return f;
}

static void
test_sets(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct fixture *f = make(a);
    assert_true(driver_sets_own(&f->d, "size"));
    assert_false(driver_sets_own(&f->d, "colour"));
    assert_false(driver_sets_generic(&f->d, "more"));
    set_option(f, &f->d.generic, "no_more", 8);
    assert_true(driver_sets_generic(&f->d, "more"));
    assert_false(driver_has((struct xstr){.text = STR_NULL}));
    assert_false(driver_has((struct xstr){.text = STR_EMPTY}));
    assert_true(driver_has((struct xstr){.text = STR_INIT("x")}));
    arena_free(a);
}

static void
test_words(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct fixture *f = make(a);
    assert_false(driver_fault(f->diags, &f->d, "size", DRIVER_WORDS_FOR, "size %d", 3));
    assert_false(driver_fault(f->diags, &f->d, "colour", DRIVER_WORDS_NAME, "no colour"));
    assert_false(driver_fault(f->diags, &f->d, NULL, DRIVER_WORDS_PLAIN, "bad"));
    const struct diag *d = diags_at(f->diags, 0);
    assert_int_equal(d->at.line, 9);
    assert_true(str_eqz(d->text, "b router: size 3"));
    assert_true(str_eqz(d->exim, "size 3"));
    assert_true(str_eqz(d->exim_place, " for b router"));
    d = diags_at(f->diags, 1);
    assert_int_equal(d->at.line, 7); /* not set: the instance */
    assert_true(str_eqz(d->text, "b router: no colour"));
    assert_true(str_eqz(d->exim, "b router:\n  no colour"));
    assert_true(str_eqz(d->exim_place, ""));
    assert_true(str_is_set(d->exim_place));
    d = diags_at(f->diags, 2);
    assert_true(str_eqz(d->text, "bad"));
    assert_true(str_eqz(d->exim, "bad"));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
