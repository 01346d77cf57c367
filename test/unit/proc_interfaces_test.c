/* Where the daemon listens, and how the log says so. */
#include "proc/interfaces.h"

#include "base/arena.h"
#include "conf/main_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct row {
    const char *ports, *interfaces, *over, *tls;
    bool no_ipv6;
    const char *want; /* or the error, behind "!" */
};

static const char both[] = "<; ::0 ; 0.0.0.0";

static const struct row rows[] = {
    {"25", both, NULL, NULL, false, "SMTP on port 25 (IPv6 and IPv4)"},
    {"25", both, NULL, NULL, true, "SMTP on port 25"},
    {"25", "0.0.0.0", "1225", NULL, false, "SMTP on port 1225"},
    {"25", "::0", "1225", NULL, false, "!invalid IP address \":0\" in local_interfaces"},
    {"25", "<;::0", "1225", NULL, false, "SMTP on port 1225 (IPv6)"},
    {"25:26", "<; 127.0.0.1.28 ; 0.0.0.0", NULL, NULL, false,
     "SMTP on [127.0.0.1]:28 port 25 (IPv4) port 26 (IPv4)"},
    {"25:26", "<; 0.0.0.0 ; 127.0.0.1.28 ; ::0", NULL, NULL, false,
     "SMTP on port 25 (IPv6 and IPv4) port 26 (IPv6 and IPv4) [127.0.0.1]:28"},
    {"25", both, "<; 27;25;127.0.0.1", NULL, false, "SMTP on [127.0.0.1]:{27,25}"},
    {"25", both, "<; ::0.25; 0.0.0.0.25;0.0.0.0.26", NULL, false,
     "SMTP on port 25 (IPv6 and IPv4) port 26 (IPv4)"},
    {"25", both, "[127.0.0.1]:2525", NULL, false, "SMTP on [127.0.0.1]:2525"},
    {"25", both, "<;[127.0.0.1]:2525;[::1]:26", NULL, false,
     "SMTP on [127.0.0.1]:2525 [::1]:26"},
    {"25 : 465", "0.0.0.0", NULL, "465", false, "SMTP on port 25 and for SMTPS on port 465"},
    {"465", "0.0.0.0", NULL, "465", false, "SMTPS on port 465"},
    {"no-such-service", both, NULL, NULL, false,
     "!TCP port \"no-such-service\" not found (daemon_smtp_ports)"},
    {"25", "300.0.0.1", NULL, NULL, false,
     "!invalid IP address \"300.0.0.1\" in local_interfaces"},
    {"0", both, NULL, NULL, false, "!TCP port \"0\" not found (daemon_smtp_ports)"},
    {"65535", "0.0.0.0", NULL, NULL, false, "SMTP on port 65535"},
    {"65536", "0.0.0.0", NULL, NULL, false,
     "!TCP port \"65536\" not found (daemon_smtp_ports)"},
    {"", "127.0.0.1", NULL, NULL, false,
     "!no port specified for interface 127.0.0.1 and daemon_smtp_port is unset; cannot start "
     "daemon"},
};

static void
check(const struct row *r)
{
    struct arena *a = arena_new();
    struct interfaces all;
    struct str error;
    struct conf_main c = {.daemon_smtp_ports = str_from_cstr(r->ports),
                          .disable_ipv6 = r->no_ipv6};
    c.local_interfaces.text = str_from_cstr(r->interfaces);
    c.tls_on_connect_ports.text = str_from_cstr(r->tls);
    bool ok = interfaces_find(a, &c, str_from_cstr(r->over), false, &all, &error);
    if (r->want[0] == '!') {
        assert_false(ok);
        assert_string_equal(str_cstr(a, error), r->want + 1);
    } else {
        assert_true(ok);
        assert_string_equal(str_cstr(a, interfaces_text(a, &all)), r->want);
    }
    arena_free(a);
}

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i]);
}

static void
test_all_tls(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct interfaces all;
    struct str error;
    struct conf_main c = {.daemon_smtp_ports = STR_LIT("25")};
    c.local_interfaces.text = STR_LIT("0.0.0.0");
    assert_true(interfaces_find(a, &c, STR_NULL, true, &all, &error));
    assert_string_equal(str_cstr(a, interfaces_text(a, &all)), "SMTPS on port 25");
    assert_string_equal(str_cstr(a, interfaces_address(a, &all.v.v[0])), "(any IPv4)");
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_all_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
