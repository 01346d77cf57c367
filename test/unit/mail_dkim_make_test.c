/* New signatures: which fields they sign, and lines that fold and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mail/dkim_make.h"
#include "mail/dkim_signature.h"

static const char message[] = "From: a\nTo: b\nX-One: 1\nX-Two: 2\nx-one: 3\nTo: c\n\n";

static void
test_choice(void **state)
{
    static const struct {
        const char *list, *names, *first; /* first: the text of the first line */
    } rows[] = {
        {"From", "From", "From: a\n"},
        {"from : subject", "From:subject", "From: a\n"},
        {"From:To", "To:From", "To: c\n"},
        {"To:To:From", "To:To:From", "To: c\n"},
        {"X-One:X-One:X-One", "x-one:X-One:X-One", "x-one: 3\n"},
        {"=X-One", "x-one:X-One", "x-one: 3\n"},
        {"=Nope", "", NULL},
        {"+From", "From:From", "From: a\n"},
        {"+Nope:+Nope", "Nope:Nope", NULL},
        {"+To:=X-Two:Subject", "To:X-Two:To:To:Subject", "To: c\n"},
        {"::From:a b:To:x;y", "To", "To: c\n"},
        {"=:+:From", "From", "From: a\n"},
    };
    struct arena *a = arena_new();
    struct header_list l = {0};
    (void)state;
    header_list_read(a, &l, STR_LIT(message));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dkim_signed s;
        assert_true(dkim_make_choose(a, &l, str_from_cstr(rows[i].list), &s));
        assert_string_equal(str_cstr(a, s.names), rows[i].names);
        assert_int_equal(s.lines.n > 0, rows[i].first != NULL);
        assert_true(s.lines.n == 0 || str_eqz(s.lines.v[0], rows[i].first));
    }
    arena_free(a);
}

static void
test_too_many_names(void **state)
{
    struct arena *a = arena_new();
    struct header_list l = {0};
    struct dkim_signed s;
    (void)state;
    for (unsigned n = DKIM_NAMES_MAX - 1; n <= DKIM_NAMES_MAX + 1; n++) {
        struct buf b = buf_in(a, 0);
        for (unsigned i = 0; i < n; i++)
            buf_addz(&b, "x:");
        assert_int_equal(dkim_make_choose(a, &l, buf_str(&b), &s), n <= DKIM_NAMES_MAX);
    }
    arena_free(a);
}

static struct dkim_making
making(void)
{
    return (struct dkim_making){.type = DKIM_KEY_RSA,
                                .hash = DKIM_HASH_SHA256,
                                .canon = DKIM_CANON_RELAXED,
                                .domain = STR_LIT("example.net"),
                                .selector = STR_LIT("sel"),
                                .names = STR_LIT("From:To"),
                                .body_hash = STR_LIT("0123456789abcdef0123456789abcdef"),
                                .created = -1,
                                .expires = -1};
}

static void
test_line(void **state)
{
    struct arena *a = arena_new();
    struct dkim_making m = making();
    uint32_t from, until;
    (void)state;
    assert_string_equal(
        str_cstr(a, dkim_make_line(a, &m, &from, &until)),
        "DKIM-Signature: v=1; a=rsa-sha256; q=dns/txt; c=relaxed/relaxed; d=example.net"
        "\r\n\t; s=sel; h=From:To; bh=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=; b=;\r\n");
    assert_int_equal(from, until);
    m.signature = STR_LIT("abc");
    m.identity = STR_LIT("me@example.net");
    m.created = 1;
    m.expires = 2;
    m.canon = DKIM_CANON_SIMPLE;
    assert_string_equal(
        str_cstr(a, dkim_make_line(a, &m, &from, &until)),
        "DKIM-Signature: v=1; a=rsa-sha256; q=dns/txt; c=simple/simple; d=example.net;\r\n\t"
        "s=sel; h=From:To; bh=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=;\r\n\t"
        "i=me@example.net; t=1; x=2; b=YWJj;\r\n");
    arena_free(a);
}

/* Whatever the lengths: lines are no longer than they should be, nothing but white space is in between, the texts read back, and what
 * stands before the signature does not depend on it. */
static void
test_lengths(void **state)
{
    struct arena *a = arena_new();
    char bytes[512];
    (void)state;
    memset(bytes, 'q', sizeof bytes);
    for (size_t n = 1; n < 300; n++) {
        struct dkim_making m = making();
        struct dkim_signature s;
        uint32_t from, until, before, behind;
        struct str selector = str_from(bytes, n % 61 + 1);
        m.selector = selector;
        struct str unsigned_line = dkim_make_line(a, &m, &before, &behind);
        m.signature = str_from(bytes, n);
        struct str line = dkim_make_line(a, &m, &from, &until);
        assert_true(from == before && memcmp(line.p, unsigned_line.p, from) == 0);
        assert_true(dkim_signature_read(a, line, &s));
        assert_int_equal(dkim_signature_check(&s, DKIM_SIGNATURE), DKIM_FAULT_NONE);
        assert_true(s.b_from == from && s.b_until == until);
        assert_true(str_eq(s.signature, m.signature) && str_eq(s.body_hash, m.body_hash));
        assert_true(str_eq(s.selector, selector) && str_eqz(s.headers, "From:To"));
        for (size_t at = 0; at < line.n;) {
            size_t end = str_chr(line, '\n', at);
            assert_true(end - at <= DKIM_FOLD_AT + 1 && line.p[end - 1] == '\r');
            at = end + 1;
        }
    }
    arena_free(a);
}

/* Names part at their colons. */
static void
test_many_names(void **state)
{
    struct arena *a = arena_new();
    struct dkim_making m = making();
    struct dkim_signature s;
    struct buf b = buf_in(a, 0), shown = buf_in(a, 0);
    uint32_t from, until;
    (void)state;
    for (unsigned i = 0; i < 40; i++)
        buf_printf(&b, "%sX-Name-%u", i > 0 ? ":" : "", i * i);
    m.names = buf_str(&b);
    m.signature = STR_LIT("x");
    assert_true(dkim_signature_read(a, dkim_make_line(a, &m, &from, &until), &s));
    for (uint32_t i = 0; i < s.headers.n; i++)
        if (!ascii_space(s.headers.p[i]))
            buf_addc(&shown, s.headers.p[i]);
    assert_true(str_eq(buf_str(&shown), m.names) && s.headers.n > m.names.n);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice), cmocka_unit_test(test_too_many_names),
        cmocka_unit_test(test_line), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_many_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
