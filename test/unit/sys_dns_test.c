/* Unit tests of sys/dns.c with a name server on a thread: what is asked and how often, answers that are remembered. */
#include "sys/dns.h"

#include "dns_fixture.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { QUERY_MAX = 1024 };

/* What it answers, by the first letter of the name:
 * a: an address; s: an address of a secure zone; n: no such name; d: no data; e: a server that knows no EDNS; x: what is no answer; t: an
 * answer that is cut, whole over TCP; z: an address that is good for no time; r: refused. Ends with q. */
struct server {
    int udp, tcp;
    struct sockaddr_in address;
    pthread_t thread;
    /* Read by others when the thread has answered, which the answer alone says. */
    _Atomic unsigned asked;
    _Atomic bool edns, dnssec;
};

static void
put_answer(struct buf *b, const unsigned char *query, size_t n, unsigned flags,
           unsigned answers, unsigned authority)
{
    buf_add(b, (const char *)query, 2);
    put_number(b, flags, 2);
    put_number(b, 1, 2);
    put_number(b, answers, 2);
    put_number(b, authority, 2);
    put_number(b, 0, 2);
    size_t end = 12;
    while (end < n && query[end] != 0)
        end += query[end] + 1u;
    buf_add(b, (const char *)query + 12, end + 5 - 12);
}

static void
answer(struct server *s, const unsigned char *query, size_t n, bool tcp, struct buf *b)
{
    char kind = (char)query[13];
    s->asked++;
    s->edns = query[11] == 1;
    s->dnssec = s->edns && query[n - 4] == 0x80;
    unsigned ok = DNS_FIXTURE_FLAGS;
    if (kind == 'n' || kind == 'd') {
        put_answer(b, query, n, ok | (kind == 'n' ? DNS_RCODE_NO_NAME : 0u), 0, 1);
        put_soa(b, 300, 60);
    } else if (kind == 'e' && s->edns) {
        put_answer(b, query, n, ok | DNS_RCODE_FORMAT, 0, 0);
    } else if (kind == 'x') {
        put_answer(b, query, n, ok, 3, 0);
    } else if (kind == 't' && !tcp) {
        put_answer(b, query, n, ok | 0x0200, 0, 0);
    } else if (kind == 't') {
        put_answer(b, query, n, ok, 100, 0);
        for (uint32_t i = 0; i < 100; i++)
            put_a(b, "t.test", 60, i);
    } else {
        put_answer(b, query, n, ok | (kind == 's' ? 0x0020u : 0u), 1, 0);
        put_a(b, "x.test", kind == 'z' ? 0 : 60, 0x7f000001);
    }
}

static void
serve_tcp(struct server *s)
{
    unsigned char query[QUERY_MAX];
    struct arena *a = arena_new();
    struct buf b = buf_in(a, 0), whole = buf_in(a, 0);
    int fd = accept(s->tcp, NULL, NULL);
    ssize_t n = recv(fd, query, 2, MSG_WAITALL);
    assert_int_equal(n, 2);
    n = recv(fd, query, (size_t)query[0] << 8 | query[1], MSG_WAITALL);
    answer(s, query, (size_t)n, true, &b);
    struct str text = buf_str(&b);
    put_number(&whole, (uint32_t)text.n, 2);
    buf_adds(&whole, text);
    text = buf_str(&whole);
    (void)send(fd, text.p, text.n, MSG_NOSIGNAL);
    close(fd);
    arena_free(a);
}

static void *
serve(void *ctx)
{
    struct server *s = ctx;
    unsigned char query[QUERY_MAX];
    for (;;) {
        struct sockaddr_in from;
        socklen_t from_n = sizeof from;
        ssize_t n = recvfrom(s->udp, query, sizeof query, 0, (struct sockaddr *)&from, &from_n);
        if (n < 14 || query[13] == 'q')
            return NULL;
        struct arena *a = arena_new();
        struct buf b = buf_in(a, 0);
        answer(s, query, (size_t)n, false, &b);
        struct str text = buf_str(&b);
        (void)sendto(s->udp, text.p, text.n, 0, (struct sockaddr *)&from, from_n);
        arena_free(a);
        if (query[13] == 't')
            serve_tcp(s);
    }
}

