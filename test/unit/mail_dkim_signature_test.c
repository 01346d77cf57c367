/* Signature lines: every tag, what each kind needs, what is refused, caps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "mail/dkim_signature.h"

static struct dkim_signature
read(struct arena *a, const char *line)
{
    struct dkim_signature s;
    assert_true(dkim_signature_read(a, str_from_cstr(line), &s));
    return s;
}

static void
test_all_tags(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    struct dkim_signature s =
        read(a, "DKIM-Signature: v=1; a=RSA-sha256; c=relaxed/simple; d=example.net;\n"
                " s=brisbane; i=a@eng.example.net; t=1117574938; x=1118006938; q=dns/txt;\n"
                " l=200; h=from : to; z=From:foo|To:bar; bh=TWFu; unknown=x;\n b=bW\n 9v ; \n");
    assert_int_equal(dkim_signature_check(&s, DKIM_SIGNATURE), DKIM_FAULT_NONE);
    assert_true(str_eqz(s.domain, "example.net") && str_eqz(s.selector, "brisbane"));
    assert_true(str_eqz(s.identity, "a@eng.example.net") && str_eqz(s.headers, "from : to"));
    assert_true(str_eqz(s.copied, "From:foo|To:bar") && str_eqz(s.query, "dns/txt"));
    assert_true(str_eqz(s.body_hash, "Man") && str_eqz(s.signature, "moo"));
    assert_true(s.key_type == DKIM_KEY_RSA && s.hash == DKIM_HASH_SHA256);
    assert_true(s.canon_headers == DKIM_CANON_RELAXED && s.canon_body == DKIM_CANON_SIMPLE);
    assert_true(s.created == 1117574938 && s.expires == 1118006938 && s.body_length == 200);
    assert_true(str_eqz(str_sub(s.line, s.b_from, s.b_until - s.b_from), "bW\n 9v "));
    assert_true(s.bad == 0 && (s.has & DKIM_TAG_CHAIN) == 0);
    arena_free(a);
}

#define GOOD "v=1;a=ed25519-sha256;b=eA==;bh=eA==;d=e.x;h=from;s=y;"

static void
test_faults(void **state)
{
    static const struct {
        const char *line;
        enum dkim_kind kind;
        enum dkim_fault fault;
    } rows[] = {
        {"S: " GOOD, DKIM_SIGNATURE, DKIM_FAULT_NONE},
        {"S: " GOOD "v=1", DKIM_SIGNATURE, DKIM_FAULT_TAGS},
        {"S: " GOOD "; ;", DKIM_SIGNATURE, DKIM_FAULT_NONE},
        {"S: v=2;a=rsa-sha1;b=eA==;bh=eA==;d=e;h=f;s=y", DKIM_SIGNATURE, DKIM_FAULT_VERSION},
        {"S: v=1;a=rsa-md5;b=eA==;bh=eA==;d=e;h=f;s=y", DKIM_SIGNATURE, DKIM_FAULT_ALGORITHM},
        {"S: v=1;a=ed25519-sha1;b=eA==;bh=eA==;d=e;h=f;s=y", DKIM_SIGNATURE,
         DKIM_FAULT_ALGORITHM},
        {"S: v=1;a=rsa-sha1;b=;bh=eA==;d=e;h=f;s=y", DKIM_SIGNATURE, DKIM_FAULT_TAGS},
        {"S: v=1;a=rsa-sha1;b=eA==;bh=e*==;d=e;h=f;s=y", DKIM_SIGNATURE, DKIM_FAULT_NONE},
        {"S: v=1;a=rsa-sha1;b=eA==;d=e;h=f;s=y", DKIM_SIGNATURE, DKIM_FAULT_NONE},
        {"S: v=1;a=rsa-sha1;b=eA==;bh=eA==;d=;h=f;s=y", DKIM_SIGNATURE, DKIM_FAULT_TAGS},
        {"S: a=rsa-sha1;b=eA==;bh=eA==;d=e;h=f;s=y", DKIM_SIGNATURE, DKIM_FAULT_TAGS},
        {"S: " GOOD "c=relaxed", DKIM_SIGNATURE, DKIM_FAULT_NONE},
        {"S: " GOOD "c=nowsp/simple", DKIM_SIGNATURE, DKIM_FAULT_TAGS},
        {"S: " GOOD "l=x", DKIM_SIGNATURE, DKIM_FAULT_TAGS},
        {"S: " GOOD "l=123456789012", DKIM_SIGNATURE, DKIM_FAULT_NONE},
        {"S: " GOOD "l=1234567890123", DKIM_SIGNATURE, DKIM_FAULT_TAGS},
        {"S: " GOOD "q=dns/txt : x", DKIM_SIGNATURE, DKIM_FAULT_NONE},
        {"S: " GOOD "q=dns", DKIM_SIGNATURE, DKIM_FAULT_NONE},
        {"S: " GOOD "q=x", DKIM_SIGNATURE, DKIM_FAULT_QUERY},
        {"S: " GOOD "i=@E.X", DKIM_SIGNATURE, DKIM_FAULT_NONE},
        {"S: " GOOD "i=a@b.e.x", DKIM_SIGNATURE, DKIM_FAULT_NONE},
        {"S: " GOOD "i=a@be.x", DKIM_SIGNATURE, DKIM_FAULT_IDENTITY},
        {"S: " GOOD "i=e.x", DKIM_SIGNATURE, DKIM_FAULT_IDENTITY},
        {"S: " GOOD, ARC_MESSAGE_SIGNATURE, DKIM_FAULT_TAGS},
        {"S: i=1; a=rsa-sha256; b=eA==; bh=eA==; d=e; h=f; s=y", ARC_MESSAGE_SIGNATURE,
         DKIM_FAULT_NONE},
        {"S: i=1; a=rsa-sha256; b=eA==; d=e; s=y; cv=none", ARC_SEAL, DKIM_FAULT_NONE},
        {"S: i=1; a=rsa-sha256; b=eA==; d=e; s=y", ARC_SEAL, DKIM_FAULT_TAGS},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dkim_signature s = read(a, rows[i].line);
        assert_int_equal(dkim_signature_check(&s, rows[i].kind), rows[i].fault);
    }
    arena_free(a);
}

/* What is bad of a signature does not hide what is good of it. */
static void
test_in_part(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    struct dkim_signature s = read(a, "S: " GOOD "c=nowsp/relaxed;d=other;l=-1");
    assert_int_equal(s.bad, DKIM_TAG_CANON | DKIM_TAG_BODY_LENGTH);
    assert_true(s.ill_formed && str_eqz(s.domain, "e.x") && s.body_length == -1);
    assert_true(s.canon_headers == DKIM_CANON_SIMPLE && s.canon_body == DKIM_CANON_SIMPLE);
    s = read(a, "S: v=1; a=none; b");
    assert_true(s.ill_formed && !s.algorithm_known &&
                s.has == (DKIM_TAG_VERSION | DKIM_TAG_ALGORITHM));
    arena_free(a);
}

