/* Authenticators: options against the inventory, public names, errors in Exim's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auths/auth.h"
#include "conf_compat_fixture.h"
#include "conf_load_fixture.h"

static const struct compat_exception exceptions[] = {
    {"cram_md5", "client_name", ""}, /* applied where it is used */
};

static void
compare(const char *driver, const struct opt_table *t)
{
    compat_compare("auth_options.tsv", driver, t, exceptions, 1);
}

static void
test_inventory(void **state)
{
    (void)state;
    compare("generic", auth_class.generic);
    for (size_t i = 0; i < auth_class.n; i++)
        compare(auth_class.drivers[i]->name.p, auth_class.drivers[i]->opts);
}

static void
test_rows(void **state)
{
    (void)state;
    compat_check_rows(auth_class.generic);
    assert_int_equal(auth_class.n, 9);
    for (size_t i = 0; i < auth_class.n; i++)
        compat_check_rows(auth_class.drivers[i]->opts);
}

static struct loaded
load_auths(const char *options)
{
    char text[2048];
    snprintf(text, sizeof text, "begin authenticators\na:\n%s\n", options);
    return load_text(text);
}

static void
assert_shown(const char *options, const char *option, const char *expected)
{
    struct loaded l = load_auths(options);
    assert_string_equal(load_exim_error(&l), "");
    assert_string_equal(load_shown(&l, conf_auth(l.conf, STR_LIT("a")), option), expected);
    load_free(&l);
}

static void
assert_error(const char *options, const char *expected)
{
    struct loaded l = load_auths(options);
    assert_null(l.conf);
    assert_string_equal(load_exim_error(&l), expected);
    load_free(&l);
}

static void
test_public_name(void **state)
{
    (void)state;
    assert_shown("driver = plaintext\npublic_name = PLAIN", "public_name",
                 "public_name = PLAIN");
    assert_shown("driver = plaintext", "public_name", "public_name = a");
    assert_shown("driver = tls", "public_name", "public_name = a");
    assert_error("driver = cram_md5\nserver_secret = x",
                 "Exim configuration error:\n"
                 "  no public name specified for the a authenticator\n");
}

static void
test_two_servers(void **state)
{
    (void)state;
    assert_error("driver = plaintext\npublic_name = PLAIN\nserver_condition = 1\n"
                 "b:\ndriver = plaintext\npublic_name = plain\nserver_condition = 1",
                 "Exim configuration error:\n  two server authenticators (a and b) have the "
                 "same public name (PLAIN)\n");
    assert_shown("driver = plaintext\npublic_name = PLAIN\nclient_send = x\n"
                 "b:\ndriver = plaintext\npublic_name = PLAIN\nserver_condition = 1",
                 "client_send", "client_send = x");
}

static void
test_is_server(void **state)
{
    (void)state;
    struct loaded l = load_auths("driver = cram_md5\npublic_name = X\nserver_secret = y\n"
                                 "b:\ndriver = cram_md5\npublic_name = Y\nclient_secret = z\n"
                                 "c:\ndriver = dovecot\nserver_socket = /x\n"
                                 "d:\ndriver = plaintext\nserver_condition = 1");
    assert_non_null(l.conf);
    assert_true(auth_is_server(conf_auth(l.conf, STR_LIT("a"))));
    assert_false(auth_is_server(conf_auth(l.conf, STR_LIT("b"))));
    assert_true(auth_is_server(conf_auth(l.conf, STR_LIT("c"))));
    assert_true(auth_is_server(conf_auth(l.conf, STR_LIT("d"))));
    load_free(&l);
}

static void
test_drivers(void **state)
{
    (void)state;
    assert_error("driver = spa\npublic_name = X\nclient_username = x",
                 "Exim configuration error for a authenticator:\n  one of client_username and "
                 "client_password cannot be set without the other\n");
    assert_shown("driver = tls\nserver_param = x", "server_param1", "server_param1 = x");
    assert_shown("driver = tls\nserver_param1 = x", "server_param", "server_param = x");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inventory),   cmocka_unit_test(test_rows),
        cmocka_unit_test(test_public_name), cmocka_unit_test(test_two_servers),
        cmocka_unit_test(test_is_server),   cmocka_unit_test(test_drivers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
