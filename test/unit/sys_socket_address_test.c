/* Unit tests of sys/socket_address.c. */
#include "sys/socket_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
check(struct str text, int64_t port, socklen_t size, int family)
{
    union socket_address a;
    struct ip ip, again = {.n = 0};
    int64_t port_again = -1;
    assert_true(ip_parse(text, &ip));
    assert_int_equal(socket_address_make(&ip, port, &a), size);
    assert_int_equal(a.any.sa_family, family);
    assert_true(socket_address_read(&a, &again, &port_again));
    assert_int_equal(again.n, ip.n);
    assert_memory_equal(again.b, ip.b, ip.n);
    assert_int_equal(port_again, port);
}

static void
test_both_ways(void **state)
{
    (void)state;
    check(STR_LIT("192.0.2.7"), 0, sizeof(struct sockaddr_in), AF_INET);
    check(STR_LIT("192.0.2.7"), 65535, sizeof(struct sockaddr_in), AF_INET);
    check(STR_LIT("2001:db8::7"), 25, sizeof(struct sockaddr_in6), AF_INET6);
    check(STR_LIT("::ffff:192.0.2.7"), 25, sizeof(struct sockaddr_in6), AF_INET6);
}

static void
test_other_kind(void **state)
{
    (void)state;
    union socket_address a = {.any = {.sa_family = AF_UNIX}};
    struct ip ip = {.n = 4, .b = {1, 2, 3, 4}};
    int64_t port = 7;
    assert_false(socket_address_read(&a, &ip, &port));
    assert_int_equal(ip.n, 4);
    assert_int_equal(port, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_other_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
