/* Unit tests of conf/section.c: main options, named lists, macros, sections of lines. */
#include "conf_fixture.h"

static void
test_lists(void **state)
{
    struct reading *r = *state;
    assert_non_null(read_text(r, "domainlist a = b : c\nhide hostlist_cache a = \"x y\"\n"
                                 "addresslist b =\nlocalpartlist 1_a=z\n"));
    const struct named_list *d = map_get(r->conf->lists[LIST_DOMAIN], STR_LIT("a"));
    assert_true(str_eqz(d->text.text, "b : c"));
    assert_false(d->cache || d->hide);
    const struct named_list *h = map_get(r->conf->lists[LIST_HOST], STR_LIT("a"));
    assert_true(str_eqz(h->text.text, "x y"));
    assert_true(h->cache && h->hide);
    assert_int_equal(h->where.line, 2);
    assert_int_equal(h->where.col, 21);
    assert_true(map_has(r->conf->lists[LIST_ADDRESS], STR_LIT("b")));
    assert_true(map_has(r->conf->lists[LIST_LOCALPART], STR_LIT("1_a")));
}

static const char *const main_errors[][2] = {
    {"domainlist a = b\ndomainlist a = c", " in line 2 of /t/conf:\n"
                                           "  duplicate name \"a\" for a named domain list"},
    {"localpartlist a = b\nlocalpartlist a = c",
     " in line 2 of /t/conf:\n  duplicate name \"a\" for a named local part list"},
    {"domainlist a b", " in line 1 of /t/conf:\n  missing '=' after \"a\""},
    {"domainlistx a = b", " in line 1 of /t/conf:\n  unrecognized configuration line"},
    {"domainlist", " in line 1 of /t/conf:\n  unrecognized configuration line"},
    {"hostlist a = \"x\" y",
     " in line 1 of /t/conf:\n  extra characters follow string value for a"},
    {"nope = 1", " in line 1 of /t/conf:\n  main option \"nope\" unknown"},
    {"no_nope", " in line 1 of /t/conf:\n  main option \"no_nope\" unknown"},
    {"1a = 1", " in line 1 of /t/conf:\n  option setting expected: 1a = 1"},
    {"X y", " in line 1 of /t/conf:\n  malformed macro definition"},
    {"X = 1\nX = 2",
     ":\n  macro \"X\" is already defined (use \"==\" if you want to redefine it)"},
    {"X == 1", ":\n  can't redefine an undefined macro \"X\""},
    {"X = 1\nAX = 1",
     ":\n  \"AX\" cannot be defined as a macro because previously defined macro "
     "\"X\" is a substring"},
    {"begin foo",
     " in line 1 of /t/conf:\n  \"foo\" is not a known configuration section name"},
    {"begin", " in line 1 of /t/conf:\n  main option \"begin\" unknown"},
    {"begin retry\nbegin Retry",
     " in line 2 of /t/conf:\n  \"Retry\" section is repeated in the configuration file"},
};

static void
test_errors(void **state)
{
    for (size_t i = 0; i < sizeof main_errors / sizeof main_errors[0]; i++) {
        read_text(*state, main_errors[i][0]);
        const char *text = first_error(*state);
        assert_int_equal(strncmp(text, "Exim configuration error", 24), 0);
        assert_string_equal(text + 24, main_errors[i][1]);
    }
}

static void
test_macro_name_cap(void **state)
{
    struct reading *r = *state;
    char text[100];
    for (int n = 62; n <= 64; n++) {
        memset(text, 'A', (size_t)n);
        snprintf(text + n, sizeof text - (size_t)n, " = x");
        bool ok = read_text(r, text) != NULL;
        assert_int_equal(ok, n <= 63);
    }
    assert_non_null(strstr(first_error(r), "macro name too long (maximum is 63 characters)"));
}

static void
test_hint(void **state)
{
    struct reading *r = *state;
    read_text(r, "an_imt = 1\nbegin ruters\n");
    assert_true(str_eqz(diags_at(r->diags, 0)->hint, "an_int"));
    assert_true(str_eqz(diags_at(r->diags, 1)->hint, "routers"));
}

static bool
keep_lines(struct arena *a, const struct conf_line *lines, size_t n, struct diags *diags,
           void **result)
{
    (void)diags;
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%u:%.*s|", lines[i].line, STR_ARG(lines[i].text));
    *result = str_cstr(a, buf_str(&b));
    return true;
}

static void
test_line_sections(void **state)
{
    struct reading *r = *state;
    static const struct section_parser parser = {"any", keep_lines};
    r->rq.acl = &parser;
    r->rq.retry = &parser;
    r->rq.rewrite = &parser;
    assert_non_null(read_text(r, "begin acl\nM = x\nName:\n deny M\\\n y\nbegin retry\n* * F\n"
                                 "begin rewrite\nbegin local_scan\nfoo = 1\n"));
    assert_string_equal(r->conf->acls, "3:Name:|5:deny xy|");
    assert_string_equal(r->conf->retry, "7:* * F|");
    assert_string_equal(r->conf->rewrite, "");
    assert_true(str_eqz(r->conf->local_scan_text, "foo = 1\n"));
    assert_int_equal(diags_count(r->diags, DIAG_WARNING), 1);
}

static void
test_no_effect(void **state)
{
    struct reading *r = *state;
    assert_non_null(
        read_text(r, "a_bool\nidle = x\nbegin routers\nr:\ndriver=loose\nnote=1\n"));
    assert_int_equal(r->conf->no_effect.n, 2);
    assert_true(str_eqz(r->conf->no_effect.v[0], "idle"));
    assert_true(str_eqz(r->conf->no_effect.v[1], "router r: note"));
    assert_int_equal(r->conf->no_effect_where.v[0].line, 2);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_lists), CASE(test_errors),        CASE(test_macro_name_cap),
        CASE(test_hint),  CASE(test_line_sections), CASE(test_no_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
