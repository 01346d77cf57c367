/* Unit tests of sys/hosts.c: only what a hosts file answers, no network. */
#include "sys/hosts.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
localhost_has_an_address_and_back(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct hosts_addresses addresses;
    assert_int_equal(hosts_find_addresses(a, STR_LIT("localhost"), &addresses), HOSTS_OK);
    struct ip loopback;
    assert_true(ip_parse(STR_LIT("127.0.0.1"), &loopback));
    bool found = false;
    for (size_t i = 0; i < addresses.n; i++)
        found |= addresses.v[i].n == 4 && memcmp(addresses.v[i].b, loopback.b, 4) == 0;
    assert_true(found);
    struct hosts_names names;
    assert_int_equal(hosts_find_names(a, &loopback, &names), HOSTS_OK);
    assert_true(names.n >= 1);
    assert_true(str_is_tainted(names.v[0]));
    arena_free(a);
}

static void
what_is_no_name_is_not_asked(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct hosts_addresses addresses;
    char longest[257];
    memset(longest, 'a', sizeof longest);
    assert_int_equal(hosts_find_addresses(a, STR_EMPTY, &addresses), HOSTS_NONE);
    assert_int_equal(hosts_find_addresses(a, str_from(longest, 256), &addresses), HOSTS_NONE);
    assert_int_equal(hosts_find_addresses(a, str_from("a\0b", 3), &addresses), HOSTS_NONE);
    struct hosts_names names;
    assert_int_equal(hosts_find_names(a, &(struct ip){0}, &names), HOSTS_NONE);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(localhost_has_an_address_and_back),
        cmocka_unit_test(what_is_no_name_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
