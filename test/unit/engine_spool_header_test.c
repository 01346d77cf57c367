/* -H files: what Exim wrote is read and written back, every item, the caps, the texts of faults. */
#include "engine/spool_header.h"

#include "base/arena.h"
#include "base/buf.h"
#include "spool_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *a;
static struct spool_fault fault;

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

static bool
parse(const char *text, struct spool_header *h)
{
    struct str s = str_from_cstr(text);
    struct message_id id = {"1xVNEb-00079s-2P"};
    if (message_id_prefix(s) > 0)
        (void)message_id_parse(str_sub(s, 0, message_id_prefix(s)), &id);
    fault = (struct spool_fault){0};
    return spool_header_parse(a, &id, s, h, &fault);
}

static void
parses(const char *text, struct spool_header *h)
{
    if (!parse(text, h))
        fail_msg("%s", fault.text);
}

static const char *
formatted(const struct spool_header *h)
{
    struct str out;
    if (!spool_header_format(a, h, &out, &fault))
        return fault.text;
    return str_cstr(a, out);
}

static void
text(struct str s, const char *want)
{
    assert_true(str_is_set(s));
    assert_string_equal(str_cstr(a, s), want);
}

static void
test_round_trip(void **state)
{
    (void)state;
    static const char *const samples[] = {sample_smtp, sample_dsn, sample_all};
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct spool_header h;
        parses(samples[i], &h);
        assert_string_equal(formatted(&h), samples[i]);
    }
}

/* Other order, old forms: written as Exim itself rewrote it, save for what it dropped. */
static void
test_old_forms(void **state)
{
    (void)state;
    struct spool_header h;
    parses(sample_all_old, &h);
    assert_int_equal(h.acl_variables.n, 4);
    text(h.host.address, "10.0.0.1");
    assert_int_equal(h.host.port, 25);
    text(h.interface.address, "::1");
    assert_int_equal(h.interface.port, 26);
    text(h.tls_ourcert, "-----BEGIN CERTIFICATE-----\\nabc\\n");
    assert_true(str_is_tainted(h.tls_peercert));
    assert_int_equal(h.unknown.n, 1);
    text(h.unknown.v[0], "-unknown item");
    assert_int_equal(h.recipients.n, 3);
    text(h.recipients.v[1].address, "v@x");
    text(h.recipients.v[1].errors_to, "err@y");
    assert_int_equal(h.recipients.v[1].parent, 0);
    assert_int_equal(h.frozen_time, 1795414150);
    struct spool_header again;
    parses(formatted(&h), &again);
    assert_string_equal(formatted(&again), formatted(&h));
}

static void
test_values(void **state)
{
    (void)state;
    struct spool_header h;
    parses(sample_smtp, &h);
    text(h.login, "root");
    assert_int_equal(h.uid, 0);
    text(h.sender, "x@y");
    assert_true(str_is_tainted(h.sender));
    assert_int_equal(h.received_time, 1795414141);
    assert_int_equal(h.warning_count, 0);
    assert_int_equal(h.received_time_us, 745074);
    assert_true(h.received_complete_us == 1795414141745740);
    text(h.helo_name, "some.host");
    assert_int_equal(h.helo_name.taint, STR_TAINTED);
    text(h.host.address, "1.2.3.4");
    assert_int_equal(h.host.port, 567);
    assert_int_equal(h.active_hostname.taint, STR_CLEAN);
    assert_int_equal(h.acl_variables.n, 6);
    assert_false(h.acl_variables.v[0].of_message);
    text(h.acl_variables.v[0].name, "_f");
    assert_true(h.acl_variables.v[1].of_message);
    assert_true(h.acl_variables.v[1].value.taint >= STR_QUOTED);
    assert_int_equal(h.acl_variables.v[2].value.taint, STR_CLEAN);
    assert_int_equal(h.acl_variables.v[4].value.n, 0);
    assert_int_equal(h.body_lines, 1);
    assert_int_equal(h.body_zeros, 1);
    assert_int_equal(h.frozen_time, SPOOL_NONE);
    assert_true(h.smtputf8 && h.first_delivery && h.manual_thaw && !h.local);
    assert_true(spool_tree_has(&h.done, STR_LIT("u@example.com")));
    assert_int_equal(h.recipients.v[0].dsn_flags, SPOOL_DSN_DELAY);
    text(h.recipients.v[1].address, "\"u 2\"@v.w");
    assert_int_equal(h.headers.n, 14);
    assert_int_equal(h.headers.v[0].type, 'P');
    assert_int_equal(h.headers.v[3].type, '*');
    text(header_body(&h.headers.v[4]), " q@example.com\n");
}

