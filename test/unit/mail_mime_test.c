/* Unit tests of mail/mime.c: fields and parameters of part headers. Values as Exim shows them, unless a row says otherwise. */
#include "mail/mime.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

static struct mime_part
read_header(struct arena *a, const char *text)
{
    struct mime_header h;
    mime_header_start(&h, a);
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, "\n");
        mime_header_line(&h, str_tainted(str_from(p, n)), false);
        p += n + (p[n] != '\0');
    }
    mime_header_end(&h);
    return h.part;
}

static void
assert_str(struct str s, const char *want)
{
    if (s.n != strlen(want) || memcmp(s.p, want, s.n) != 0)
        fail_msg("got \"%.*s\", want \"%s\"", STR_ARG(s), want);
}

struct row {
    const char *header, *want;
};

/* clang-format off */
static const struct row types[] = {
    {"Content-Type: text/plain", "text/plain"},
    {"Content-Type:\n text/c", "text/c"},
    {"Content-Type : TEXT/C (foo); charset=x", "text/c"},
    {"Content-Type: te(x (y) z)xt / c", "text/c"},
    {"Content-Type: text/c name=foo", "text/cname=foo"},
    {"Content-Type: ; name=foo", ""},
    {"Content-Type: text/a\nContent-Type: text/b", "text/b"},
    {"X-Foo: Content-Type: text/a\nnonsense line\nContent-Type: text/b", "text/b"},
    {"Content-Typ: text/a", ""},
    {"", ""},
};

static const struct row filenames[] = {
    {"Content-Type: text/c; name=foo\"bar baz\"qux; charset=a b", "foobar bazqux"},
    {"Content-Type: text/c; name=\"a;b\"; charset=x", "a;b"},
    {"Content-Type: text/c; name='x y'; charset=x", "'x y'"},
    {"Content-Type: text/c; name=\"a  b\n  c\"; charset=x", "a  b c"},
    {"Content-Type: text/c; name=a  b\n  c; charset=x", "a  b c"},
    {"Content-Type: text/c; name =a; charset= x", "a"},
    {"Content-Type: text/c ; name=", ""},
    {"Content-Type: text/c; xname=foo", ""},
    {"Content-Type: text/c; NAME=foo", "foo"},
    {"Content-Type: text / c; name=(x)foo(y)", "(x)foo(y)"},
    {"Content-Type: text/c; garbage; name=foo", "foo"},
    {"Content-Type: text/c; name=\"=?iso-8859-1?q?=E4?= =?iso-8859-1?q?=E4?=\"", "\344\344"},
    {"Content-Type: text/c; name*=%E4", "\344"},
    {"Content-Type: text/c; name*='%E4", "\344"},
    {"Content-Type: text/c; name*=iso-8859-1''%E4", "\344"},
    {"Content-Type: text/c; name=other; name*0*=iso-8859-1''%E4; name*1*=%E4", "\344\344"},
    {"Content-Type: text/c; name*0=x; name*2=y", "xy"},
    {"Content-Type: text/c; name*0*=\"example3\";\n name*1*=\".exe\"", "example3.exe"},
    {"Content-Disposition: attachment; filename=\"f\"; name=\"n\"", "n"},
    {"Content-Disposition: attachment; filename=\"../../etc/pass wd\"", "../../etc/pass wd"},
    {"Content-Type: text/c; name=a\nContent-Disposition: attachment; filename=c; filename*=utf-8''d", "d"},
    {"Content-Type: text/c; name=a\nContent-Disposition: attachment", "a"},
    {"Content-Disposition: attachment; filename=f1\nContent-Type: text/c; name=f2", "f2"},
    /* what the RFCs say, where Exim 4.96 does not follow them */
    {"Content-Type: text/c; name*=iso-8859-1'de'%E4", "\344"},
    {"Content-Type: text/c; name*1=b; name*0=a", "ab"},
    {"Content-Type: text/c; name*0*=utf-8'en'%C3%A4; name*1=%41; name*2*=%41.txt", "\303\244%41A.txt"},
    {"Content-Type: text/c; name*0*=utf-8''%41; name=other", "A"},
    {"Content-Type: text/c; name=\"a\\\"b\\\\c\\d\"; charset=x", "a\"b\\c\\d"},
    /* an open quote swallows what follows, and the ';' that Exim puts at the end */
    {"Content-Type: text/c; name=\"open; charset=x", "open; charset=x;"},
    {"Content-Type: text/c; name*999=a; name*x=b; name*100=c; name*99=d", "d"},
};

