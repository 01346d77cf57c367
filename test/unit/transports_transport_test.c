/* Transports: options against the inventory, defaults that depend on others, errors in Exim's
 * words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_compat_fixture.h"
#include "conf_load_fixture.h"
#include "transports/transport.h"

static const char extract[] =
    "${if and {{match{$host}{.outlook.com\\$}} {match{$item}{\\N^250-([\\w.]+)\\s\\N}}} {$1}}";

static const struct compat_exception exceptions[] = {
    {"generic", "group", ""},
    {"generic", "message_size_limit", ""},
    {"generic", "retry_use_local_part", "no_retry_use_local_part"},
    {"generic", "user", ""},
    /* set by the check, depending on the kind of mailbox */
    {"appendfile", "check_string", ""},
    {"appendfile", "escape_string", ""},
    {"appendfile", "message_prefix", ""},
    {"appendfile", "message_suffix", ""},
    {"appendfile", "quota_warn_message", ""},
    {"appendfile", "use_fcntl_lock", "use_fcntl_lock"},
    {"appendfile", "use_lockfile", "use_lockfile"},
    {"appendfile", "use_mbx_lock", "no_use_mbx_lock"},
    /* zero is what an unset one means */
    {"appendfile", "quota_filecount", ""},
    {"appendfile", "quota_warn_threshold", ""},
    {"appendfile", "maildir_quota_directory_regex", "^(?:cur|new|\\..*)$"},
    {"autoreply", "once_repeat", ""},
    {"pipe", "message_prefix", ""},
    {"pipe", "message_suffix", ""},
    {"pipe", "temp_errors", "75:73"},
    {"smtp", "dkim_sign_headers", ""},
    {"smtp", "host_name_extract", extract},
    {"smtp", "hosts_request_ocsp", "*"},
    {"smtp", "port", ""}, /* by protocol */
};

static void
compare(const char *driver, const struct opt_table *t)
{
    compat_compare("transport_options.tsv", driver, t, exceptions,
                   sizeof exceptions / sizeof exceptions[0]);
}

static void
test_generic_inventory(void **state)
{
    (void)state;
    compare("generic", transport_class.generic);
}

static void
test_private_inventory(void **state)
{
    (void)state;
    for (size_t i = 0; i < transport_class.n; i++)
        compare(transport_class.drivers[i]->name.p, transport_class.drivers[i]->opts);
}

static void
test_rows(void **state)
{
    (void)state;
    compat_check_rows(transport_class.generic);
    assert_int_equal(transport_class.n, 6);
    for (size_t i = 0; i < transport_class.n; i++)
        compat_check_rows(transport_class.drivers[i]->opts);
}

static struct loaded
load_transport(const char *options)
{
    char text[2048];
    snprintf(text, sizeof text, "begin transports\nt:\n%s\n", options);
    return load_text(text);
}

static void
assert_shown(const char *options, const char *option, const char *expected)
{
    struct loaded l = load_transport(options);
    assert_string_equal(load_exim_error(&l), "");
    assert_string_equal(load_shown(&l, conf_transport(l.conf, STR_LIT("t")), option), expected);
    load_free(&l);
}

static void
assert_error(const char *options, const char *expected)
{
    struct loaded l = load_transport(options);
    assert_null(l.conf);
    assert_string_equal(load_exim_error(&l), expected);
    load_free(&l);
}

static void
test_generic(void **state)
{
    (void)state;
    assert_shown("driver = autoreply", "retry_use_local_part", "retry_use_local_part");
    assert_shown("driver = smtp", "retry_use_local_part", "no_retry_use_local_part");
    assert_shown("driver = smtp\nretry_use_local_part", "retry_use_local_part",
                 "retry_use_local_part");
    assert_error("driver = smtp\nbody_only\nheaders_only",
                 "Exim configuration error:\n"
                 "  t transport: body_only and headers_only are mutually exclusive\n");
    assert_error("driver = smtp\nshadow_transport = x",
                 "Exim configuration error:\n"
                 "  shadow transport not allowed on non-local transport t\n");
    assert_shown("driver = autoreply\nshadow_transport = x", "shadow_transport",
                 "shadow_transport = x");
}