static void
test_caps(void **state)
{
    struct arena *a = arena_new();
    struct dkim_signature s;
    (void)state;
    assert_false(dkim_signature_read(a, STR_LIT("no colon"), &s));
    for (size_t n = DKIM_LINE_MAX - 1; n <= DKIM_LINE_MAX + 1; n++) {
        struct buf b = buf_in(a, 0);
        buf_addz(&b, "S: v=1; n=");
        while (b.n < n)
            buf_addc(&b, 'x');
        assert_int_equal(dkim_signature_read(a, buf_str(&b), &s), n <= DKIM_LINE_MAX);
    }
    for (unsigned n = 63; n <= 65; n++) {
        struct buf b = buf_in(a, 0);
        buf_addz(&b, "S:");
        for (unsigned i = 0; i < n; i++)
            buf_printf(&b, "n%u=x;", i);
        assert_true(dkim_signature_read(a, buf_str(&b), &s));
        assert_int_equal(s.ill_formed, n > 64);
    }
    for (size_t n = DKIM_SIGNATURE_MAX - 1; n <= DKIM_SIGNATURE_MAX + 1; n++) {
        struct buf b = buf_in(a, 0);
        buf_addz(&b, "S:b=");
        for (size_t i = 0; i < (n + 2) / 3 * 4; i++)
            buf_addc(&b, i >= (n * 8 + 5) / 6 ? '=' : 'A');
        assert_true(dkim_signature_read(a, buf_str(&b), &s));
        assert_int_equal(s.signature.n, n <= DKIM_SIGNATURE_MAX ? n : 0);
        assert_int_equal(s.bad == 0, n <= DKIM_SIGNATURE_MAX);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_tags), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_in_part), cmocka_unit_test(test_caps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
