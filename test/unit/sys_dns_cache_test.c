/* Unit tests of sys/dns_cache.c: how long answers are kept, what makes room. */
#include "sys/dns_cache.h"

#include "base/arena.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool
has(struct dns_cache *c, struct arena *a, struct str key, int64_t now)
{
    struct str value;
    int64_t until;
    return dns_cache_find(c, a, key, now, &value, &until);
}

static void
an_answer_is_kept_until_its_time_is_over(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct dns_cache *c = dns_cache_new();
    struct str value;
    int64_t until;
    dns_cache_keep(c, STR_LIT("k"), STR_LIT("value"), 100, 110);
    assert_true(dns_cache_find(c, a, STR_LIT("k"), 109, &value, &until));
    assert_true(str_eqz(value, "value"));
    assert_int_equal(until, 110);
    assert_false(has(c, a, STR_LIT("x"), 109));
    assert_false(has(c, a, STR_LIT("k"), 110));
    assert_int_equal(dns_cache_count(c), 0);
    dns_cache_keep(c, STR_LIT("k"), STR_LIT("value"), 100, 100); /* no time at all */
    assert_int_equal(dns_cache_count(c), 0);
    dns_cache_keep(c, STR_LIT("k"), STR_EMPTY, 100, 101);
    dns_cache_keep(c, STR_LIT("k"), STR_LIT("newer"), 100, 101);
    assert_true(dns_cache_find(c, a, STR_LIT("k"), 100, &value, &until));
    assert_true(str_eqz(value, "newer"));
    assert_int_equal(dns_cache_count(c), 1);
    dns_cache_free(c);
    arena_free(a);
}

static struct str
key(struct arena *a, size_t i)
{
    return str_printf(a, "key %zu", i);
}

static void
entries_have_a_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct dns_cache *c = dns_cache_new();
    for (size_t i = 0; i < DNS_CACHE_ENTRIES_MAX - 1; i++)
        dns_cache_keep(c, key(a, i), STR_LIT("v"), 0, 10);
    assert_int_equal(dns_cache_count(c), DNS_CACHE_ENTRIES_MAX - 1);
    dns_cache_keep(c, STR_LIT("a"), STR_LIT("v"), 0, 10);
    assert_int_equal(dns_cache_count(c), DNS_CACHE_ENTRIES_MAX);
    assert_true(has(c, a, key(a, 0), 1)); /* used: the one after it is the oldest now */
    dns_cache_keep(c, STR_LIT("b"), STR_LIT("v"), 0, 10);
    assert_int_equal(dns_cache_count(c), DNS_CACHE_ENTRIES_MAX);
    assert_true(has(c, a, key(a, 0), 1));
    assert_false(has(c, a, key(a, 1), 1));
    assert_true(has(c, a, STR_LIT("b"), 1));
    dns_cache_free(c);
    arena_free(a);
}

static void
bytes_have_a_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct dns_cache *c = dns_cache_new();
    size_t half = DNS_CACHE_BYTES_MAX / 2;
    struct str large = str_from(arena_zalloc(a, DNS_CACHE_BYTES_MAX, 1), DNS_CACHE_BYTES_MAX);
    dns_cache_keep(c, STR_LIT("large"), large, 0, 10);
    assert_int_equal(dns_cache_count(c), 0);
    dns_cache_keep(c, STR_LIT("1"), str_sub(large, 0, half - 200), 0, 10);
    dns_cache_keep(c, STR_LIT("2"), str_sub(large, 0, half - 200), 0, 10);
    assert_int_equal(dns_cache_count(c), 2);
    dns_cache_keep(c, STR_LIT("3"), str_sub(large, 0, half - 200), 0, 10);
    assert_int_equal(dns_cache_count(c), 2);
    assert_false(has(c, a, STR_LIT("1"), 1));
    dns_cache_free(c);
    arena_free(a);
}

/* --- threads --- */

enum { THREADS = 4, ROUNDS = 3000, NAMES = 40 };

struct user {
    struct dns_cache *cache;
    unsigned seed, wrong;
};

/* Keeps answers that tell their question, and looks for some. */
static void *
use(void *ctx)
{
    struct user *u = ctx;
    struct arena *a = arena_new();
    for (int64_t now = 0; now < ROUNDS; now++) {
        unsigned n = (unsigned)rand_r(&u->seed) % NAMES;
        struct str key = str_printf(a, "name%u", n), value;
        struct str answer = str_printf(a, "%u:%*s", n, (int)(n * 50), "");
        int64_t until;
        if (rand_r(&u->seed) % 3 == 0)
            dns_cache_keep(u->cache, key, answer, now, now + 1 + n % 5);
        else if (dns_cache_find(u->cache, a, key, now, &value, &until))
            u->wrong += !str_eq(value, answer) || until <= now;
        arena_clear(a);
    }
    arena_free(a);
    return NULL;
}

static void
threads_share_it(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    struct user users[THREADS];
    struct dns_cache *c = dns_cache_new();
    for (unsigned i = 0; i < THREADS; i++) {
        users[i] = (struct user){.cache = c, .seed = i};
        assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(users[i].wrong, 0);
    }
    assert_true(dns_cache_count(c) > 0 && dns_cache_count(c) <= NAMES);
    dns_cache_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_kept_until_its_time_is_over),
        cmocka_unit_test(entries_have_a_cap),
        cmocka_unit_test(bytes_have_a_cap),
        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