static void
test_dsn_and_one_time(void **state)
{
    (void)state;
    struct spool_header h;
    parses(sample_dsn, &h);
    text(h.recipients.v[0].address, "u@v.w");
    text(h.recipients.v[0].orcpt, "rfc822;zz@q");
    assert_int_equal(h.recipients.v[0].dsn_flags, SPOOL_DSN_SUCCESS | SPOOL_DSN_FAILURE);
    assert_int_equal(h.recipients.v[1].dsn_flags, SPOOL_DSN_NEVER);
    text(h.dsn_envid, "abc+20d");
    assert_int_equal(h.dsn_ret, 2);
    parses(sample_all, &h);
    text(h.recipients.v[2].errors_to, "err@y");
    assert_int_equal(h.recipients.v[2].parent, 0);
    text(h.tls_peerdn, "CN=foo\\n");
    text(h.spam_score_int, "15");
    text(h.host_auth_pubname, "");
}

/* A file cut anywhere is refused, or is one that lacks only whole header lines at its end. */
static void
test_cut_anywhere(void **state)
{
    (void)state;
    size_t n = sizeof sample_smtp - 1, taken = 0;
    for (size_t i = 0; i < n; i++) {
        struct spool_header h;
        struct message_id id = {"1xVNEb-00079s-2P"};
        char *copy = arena_alloc(a, i);
        memcpy(copy, sample_smtp, i);
        if (spool_header_parse(a, &id, str_from(copy, i), &h, &fault))
            taken++;
        else
            assert_true(strncmp(fault.text, "spool file 1xVNEb-00079s-2P-H", 29) == 0);
    }
    assert_int_equal(taken, 14);
}

#define HEAD "1xVNEb-00079s-2P-H\nroot 0 0\n<>\n1 0\n"

