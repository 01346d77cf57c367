/* Chains of ARC: what makes one and what does not, results, and the lines of a new set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "mail/arc.h"

#include <stdio.h>
#include <string.h>

#define AAR(i)                                                                                 \
    "ARC-Authentication-Results: i=" i "; a.example; spf=pass smtp.mailfrom=b.example\n"
#define AMS(i)                                                                                 \
    "ARC-Message-Signature: i=" i "; a=rsa-sha256; c=relaxed; d=a.example; s=k; h=From:To;\n"  \
    "\tbh=AAAA; b=AAAA\n"
#define AS(i, cv) "ARC-Seal: i=" i "; cv=" cv "; a=rsa-sha256; d=a.example; s=k; b=AAAA\n"
#define SET(i, cv) AS(i, cv) AMS(i) AAR(i)

/* Reads a header and checks the chain; why is what is wrong, or "". */
static void
assert_chain(const char *text, size_t n, const char *why)
{
    struct arena *a = arena_new();
    struct header_list l = {.n = 0};
    struct arc_chain *c = ARENA_NEW(a, struct arc_chain);
    struct str reason = STR_EMPTY;
    (void)header_list_read(a, &l, str_from_cstr(text));
    bool ok = arc_chain_read(a, &l, c, &reason) && arc_chain_check(a, c, &reason);
    assert_string_equal(str_cstr(a, reason), why);
    assert_int_equal(ok, why[0] == '\0');
    assert_int_equal(c->n, n);
    arena_free(a);
}

static void
test_chain(void **state)
{
    (void)state;
    assert_chain("From: x\n", 0, "");
    assert_chain(SET("1", "none") "From: x\n", 1, "");
    assert_chain(SET("2", "pass") SET("1", "none"), 2, "");
    assert_chain(SET("1", "none") SET("2", "pass"), 2,
                 ""); /* the order of lines is not asked */
    assert_chain("aRC-sEAL: i=1 ; cv=none; a=rsa-sha256; d=a.example; s=k; b=AA\n\tAA\n" AMS(
                     "1") AAR("1"),
                 1, "");
}

static void
test_broken(void **state)
{
    (void)state;
    assert_chain(SET("2", "none"), 2, "(sequence; expected i=1)");
    assert_chain(SET("3", "pass") SET("1", "none"), 3, "(sequence; expected i=2)");
    assert_chain(AS("1", "none") AMS("1"), 1, "(i=1; no ARC-Authentication-Results)");
    assert_chain(AS("1", "none") AAR("1"), 1, "(i=1; no ARC-Message-Signature)");
    assert_chain(AMS("1") AAR("1"), 1, "(i=1; no ARC-Seal)");
    assert_chain(SET("1", "none") AS("1", "none"), 1, "(i=1; several ARC-Seal)");
    assert_chain(SET("1", "pass"), 1, "(i=1; wrong cv)");
    assert_chain(SET("2", "none") SET("1", "none"), 2, "(i=2; wrong cv)");
    assert_chain(SET("2", "fail") SET("1", "none"), 2, "(i=2; cv=fail)");
    assert_chain(AS("1", "none") AMS("1") "ARC-Authentication-Results: a.example; i=1\n", 1,
                 "(ARC-Authentication-Results without a usable i=)");
    assert_chain(SET("0", "none"), 0, "(ARC-Seal without a usable i=)");
    assert_chain(SET("1x", "none"), 0, "(ARC-Seal without a usable i=)");
    assert_chain("ARC-Seal: i=1; cv=none; a=rsa-sha256; d=a.example; b=AAAA\n" AMS("1")
                     AAR("1"),
                 1, "(i=1; bad ARC-Seal)");
    assert_chain("ARC-Seal: i=1; cv=none; a=rsa-sha256; d=a.example; s=k; h=From; b=AAAA\n" AMS(
                     "1") AAR("1"),
                 1, "(i=1; bad ARC-Seal)");
    assert_chain(AS("1", "none") "ARC-Message-Signature: i=1; a=rsa-sha256; d=a.example; s=k; "
                                 "h=From:arc-seal; bh=AAAA; b=AAAA\n" AAR("1"),
                 1, "(i=1; bad ARC-Message-Signature)");
}

