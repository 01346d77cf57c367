/* Which lists of hosts are the same: order counts, save among hosts of one MX value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/remote_batch.h"

#include <stdlib.h>

/* "name=preference" words. */
static struct host_targets
hosts(struct arena *a, const char *text)
{
    struct host_targets l = {NULL, 0, 0};
    for (const char *p = text; *p != '\0';) {
        size_t name = strcspn(p, "=");
        struct host_target one = {.name = str_from(p, name), .address = STR_LIT("192.0.2.1")};
        one.preference = strtol(p + name + 1, NULL, 10);
        vec_push(a, &l, one);
        p += strcspn(p, " ");
        p += *p == ' ';
    }
    return l;
}

static void
test_lists(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"", "", true},
        {"a=-1 b=-1", "a=-1 b=-1", true},
        {"a=-1 b=-1", "b=-1 a=-1", false},
        {"a=-1 b=-1", "a=-1", false},
        {"A=5 b=5 c=9", "b=5 a=5 c=9", true},
        {"a=5 b=5 c=9", "a=5 c=5 b=9", false},
        {"a=5 a=5 b=5", "a=5 b=5 b=5", true}, /* as sets: each is tried */
        {"a=5 b=9", "a=9 b=5", false},
        {"a=-2 b=-2", "b=-2 a=-2", true}, /* a group in random order */
        {"a=-2 b=-3", "b=-2 a=-3", false},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct host_targets x = hosts(a, rows[i].a), y = hosts(a, rows[i].b);
        assert_int_equal(remote_batch_same_hosts(&x, &y, true), rows[i].same);
        assert_int_equal(remote_batch_same_hosts(&y, &x, true), rows[i].same);
    }
    struct host_targets x = hosts(a, "a=5"), y = hosts(a, "a=5");
    y.v[0].port = 26;
    assert_false(remote_batch_same_hosts(&x, &y, false));
    arena_free(a);
}

static void
test_heads(void **state)
{
    static const struct {
        const char *a, *b; /* at the head of CNAME records; NULL: there are none */
        bool dnssec, names, same;
    } rows[] = {
        {NULL, NULL, false, true, true},        {NULL, "alias", false, false, true},
        {NULL, "alias", false, true, false},    {NULL, "alias", true, false, false},
        {"alias", "ALIAS", true, true, true},   {"alias", "other", false, false, true},
        {"alias", "other", false, true, false}, {"HOST", NULL, true, true, true},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct host_targets x = hosts(a, "host=5"), y = hosts(a, "host=5");
        x.v[0].head = rows[i].a == NULL ? STR_NULL : str_from_cstr(rows[i].a);
        y.v[0].head = rows[i].b == NULL ? STR_NULL : str_from_cstr(rows[i].b);
        x.v[0].dnssec = y.v[0].dnssec = rows[i].dnssec;
        assert_int_equal(remote_batch_same_hosts(&x, &y, rows[i].names), rows[i].same);
        assert_int_equal(remote_batch_same_hosts(&y, &x, rows[i].names), rows[i].same);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lists),
                                       cmocka_unit_test(test_heads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