#define PREFIX                                                                                 \
    "message_prefix = From ${if def:return_path{$return_path}{MAILER-DAEMON}} "                \
    "${tod_bsdinbox}\\n"

static void
test_appendfile_texts(void **state)
{
    (void)state;
    static const char file[] = "driver = appendfile\nfile = /x";
    assert_shown(file, "message_prefix", PREFIX);
    assert_shown(file, "message_suffix", "message_suffix = \\n");
    assert_shown(file, "check_string", "check_string = From ");
    assert_shown(file, "escape_string", "escape_string = >From ");
    assert_shown("driver = appendfile\nfile = /x\ncheck_string = a", "escape_string",
                 "escape_string = >From ");
    assert_shown("driver = appendfile\ndirectory = /x", "check_string", "check_string = ");
    assert_shown("driver = appendfile\nmaildir_format", "message_prefix", "message_prefix = ");
    assert_shown("driver = appendfile\ndirectory = /x\nuse_bsmtp\ncheck_string = a",
                 "check_string", "check_string = .");
    assert_shown("driver = appendfile\nfile = /x\nuse_bsmtp", "escape_string",
                 "escape_string = ..");
    assert_shown("driver = appendfile\nfile = /x\nuse_bsmtp", "message_suffix",
                 "message_suffix = ");
    assert_shown(file, "quota_warn_message", "quota_warn_message = ");
    assert_shown("driver = appendfile\nfile = /x\nquota_warn_threshold = 75%",
                 "quota_warn_message",
                 "quota_warn_message = To: $local_part@$domain\\nSubject: Your mailbox\\n\\n"
                 "This message is automatically created by mail delivery software (Exim)."
                 "\\n\\nThe size of your mailbox has exceeded a warning threshold that is\\n"
                 "set by the system administrator.\\n");
}

/* fcntl, flock, lockfile, mbx as they stand after these settings. */
static void
assert_locks(const char *settings, const char *expected)
{
    static const char *const options[] = {"use_fcntl_lock", "use_flock_lock", "use_lockfile",
                                          "use_mbx_lock"};
    char text[512];
    snprintf(text, sizeof text, "driver = appendfile\nfile = /x\n%s", settings);
    struct loaded l = load_transport(text);
    assert_non_null(l.conf);
    char have[5] = "";
    for (size_t i = 0; i < 4; i++) {
        const char *shown = load_shown(&l, conf_transport(l.conf, STR_LIT("t")), options[i]);
        have[i] = strncmp(shown, "no_", 3) == 0 ? '-' : '+';
    }
    assert_string_equal(have, expected);
    load_free(&l);
}

static void
test_appendfile_locks(void **state)
{
    (void)state;
    assert_locks("", "+-+-");
    assert_locks("use_flock_lock", "-++-");
    assert_locks("use_flock_lock\nuse_fcntl_lock", "+++-");
    assert_locks("mbx_format", "+--+");
    assert_locks("mbx_format\nuse_mbx_lock", "+--+");
    assert_locks("mbx_format\nuse_lockfile", "+-+-");
    assert_locks("mbx_format\nuse_lockfile\nuse_mbx_lock", "+-++");
    assert_locks("mbx_format\nuse_mbx_lock\nuse_flock_lock", "-+-+");
    assert_locks("use_mbx_lock", "+-++");
    assert_locks("no_use_fcntl_lock", "--+-");
    assert_error("driver = appendfile\nfile = /x\nno_use_lockfile\nno_use_fcntl_lock",
                 "Exim configuration error for t transport:\n  no locking configured\n");
    assert_shown("driver = appendfile\nfile = /x\nlock_retries = 0", "lock_retries",
                 "lock_retries = 1");
}