static const struct {
    const char *file, *fault;
} bad_files[] = {
    {"1xVNEb-00079s-2P-H", ", line 1: name: file ends here"},
    {"1xVNEb-00079s-2Q-H\n", NULL},
    {"1xVNEb-00079s-2P-D\n",
     ", line 1: name: first line is not the name of the file: \"1xVNEb-00079s-2P-D\""},
    {"1xVNEb-00079s-2P-H\nroot 0\n",
     ", line 2: owner: not a login name, a uid and a gid: \"root 0\""},
    {"1xVNEb-00079s-2P-H\nroot 0 99999999999\n", NULL},
    {"1xVNEb-00079s-2P-H\nroot 0 0\na@b\n", ", line 3: sender: not in angle brackets: \"a@b\""},
    {"1xVNEb-00079s-2P-H\nroot 0 0\n<>\n1\n",
     ", line 4: time: not a time and a count of warnings: \"1\""},
    {HEAD "-body_linecount z\n", ", line 5: body_linecount: not a number: \"z\""},
    {HEAD "-body_linecount -1\n", NULL},
    {HEAD "-body_linecount 99999999999999999999\n", NULL},
    {HEAD "-local x\n", ", line 5: local: takes no value: \"x\""},
    {HEAD "-received_time_usec .1\n",
     ", line 5: received_time_usec: not a fraction of six digits: \".1\""},
    {HEAD "-received_time_complete .123456\n", NULL},
    {HEAD "-host_address [1.2.3.4\n",
     ", line 5: host_address: not an IP address and port: \"[1.2.3.4\""},
    {HEAD "-host_address [1.2.3.4]:65536\n", NULL},
    {HEAD "-host_address x.25\n", NULL},
    {HEAD "-aclm x\n", ", line 5: aclm: not a name and a length: \"x\""},
    {HEAD "-aclm x 5\nab\n", ", line 5: aclm: length goes beyond the end of the file"},
    {HEAD "-aclm x 18446744073709551615\nab\n",
     ", line 5: aclm: length goes beyond the end of the file"},
    {HEAD "-aclm x 1\nab\nXX\n", ", line 5: aclm: no newline where the length says"},
    {HEAD "-aclm x/y 1\na\nXX\n", NULL},
    {HEAD "-acl 20 1\na\nXX\n", ", line 5: acl: not a number from 0 to 19: \"20\""},
    {HEAD "-ident a\rb\n", ", line 5: items: NUL or CR in the line: \"-ident a?b\""},
    {HEAD "XY a\n", ", line 5: non-recipients: not a node of the tree: \"XY a\""},
    {HEAD "YN a\n", ", line 6: non-recipients: file ends here"},
    {HEAD "XX\n", ", line 6: recipient count: file ends here"},
    {HEAD "XX\n1000001\n",
     ", line 6: recipient count: not a number within bounds: \"1000001\""},
    {HEAD "XX\n-1\n", NULL},
    {HEAD "XX\n2\na@b\n", ", line 8: recipient: file ends here"},
    {HEAD "XX\n1\n\n", ", line 7: recipient: no address: \"\""},
    {HEAD "XX\n1\na@b  0,0#4\n", ", line 7: recipient: unknown flag bits: \"a@b  0,0#4\""},
    {HEAD "XX\n1\na@b  9,0#1\n\n",
     ", line 7: recipient: malformed error address or parent: \"a@b  9,0#1\""},
    {HEAD "XX\n1\na@b  0,0#3\n\n", ", line 7: recipient: malformed DSN fields: \"a@b  0,0#3\""},
    {HEAD "XX\n1\na@b  0,1#1\n\n", ", line 7: recipient: parent is not in the list: \"a@b\""},
    {HEAD "XX\n1\na@b\nx\n", ", line 8: separator: not a blank line: \"x\""},
    {HEAD "XX\n1\na@b\n\nx\n", ", line 9: header: no length and type: \"x?\""},
    {HEAD "XX\n1\na@b\n\n005a A: b\n", ", line 9: header: unknown type: \"005a \""},
    {HEAD "XX\n1\na@b\n\n006  A: b\n",
     ", line 9: header: length goes beyond the end of the file: \"006  \""},
    {HEAD "XX\n1\na@b\n\n004  A: b\n",
     ", line 9: header: not a header line of the length given: \"A: b\""},
    {HEAD "XX\n1\na@b\n\n010  A: b\nC: d\n",
     ", line 9: header: not a header line of the length given: \"A: b?C: d?\""},
};

static void
test_faults(void **state)
{
    (void)state;
    static const char prefix[] = "spool file 1xVNEb-00079s-2P-H";
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        struct spool_header h;
        struct message_id id = {"1xVNEb-00079s-2P"};
        fault = (struct spool_fault){0};
        assert_false(spool_header_parse(a, &id, str_from_cstr(bad_files[i].file), &h, &fault));
        assert_memory_equal(fault.text, prefix, sizeof prefix - 1);
        if (bad_files[i].fault != NULL)
            assert_string_equal(fault.text + sizeof prefix - 1, bad_files[i].fault);
    }
}

static const char *
repeated(const char *before, const char *what, size_t n, const char *after)
{
    struct buf b = buf_in(a, 0);
    buf_addz(&b, before);
    for (size_t i = 0; i < n; i++)
        buf_addz(&b, what);
    buf_addz(&b, after);
    return buf_str(&b).p;
}

