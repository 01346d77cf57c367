/* Unit tests of conf/reader.c: logical lines, includes, conditionals, places, caps. */
#include "conf/reader.h"
#include "conf_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

/* All logical lines, each followed by "|". */
static const char *
lines_of(struct reading *r, const char *text, size_t n)
{
    struct conf *c = ARENA_NEW(r->arena, struct conf);
    c->arena = r->arena;
    r->diags = diags_new(r->arena, 20);
    struct source *s = ARENA_NEW(r->arena, struct source);
    s->name = STR_LIT("/t/conf");
    s->text = str_from(text, n);
    r->rq.source = s;
    struct reader *reader = reader_new(c, &r->rq, macro_table_new(r->arena, &r->rq), r->diags);
    struct buf b = buf_in(r->arena, 0);
    struct conf_line line;
    while (reader_next(reader, &line)) {
        buf_adds(&b, line.text);
        buf_addc(&b, '|');
    }
    return str_cstr(r->arena, buf_str(&b));
}

static void
test_lines(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"a", "a|"},
        {"\n \n  a b  \n\n\tc\r\n", "a b|c|"},
        {"# x\n  # y \\\na # b\n", "a # b|"},
        {"a \\\n   b\\\n\tc", "a bc|"},
        {"a \\\n  # comment \\\n  b", "a b|"},
        {"a \\\n\n b", "a|b|"},
        {"a\\   \nb", "ab|"},
        {"a\\", "a|"},
        {"\\\n\n\\\n\\\n\nb", "b|"},
        {"a \\\n.ifdef X\n b \\\n.else\n c \\\n.endif\n d", "a c d|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(lines_of(*state, cases[i][0], strlen(cases[i][0])), cases[i][1]);
}