static void
test_appendfile_errors(void **state)
{
    (void)state;
    assert_error("driver = appendfile\nfile = /x\ndirectory = /y",
                 "Exim configuration error for t transport:\n"
                 "  only one of \"file\" or \"directory\" can be specified\n");
    assert_error("driver = appendfile\ndirectory = /x\nmaildir_format\nmailstore_format",
                 "Exim configuration error for t transport:\n"
                 "  only one of maildir and mailstore may be specified\n");
    assert_error("driver = appendfile\nfile = /x\nquota_filecount = 10",
                 "Exim configuration error for t transport:\n"
                 "  quota_filecount must not be set without \"directory\"\n");
    assert_error("driver = appendfile\nfile = /x\ncreate_file = foo",
                 "Exim configuration error:\n  invalid value given for \"create_file\" for the "
                 "t transport: 'foo'\n");
    assert_shown("driver = appendfile\nfile = /x\ncreate_file = /foo", "create_file",
                 "create_file = /foo");
}

static void
test_pipe(void **state)
{
    (void)state;
    assert_shown("driver = pipe\ncommand = /x", "message_prefix", PREFIX);
    assert_shown("driver = pipe\ncommand = /x\nuse_bsmtp\nmessage_prefix = x", "message_prefix",
                 "message_prefix = x");
    assert_shown("driver = pipe\ncommand = /x\nuse_bsmtp", "check_string", "check_string = .");
    assert_shown("driver = pipe\ntemp_errors = 1 : 2", "temp_errors", "temp_errors = 1 : 2");
    assert_error("driver = pipe\ncommand = /x\ntemp_errors = 1:a",
                 "Exim configuration error:\n  temp_errors must be a list of numbers or an "
                 "asterisk for the t transport\n");
    assert_error("driver = pipe\ncommand = /x\nuse_shell\nallow_commands = x",
                 "Exim configuration error:\n"
                 "  both allow_commands and use_shell set for t transport\n");
    assert_error("driver = pipe\ncommand = /x\nlog_output\nlog_fail_output",
                 "Exim configuration error:\n"
                 "  both log_output and log_fail_output set for the t transport\n");
    assert_error("driver = pipe\ncommand = /x\npipe_as_creator\nuser = root",
                 "Exim configuration error:\n  both pipe_as_creator and an explicit uid/gid "
                 "are set for the t transport\n");
}

static void
test_lmtp_and_smtp(void **state)
{
    (void)state;
    static const char one[] = "Exim configuration error:\n  one (and only one) of command or "
                              "socket must be set for the t transport\n";
    static const char zero[] = "Exim configuration error:\n  command, data, or final timeout "
                               "value is zero for t transport\n";
    assert_error("driver = lmtp", one);
    assert_error("driver = lmtp\ncommand = x\nsocket = y", one);
    assert_error("driver = smtp\ndata_timeout = 0s", zero);
    assert_shown("driver = smtp\nconnect_timeout = 0s", "connect_timeout",
                 "connect_timeout = 0s");
    assert_shown("driver = smtp", "port", "port = smtp");
    assert_shown("driver = smtp\nprotocol = lmtp", "port", "port = lmtp");
    assert_shown("driver = smtp\nprotocol = SMTPS", "port", "port = smtps");
    assert_shown("driver = smtp\nprotocol = lmtp\nport = 25", "port", "port = 25");
    assert_shown("driver = smtp\nmulti_domain = $x", "multi_domain", "multi_domain = $x");
}

/* All faults of an instance are found in one run. */
static void
test_several_errors(void **state)
{
    (void)state;
    struct loaded l = load_transport("driver = pipe\ncommand = /x\nuse_shell\n"
                                     "restrict_to_path\nlog_output\nlog_fail_output");
    assert_int_equal(diags_count(l.diags, DIAG_ERROR), 2);
    assert_int_equal(diags_at(l.diags, 0)->at.line, 6);
    assert_int_equal(diags_at(l.diags, 1)->at.line, 8);
    load_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generic_inventory),
        cmocka_unit_test(test_private_inventory),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_generic),
        cmocka_unit_test(test_appendfile_texts),
        cmocka_unit_test(test_appendfile_locks),
        cmocka_unit_test(test_appendfile_errors),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_lmtp_and_smtp),
        cmocka_unit_test(test_several_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