static void
test_caps(void **state)
{
    (void)state;
    struct spool_header h;
    static const char end[] = "XX\n0\n\n";
    for (size_t d = 0; d < 3; d++) {
        bool ok = d < 2;
        struct arena_mark mark = arena_mark(a);
        assert_int_equal(
            ok, parse(repeated(HEAD "-x", "y", SPOOL_LINE_MAX - 3 + d, "\nXX\n0\n\n"), &h));
        assert_int_equal(ok, parse(repeated(HEAD, "-x\n", SPOOL_UNKNOWN_MAX - 1 + d, end), &h));
        assert_int_equal(
            ok,
            parse(repeated(HEAD, "-aclm 1 0\n\n", SPOOL_ACL_VARIABLES_MAX - 1 + d, end), &h));
        assert_int_equal(
            ok,
            parse(repeated(HEAD "XX\n0\n\n", "003  A:\n", HEADER_LINES_MAX - 1 + d, ""), &h));
        arena_reset(a, mark);
    }
}

static void
test_mended(void **state)
{
    (void)state;
    struct spool_header h;
    parses(HEAD "XX\n0\n\n007  A: b\rc\n", &h);
    text(h.headers.v[0].text, "A: b c\n");
}

static void
test_writer_refuses(void **state)
{
    (void)state;
    struct spool_header h;
    parses(sample_smtp, &h);
    h.sender = STR_LIT("a\n-x@b");
    assert_string_equal(formatted(&h),
                        "spool file 1xVNEb-00079s-2P-H: sender: CR, LF or NUL, or too "
                        "long for a spool file: \"a?-x@b\"");
    h.sender = STR_EMPTY;
    h.ident = STR_LIT("x\ry");
    assert_non_null(strstr(formatted(&h), "-H: ident: CR"));
    h.ident = STR_LIT("x\0y");
    assert_non_null(strstr(formatted(&h), "-H: ident: CR"));
    h.ident = STR_NULL;
    h.recipients.v[0].address = STR_LIT("a@b\n");
    assert_non_null(strstr(formatted(&h), "-H: recipient: CR"));
    h.recipients.v[0].address = STR_EMPTY;
    assert_non_null(strstr(formatted(&h), "-H: recipient: no address"));
    h.recipients.v[0].address = STR_LIT("a@b");
    h.recipients.v[0].orcpt = STR_LIT("a\nb");
    assert_non_null(strstr(formatted(&h), "-H: original recipient: CR"));
    h.recipients.n = 0;
    h.acl_variables.v[0].name = STR_LIT("a b");
    assert_non_null(strstr(formatted(&h), "-H: aclc: bad name"));
    h.acl_variables.n = 0;
    h.headers.v[0].text = STR_LIT("X: y");
    assert_non_null(strstr(formatted(&h), "-H: header: no newline"));
}

/* The smallest there is, with the longer id. */
static void
test_from_nothing(void **state)
{
    (void)state;
    struct spool_header h, back;
    spool_header_init(&h);
    assert_true(message_id_parse(STR_LIT("10HmaX-000000005vi-0000"), &h.id));
    h.login = STR_LIT("a user");
    h.uid = h.gid = 1000;
    h.sender = STR_LIT("a@b");
    h.received_time = 920367873;
    h.body_lines = 0;
    h.local = true;
    vec_push(a, &h.recipients,
             ((struct spool_recipient){.address = STR_LIT("x@y"), .parent = SPOOL_NONE}));
    assert_true(header_list_add(a, &h.headers, STR_LIT("Subject: x"), HEADER_AT_END));
    const char *want = "10HmaX-000000005vi-0000-H\na user 1000 1000\n<a@b>\n920367873 0\n"
                       "-body_linecount 0\n-local\nXX\n1\nx@y\n\n011  Subject: x\n";
    assert_string_equal(formatted(&h), want);
    parses(want, &back);
    text(back.login, "a user");
    assert_string_equal(formatted(&back), want);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_old_forms),
        cmocka_unit_test(test_values),         cmocka_unit_test(test_dsn_and_one_time),
        cmocka_unit_test(test_cut_anywhere),   cmocka_unit_test(test_faults),
        cmocka_unit_test(test_caps),           cmocka_unit_test(test_mended),
        cmocka_unit_test(test_writer_refuses), cmocka_unit_test(test_from_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
