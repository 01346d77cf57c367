/* Unit tests of mail/dns_answer.c: records of every type, caps, messages that try to send the reader astray. */
#include "mail/dns_answer.h"

#include "dns_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct buf
message(struct arena *a, unsigned answers)
{
    struct buf b = buf_in(a, 0);
    put_header(&b, DNS_FIXTURE_FLAGS, answers, 0);
    put_question(&b, "a.test", DNS_A);
    return b;
}

static void
assert_text(struct str s, const char *z)
{
    assert_int_equal(s.n, strlen(z));
    assert_memory_equal(s.p, z, s.n);
}

static void
header_bits_are_read(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct dns_answer m;
    struct buf b = buf_in(a, 0);
    put_header(&b, 0x8000 | 0x0400 | 0x0200 | 0x0020 | DNS_RCODE_NO_NAME, 0, 1);
    put_question(&b, "a.test", DNS_MX);
    put_soa(&b, 300, 60);
    assert_true(dns_answer_read(a, buf_str(&b), &m));
    assert_int_equal(m.rcode, DNS_RCODE_NO_NAME);
    assert_true(m.authoritative && m.truncated && m.authenticated);
    assert_int_equal(m.answers.n, 0);
    assert_int_equal(m.authority.n, 1);
    assert_int_equal(m.authority.v[0].number[4], 60);
    assert_text(m.authority.v[0].name, "ns");
    assert_text(m.authority.v[0].mailbox, "root");
    struct str query = str_dup(a, buf_str(&b));
    char *p = arena_alloc(a, query.n);
    memcpy(p, query.p, query.n);
    p[2] = 0; /* a question is no answer */
    assert_false(dns_answer_read(a, str_from(p, query.n), &m));
    arena_free(a);
}

static void
every_type_is_taken_apart(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct dns_answer m;
    struct buf b = message(a, 7);
    put_a(&b, "a.test", 60, 0x7f000002);
    put_record(&b, "a.test", DNS_AAAA, 60, 16);
    for (uint32_t i = 0; i < 16; i++)
        put_number(&b, i, 1);
    put_record(&b, "a.test", DNS_MX, 60, 2 + 3);
    put_number(&b, 10, 2);
    put_name(&b, "m");
    put_record(&b, "a.test", DNS_SRV, 60, 6 + 1);
    for (uint32_t i = 1; i < 4; i++)
        put_number(&b, i, 2);
    put_name(&b, "");
    put_record(&b, "a.test", DNS_TXT, 60, 7);
    buf_add(&b, "\002ab\003cde", 7);
    put_record(&b, "a.test", DNS_TLSA, 60, 5);
    buf_add(&b, "\003\001\002\377\001", 5);
    put_record(&b, "a.test", DNS_CNAME, 60, 4);
    buf_add(&b, "\001b\300\014", 4);
    assert_true(dns_answer_read(a, buf_str(&b), &m));
    assert_int_equal(m.answers.n, 7);
    assert_text(ip_text(a, &m.answers.v[0].ip), "127.0.0.2");
    assert_text(ip_text(a, &m.answers.v[1].ip), "1:203:405:607:809:a0b:c0d:e0f");
    assert_int_equal(m.answers.v[2].number[0], 10);
    assert_text(m.answers.v[2].name, "m");
    assert_int_equal(m.answers.v[3].number[2], 3);
    assert_text(m.answers.v[3].name, "");
    struct str rest = m.answers.v[4].bytes, text;
    assert_true(dns_answer_next_text(&rest, &text));
    assert_text(text, "ab");
    assert_true(dns_answer_next_text(&rest, &text));
    assert_text(text, "cde");
    assert_false(dns_answer_next_text(&rest, &text));
    assert_int_equal(m.answers.v[5].number[0], 3);
    assert_int_equal(m.answers.v[5].bytes.n, 2);
    assert_text(m.answers.v[6].name, "b.a.test");
    assert_true(str_is_tainted(m.answers.v[6].name));
    arena_free(a);
}

static void
names_are_escaped(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct dns_answer m;
    struct buf b = message(a, 1);
    put_record(&b, "a.test", DNS_PTR, 60, 9);
    buf_add(&b, "\007x.\\\n y\xc3\000", 9);
    assert_true(dns_answer_read(a, buf_str(&b), &m));
    assert_text(m.answers.v[0].name, "x\\.\\\\\\010\\032y\xc3");
    arena_free(a);
}

