/* Routers: options against the inventory, defaults that depend on others, errors in Exim's
 * words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_compat_fixture.h"
#include "conf_load_fixture.h"
#include "routers/router.h"

static const struct compat_exception exceptions[] = {
    {"generic", "group", ""},
    {"generic", "log_as_local", "no_log_as_local"},
    {"generic", "retry_use_local_part", "no_retry_use_local_part"},
    {"generic", "transport_home_directory", ""},
    {"generic", "user", ""},
    {"iplookup", "protocol", ""}, /* applied where it is used, as in Exim: -bP shows nothing */
    {"iplookup", "query", ""},
    {"redirect", "check_group", "no_check_group"},
    {"redirect", "check_owner", "no_check_owner"},
};

static void
compare(const char *driver, const struct opt_table *t)
{
    compat_compare("router_options.tsv", driver, t, exceptions,
                   sizeof exceptions / sizeof exceptions[0]);
}

static void
test_generic_inventory(void **state)
{
    (void)state;
    compare("generic", router_class.generic);
}

static void
test_private_inventory(void **state)
{
    (void)state;
    for (size_t i = 0; i < router_class.n; i++)
        compare(router_class.drivers[i]->name.p, router_class.drivers[i]->opts);
}

static void
test_rows(void **state)
{
    (void)state;
    compat_check_rows(router_class.generic);
    assert_int_equal(router_class.n, 7);
    for (size_t i = 0; i < router_class.n; i++) {
        compat_check_rows(router_class.drivers[i]->opts);
        if (i > 0)
            assert_true(
                str_cmp(router_class.drivers[i - 1]->name, router_class.drivers[i]->name) < 0);
    }
}

/* A configuration with one router r and the transport t. */
static struct loaded
load_router(const char *options)
{
    char text[2048];
    snprintf(text, sizeof text,
             "begin routers\nr:\n%s\nbegin transports\nt:\n  driver = smtp\n", options);
    return load_text(text);
}

static void
assert_shown(const char *options, const char *option, const char *expected)
{
    struct loaded l = load_router(options);
    assert_string_equal(load_exim_error(&l), "");
    assert_string_equal(load_shown(&l, conf_router(l.conf, STR_LIT("r")), option), expected);
    load_free(&l);
}

static void
assert_error(const char *options, const char *expected)
{
    struct loaded l = load_router(options);
    assert_null(l.conf);
    assert_string_equal(load_exim_error(&l), expected);
    load_free(&l);
}

static void
test_generic_defaults(void **state)
{
    (void)state;
    static const char *const by_local_part[] = {
        "local_parts = x", "local_part_prefix = x", "local_part_suffix = x", "condition = x",
        "senders = x",     "require_files = x",     "check_local_user",
    };
    char text[256];
    for (size_t i = 0; i < sizeof by_local_part / sizeof by_local_part[0]; i++) {
        snprintf(text, sizeof text, "driver = accept\ntransport = t\n%s", by_local_part[i]);
        assert_shown(text, "retry_use_local_part", "retry_use_local_part");
    }
    assert_shown("driver = accept\ntransport = t\ndomains = x", "retry_use_local_part",
                 "no_retry_use_local_part");
    assert_shown("driver = accept\ntransport = t\nlocal_parts = x\nno_retry_use_local_part",
                 "retry_use_local_part", "no_retry_use_local_part");
    assert_shown("driver = accept\ntransport = t", "log_as_local", "log_as_local");
    assert_shown("driver = dnslookup\ntransport = t", "log_as_local", "no_log_as_local");
    assert_shown("driver = accept\ntransport = t", "driver", "driver = accept");
}

static void
test_verify(void **state)
{
    (void)state;
    assert_shown("driver = accept\ntransport = t\nno_verify", "verify_sender",
                 "no_verify_sender");
    assert_shown("driver = accept\ntransport = t\nno_verify", "verify_recipient",
                 "no_verify_recipient");
    assert_shown("driver = accept\ntransport = t\nverify = no\nverify_sender", "verify_sender",
                 "verify_sender");
    assert_shown("driver = accept\ntransport = t\nfail_verify", "fail_verify_sender",
                 "fail_verify_sender");
}

static void
test_text_for_bool(void **state)
{
    (void)state;
    assert_shown("driver = accept\ntransport = t\nmore = ${if eq{a}{b}}", "more",
                 "more = ${if eq{a}{b}}");
    assert_shown("driver = accept\ntransport = t\nmore = no", "more", "no_more");
    assert_shown("driver = accept\ntransport = t", "unseen", "no_unseen");
}

static void
test_repeated(void **state)
{
    (void)state;
    assert_shown("driver = accept\ntransport = t\ncondition = a\ncondition = b", "condition",
                 "condition = ${if and{{bool_lax{a}}{bool_lax{b}}}}");
    assert_shown("driver = accept\ntransport = t\nset = r_a = 1\nset = r_b = 2", "set",
                 "set = r_a = 1;r_b = 2");
    assert_shown("driver = accept\ntransport = t\nheaders_add = A: b\nheaders_add = C: d",
                 "headers_add", "headers_add = A: b\\nC: d");
}

static void
test_generic_errors(void **state)
{
    (void)state;
    assert_error("driver = accept", "Exim configuration error:\n  r router:\n"
                                    "  a transport is required for this router\n");
    assert_error("driver = redirect\ndata = x\ntransport = t",
                 "Exim configuration error:\n  r router:\n"
                 "  a transport must not be defined for this router\n");
    assert_error("driver = accept\ntransport = t\nself = foo",
                 "Exim configuration error for r router:\n"
                 "  foo is not valid for the self option\n");
    assert_shown("driver = accept\nverify_only", "verify_only", "verify_only");
    assert_shown("driver = accept\ntransport = t\nself = reroute: x", "self",
                 "self = reroute: x");
}