/* A chain of n sets. */
static void
assert_length(size_t n, size_t want, const char *why)
{
    struct arena *a = arena_new();
    struct buf b = buf_in(a, 0);
    for (size_t i = n; i > 0; i--) {
        buf_printf(&b, "ARC-Seal: i=%zu; cv=%s; a=rsa-sha256; d=a.example; s=k; b=AAAA\n", i,
                   i == 1 ? "none" : "pass");
        buf_printf(&b,
                   "ARC-Message-Signature: i=%zu; a=rsa-sha256; d=a.example; s=k; h=From; "
                   "bh=AAAA; b=AAAA\n",
                   i);
        buf_printf(&b, "ARC-Authentication-Results: i=%zu; a.example; none\n", i);
    }
    assert_chain(str_cstr(a, buf_str(&b)), want, why);
    arena_free(a);
}

static void
test_caps(void **state)
{
    (void)state;
    assert_length(ARC_SETS_MAX - 1, ARC_SETS_MAX - 1, "");
    assert_length(ARC_SETS_MAX, ARC_SETS_MAX, "");
    assert_length(ARC_SETS_MAX + 1, ARC_SETS_MAX, "(ARC-Seal without a usable i=)");
}

static void
test_domains(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct arc_chain *c = ARENA_NEW(a, struct arc_chain);
    assert_int_equal(arc_chain_domains(a, c).n, 0);
    c->n = 3;
    c->set[0].seal.domain = STR_LIT("a.example");
    c->set[2].seal.domain = STR_LIT("c.example");
    assert_string_equal(str_cstr(a, arc_chain_domains(a, c)), "a.example::c.example");
    c->set[0].seal.domain = STR_EMPTY;
    c->set[2].seal.domain = STR_LIT("x:y");
    assert_string_equal(str_cstr(a, arc_chain_domains(a, c)), ":::x::y");
    arena_free(a);
}

static void
gather(void *ctx, const char *p, size_t n)
{
    buf_add(ctx, p, n);
}

static void
test_seal(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct header_list l = {.n = 0};
    struct arc_chain *c = ARENA_NEW(a, struct arc_chain);
    struct str why;
    struct buf b = buf_in(a, 0);
    (void)header_list_read(a, &l, STR_LIT(SET("2", "pass") SET("1", "none")));
    assert_true(arc_chain_read(a, &l, c, &why));
    arc_seal_feed(c, 1, 2, (struct dkim_sink){gather, &b});
    assert_string_equal(
        str_cstr(a, buf_str(&b)),
        "arc-authentication-results:i=1; a.example; spf=pass smtp.mailfrom=b.example\r\n"
        "arc-message-signature:i=1; a=rsa-sha256; c=relaxed; d=a.example; s=k; h=From:To; "
        "bh=AAAA; b=AAAA\r\n"
        "arc-seal:i=1; cv=none; a=rsa-sha256; d=a.example; s=k; b=AAAA\r\n"
        "arc-authentication-results:i=2; a.example; spf=pass smtp.mailfrom=b.example\r\n"
        "arc-message-signature:i=2; a=rsa-sha256; c=relaxed; d=a.example; s=k; h=From:To; "
        "bh=AAAA; b=AAAA\r\n"
        "arc-seal:i=2; cv=pass; a=rsa-sha256; d=a.example; s=k; b=");
    arena_free(a);
}

static void
test_results(void **state)
{
    (void)state;
    struct str v = STR_LIT(
        " a.example (arc=x; arc=y) 1;\n\tspf=fail (a \\) arc=no) smtp.mailfrom=\"a;arc=b\";\n"
        "\tarc=pass(i=1) smtp.remote-ip=192.0.2.1;dkim=none");
    assert_true(str_eqz(arc_results_server(v), "a.example"));
    assert_true(str_eqz(arc_results_find(v, "spf"), "fail"));
    assert_true(str_eqz(arc_results_find(v, "arc"), "pass"));
    assert_true(str_eqz(arc_results_find(v, "ARC"), "pass"));
    assert_true(str_eqz(arc_results_find(v, "dkim"), "none"));
    assert_false(str_is_set(arc_results_find(v, "smtp.remote-ip")));
    assert_true(str_eqz(arc_results_property(v, "smtp.remote-ip"), "192.0.2.1"));
    assert_false(str_is_set(arc_results_find(STR_EMPTY, "arc")));
    assert_false(str_is_set(arc_results_find(STR_LIT("a; ((("), "arc")));
    assert_int_equal(arc_results_server(STR_LIT("; arc=none")).n, 0);
    assert_int_equal(arc_results_server(STR_EMPTY).n, 0);
}

