/* From a -H file to message and session, and back. */
#include "engine/spool_model.h"

#include "base/arena.h"
#include "spool_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *a;

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

static void
text(struct str s, const char *want)
{
    assert_true(str_is_set(s));
    assert_string_equal(str_cstr(a, s), want);
}

static void
test_load(void **state)
{
    (void)state;
    struct spool_header h;
    struct spool_fault f;
    struct message m = {0};
    struct session s = {0};
    const struct message_id id = {"1xVNEb-00079s-2P"};
    assert_true(spool_header_parse(a, &id, str_from_cstr(sample_smtp), &h, &f));
    spool_model_load(a, &h, &m, &s);
    text(m.id, "1xVNEb-00079s-2P");
    text(m.sender, "x@y");
    text(m.received_protocol, "utf8esmtpa");
    assert_false(str_is_set(m.authenticated_sender));
    assert_int_equal(m.recipients.n, 2);
    text(m.recipients.v[1].address, "\"u 2\"@v.w");
    assert_int_equal(m.headers->n, 14);
    assert_int_equal(m.received_count, 1);
    assert_int_equal(m.received_time_us, 745074);
    assert_int_equal(m.body_zeros, 1);
    assert_true(m.smtputf8 && m.first_delivery);
    text(s.sender_host_address, "1.2.3.4");
    assert_true(str_is_tainted(s.sender_host_address));
    assert_int_equal(s.sender_host_port, 567);
    text(s.interface_address, "5.6.7.8");
    text(s.sender_ident, "idt");
    text(s.authenticated_id, "authid");
    assert_int_equal(s.tls_in.ocsp, 0);
}

static void
test_store(void **state)
{
    (void)state;
    struct spool_header h;
    struct spool_fault f;
    struct header_list headers = {0};
    struct message m = {.id = STR_LIT("10HmaX-000000005vi-0000"),
                        .sender = STR_LIT(""),
                        .received_time = 920371185,
                        .received_time_us = 5,
                        .headers = &headers};
    struct session s = {.sender_ident = STR_LIT("root"), .sender_host_port = 25};
    struct str out;
    vec_push(a, &m.recipients,
             ((struct recipient){.address = STR_LIT("x@y"), .errors_to = STR_LIT("e@f")}));
    assert_true(header_list_add(a, &headers, STR_LIT("A: b"), HEADER_AT_END));
    spool_header_init(&h);
    h.login = STR_LIT("root");
    assert_true(spool_model_store(a, &m, &s, &h));
    assert_true(spool_header_format(a, &h, &out, &f));
    assert_string_equal(
        str_cstr(a, out),
        "10HmaX-000000005vi-0000-H\nroot 0 0\n<>\n920371185 0\n"
        "-received_time_usec .000005\n-ident root\n-body_linecount 0\n"
        "-max_received_linelength 0\nXX\n1\nx@y  0,0 e@f 3,-1#3\n\n005  A: b\n");
    m.id = STR_LIT("x");
    assert_false(spool_model_store(a, &m, &s, &h));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_store),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
