/* Unit tests of lookups/lookup.c: order of tries, captures, taint, caches, host functions. */
#include "lookups_fixture.h"

static void
partial_keys_and_their_captures(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(
        f, "p", "*.a.b: starAB\na.b: AB\n*.b: starB\n*: star\n.a.b: dotAB\nc.d: CD\n");
    CHECK(f, "partial-lsearch", p, "x.a.b", "=starAB");
    assert_string_equal(fixture_captures(f), "x|a.b");
    CHECK(f, "partial-lsearch", p, "y.x.a.b", "=starAB");
    assert_string_equal(fixture_captures(f), "y.x|a.b");
    CHECK(f, "partial-lsearch", p, "a.b", "=AB");
    assert_string_equal(fixture_captures(f), "|a.b");
    CHECK(f, "partial-lsearch", p, "b", "=starB");
    assert_string_equal(fixture_captures(f), "|b");
    CHECK(f, "partial-lsearch", p, "z.b", "-");
    CHECK(f, "partial1-lsearch", p, "z.b", "=starB");
    assert_string_equal(fixture_captures(f), "z|b");
    CHECK(f, "partial0-lsearch", p, "z.q", "=star");
    assert_string_equal(fixture_captures(f), "z.|");
    CHECK(f, "partial-lsearch*", p, "z.q", "=star");
    assert_string_equal(fixture_captures(f), "z.q|");
    CHECK(f, "partial(.)lsearch", p, "z.a.b", "=dotAB");
    CHECK(f, "partial1()lsearch", p, "z.a.b", "=AB");
    CHECK(f, "partial3-lsearch", p, "x.a.b", "-");
}

static void
bare_affix_of_partial0(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(f, "p", ".: dot\n*.: stardot\nxx: affix\n!!: bangs\n");
    CHECK(f, "partial0(.)lsearch", p, "z.q", "=dot");
    CHECK(f, "partial0(*..)lsearch", p, "z.q", "=stardot");
    CHECK(f, "partial0(!!)lsearch", p, "z.q", "=bangs");
    CHECK(f, "partial0(!)lsearch", p, "z.q", "-");
    CHECK(f, "partial0()lsearch", p, "z.q", "-");
    CHECK(f, "partial0-lsearch", p, "", "=stardot");
    CHECK(f, "partial0-lsearch", fixture_file(f, "q", "*: star\n"), "", "=star");
}

static void
default_keys_and_their_captures(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(f, "p", "*: star\n*@dom.ex: stardom\nkey: data\n");
    CHECK(f, "lsearch*", p, "nix", "=star");
    assert_string_equal(fixture_captures(f), "nix|");
    vm_set_captures(f->vm, NULL, 0);
    CHECK(f, "lsearch*@", p, "key", "=data");
    assert_string_equal(fixture_captures(f), "");
    CHECK(f, "lsearch*@", p, "a@b@dom.ex", "=stardom");
    assert_string_equal(fixture_captures(f), "a@b|");
    CHECK(f, "lsearch*@", p, "@dom.ex", "=star");
    CHECK(f, "lsearch*@", p, "u@other", "=star");
    CHECK(f, "lsearch*", p, "", "=star");
    CHECK(f, "lsearch", p, "", "-");
    CHECK(f, "lsearch", "none", "",
          "!failed to open none for linear search: No such file or directory");
}

static void
ret_key_gives_the_clean_key(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(f, "p", "key: data\n*: star\n");
    struct str key = str_tainted(STR_LIT("KEY"));
    assert_string_equal(fixture_find_str(f, "lsearch,ret=key", str_from_cstr(p), key), "=KEY");
    assert_string_equal(
        fixture_find_str(f, "lsearch*,ret=key", str_from_cstr(p), str_tainted(STR_LIT("no"))),
        "=no");
    assert_string_equal(fixture_find_str(f, "lsearch", str_from_cstr(p), key), "=data");
}

