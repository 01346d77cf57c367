/* Unit tests of conf/conf.c: checks afterwards, and Exim's words. */
#include "conf_fixture.h"

static void
test_transport_warning(void **state)
{
    struct reading *r = *state;
    assert_non_null(
        read_text(r, "begin routers\na:\ndriver=loose\ntransport=smtpx\n"
                     "b:\ndriver=loose\ntransport=$x\nc:\ndriver=loose\ntransport=smtp\n"
                     "begin transports\nsmtp:\ndriver=loose\n"));
    assert_int_equal(diags_total(r->diags), 1);
    const struct diag *d = diags_at(r->diags, 0);
    assert_int_equal(d->level, DIAG_WARNING);
    assert_int_equal(d->at.line, 4);
    assert_true(str_eqz(d->hint, "smtp"));
}

static bool
no_two(const struct conf *c, struct diags *diags)
{
    if (c->routers.n < 2)
        return true;
    diags_error(diags, c->routers.v[1]->where, "one router is enough");
    return false;
}

static void
test_check_all(void **state)
{
    struct reading *r = *state;
    struct driver_class cls = sample_class;
    cls.check_all = no_two;
    r->rq.routers = &cls;
    assert_non_null(read_text(r, "begin routers\na:\ndriver=loose\n"));
    assert_null(read_text(r, "begin routers\na:\ndriver=loose\nb:\ndriver=loose\n"));
    assert_string_equal(first_error(r), "Exim configuration error in line 4 of /t/conf:\n"
                                        "  one router is enough");
}

static void
test_result(void **state)
{
    struct reading *r = *state;
    assert_non_null(read_text(r, "X = 1\nY == X\nY = X\n") == NULL ? (void *)1 : NULL);
    assert_non_null(read_text(r, "X = 1\nY = X\nan_int = Y\n"));
    assert_int_equal(r->conf->macros.n, 2);
    assert_true(str_eqz(r->conf->macros.v[1]->name, "Y"));
    assert_true(str_eqz(r->conf->macros.v[1]->text, "1"));
    assert_true(str_eqz(r->conf->file, "/t/conf"));
    assert_ptr_equal(r->conf->main, r->conf->main_set.fields);
    assert_int_equal(r->conf->sources.n, 1);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_transport_warning),
        CASE(test_check_all),
        CASE(test_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
