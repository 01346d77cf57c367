/* Hashes for DKIM: empty bodies as RFC 6376 gives them, hashes that are shared, caps of lines and of hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "sys/dkim_hash.h"

/* Sections 3.4.3 and 3.4.4. */
static void
test_empty_bodies(void **state)
{
    static const struct {
        enum dkim_hash hash;
        enum dkim_canon canon;
        const char *digest;
    } rows[] = {
        {DKIM_HASH_SHA1, DKIM_CANON_SIMPLE, "uoq1oCgLlTqpdDX/iUbLy7J1Wic="},
        {DKIM_HASH_SHA256, DKIM_CANON_SIMPLE, "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="},
        {DKIM_HASH_SHA1, DKIM_CANON_RELAXED, "2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
        {DKIM_HASH_SHA256, DKIM_CANON_RELAXED, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
    };
    struct arena *a = arena_new();
    struct dkim_bodies *b = dkim_bodies_new(a);
    struct dkim_body_hash *h[4];
    (void)state;
    assert_true(dkim_bodies_is_empty(b));
    for (size_t i = 0; i < 4; i++)
        h[i] = dkim_bodies_want(b, rows[i].hash, rows[i].canon, DKIM_BODY_ALL);
    assert_false(dkim_bodies_is_empty(b));
    dkim_bodies_feed(b, "\n\r\n", 3);
    assert_true(dkim_bodies_end(b));
    for (size_t i = 0; i < 4; i++)
        assert_true(str_eqz(base64_encode(a, dkim_body_hash_digest(h[i])), rows[i].digest));
    arena_free(a);
}

static void
test_sharing_and_cap(void **state)
{
    struct arena *a = arena_new();
    struct dkim_bodies *b = dkim_bodies_new(a);
    (void)state;
    for (int64_t i = 0; i < DKIM_BODIES_MAX; i++)
        assert_non_null(dkim_bodies_want(b, DKIM_HASH_SHA256, DKIM_CANON_SIMPLE, i));
    assert_null(dkim_bodies_want(b, DKIM_HASH_SHA256, DKIM_CANON_SIMPLE, DKIM_BODIES_MAX));
    assert_null(dkim_bodies_want(b, DKIM_HASH_SHA1, DKIM_CANON_SIMPLE, 0));
    assert_null(dkim_bodies_want(b, DKIM_HASH_SHA256, DKIM_CANON_RELAXED, 0));
    assert_ptr_equal(dkim_bodies_want(b, DKIM_HASH_SHA256, DKIM_CANON_SIMPLE, 7),
                     dkim_bodies_want(b, DKIM_HASH_SHA256, DKIM_CANON_SIMPLE, 7));
    arena_free(a);
}

static void
test_long_lines(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    for (size_t n = DKIM_BODY_LINE_MAX - 1; n <= DKIM_BODY_LINE_MAX + 1; n++) {
        struct dkim_bodies *b = dkim_bodies_new(a);
        struct buf text = buf_in(a, 0);
        assert_non_null(
            dkim_bodies_want(b, DKIM_HASH_SHA256, DKIM_CANON_RELAXED, DKIM_BODY_ALL));
        for (size_t i = 0; i < n; i++)
            buf_addc(&text, i % 7 == 0 ? ' ' : 'x');
        dkim_bodies_feed(b, text.p, n / 2);
        dkim_bodies_feed(b, text.p + n / 2, n - n / 2);
        dkim_bodies_feed(b, "\r\n", 2);
        dkim_bodies_feed(b, "y", 1);
        assert_int_equal(dkim_bodies_end(b), n <= DKIM_BODY_LINE_MAX);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_empty_bodies),
                                       cmocka_unit_test(test_sharing_and_cap),
                                       cmocka_unit_test(test_long_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