static void
test_new(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct arc_new n = {.instance = 2,
                        .chain = STR_LIT("pass"),
                        .domain = STR_LIT("a.example"),
                        .selector = STR_LIT("k"),
                        .algorithm = STR_LIT("rsa-sha256"),
                        .created = -1,
                        .expires = -1};
    struct str results = STR_LIT(" a.example;\n\tarc=none\n");
    assert_string_equal(
        str_cstr(a, arc_new_results(a, &n, results, STR_LIT("192.0.2.1"))),
        "ARC-Authentication-Results: i=2; a.example; smtp.remote-ip=192.0.2.1;\n\tarc=none\n");
    assert_string_equal(str_cstr(a, arc_new_results(a, &n, results, STR_NULL)),
                        "ARC-Authentication-Results: i=2; a.example;\n\tarc=none\n");
    assert_string_equal(
        str_cstr(a, arc_new_message(a, &n, STR_LIT("xx="), STR_LIT("From:To"))),
        "ARC-Message-Signature: i=2; a=rsa-sha256; c=relaxed; d=a.example; s=k;\n"
        "\tbh=xx=;\n\th=From:To;\n\tb=;\n");
    struct str seal = arc_new_seal(a, &n);
    assert_string_equal(str_cstr(a, seal),
                        "ARC-Seal: i=2; cv=pass; a=rsa-sha256; d=a.example; s=k;\n\t b=;\n");
    char signature[76];
    memset(signature, 'x', 75);
    signature[75] = '\0';
    struct str line = arc_new_sign(a, seal, str_from_cstr(signature));
    signature[74] = '\0';
    assert_string_equal(str_cstr(a, line),
                        str_cstr(a, str_printf(a,
                                               "ARC-Seal: i=2; cv=pass; a=rsa-sha256; "
                                               "d=a.example; s=k;\n\t b=%s\n\t  x;\n",
                                               signature)));
    n.created = 10;
    n.expires = 20;
    assert_true(str_starts(arc_new_message(a, &n, STR_LIT("x"), STR_LIT("From")),
                           "ARC-Message-Signature: i=2; a=rsa-sha256; c=relaxed; d=a.example; "
                           "s=k; t=10; x=20;\n"));
    assert_true(str_starts(arc_new_seal(a, &n), "ARC-Seal: i=2; cv=pass; a=rsa-sha256; "
                                                "d=a.example; s=k; t=10;\n\t b="));
    arena_free(a);
}

/* A long list of names is folded, and stays the same list. */
static void
test_folding(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct arc_new n = {.instance = 1, .created = -1, .expires = -1};
    struct buf names = buf_in(a, 0);
    for (unsigned i = 0; i < 40; i++)
        buf_printf(&names, "%sX-Name-%u", i > 0 ? ":" : "", i);
    struct str line = arc_new_message(a, &n, STR_LIT("x"), buf_str(&names));
    struct dkim_signature s;
    assert_true(dkim_signature_read(a, line, &s));
    struct buf flat = buf_in(a, 0);
    for (size_t i = 0; i < s.headers.n; i++)
        if (!ascii_space(s.headers.p[i]))
            buf_addc(&flat, s.headers.p[i]);
    assert_true(str_eq(buf_str(&flat), buf_str(&names)));
    for (size_t at = 0, end; at < line.n; at = end + 1) {
        end = str_chr(line, '\n', at);
        assert_true(end - at <= 78);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_caps),  cmocka_unit_test(test_domains),
        cmocka_unit_test(test_seal),  cmocka_unit_test(test_results),
        cmocka_unit_test(test_new),   cmocka_unit_test(test_folding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
