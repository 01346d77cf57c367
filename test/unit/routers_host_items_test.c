/* Host lists of routers: names, addresses, ports, MX, groups. */
#include "routers/host_items.h"

#include "base/arena.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *a;

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static struct host_items
read_list(const char *text)
{
    return host_items_read(a, str_from_cstr(text), HOST_ORDER_KEEP);
}

static void
check_item(const char *text, const char *name, int64_t port, bool mx)
{
    struct host_items items = read_list(text);
    assert_int_equal(items.v.n, 1);
    if (!str_eqz(items.v.v[0].name, name))
        fail_msg("%s: %.*s", text, STR_ARG(items.v.v[0].name));
    assert_int_equal(items.v.v[0].port, port);
    assert_int_equal(items.v.v[0].mx, mx);
}

static void
test_items(void **state)
{
    (void)state;
    check_item("host.example", "host.example", 0, false);
    check_item("host.example::25", "host.example", 25, false);
    check_item("<+ host.example:1225", "host.example", 1225, false);
    check_item("10.1.1.1::26", "10.1.1.1", 26, false);
    check_item("<+ [::1]:1226", "::1", 1226, false);
    check_item("<+ ::1", "::1", 0, false);
    check_item("[10.1.1.1]", "[10.1.1.1]", 0, false);
    check_item("<+ [10.1.1.1]:7", "10.1.1.1", 7, false);
    check_item("host.example/MX", "host.example", 0, true);
    check_item("host.example/mx::1225", "host.example", 1225, true);
    check_item("/mx", "/mx", 0, false);
    check_item("host::", "host:", 0, false);
    check_item("host::x", "host:x", 0, false);
    check_item("host::999999999", "host", 999999999, false);
    check_item("host::9999999999", "host:9999999999", 0, false);
}

static void
test_lists(void **state)
{
    (void)state;
    assert_int_equal(read_list("").v.n, 0);
    assert_int_equal(read_list("+").v.n, 0);
    struct host_items items = read_list("a : b : + : c");
    assert_int_equal(items.v.n, 3);
    assert_true(str_eqz(items.v.v[2].name, "c"));
    items = read_list("a::b");
    assert_int_equal(items.v.n, 1);
}

/* Every order comes up, and groups stay apart. */
static void
test_shuffle(void **state)
{
    (void)state;
    bool first[2] = {false, false};
    for (int i = 0; i < 200; i++) {
        struct host_items items = host_items_read(a, STR_LIT("a:b:+:c:d"), HOST_ORDER_SHUFFLE);
        assert_int_equal(items.v.n, 4);
        first[str_eqz(items.v.v[0].name, "a")] = true;
        for (int k = 0; k < 2; k++) {
            assert_true(items.v.v[k].name.p[0] <= 'b');
            assert_true(items.v.v[k + 2].name.p[0] >= 'c');
        }
        assert_false(str_eq(items.v.v[0].name, items.v.v[1].name));
    }
    assert_true(first[0] && first[1]);
}

static void
test_cap(void **state)
{
    (void)state;
    const int counts[] = {HOST_ITEMS_MAX - 1, HOST_ITEMS_MAX, HOST_ITEMS_MAX + 1};
    for (int k = 0; k < 3; k++) {
        struct buf b = buf_in(a, 0);
        for (int i = 0; i < counts[k]; i++)
            buf_addz(&b, "h:");
        struct host_items items = host_items_read(a, buf_str(&b), HOST_ORDER_KEEP);
        assert_int_equal(items.v.n, counts[k] > HOST_ITEMS_MAX ? HOST_ITEMS_MAX : counts[k]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_items, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shuffle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cap, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
