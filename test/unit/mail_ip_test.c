/* Unit tests of mail/ip.c; the expected answers are Exim's. */
#include "mail/ip.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
assert_str(struct str s, const char *want)
{
    assert_int_equal(s.n, strlen(want));
    assert_memory_equal(s.p, want, s.n);
}

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

enum oper { REVERSE, MASK, MASK_N, NORM, DENORM };

struct text_row {
    enum oper oper;
    const char *in;
    const char *out;
};

struct is_row {
    int version;
    const char *in;
    bool is;
};

/* clang-format off */
/* The all-zero address is "::" here, and ":" in the reference. */
static const struct text_row text_rows[] = {
    {REVERSE, "192.0.2.4", "4.2.0.192"},
    {REVERSE, "2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"},
    {REVERSE, "::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"},
    {REVERSE, "::ffff:1.2.3.4", "4.3.2.1"},
    {REVERSE, "1.2.3", "Failed: reverse_ip() not given an IP address [1.2.3]"},
    {REVERSE, "fe80::1%eth0", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f"},
    {REVERSE, " 1.2.3.4", "Failed: reverse_ip() not given an IP address [ 1.2.3.4]"},
    {REVERSE, "", "Failed: reverse_ip() not given an IP address []"},
    {REVERSE, "01.2.3.4", "Failed: reverse_ip() not given an IP address [01.2.3.4]"},
    {REVERSE, "2001:0db8:c42:9:1:abcd:192.0.2.127", "f.7.2.0.0.0.0.c.d.c.b.a.1.0.0.0.9.0.0.0.2.4.c.0.8.b.d.0.1.0.0.2"},
    {REVERSE, "x", "Failed: reverse_ip() not given an IP address [x]"},
    {MASK, "10.111.131.206/28", "10.111.131.192/28"},
    {MASK, "3ffe:ffff:836f:0a00:000a:0800:200a:c031/99", "3ffe.ffff.836f.0a00.000a.0800.2000.0000/99"},
    {MASK, "10.1.2.3/0", "0.0.0.0/0"},
    {MASK, "10.1.2.3/32", "10.1.2.3/32"},
    {MASK, "10.1.2.3/33", "Failed: mask value too big in \"10.1.2.3/33\""},
    {MASK, "10.1.2.3", "Failed: missing mask value in \"10.1.2.3\""},
    {MASK, "10.1.2.3/", "0.0.0.0/0"},
    {MASK, "10.1.2.3/a", "Failed: \"10.1.2.3/a\" is not an IP address"},
    {MASK, "10.1.2.3/8a", "Failed: \"10.1.2.3/8a\" is not an IP address"},
    {MASK, "10.1.2.3/-1", "Failed: \"10.1.2.3/-1\" is not an IP address"},
    {MASK, "10.1.2.3/ 8", "10.0.0.0/8"},
    {MASK, "10.1.2/8", "Failed: \"10.1.2/8\" is not an IP address"},
    {MASK, "10.1/8", "Failed: \"10.1/8\" is not an IP address"},
    {MASK, "10/8", "Failed: \"10/8\" is not an IP address"},
    {MASK, "::1/128", "0000.0000.0000.0000.0000.0000.0000.0001/128"},
    {MASK, "::1/129", "Failed: mask value too big in \"::1/129\""},
    {MASK, "::ffff:1.2.3.4/120", "0000.0000.0000.0000.0000.ffff.0102.0300/120"},
    {MASK, "fe80::1%eth0/10", "Failed: \"fe80::1%eth0/10\" is not an IP address"},
    {MASK, "256.1.1.1/8", "Failed: \"256.1.1.1/8\" is not an IP address"},
    {MASK, "1.2.3.4.5/8", "Failed: \"1.2.3.4.5/8\" is not an IP address"},
    {MASK, "/8", "Failed: \"/8\" is not an IP address"},
    {MASK, "", "Failed: \"\" is not an IP address"},
    {MASK, "10.1.2.3/08", "10.0.0.0/8"},
    {MASK, "10.1.2.3/0x8", "Failed: \"10.1.2.3/0x8\" is not an IP address"},
    {MASK, "10.1.2.3/99999999999", "Failed: mask value too big in \"10.1.2.3/99999999999\""},
    {MASK_N, "3ffe:ffff:836f:0a00:000a:0800:200a:c031/99", "3ffe:ffff:836f:a00:a:800:2000::/99"},
    {MASK_N, "2001:db8::1/32", "2001:db8::/32"},
    {MASK_N, "2001:db8::1/0", "::/0"},
    {MASK_N, "10.1.2.3/8", "10.0.0.0/8"},
    {MASK_N, "::ffff:1.2.3.4/120", "::ffff:102:300/120"},
    {MASK_N, "1:0:0:2:0:0:0:3/128", "1:0:0:2::3/128"},
    {MASK_N, "1:0:2:0:3:0:4:0/128", "1::2:0:3:0:4:0/128"},
    {MASK_N, "0:0:2:0:0:0:4:0/128", "0:0:2::4:0/128"},
    {MASK_N, "1:0:0:2:3:0:0:4/128", "1::2:3:0:0:4/128"},
    {NORM, "2001:db8:0:0:0:0:0:1", "2001:db8::1"},
    {NORM, "1.2.3.4", "::ffff:102:304"},
    {NORM, "::", "::"},
    {NORM, "::1", "::1"},
    {NORM, "1::", "1::"},
    {NORM, "::ffff:1.2.3.4", "::ffff:102:304"},
    {NORM, "1:0:0:2:3:0:0:4", "1::2:3:0:0:4"},
    {NORM, "1:0:2:3:4:5:6:7", "1::2:3:4:5:6:7"},
    {NORM, "1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7::"},
    {NORM, "0:0:0:0:0:0:0:1", "::1"},
    {NORM, "fe80::1%eth0", "fe80::1"},
    {NORM, "x", "Failed: \"x\" is not an IP address"},
    {NORM, "", "Failed: \"\" is not an IP address"},
    {NORM, "2001:DB8::A", "2001:db8::a"},
    {NORM, "2001:db8::1/64", "Failed: \"2001:db8::1/64\" is not an IP address"},
    {NORM, "1.2.3", "Failed: \"1.2.3\" is not an IP address"},
    {DENORM, "::1", "0000:0000:0000:0000:0000:0000:0000:0001"},
    {DENORM, "1.2.3.4", "0000:0000:0000:0000:0000:ffff:0102:0304"},
    {DENORM, "fe80::1%eth0", "fe80:0000:0000:0000:0000:0000:0000:0001"},
    {DENORM, "x", "Failed: \"x\" is not an IP address"},
    {DENORM, "", "Failed: \"\" is not an IP address"},
    {DENORM, "12345::", "Failed: \"12345::\" is not an IP address"},
    {DENORM, "::1.2.3.4", "0000:0000:0000:0000:0000:0000:0102:0304"},
    {DENORM, "1:2:3:4:5:6:7:8:9", "Failed: \"1:2:3:4:5:6:7:8:9\" is not an IP address"},
    {DENORM, "1:2:3:4:5:6:7", "Failed: \"1:2:3:4:5:6:7\" is not an IP address"},
    {DENORM, "1::2::3", "Failed: \"1::2::3\" is not an IP address"},
    {DENORM, "::ffff:1.2.3.256", "Failed: \"::ffff:1.2.3.256\" is not an IP address"},
};

static const struct is_row is_rows[] = {
    {0, "1.2.3.4", true},
    {4, "1.2.3.4", true},
    {6, "1.2.3.4", false},
    {0, "::1", true},
    {4, "::1", false},
    {6, "::1", true},
    {0, "fe80::1%eth0", true},
    {6, "fe80::1%eth0", true},
    {6, "fe80::1%", true},
    {6, "fe80::1% ", false},
    {4, "1.2.3.4%eth0", false},
    {0, "1.2.3.4/24", false},
    {0, "1.2.3", false},
    {0, "01.02.03.04", false},
    {0, "001.002.003.004", false},
    {0, "0001.2.3.4", false},
    {0, "1.2.3.999", false},
    {0, "1.2.3.256", false},
    {0, "1.2.3.0x1", false},
    {0, " 1.2.3.4", false},
    {0, "1.2.3.4 ", false},
    {0, "", false},
    {0, "::", true},
    {0, ":", false},
    {0, ":::", false},
    {0, "1::2::3", false},
    {0, "1:2:3:4:5:6:7:8", true},
    {0, "1:2:3:4:5:6:7", false},
    {0, "1:2:3:4:5:6:7:8:9", false},
    {0, "1:2:3:4:5:6:7::", true},
    {0, "::2:3:4:5:6:7:8", true},
    {0, "1::2:3:4:5:6:7:8", false},
    {0, "12345::", false},
    {0, "00001::", false},
    {0, "::1.2.3.4", true},
    {0, "::ffff:1.2.3.4", true},
    {0, "1:2:3:4:5:6:1.2.3.4", true},
    {0, "1:2:3:4:5:6:7:1.2.3.4", false},
    {0, "::1.2.3", false},
    {0, "::1.2.3.4:1", false},
    {0, "::g", false},
    {0, "1:2:3:4:5:6:7:", false},
    {0, ":1:2:3:4:5:6:7", false},
    {0, "::1/64", false},
    {0, "0::0:1.2.3.4", true},
    {0, "[1.2.3.4]", false},
};
/* clang-format on */

static struct str
answer(struct arena *a, enum oper oper, struct str in)
{
    struct ip_net net;
    struct ip ip;
    if (oper == MASK || oper == MASK_N) {
        enum ip_net_status st = ip_net_parse(in, &net);
        if (st == IP_NET_OK)
            return ip_text_masked(a, &net, oper == MASK ? IP_MASK_DOTS : IP_MASK_NORM);
        return str_cat(a, STR_LIT("Failed: "), ip_net_error(a, st, in));
    }
    if (!ip_parse(in, &ip)) {
        if (oper == REVERSE)
            return str_printf(a, "Failed: reverse_ip() not given an IP address [%.*s]",
                              STR_ARG(in));
        return str_cat(a, STR_LIT("Failed: "), ip_net_error(a, IP_NET_BAD, in));
    }
    return oper == REVERSE ? ip_text_reverse(a, &ip)
           : oper == NORM  ? ip_text_norm(a, &ip)
                           : ip_text_full(a, &ip, ':');
}

static void
texts_answer_as_exim(void **state)
{
    for (size_t i = 0; i < COUNT(text_rows); i++)
        assert_str(answer(*state, text_rows[i].oper, str_from_cstr(text_rows[i].in)),
                   text_rows[i].out);
}

static void
forms_are_known_as_in_exim(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(is_rows); i++)
        assert_int_equal(ip_is(str_from_cstr(is_rows[i].in), is_rows[i].version),
                         is_rows[i].is);
}