static void
test_links(void **state)
{
    (void)state;
    assert_error("driver = accept\ntransport = t\npass_router = nosuch",
                 "Exim configuration error:\n"
                 "  new_router \"nosuch\" not found for \"r\" router\n");
    assert_error("driver = accept\ntransport = t\nredirect_router = nosuch",
                 "Exim configuration error:\n"
                 "  new_router \"nosuch\" not found for \"r\" router\n");
    assert_error("driver = accept\ntransport = t\npass_router = r",
                 "Exim configuration error:\n"
                 "  new_router \"r\" does not follow \"r\" router\n");
    assert_shown("driver = accept\ntransport = t\nredirect_router = r", "redirect_router",
                 "redirect_router = r");
}

static void
test_redirect(void **state)
{
    (void)state;
    assert_error("driver = redirect", "Exim configuration error for r router:\n"
                                      "  one of \"file\" or \"data\" must be specified\n");
    assert_error("driver = redirect\nfile = /x\ndata = x",
                 "Exim configuration error for r router:\n"
                 "  only one of \"file\" or \"data\" must be specified\n");
    assert_error("driver = redirect\ndata = x\none_time\nheaders_add = X: y",
                 "Exim configuration error for r router:\n  \"headers_add\" and "
                 "\"headers_remove\" are not permitted with \"one_time\"\n");
    assert_error("driver = redirect\ndata = x\none_time\nunseen",
                 "Exim configuration error for r router:\n"
                 "  \"unseen\" may not be used with \"one_time\"\n");
    assert_error("driver = redirect\ndata = x\nqualify_domain = x\nqualify_preserve_domain",
                 "Exim configuration error for r router:\n  only one of \"qualify_domain\" or "
                 "\"qualify_preserve_domain\" must be set\n");
    assert_error("driver = redirect\ndata = x\nallow_filter",
                 "Exim configuration error for r router:\n  \"user\" or \"check_local_user\" "
                 "must be set with \"allow_filter\"\n");
}

static void
test_redirect_defaults(void **state)
{
    (void)state;
    assert_shown("driver = redirect\nfile = /x", "check_owner", "no_check_owner");
    assert_shown("driver = redirect\nfile = /x\ncheck_local_user", "check_owner",
                 "check_owner");
    assert_shown("driver = redirect\nfile = /x\nowners = root", "check_owner", "check_owner");
    assert_shown("driver = redirect\nfile = /x\ncheck_local_user\nno_check_owner",
                 "check_owner", "no_check_owner");
    assert_shown("driver = redirect\nfile = /x\nowngroups = root", "check_group",
                 "check_group");
    assert_shown("driver = redirect\nfile = /x\ncheck_local_user", "check_group",
                 "no_check_group");
    assert_shown("driver = redirect\nfile = /x\ncheck_local_user\nmodemask = 002",
                 "check_group", "check_group");
    assert_shown("driver = redirect\nfile = /x\none_time", "forbid_pipe", "forbid_pipe");
    assert_shown("driver = redirect\nfile = /x\none_time", "forbid_file", "forbid_file");
    assert_shown("driver = redirect\nfile = /x", "modemask", "modemask = 022");
}

static void
test_manualroute(void **state)
{
    (void)state;
    assert_error("driver = manualroute\ntransport = t",
                 "Exim configuration error for r router:\n"
                 "  route_list or route_data (but not both) must be specified\n");
    assert_error("driver = manualroute\nroute_list = * x\nhost_find_failed = foo",
                 "Exim configuration error for r router:\n"
                 "  unrecognized setting for host_find_failed option\n");
    assert_error("driver = manualroute\nroute_list = * x\nhost_all_ignored = ignore",
                 "Exim configuration error for r router:\n"
                 "  unrecognized setting for host_all_ignored option\n");
    assert_shown("driver = manualroute\nroute_list = * x\nhost_find_failed = ignore",
                 "host_find_failed", "host_find_failed = ignore");
}

static void
test_programs_and_servers(void **state)
{
    (void)state;
    assert_error("driver = iplookup", "Exim configuration error for r router:\n"
                                      "  a port must be specified\n");
    assert_error("driver = iplookup\nhosts = 1.1.1.1\nport = 3\nprotocol = foo",
                 "Exim configuration error for r router:\n"
                 "  protocol not specified as udp or tcp\n");
    assert_error("driver = queryprogram\ncommand_user = root",
                 "Exim configuration error for r router:\n"
                 "  a command specification is required\n");
    assert_error("driver = queryprogram\ncommand = /x",
                 "Exim configuration error for r router:\n"
                 "  command_user must be specified\n");
}

/* Errors point at the option that is wrong, also when Exim names no line. */
static void
test_places(void **state)
{
    (void)state;
    struct loaded l = load_router("driver = accept\ntransport = t\nself = foo");
    assert_int_equal(diags_total(l.diags), 1);
    assert_int_equal(diags_at(l.diags, 0)->at.line, 5);
    load_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generic_inventory),
        cmocka_unit_test(test_private_inventory),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_generic_defaults),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_text_for_bool),
        cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_generic_errors),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_redirect),
        cmocka_unit_test(test_redirect_defaults),
        cmocka_unit_test(test_manualroute),
        cmocka_unit_test(test_programs_and_servers),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
