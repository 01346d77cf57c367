/* Unit tests of lookups/iplsearch.c. Expected values are those that Exim gives. */
#include "lookups_fixture.h"

static const char text[] =
    "1.2.3.4: exact\n192.168.0.0/16: net16\n\"abcd::cdab\": v6\n"
    "\"abcd:abcd::/32\"   v6net\n10.0.0.0/33: beyond\nbogus: x\n::1 no\n"
    "172.16.0.0/12 net12\n1.1.1.1/32x: junk\n1.1.2.0/024: zero\n2.1.0.0/-1: neg\n"
    "\"3.1.0.0/ 16\": space\n4.1.0.0/16/8: twice\n7.0.0.0/999: big\n"
    "08.0.0.0/8: octal\n\"fe80::1%eth0\": scope\n\"fe81::/129\": big6\n"
    "\"fe82::/16\": ok6\n\"::ffff:9.9.9.9\": mapped\n*: star\n";

static void
addresses_and_networks(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(f, "f", text);
    const char *const expected[][2] = {
        {"1.2.3.4", "=exact"},
        {"::ffff:1.2.3.4", "=exact"},
        {"192.168.9.9", "=net16"},
        {"192.169.0.0", "-"},
        {"abcd::cdab", "=v6"},
        {"ABCD:ABCD:1::", "=v6net"},
        {"10.0.0.0", "=beyond"},
        {"10.0.0.1", "-"},
        {"172.31.255.255", "=net12"},
        {"172.32.0.0", "-"},
        {"1.1.1.1", "-"},
        {"1.1.2.255", "=zero"},
        {"2.1.0.0", "-"},
        {"3.1.9.9", "=space"},
        {"4.1.0.0", "-"},
        {"7.0.0.0", "=big"},
        {"8.0.0.1", "-"},
        {"fe80::1", "=scope"},
        {"fe80::1%eth1", "=scope"},
        {"fe81::", "=big6"},
        {"fe81::1", "-"},
        {"fe82:ffff::1", "=ok6"},
        {"9.9.9.9", "-"},
        {"::1", "-"},
        {"*", "=star"},
        {"", "-"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        CHECK(f, "iplsearch", p, expected[i][0], expected[i][1]);
    CHECK(f, "iplsearch*", p, "9.9.9.9", "=star");
    CHECK(f, "iplsearch,ret=full", p, "abcd:abcd::1", "=abcd:abcd::/32   v6net");
    CHECK(f, "iplsearch,ret=key", p, "1.2.3.4", "=1.2.3.4");
}

static void
masks_at_their_bounds(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p =
        fixture_file(f, "f",
                     "\"2001:db8::/64\": a\n\"2001:db8:1::/65\": b\n\"::/0\": all6\n"
                     "5.0.0.0/31: c\n0.0.0.0/: all4\n");
    CHECK(f, "iplsearch", p, "2001:db8::ffff:ffff:ffff:ffff", "=a");
    CHECK(f, "iplsearch", p, "2001:db8:1::7fff:0:0:0", "=b");
    CHECK(f, "iplsearch", p, "2001:db8:1:0:8000::", "=all6");
    CHECK(f, "iplsearch", p, "5.0.0.1", "=c");
    CHECK(f, "iplsearch", p, "5.0.0.2", "=all4");
}

static void
keys_that_are_no_address(void **state)
{
    struct lookups_fixture *f = *state;
    const char *p = fixture_file(f, "f", text);
    const char *const bad[] = {"key",      "1.2.3.4/8", "01.2.3.4", "1.2.3",
                               " 1.2.3.4", "[1.2.3.4]", "%"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_string_equal(
            fixture_find(f, "iplsearch", p, bad[i]),
            str_printf(f->arena,
                       "~\"%s\" is not a valid iplsearch key (an IP address, with optional "
                       "CIDR mask, is wanted): in a host list, use net-iplsearch as the "
                       "search type",
                       bad[i])
                .p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(addresses_and_networks),
        LOOKUP_TEST(masks_at_their_bounds),
        LOOKUP_TEST(keys_that_are_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