static bool
in_net(const char *ip_z, const char *net_z)
{
    struct ip ip;
    struct ip_net net;
    assert_true(ip_parse(str_from_cstr(ip_z), &ip));
    return ip_net_parse_host(str_from_cstr(net_z), &net) && ip_in_net(&ip, &net);
}

static void
networks_match(void **state)
{
    (void)state;
    assert_true(in_net("10.1.2.3", "10.9.9.9/8"));
    assert_true(in_net("10.1.2.3", "10.0.0.0/ 8"));
    assert_true(in_net("10.1.2.3", "10.0.0.0/"));
    assert_true(in_net("10.1.2.3", "10.1.2.3"));
    assert_true(in_net("10.1.2.3", "10.1.2.2/31"));
    assert_false(in_net("10.1.2.3", "10.1.2.1/31"));
    assert_false(in_net("10.1.2.3", "10.0.0.0/33"));
    assert_false(in_net("10.1.2.3", "::/0"));
    assert_false(in_net("::1", "0.0.0.0/0"));
    assert_true(in_net("::ffff:10.1.2.3", "10.0.0.0/8"));
    assert_false(in_net("10.1.2.3", "::ffff:10.0.0.0/104"));
    assert_true(in_net("fe80::1%eth0", "fe80::/10"));
    assert_true(in_net("0:0::1", "::1"));
    assert_false(in_net("2001:db8:8000::", "2001:db8::/33"));
}

