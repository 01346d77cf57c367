/* Unit tests of conf/section_driver.c: instances, their drivers and options. */
#include "conf_fixture.h"

static const char *const driver_errors[][2] = {
    {"begin routers\na_bool", " in line 2 of /t/conf:\n  router name missing"},
    {"begin transports\n1r:", " in line 2 of /t/conf:\n  transport name missing"},
    {"begin routers\nr-r:", " in line 2 of /t/conf:\n  router name missing"},
    {"begin routers\nr: x", " in line 2 of /t/conf:\n  extra characters follow driver name r"},
    {"begin routers\nr:\n", ":\n  no driver defined for router \"r\""},
    {"begin routers\nr:\nX = y\ndriver=loose", ":\n  no driver defined for router \"r\""},
    {"begin routers\nr:\ndriver=loose\nr:\ndriver=loose",
     ":\n  there are two routers called \"r\""},
    {"begin routers\nr:\ndriver = losse\n",
     " in line 3 of /t/conf:\n  router r: cannot find router driver \"losse\""},
    {"begin routers\nr:\nfile = x\n", " in line 3 of /t/conf:\n  option \"file\" unknown "
                                      "(\"driver\" must be specified before any "
                                      "private options)"},
    {"begin routers\nr:\ndriver=loose\nfill = x\n",
     " in line 4 of /t/conf:\n  option \"fill\" unknown"},
    {"begin routers\nr:\ndriver=loose\ndriver=loose\n",
     " in line 4 of /t/conf:\n  \"driver\" option set for the second time"},
    {"begin routers\nr:\ndriver=loose\n= x\n",
     " in line 4 of /t/conf:\n  option setting expected: = x"},
    {"begin routers\nr:\ndriver=strict\n", " for this router:\n  a file is required"},
};

static void
test_errors(void **state)
{
    for (size_t i = 0; i < sizeof driver_errors / sizeof driver_errors[0]; i++) {
        read_text(*state, driver_errors[i][0]);
        const char *text = first_error(*state);
        assert_int_equal(strncmp(text, "Exim configuration error", 24), 0);
        assert_string_equal(text + 24, driver_errors[i][1]);
    }
}

static void
test_instances(void **state)
{
    struct reading *r = *state;
    assert_non_null(read_text(r,
                              "begin routers\nM = b\nAM:\n transport = t\n driver = loose\n"
                              " file = f\n no_flag\nN = x\nc :\n driver = strict\n file = N\n"
                              "begin transports\nt:\n driver = loose\n"));
    assert_int_equal(r->conf->routers.n, 2);
    const struct driver_instance *d = conf_router(r->conf, STR_LIT("Ab"));
    assert_non_null(d);
    assert_ptr_equal(d->driver, &driver_loose);
    const struct sample_private *p = d->own.fields;
    assert_true(str_eqz(p->file, "f"));
    assert_false(p->flag);
    assert_true(
        str_eqz(((const struct sample_generic *)d->generic.fields)->transport.text, "t"));
    d = conf_router(r->conf, STR_LIT("c"));
    assert_true(str_eqz(((const struct sample_private *)d->own.fields)->file, "x"));
    assert_true(((const struct sample_private *)d->own.fields)->flag);
    assert_non_null(conf_transport(r->conf, STR_LIT("t")));
    assert_null(conf_transport(r->conf, STR_LIT("c")));
    assert_null(conf_auth(r->conf, STR_LIT("t")));
}

static void
test_hide_is_common(void **state)
{
    struct reading *r = *state;
    assert_non_null(
        read_text(r, "begin routers\na:\ndriver=loose\nhide file=x\nhide transport=$y\n"
                     "b:\ndriver=loose\nfile=y\nc:\ndriver=strict\nfile=z\n"));
    int file = opt_find(&private_table, STR_LIT("file"));
    assert_true(opt_is_hidden(&conf_router(r->conf, STR_LIT("b"))->own, file));
    assert_false(opt_is_hidden(&conf_router(r->conf, STR_LIT("c"))->own, file));
    int transport = opt_find(&generic_table, STR_LIT("transport"));
    assert_true(opt_is_hidden(&conf_router(r->conf, STR_LIT("c"))->generic, transport));
}

static void
test_name_cap(void **state)
{
    struct reading *r = *state;
    for (int n = 62; n <= 64; n++) {
        char text[200];
        char name[65];
        memset(name, 'a', (size_t)n);
        name[n] = '\0';
        snprintf(text, sizeof text, "begin routers\n%s:\ndriver=loose\n", name);
        bool ok = read_text(r, text) != NULL;
        assert_int_equal(ok, n <= 63);
    }
    assert_non_null(
        strstr(first_error(r), "exim item name too long (>64), unable to use \"aaaa"));
}

static void
test_unknown_driver_is_one_error(void **state)
{
    struct reading *r = *state;
    assert_null(read_text(r, "begin routers\nr:\ndriver=losse\nfile=x\nflag\nfoo=1\n"));
    assert_int_equal(diags_total(r->diags), 1);
    assert_true(str_eqz(diags_at(r->diags, 0)->hint, "loose"));
    assert_int_equal(diags_at(r->diags, 0)->at.col, 8);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_errors),
        CASE(test_instances),
        CASE(test_hide_is_common),
        CASE(test_name_cap),
        CASE(test_unknown_driver_is_one_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
