/* Key records: every tag, what is no key, caps; names to ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "mail/dkim_key.h"

static void
test_records(void **state)
{
    static const struct {
        const char *record;
        enum dkim_key_end end;
    } rows[] = {
        {"v=DKIM1; k=rsa; p=TWFu", DKIM_KEY_OK},
        {"p=TWFu;", DKIM_KEY_OK},
        {"p=TW Fu", DKIM_KEY_OK},
        {"k=rsa; p=", DKIM_KEY_REVOKED},
        {"p=T*==", DKIM_KEY_BAD},
        {"p=TWFu; p=TWFu", DKIM_KEY_BAD},
        {"p=TWFu; ?", DKIM_KEY_BAD},
        {"", DKIM_KEY_OTHER},
        {"v=DKIM1; k=rsa", DKIM_KEY_BAD},
        {"hello", DKIM_KEY_BAD},
        {"v=spf1 -all", DKIM_KEY_OTHER},
        {"v=DKIM2; p=TWFu", DKIM_KEY_BAD},
        {"p=TWFu; v=DKIM1", DKIM_KEY_OK},
        {"p=TWFu; v=spf1", DKIM_KEY_BAD},
    };
    struct arena *a = arena_new();
    struct dkim_key k;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(dkim_key_read(a, str_from_cstr(rows[i].record), &k), rows[i].end);
    arena_free(a);
}

static void
test_tags(void **state)
{
    struct arena *a = arena_new();
    struct dkim_key k;
    (void)state;
    assert_int_equal(dkim_key_read(a, STR_LIT("p=TWFu"), &k), DKIM_KEY_OK);
    assert_true(str_eqz(k.bytes, "Man") && k.type_known && k.type == DKIM_KEY_RSA);
    assert_true(k.hashes == ~0u && str_eqz(k.services, "*") && str_eqz(k.granularity, "*"));
    assert_false(k.testing || k.no_subdomains);
    assert_true(dkim_key_is_for_mail(&k));
    assert_int_equal(dkim_key_read(a,
                                   STR_LIT("v=DKIM1; k=ed25519; h=sha256 : x:sha1; t=y : s; "
                                           "s=tlsrpt; g=info; n=hello; p=TWFu"),
                                   &k),
                     DKIM_KEY_OK);
    assert_true(k.type_known && k.type == DKIM_KEY_ED25519 && k.testing && k.no_subdomains);
    assert_int_equal(k.hashes, 1u << DKIM_HASH_SHA256 | 1u << DKIM_HASH_SHA1);
    assert_true(str_eqz(k.notes, "hello") && str_eqz(k.granularity, "info"));
    assert_false(dkim_key_is_for_mail(&k));
    assert_int_equal(dkim_key_read(a, STR_LIT("k=dsa; p=TWFu; s=tlsrpt:email"), &k),
                     DKIM_KEY_OK);
    assert_false(k.type_known);
    assert_true(str_eqz(k.type_name, "dsa") && dkim_key_is_for_mail(&k));
    arena_free(a);
}

static void
test_cap(void **state)
{
    struct arena *a = arena_new();
    struct dkim_key k;
    (void)state;
    for (size_t n = DKIM_KEY_RECORD_MAX - 1; n <= DKIM_KEY_RECORD_MAX + 1; n++) {
        struct buf b = buf_in(a, 0);
        buf_addz(&b, "p=TWFu; n=");
        while (b.n < n)
            buf_addc(&b, 'x');
        assert_int_equal(dkim_key_read(a, buf_str(&b), &k),
                         n <= DKIM_KEY_RECORD_MAX ? DKIM_KEY_OK : DKIM_KEY_LONG);
    }
    arena_free(a);
}

static void
test_names(void **state)
{
    static const struct {
        const char *selector, *domain, *name;
    } rows[] = {
        {"s", "e.x", "s._domainkey.e.x"},
        {"a.b_c", "e", "a.b_c._domainkey.e"},
        {"", "e", NULL},
        {"s", "", NULL},
        {"s.", "e", NULL},
        {"a..b", "e", NULL},
        {"a b", "e", NULL},
        {"a", "e\\.x", NULL},
        {"a", ".e", NULL},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str name =
            dkim_key_domain(a, str_from_cstr(rows[i].selector), str_from_cstr(rows[i].domain));
        assert_int_equal(str_is_set(name), rows[i].name != NULL);
        assert_true(rows[i].name == NULL || str_eqz(name, rows[i].name));
    }
    for (size_t n = 62; n <= 64; n++) {
        struct buf b = buf_in(a, 0);
        for (size_t i = 0; i < n; i++)
            buf_addc(&b, 'x');
        assert_int_equal(str_is_set(dkim_key_domain(a, buf_str(&b), STR_LIT("e"))), n <= 63);
    }
    for (size_t n = 252; n <= 254; n++) {
        struct buf b = buf_in(a, 0);
        for (size_t i = 0; i < n - sizeof "s._domainkey" - 1 - 1; i++)
            buf_addc(&b, i % 2 == 0 ? 'x' : '.');
        buf_addz(&b, "yy");
        struct str name = dkim_key_domain(a, STR_LIT("s"), buf_str(&b));
        assert_int_equal(str_is_set(name), b.n + sizeof "s._domainkey" <= 253);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_records),
                                       cmocka_unit_test(test_tags), cmocka_unit_test(test_cap),
                                       cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