static void
test_conditionals(void **state)
{
    static const char *const cases[][2] = {
        {".ifdef _HAVE_TLS\na\n.else\nb\n.endif\n", "a|"},
        {".ifdef NO\na\n.else\nb\n.endif x\n", "b|"},
        {".ifndef NO\na\n.elifdef _HAVE_TLS\nb\n.endif\n", "a|"},
        {".ifdef NO\na\n.elifdef no _HAVE_TLS\nb\n.elifdef _HAVE_TLS\nc\n.endif\n", "b|"},
        {".ifdef NO\na\n.elifndef NO\nb\n.endif\n", "b|"},
        {".ifdef NO\n.ifdef _HAVE_TLS\na\n.else\nb\n.endif\n.foo\n.endif\nc", "c|"},
        {".ifdef NO\n.else\n.else\na\n.endif\n", ""},
        {".ifdefx\na", "a|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(lines_of(*state, cases[i][0], strlen(cases[i][0])), cases[i][1]);
}

static void
test_errors(void **state)
{
    static const char *const cases[][2] = {
        {".endif\n", "Exim configuration error in line 1 of /t/conf:\n"
                     "  .endif without matching .ifdef"},
        {"\n.else\n", "Exim configuration error in line 2 of /t/conf:\n"
                      "  .else without matching .ifdef"},
        {"\n.ifdef X\n\n\n", "Exim configuration error in line 4 of /t/conf:\n"
                             "  Unexpected end of configuration file: .endif missing"},
        {".include zz\n", "Exim configuration error in line 1 of /t/conf:\n"
                          "  failed to open included configuration file /t/zz"},
        {".include_if_exists zz\n", "Exim configuration error in line 1 of /t/conf:\n"
                                    "  .include specifies a non-absolute path \"zz\""},
        {"\xef\xbb\xbf", "Exim configuration error in line 1 of /t/conf:\n"
                         "  found unexpected BOM (Byte Order Mark)"},
        {"a_bool\n.foo", "Exim configuration error in line 2 of /t/conf:\n"
                         "  option setting expected: .foo"},
        {"a_str = \"a \\\n b\n", "Exim configuration error in line 2 of /t/conf:\n"
                                 "  missing quote at end of string value for a_str"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        read_text(*state, cases[i][0]);
        assert_string_equal(first_error(*state), cases[i][1]);
    }
}

static void
test_nul(void **state)
{
    struct reading *r = *state;
    assert_string_equal(lines_of(r, "a\nb\0c\n# \0\nd", 11), "a|d|");
    assert_int_equal(diags_count(r->diags, DIAG_ERROR), 1);
    assert_int_equal(diags_at(r->diags, 0)->at.line, 2);
    assert_int_equal(diags_at(r->diags, 0)->at.col, 2);
}

static void
put_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void
test_includes(void **state)
{
    struct reading *r = *state;
    char dir[] = "/tmp/conf_reader_XXXXXX";
    assert_non_null(mkdtemp(dir));
    char path[256];
    snprintf(path, sizeof path, "%s/main", dir);
    const char *files[] = {"/nonexistent/file", path};
    r->rq.files = files;
    r->rq.files_n = 2;
    put_file(dir, "main",
             "a_str = x\\\n .include \"sub\"\n y\n.include_if_exists /nonexistent\n"
             ".include sub2\n.include main2\n");
    put_file(dir, "sub", "1\\\n2\\\n");
    put_file(dir, "sub2", "an_int = many");
    put_file(dir, "main2", ".include main2\n.include main2\n");
    r->rq.source = NULL;
    assert_null(conf_read(r->arena, &r->rq, r->diags));
    assert_int_equal(diags_total(r->diags), 2);
    const struct diag *d = diags_at(r->diags, 0);
    assert_true(str_ends(d->at.source->name, STR_LIT("/sub2")));
    assert_int_equal(d->at.line, 1);
    assert_int_equal(d->at.col, 10);
    assert_int_equal(d->at.source->included_line, 5);
    assert_true(
        str_ends(diags_at(r->diags, 1)->exim, STR_LIT("/main2"))); /* itself, too deep */
    for (size_t i = 0; i < 4; i++) {
        static const char *const names[] = {"main", "sub", "sub2", "main2"};
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static void
test_no_file(void **state)
{
    struct reading *r = *state;
    const char *files[] = {"/nonexistent/a", "/nonexistent/b"};
    r->rq.files = files;
    r->rq.files_n = 2;
    assert_null(conf_read(r->arena, &r->rq, r->diags));
    assert_string_equal(first_error(r),
                        "non-existent configuration file(s): /nonexistent/a:/nonexistent/b");
}

static void
test_places(void **state)
{
    struct reading *r = *state;
    assert_null(read_text(r, "M = bad\nX = y\nan_int = \\\n  # c\n   M\na_time = 1h X\n"));
    const struct diag *d = diags_at(r->diags, 0);
    assert_int_equal(d->at.line, 5);
    assert_int_equal(d->at.col, 4);
    assert_true(str_eqz(d->at.macro, "M"));
    assert_int_equal(d->at.last_line, 5);
    d = diags_at(r->diags, 1);
    assert_int_equal(d->at.line, 6);
    assert_int_equal(d->at.col, 10);
}

static void
test_goes_on_to_twenty(void **state)
{
    struct reading *r = *state;
    struct buf b = buf_in(r->arena, 0);
    for (int i = 0; i < 100; i++)
        buf_addz(&b, "nonsense = 1\n");
    assert_null(read_text(r, str_cstr(r->arena, buf_str(&b))));
    assert_int_equal(diags_total(r->diags), 20);
}

static const char *
deep(struct reading *r, int depth)
{
    struct buf b = buf_in(r->arena, 0);
    for (int i = 0; i < depth; i++)
        buf_addz(&b, ".ifdef X\n");
    for (int i = 0; i < depth; i++)
        buf_addz(&b, ".endif\n");
    read_text(r, str_cstr(r->arena, buf_str(&b)));
    return first_error(r);
}

static void
test_caps(void **state)
{
    struct reading *r = *state;
    assert_string_equal(deep(r, READER_IF_DEPTH - 1), "");
    assert_string_equal(deep(r, READER_IF_DEPTH), "");
    assert_non_null(strstr(deep(r, READER_IF_DEPTH + 1), "nested more than 1000 deep"));
    r->rq.max_bytes = 20;
    assert_non_null(read_text(r, "a_str = 123456789012"));
    assert_null(read_text(r, "a_str = 1234567890123"));
}

static void
test_memory(void **state)
{
    struct reading *r = *state;
    const size_t n = 200000;
    struct buf b = buf_in(r->arena, 0);
    buf_addz(&b, "begin acl\n");
    for (size_t i = 0; i < n; i++)
        buf_addz(&b, "x\n");
    r->rq.max_bytes = b.n;
    assert_null(read_text(r, str_cstr(r->arena, buf_str(&b))));
    assert_non_null(strstr(first_error(r), "too much memory"));
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, reading_setup, reading_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_lines),  CASE(test_conditionals),      CASE(test_errors),
        CASE(test_nul),    CASE(test_includes),          CASE(test_no_file),
        CASE(test_places), CASE(test_goes_on_to_twenty), CASE(test_caps),
        CASE(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