/* One port for both; another is tried when TCP has it taken. */
static void
start(struct server *s)
{
    socklen_t n = sizeof s->address;
    memset(s, 0, sizeof *s);
    for (int i = 0; i < 100; i++) {
        s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        s->address = (struct sockaddr_in){.sin_family = AF_INET};
        s->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(bind(s->udp, (struct sockaddr *)&s->address, n), 0);
        assert_int_equal(getsockname(s->udp, (struct sockaddr *)&s->address, &n), 0);
        if (bind(s->tcp, (struct sockaddr *)&s->address, n) == 0)
            break;
        close(s->udp);
        close(s->tcp);
    }
    assert_int_equal(listen(s->tcp, 4), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void
stop(struct server *s)
{
    char query[14] = {[12] = 1, [13] = 'q'};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)sendto(fd, query, sizeof query, 0, (struct sockaddr *)&s->address, sizeof s->address);
    pthread_join(s->thread, NULL);
    close(fd);
    close(s->udp);
    close(s->tcp);
}

static enum dns_status
ask(struct dns *d, struct arena *a, const char *name, unsigned flags, struct dns_reply *out)
{
    const struct dns_question q = {
        .name = str_from_cstr(name), .type = DNS_A, .flags = flags, .retrans_s = 5, .retry = 1};
    return dns_ask(d, a, &q, out);
}

static void
answers_are_remembered(void **state)
{
    (void)state;
    struct server s;
    struct arena *a = arena_new();
    struct dns_reply r;
    start(&s);
    struct dns *d = dns_new(&s.address);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(d, a, i == 1 ? "A.TEST" : "a.test", 0, &r), DNS_FOUND);
        assert_int_equal(r.answer.answers.n, 1);
        assert_in_range(r.ttl_s, 1, 60);
        assert_int_equal(ask(d, a, "n.test", 0, &r), DNS_NO_NAME);
        assert_in_range(r.ttl_s, 1, 60); /* the minimum of SOA */
        assert_int_equal(ask(d, a, "d.test", 0, &r), DNS_NO_DATA);
    }
    stop(&s);
    assert_int_equal(s.asked, 3);
    dns_free(d);
    arena_free(a);
}

static void
what_is_good_for_no_time_is_asked_again(void **state)
{
    (void)state;
    struct server s;
    struct arena *a = arena_new();
    struct dns_reply r;
    start(&s);
    struct dns *d = dns_new(&s.address);
    assert_int_equal(ask(d, a, "z.test", 0, &r), DNS_FOUND);
    assert_int_equal(ask(d, a, "z.test", 0, &r), DNS_FOUND);
    stop(&s);
    assert_int_equal(s.asked, 2);
    dns_free(d);
    arena_free(a);
}

static void
dnssec_is_asked_for(void **state)
{
    (void)state;
    struct server s;
    struct arena *a = arena_new();
    struct dns_reply r;
    start(&s);
    struct dns *d = dns_new(&s.address);
    assert_int_equal(ask(d, a, "s.test", DNS_SECURE, &r), DNS_FOUND);
    assert_true(s.edns && s.dnssec);
    assert_int_equal(ask(d, a, "a.test", DNS_SECURE | DNS_NO_EDNS, &r), DNS_FOUND);
    assert_false(s.edns);
    assert_int_equal(ask(d, a, "e.test", DNS_SECURE, &r), DNS_FOUND); /* an old server */
    stop(&s);
    assert_int_equal(s.asked, 4);
    assert_false(s.edns);
    dns_free(d);
    arena_free(a);
}

static void
what_was_cut_comes_over_tcp(void **state)
{
    (void)state;
    struct server s;
    struct arena *a = arena_new();
    struct dns_reply r;
    start(&s);
    struct dns *d = dns_new(&s.address);
    assert_int_equal(ask(d, a, "t.test", 0, &r), DNS_FOUND);
    assert_int_equal(r.answer.answers.n, 100);
    stop(&s);
    dns_free(d);
    arena_free(a);
}

static void
failures_are_remembered_for_a_moment(void **state)
{
    (void)state;
    struct server s;
    struct arena *a = arena_new();
    struct dns_reply r;
    start(&s);
    struct dns *d = dns_new(&s.address);
    assert_int_equal(ask(d, a, "x.test", 0, &r), DNS_AGAIN);
    unsigned asked = s.asked;
    assert_int_equal(ask(d, a, "x.test", 0, &r), DNS_AGAIN);
    stop(&s);
    assert_int_equal(s.asked, asked);
    dns_free(d);
    arena_free(a);
}

static void
what_is_no_name_is_not_asked(void **state)
{
    (void)state;
    struct server s;
    struct arena *a = arena_new();
    struct dns_reply r;
    char longest[5 * DNS_NAME_MAX];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    start(&s);
    struct dns *d = dns_new(&s.address);
    assert_int_equal(ask(d, a, "", 0, &r), DNS_NO_NAME);
    assert_int_equal(ask(d, a, longest, 0, &r), DNS_NO_NAME);
    longest[64] = '\0'; /* a label has 63 bytes at most */
    assert_int_equal(ask(d, a, longest, 0, &r), DNS_NO_NAME);
    const struct dns_question q = {.name = str_from("a\0b", 3), .type = DNS_A};
    assert_int_equal(dns_ask(d, a, &q, &r), DNS_NO_NAME);
    stop(&s);
    assert_int_equal(s.asked, 0);
    dns_free(d);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_remembered),
        cmocka_unit_test(what_is_good_for_no_time_is_asked_again),
        cmocka_unit_test(dnssec_is_asked_for),
        cmocka_unit_test(what_was_cut_comes_over_tcp),
        cmocka_unit_test(failures_are_remembered_for_a_moment),
        cmocka_unit_test(what_is_no_name_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
