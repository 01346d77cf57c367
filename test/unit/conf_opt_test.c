/* Unit tests of conf/opt.c: finding rows, defaults, places, hints. */
#include "conf_fixture.h"

static void
test_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_table.n; i++)
        assert_int_equal(opt_find(&sample_table, sample_rows[i].name), i);
    assert_int_equal(opt_find(&sample_table, STR_LIT("")), -1);
    assert_int_equal(opt_find(&sample_table, STR_LIT("a_boo")), -1);
    assert_int_equal(opt_find(&sample_table, STR_LIT("a_bool_")), -1);
    assert_int_equal(opt_find(&sample_table, STR_LIT("zz")), -1);
}

static void
test_defaults(void **state)
{
    struct reading *r = *state;
    struct opt_set s = opt_new(r->arena, &sample_table);
    const struct sample *f = s.fields;
    assert_false(f->a_bool);
    assert_int_equal(f->an_int, 20);
    assert_int_equal(f->a_fixed, -1);
    assert_int_equal(f->times.n, 1);
    assert_int_equal(f->times.v[0], 86400);
    assert_true(f->an_xbool.on);
    assert_int_equal(f->an_xtime.s, 60);
    assert_true(str_eqz(f->a_list.text, "x : y"));
    assert_null(f->a_str.p);
    assert_false(f->a_uid.set);
    for (int i = 0; i < (int)sample_table.n; i++)
        assert_false(opt_is_set(&s, i));
}

static void
test_where(void **state)
{
    struct reading *r = *state;
    assert_non_null(read_text(r, "\n  an_int = 3\nhide a_str = x\n"));
    int row = opt_find(&sample_table, STR_LIT("an_int"));
    assert_true(opt_is_set(&r->conf->main_set, row));
    struct span at = opt_where(&r->conf->main_set, row);
    assert_int_equal(at.line, 2);
    assert_int_equal(at.col, 3);
    assert_int_equal(at.n, 6);
    assert_null(opt_where(&r->conf->main_set, 0).source);
    assert_false(opt_is_hidden(&r->conf->main_set, row));
    assert_true(opt_is_hidden(&r->conf->main_set, opt_find(&sample_table, STR_LIT("a_str"))));
    assert_true(opt_is_hidden(&r->conf->main_set, opt_find(&sample_table, STR_LIT("secret"))));
}

static void
test_nearest(void **state)
{
    struct reading *r = *state;
    assert_true(str_eqz(opt_nearest(r->arena, &sample_table, STR_LIT("an_itn")), "an_int"));
    assert_true(
        str_eqz(opt_nearest(r->arena, &sample_table, STR_LIT("no_a_bol")), "no_a_bool"));
    assert_null(opt_nearest(r->arena, &sample_table, STR_LIT("quite_different")).p);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_find),
        CASE(test_defaults),
        CASE(test_where),
        CASE(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
