/* The options of the main section against the inventory and what is known of their defaults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/main_options.h"
#include "conf_compat_fixture.h"

/* Texts too long for the inventory are compared with what the specification says elsewhere. */
static const char received[] =
    "Received: ${if def:sender_rcvhost {from $sender_rcvhost\\n\\t}{${if def:sender_ident "
    "{from ${quote_local_part:$sender_ident} }}${if def:sender_helo_name "
    "{(helo=$sender_helo_name)\\n\\t}}}}by $primary_hostname ${if def:received_protocol {with "
    "$received_protocol }}${if def:tls_in_ver        { ($tls_in_ver)}}${if "
    "def:tls_in_cipher_std { tls $tls_in_cipher_std\\n\\t}}(Exim $version_number)\\n\\t${if "
    "def:sender_address {(envelope-from <$sender_address>)\\n\\t}}id $message_exim_id${if "
    "def:received_for {\\n\\tfor $received_for}}";

static const struct compat_exception exceptions[] = {
    {"", "delay_warning_condition",
     "${if or {{ !eq{$h_list-id:$h_list-post:$h_list-subscribe:}{} }{ match{$h_precedence:}"
     "{(?i)bulk|list|junk} }{ match{$h_auto-submitted:}{(?i)auto-generated|auto-replied} }} "
     "{no}{yes}}"},
    {"", "deliver_queue_load_max", ""},
    {"", "exim_group", ""},
    {"", "exim_path", "/usr/sbin/remex"},
    {"", "exim_user", ""},
    {"", "exim_version", "4.99"},
    {"", "header_maxsize", "1048576"},
    {"", "headers_charset", "ISO-8859-1"},
    {"", "local_interfaces", "<; ::0 ; 0.0.0.0"},
    {"", "log_file_path", ""},
    {"", "openssl_options", ""},
    {"", "pid_file_path", ""},
    {"", "primary_hostname", ""}, /* filled in later, as the next two */
    {"", "qualify_domain", ""},
    {"", "qualify_recipient", ""},
    {"", "received_header_text", received},
    {"", "spool_directory", "/var/spool/remex"},
    {"", "uucp_from_pattern",
     "^From\\s+(\\S+)\\s+(?:[a-zA-Z]{3},?\\s+)?(?:[a-zA-Z]{3}\\s+\\d?\\d|\\d?\\d\\s+[a-zA-Z]{3}"
     "\\s+\\d\\d(?:\\d\\d)?)\\s+\\d\\d?:\\d\\d?"},
};

static void
test_inventory(void **state)
{
    (void)state;
    compat_compare("main_options.tsv", NULL, &conf_main_opts, exceptions,
                   sizeof exceptions / sizeof exceptions[0]);
}

static void
test_rows(void **state)
{
    (void)state;
    assert_int_equal(conf_main_opts.n, 302); /* Exim's 294, and those of our own */
    compat_check_rows(&conf_main_opts);
}

static bool
set_option(struct arena *a, struct opt_set *s, const char *line, struct diags *d)
{
    struct opt_ctx ctx = {.arena = a, .diags = d};
    struct opt_line l = opt_line_scan(str_from_cstr(line), NULL);
    return opt_parse(&ctx, s, &l) == OPT_DONE;
}

static const char *
shown(struct arena *a, const struct opt_set *s, const char *name)
{
    struct buf b = buf_in(a, 0);
    opt_print(&b, s, opt_find(s->table, str_from_cstr(name)), true, OPT_SHOW_FULL);
    return str_cstr(a, buf_str(&b));
}

static void
test_fields(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct opt_set s = opt_new(a, &conf_main_opts);
    const struct conf_main *m = s.fields;
    assert_true(m->accept_8bitmime);
    assert_int_equal(m->callout_positive_expire, 24 * 3600);
    assert_int_equal(m->check_spool_space, 10 * 1024); /* kilobytes */
    assert_int_equal(m->queue_only_load, -1);
    assert_int_equal(m->delay_warning.n, 1);
    assert_int_equal(m->delay_warning.v[0], 24 * 3600);
    assert_true(set_option(a, &s, "no_accept_8bitmime", d));
    assert_true(set_option(a, &s, "queue_only_load = 2.5", d));
    assert_true(set_option(a, &s, "smtp_receive_timeout = ${if eq{a}{b}{1s}{2m}}", d));
    assert_false(m->accept_8bitmime);
    assert_int_equal(m->queue_only_load, 2500);
    assert_string_equal(shown(a, &s, "smtp_receive_timeout"),
                        "smtp_receive_timeout = ${if eq{a}{b}{1s}{2m}}\n");
    assert_int_equal(diags_total(d), 0);
    arena_free(a);
}

static void
test_synonyms(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct opt_set s = opt_new(a, &conf_main_opts);
    const struct conf_main *m = s.fields;
    assert_true(str_eqz(m->daemon_smtp_ports, "smtp"));
    assert_true(set_option(a, &s, "daemon_smtp_port = 26", d));
    assert_true(set_option(a, &s, "return_size_limit = 2K", d));
    assert_true(str_eqz(m->daemon_smtp_ports, "26"));
    assert_int_equal(m->bounce_return_size_limit, 2048);
    arena_free(a);
}

static void
test_log_selector(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct opt_set s = opt_new(a, &conf_main_opts);
    assert_string_equal(shown(a, &s, "log_selector"), "log_selector = \n");
    assert_true(set_option(a, &s, "log_selector = +all -pid", d));
    assert_string_equal(shown(a, &s, "log_selector"), "log_selector = +all -pid\n");
    struct opt_set t = opt_new(a, &conf_main_opts);
    assert_false(set_option(a, &t, "log_selector = +pidd", d));
    assert_int_equal(diags_total(d), 1);
    assert_true(str_eqz(diags_at(d, 0)->text, "unknown log_selector setting: +pidd"));
    assert_true(str_eqz(diags_at(d, 0)->hint, "pid"));
    assert_true(str_is_set(diags_at(d, 0)->exim_place));
    arena_free(a);
}

static void
test_complete(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct conf_main m = {.log_ports = {.text = STR_INIT("*")}};
    conf_main_complete(&m, STR_LIT("h.example"));
    assert_true(str_eqz(m.primary_hostname, "h.example"));
    assert_true(str_eqz(m.qualify_domain, "h.example"));
    assert_true(str_eqz(m.qualify_recipient, "h.example"));
    struct conf_main n = {.qualify_domain = STR_INIT("q.example"),
                          .primary_hostname = STR_INIT("p.example")};
    conf_main_complete(&n, STR_LIT("h.example"));
    assert_true(str_eqz(n.primary_hostname, "p.example"));
    assert_true(str_eqz(n.qualify_recipient, "q.example"));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inventory),    cmocka_unit_test(test_rows),
        cmocka_unit_test(test_fields),       cmocka_unit_test(test_synonyms),
        cmocka_unit_test(test_log_selector), cmocka_unit_test(test_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