static const struct row charsets[] = {
    {"Content-Type: text/plain; charset=us-ascii", "us-ascii"},
    {"Content-Type: text/plain; CHARSET=\"UTF-8\"", "UTF-8"},
    {"Content-Type: text/plain; charset=\"utf-8\"\"", "utf-8;"},
    {"Content-Type: text/plain; charset=", ""},
    {"Content-Type: text/plain;\n garbage1;\n garbage2=foo;\n garbage3=\"bar\"foo;\n charset=UTF-8;\n garbage4=\";", "UTF-8"},
    {"Content-Disposition: attachment; charset=x", ""},
};

static const struct row boundaries[] = {
    {"Content-Type: multipart/mixed; boundary=AA", "AA"},
    {"Content-Type: multipart/mixed; boundary=\"A A\"", "A A"},
    {"Content-Type: multipart/mixed; boundary = AA (comment); x", "AA"},
    {"Content-Type: multipart/mixed; boundary=\"AA (c)\"", "AA (c)"},
    {"Content-Type: multipart/mixed; boundary*0=A; boundary*1=B", "AB"},
    {"Content-Type: multipart/mixed", ""},
};
/* clang-format on */

#define CHECK(field, rows)                                                                     \
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows)[0]; i++)                                \
    assert_str(read_header(*state, (rows)[i].header).field, (rows)[i].want)

static void
test_values(void **state)
{
    CHECK(type, types);
    CHECK(filename, filenames);
    CHECK(charset, charsets);
    CHECK(boundary, boundaries);
}

static void
test_other_fields(void **state)
{
    struct mime_part p =
        read_header(*state, "Content-ID: <A b@C> (x)\n"
                            "Content-Description: Hello \"A  B\" (c) =?utf-8?q?=C3=A4?=; foo\n"
                            "content-transfer-encoding : Quoted-Printable (x)\n"
                            "Content-Disposition: Attach ment (foo); filename=\"\"");
    assert_str(p.id, "<ab@c>");
    assert_str(p.description, "hello\"ab\"=?utf-8?q?=c3=a4?=");
    assert_str(p.encoding, "quoted-printable");
    assert_str(p.disposition, "attachment");
    assert_true(str_is_tainted(p.id));
    assert_false(p.cut);
    p = read_header(*state, "Content-Type: text/c; name=x");
    assert_true(str_is_tainted(p.type) && str_is_tainted(p.filename));
    p = read_header(*state, "Content-Type: text/c; name*0=x; name*1=y");
    assert_true(str_is_tainted(p.filename));
}

/* A header line of so many bytes with a name at its end. */
static struct mime_part
read_long(struct arena *a, size_t n)
{
    struct mime_header h;
    struct buf b = buf_in(a, 0);
    buf_addz(&b, "Content-Type: text/c; x=");
    while (b.n < n - strlen("; name=yes"))
        buf_addc(&b, 'x');
    buf_addz(&b, "; name=yes");
    mime_header_start(&h, a);
    mime_header_line(&h, buf_str(&b), false);
    mime_header_end(&h);
    return h.part;
}

static void
test_field_cap(void **state)
{
    for (size_t n = MIME_FIELD_MAX - 1; n <= MIME_FIELD_MAX; n++) {
        struct mime_part p = read_long(*state, n);
        assert_false(p.cut);
        assert_str(p.filename, "yes");
    }
    struct mime_part p = read_long(*state, MIME_FIELD_MAX + 1);
    assert_true(p.cut);
    assert_str(p.type, "text/c");
    assert_str(p.filename, "ye");
}

static void
test_fields_cap(void **state)
{
    for (unsigned n = MIME_FIELDS_MAX - 1; n <= MIME_FIELDS_MAX + 1; n++) {
        struct mime_header h;
        mime_header_start(&h, *state);
        for (unsigned i = 0; i < 10 * MIME_FIELDS_MAX; i++) /* others do not count */
            mime_header_line(&h, STR_LIT("Content-X: y"), false);
        for (unsigned i = 1; i < n; i++)
            mime_header_line(&h, STR_LIT("Content-Type: text/a"), false);
        mime_header_line(&h, STR_LIT("Content-Type: text/last"), false);
        mime_header_end(&h);
        assert_int_equal(h.part.cut, n > MIME_FIELDS_MAX);
        assert_str(h.part.type, n > MIME_FIELDS_MAX ? "text/a" : "text/last");
    }
}

static void
test_questions(void **state)
{
    struct mime_part p = read_header(*state, "Content-Type: Multipart/Related; boundary=x");
    assert_true(mime_is_multipart(&p) && mime_is_choice(&p) && !mime_is_message(&p, true));
    p = read_header(*state, "Content-Type: multipart/mixed; boundary=x");
    assert_true(mime_is_multipart(&p) && !mime_is_choice(&p));
    p = read_header(*state, "Content-Type: Message/RFC822");
    assert_true(mime_is_message(&p, false) && !mime_is_multipart(&p));
    p = read_header(*state, "");
    assert_true(mime_is_message(&p, true) && !mime_is_message(&p, false));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_field_cap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fields_cap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_questions, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
