/* Results: their names, what an ACL makes of them, and what Authentication-Results: says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "mail/dkim_result.h"

static void
test_names(void **state)
{
    static const char *const names[] = {"none", "invalid", "fail", "pass"};
    enum dkim_status s;
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(str_eqz(dkim_status_name((enum dkim_status)i), names[i]));
        assert_true(dkim_status_find(str_from_cstr(names[i]), &s) && s == (enum dkim_status)i);
    }
    assert_false(dkim_status_find(STR_LIT("passed"), &s));
    assert_true(str_eqz(dkim_reason_name(DKIM_REASON_BODY), "bodyhash_mismatch"));
    assert_true(str_eqz(dkim_reason_name(DKIM_REASON_VERSION), ""));
    assert_true(str_eqz(dkim_reason_log(DKIM_REASON_VERSION), "unsupported DKIM version"));
}

static struct str
described(struct arena *a, enum dkim_status status, enum dkim_reason reason, const char *set)
{
    struct dkim_results r = {.status = STR_LIT("fail")};
    struct dkim_result one = {.status = status, .reason = reason, .key_bits = 512};
    struct buf b = buf_in(a, 0);
    assert_true(
        dkim_signature_read(a, STR_LIT("S: a=rsa-sha256; d=e.x; s=y; i=@e.x"), &one.signature));
    if (set != NULL) {
        one.set_status = STR_LIT("fail");
        one.set_reason = str_from_cstr(set);
    }
    vec_push(a, &r.all, one);
    dkim_results_describe(&b, &r);
    return buf_str(&b);
}

#define REST "header.d=e.x header.i=@e.x header.s=y header.a=rsa-sha256"

static void
test_descriptions(void **state)
{
    static const struct {
        enum dkim_status status;
        enum dkim_reason reason;
        const char *set, *text;
    } rows[] = {
        {DKIM_PASS, DKIM_REASON_NONE, NULL, ";\n\tdkim=pass " REST},
        {DKIM_NONE, DKIM_REASON_NONE, NULL, ";\n\tdkim=none " REST},
        {DKIM_FAIL, DKIM_REASON_KEY_SHORT, NULL,
         ";\n\tdkim=fail (public key too short: 512 bits)\n\t\t " REST},
        {DKIM_INVALID, DKIM_REASON_KEY_UNAVAILABLE, NULL,
         ";\n\tdkim=tmperror (pubkey unavailable)\n\t\t " REST},
        {DKIM_INVALID, DKIM_REASON_TAGS, NULL,
         ";\n\tdkim=neutral (signature tag missing or invalid)\n\t\t " REST},
        {DKIM_PASS, DKIM_REASON_NONE, "mine", ";\n\tdkim=policy (fail - mine) " REST},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(
            str_cstr(a, described(a, rows[i].status, rows[i].reason, rows[i].set)),
            rows[i].text);
    arena_free(a);
}

static void
test_set(void **state)
{
    struct dkim_result r = {.status = DKIM_PASS, .reason = DKIM_REASON_NONE};
    (void)state;
    assert_true(str_eqz(dkim_result_status(&r), "pass") && str_eqz(dkim_result_reason(&r), ""));
    r.set_status = STR_LIT("fail");
    assert_true(str_eqz(dkim_result_status(&r), "fail"));
    r.set_reason = STR_LIT("weak");
    assert_true(str_eqz(dkim_result_reason(&r), "weak"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_descriptions),
                                       cmocka_unit_test(test_set)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