/* Of a record in the wrong form nothing is kept; the others are. */
static void
broken_content_is_left_out(void **state)
{
    (void)state;
    static const struct {
        unsigned type;
        const char *content;
        size_t n;
    } bad[] = {
        {DNS_A, "\177\000\000", 3},
        {DNS_A, "\177\000\000\001\001", 5},
        {DNS_AAAA, "\177\000\000\001", 4},
        {DNS_MX, "\000", 1},
        {DNS_MX, "\000\005\001a\000x", 6},
        {DNS_MX, "\000\005\005a", 4},
        {DNS_SRV, "\000\001\000\002\000", 5},
        {DNS_TXT, "\005ab", 3},
        {DNS_TLSA, "\003\001", 2},
        {DNS_SOA, "\000\000\000\000\000\001", 6},
        {DNS_CNAME, "\300\002", 2}, /* the flags of the header are no label */
        {DNS_CNAME, "\300", 1},
        {DNS_CNAME, "\100a\000", 3}, /* a label of an unknown kind */
        {4711, "abc", 3},
    };
    struct arena *a = arena_new();
    struct dns_answer m;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf b = message(a, 2);
        put_record(&b, "a.test", bad[i].type, 60, bad[i].n);
        buf_add(&b, bad[i].content, bad[i].n);
        put_a(&b, "a.test", 60, 1);
        assert_true(dns_answer_read(a, buf_str(&b), &m));
        assert_int_equal(m.answers.n, 1);
        assert_int_equal(m.answers.v[0].type, DNS_A);
    }
    arena_free(a);
}

/* Pointers to themselves, to one another, forwards. */
static void
pointers_lead_back(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct dns_answer m;
    static const char *const names[] = {"\300\036", "\001a\300\036", "\300\040", "\377\377"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct buf b = buf_in(a, 0);
        put_header(&b, DNS_FIXTURE_FLAGS, 1, 0);
        put_question(&b, "0123456.test", DNS_A);
        assert_int_equal(buf_str(&b).n, 30); /* where the owner begins */
        buf_addz(&b, names[i]);
        put_number(&b, DNS_A, 2);
        put_number(&b, 1, 2);
        put_number(&b, 60, 4);
        put_number(&b, 4, 2);
        put_number(&b, 0, 4);
        assert_false(dns_answer_read(a, buf_str(&b), &m));
    }
    arena_free(a);
}

/* A name of so many bytes on the wire, with a first label that fills it up. */
static bool
name_fits(struct arena *a, size_t wire)
{
    struct dns_answer m;
    struct buf b = buf_in(a, 0);
    put_header(&b, DNS_FIXTURE_FLAGS, 0, 0);
    size_t rest = wire - 1;
    while (rest > 0) {
        size_t label = rest > 64 ? (rest - 64 == 1 ? 62 : 63) : rest - 1;
        put_number(&b, (uint32_t)label, 1);
        for (size_t i = 0; i < label; i++)
            buf_addc(&b, 'x');
        rest -= label + 1;
    }
    buf_addc(&b, 0);
    put_number(&b, 0x00010001, 4);
    return dns_answer_read(a, buf_str(&b), &m);
}

static void
names_have_a_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    assert_true(name_fits(a, DNS_NAME_MAX - 1));
    assert_true(name_fits(a, DNS_NAME_MAX));
    assert_false(name_fits(a, DNS_NAME_MAX + 1));
    arena_free(a);
}

static size_t
kept_of(struct arena *a, unsigned count)
{
    struct dns_answer m;
    struct buf b = buf_in(a, 0);
    put_header(&b, DNS_FIXTURE_FLAGS, count, 0);
    put_number(&b, 0, 1);
    put_number(&b, 0x00010001, 4);
    for (unsigned i = 0; i < count; i++)
        put_a(&b, "", 60, i);
    assert_true(dns_answer_read(a, buf_str(&b), &m));
    return m.answers.n;
}

static void
records_have_a_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    assert_int_equal(kept_of(a, DNS_RECORDS_MAX - 1), DNS_RECORDS_MAX - 1);
    assert_int_equal(kept_of(a, DNS_RECORDS_MAX), DNS_RECORDS_MAX);
    assert_int_equal(kept_of(a, DNS_RECORDS_MAX + 1), DNS_RECORDS_MAX);
    arena_free(a);
}

static void
messages_have_a_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct dns_answer m;
    struct buf b = message(a, 0);
    while (buf_str(&b).n <= DNS_MESSAGE_MAX)
        buf_addc(&b, 0);
    struct str whole = buf_str(&b);
    assert_true(dns_answer_read(a, str_sub(whole, 0, DNS_MESSAGE_MAX - 1), &m));
    assert_true(dns_answer_read(a, str_sub(whole, 0, DNS_MESSAGE_MAX), &m));
    assert_false(dns_answer_read(a, whole, &m));
    arena_free(a);
}

/* Cut anywhere, it is no answer. */
static void
what_is_cut_is_refused(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct dns_answer m;
    struct buf b = message(a, 1);
    put_a(&b, "a.test", 60, 1);
    struct str whole = buf_str(&b);
    for (size_t n = 0; n < whole.n; n++)
        assert_false(dns_answer_read(a, str_sub(whole, 0, n), &m));
    assert_true(dns_answer_read(a, whole, &m));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_bits_are_read),   cmocka_unit_test(every_type_is_taken_apart),
        cmocka_unit_test(names_are_escaped),      cmocka_unit_test(broken_content_is_left_out),
        cmocka_unit_test(pointers_lead_back),     cmocka_unit_test(names_have_a_cap),
        cmocka_unit_test(records_have_a_cap),     cmocka_unit_test(messages_have_a_cap),
        cmocka_unit_test(what_is_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