static void
plain_texts_and_scope(void **state)
{
    struct ip ip;
    struct str scope;
    assert_true(ip_parse_scoped(STR_LIT("fe80::1%eth0"), &ip, &scope));
    assert_str(scope, "eth0");
    assert_str(ip_text(*state, &ip), "fe80::1");
    assert_true(ip_parse(STR_LIT("::ffff:1.2.3.4"), &ip));
    assert_true(ip_is_mapped(&ip));
    assert_str(ip_text(*state, &ip), "::ffff:1.2.3.4");
    ip_unmap(&ip);
    assert_str(ip_text(*state, &ip), "1.2.3.4");
    ip_unmap(&ip);
    assert_str(ip_text(*state, &ip), "1.2.3.4");
    assert_true(ip_parse(STR_LIT("1:0:2:3:4:5:6:7"), &ip));
    ip_unmap(&ip);
    assert_str(ip_text(*state, &ip), "1:0:2:3:4:5:6:7");
    assert_str(ip_text_norm(*state, &ip), "1::2:3:4:5:6:7");
    assert_true(ip_parse(STR_LIT("1.2.3.4"), &ip));
    assert_str(ip_text(*state, &ip), "1.2.3.4");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_answer_as_exim),
        cmocka_unit_test(forms_are_known_as_in_exim),
        cmocka_unit_test(networks_match),
        cmocka_unit_test(plain_texts_and_scope),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