static void
tainted_file_names_are_refused_and_logged(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(f, "p", "key: data\n");
    const char *types[] = {"lsearch", "dsearch", "cdb", "dbm"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(
            fixture_find_str(f, types[i], str_tainted(str_from_cstr(p)), STR_LIT("key")),
            "!NULL");
    struct str line = str_printf(f->arena, "Tainted filename for search: '%s'\n", p);
    assert_true(str_starts(buf_str(&f->log), line.p));
}

static void
unquoted_tainted_queries_are_logged(void **state)
{
    struct lookups_fixture *f = *state;
    struct str q = str_tainted(STR_LIT("foo")), quoted;
    assert_string_equal(fixture_find_str(f, "testdb", STR_EMPTY, q), "=foo");
    assert_true(
        str_eqz(buf_str(&f->log), "tainted search query is not properly quoted: foo\n"));
    assert_string_equal(fixture_find_str(f, "testdb", STR_EMPTY, q),
                        "=foo"); /* cached: not again */
    assert_string_equal(fixture_find_str(f, "testdb_nq", STR_EMPTY, str_tainted(STR_LIT("b"))),
                        "=b");
    assert_int_equal(lookup_host_quote(&f->eval, f->vm, STR_LIT("testdb"),
                                       str_tainted(STR_LIT("bar")), STR_NULL, &quoted),
                     VM_OK);
    assert_string_equal(fixture_find_str(f, "testdb2", STR_EMPTY, quoted), "=bar");
    assert_int_equal(f->log.n, strlen("tainted search query is not properly quoted: foo\n"));
    quoted.taint++;
    assert_string_equal(fixture_find_str(f, "testdb", STR_EMPTY, quoted), "=bar");
    assert_int_equal(f->log.n,
                     strlen("tainted search query is not properly quoted: foo\n") * 2);
}

static void
results_are_cached_as_the_options_say(void **state)
{
    struct lookups_fixture *f = *state;
    CHECK(f, "dsearch", f->dir, "file", "-");
    fixture_file(f, "file", "");
    CHECK(f, "dsearch", f->dir, "file", "-");
    CHECK(f, "dsearch,cache=no_wr", f->dir, "file", "-"); /* reads what is kept */
    CHECK(f, "dsearch", f->dir, "file", "-");
    CHECK(f, "dsearch,cache=no_rd", f->dir, "file", "=file");
    unlink(fixture_path(f, "file"));
    CHECK(f, "dsearch", f->dir, "file", "=file"); /* what no_rd found was kept */
    CHECK(f, "dsearch,ret=full", f->dir, "file", "-");
    CHECK(f, "dsearch,cache=no_rd", f->dir, "file", "-");
    fixture_file(f, "file", "");
    CHECK(f, "dsearch,cache=no", f->dir, "file", "=file");
    CHECK(f, "dsearch", f->dir, "file", "-");
    lookup_cache_flush(f->eval.lookups);
    CHECK(f, "dsearch", f->dir, "file", "=file");
}

static void
host_functions_frame_a_deferral(void **state)
{
    struct lookups_fixture *f = *state;
    struct host_lookup q = {
        .type = STR_LIT("testdb"), .file = STR_LIT("defer"), .query_style = true};
    struct str out;
    assert_int_equal(lookup_host_find(&f->eval, f->vm, &q, &out), VM_DEFER);
    assert_true(str_starts(vm_error(f->vm), "lookup of \"defer\" gave DEFER: \""));
    q.for_list = true;
    assert_int_equal(lookup_host_find(&f->eval, f->vm, &q, &out), VM_DEFER);
    assert_false(str_starts(vm_error(f->vm), "lookup of"));
    q.file = STR_LIT("fail");
    assert_int_equal(lookup_host_find(&f->eval, f->vm, &q, &out), VM_NO);
    q.query_style = false;
    assert_int_equal(lookup_host_find(&f->eval, f->vm, &q, &out), VM_ERROR);
    assert_true(str_eqz(vm_error(f->vm), "a single key was given for lookup type \"testdb\", "
                                         "which is not a single-key lookup type"));
    q = (struct host_lookup){
        .type = STR_LIT("lsearch,a=b"), .file = STR_LIT("x"), .query_style = true};
    assert_int_equal(lookup_host_find(&f->eval, f->vm, &q, &out), VM_ERROR);
    assert_true(
        str_eqz(vm_error(f->vm), "missing {key} for single-key \"lsearch,a=b\" lookup"));
}

static void
host_type_tells_the_style(void **state)
{
    struct lookups_fixture *f = *state;
    struct host_lookup_type t;
    assert_int_equal(lookup_host_type(&f->eval, f->vm, STR_LIT("partial-lsearch"), &t), VM_OK);
    assert_false(t.query_style);
    assert_int_equal(lookup_host_type(&f->eval, f->vm, STR_LIT("sqlite,file=/x"), &t), VM_OK);
    assert_true(t.query_style && t.file_query);
    assert_int_equal(lookup_host_type(&f->eval, f->vm, STR_LIT("mysql"), &t), VM_OK);
    assert_true(t.query_style && !t.file_query);
    assert_int_equal(lookup_host_type(&f->eval, f->vm, STR_LIT("nope"), &t), VM_ERROR);
}

static void
quoting_marks_and_refuses(void **state)
{
    struct lookups_fixture *f = *state;
    struct str out, in = str_tainted(STR_LIT("a'b"));
    assert_int_equal(lookup_host_quote(&f->eval, f->vm, STR_LIT("nope"), in, STR_NULL, &out),
                     VM_NO);
    assert_int_equal(lookup_host_quote(&f->eval, f->vm, STR_LIT("lsearch"), in, STR_NULL, &out),
                     VM_OK);
    assert_true(str_eq(out, in));
    assert_int_equal(out.taint, STR_TAINTED);
    assert_int_equal(lookup_host_quote(&f->eval, f->vm, STR_LIT("sqlite"), in, STR_NULL, &out),
                     VM_OK);
    assert_true(str_eqz(out, "a''b"));
    assert_true(out.taint >= STR_QUOTED);
    assert_int_equal(
        lookup_host_quote(&f->eval, f->vm, STR_LIT("sqlite"), STR_LIT("x"), STR_NULL, &out),
        VM_OK);
    assert_int_equal(out.taint, STR_CLEAN);
    assert_int_equal(
        lookup_host_quote(&f->eval, f->vm, STR_LIT("ldap"), in, STR_LIT("x"), &out), VM_ERROR);
    assert_true(str_eqz(vm_error(f->vm), "\"x\" unrecognized after \"${quote_ldap\""));
    assert_int_equal(
        lookup_host_quote(&f->eval, f->vm, STR_LIT("lsearch"), in, STR_LIT("x"), &out),
        VM_ERROR);
}

static void
an_sqlite_query_needs_an_absolute_file(void **state)
{
    struct lookups_fixture *f = *state;
    const char *text = "!absolute file name expected for \"sqlite\" lookup";
    struct str q = str_tainted(STR_LIT("/x/y select 1"));
    CHECK_QUERY(f, "sqlite", "select 1", text);
    CHECK_QUERY(f, "sqlite,file=x/y", "select 1", text);
    CHECK_QUERY(f, "sqlite", "x/y select 1", text);
    f->main.sqlite_dbfile.text = STR_LIT("nonabsolute");
    CHECK_QUERY(f, "sqlite", "select 1", text);
    f->main.sqlite_dbfile.text = STR_LIT("/x/y");
    f->eval.process.plugin_directory = STR_LIT("/nonexistent");
    CHECK_QUERY(f, "sqlite", "select 1",
                "!lookup type \"sqlite\" is not available: cannot open plugin "
                "/nonexistent/sqlite.so: No such file or directory");
    assert_string_equal(fixture_find_str(f, "sqlite", STR_EMPTY, q), "!NULL");
}

static void
missing_plugins_and_bad_files(void **state)
{
    struct lookups_fixture *f = *state;
    const char *got = fixture_find(f, "oracle", "", "select 1");
    assert_memory_equal(got, "!lookup type \"oracle\" is not available: ", 40);
    assert_string_equal(fixture_find_str(f, "lsearch", str_from("a\0b", 3), STR_LIT("k")),
                        "!file name for lookup contains a zero byte");
    f->eval.lookups = NULL;
    f->eval.arena = NULL;
    CHECK(f, "testdb", "", "x", "!lookups are not possible here");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(partial_keys_and_their_captures),
        LOOKUP_TEST(bare_affix_of_partial0),
        LOOKUP_TEST(default_keys_and_their_captures),
        LOOKUP_TEST(ret_key_gives_the_clean_key),
        LOOKUP_TEST(tainted_file_names_are_refused_and_logged),
        LOOKUP_TEST(unquoted_tainted_queries_are_logged),
        LOOKUP_TEST(results_are_cached_as_the_options_say),
        LOOKUP_TEST(host_functions_frame_a_deferral),
        LOOKUP_TEST(host_type_tells_the_style),
        LOOKUP_TEST(quoting_marks_and_refuses),
        LOOKUP_TEST(an_sqlite_query_needs_an_absolute_file),
        LOOKUP_TEST(missing_plugins_and_bad_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
