/* TCP connections on the loopback interface; names of ports and traffic classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "sys/await.h"
#include "sys/connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* A listener on 127.0.0.1, and its port. */
static int
listen_somewhere(int backlog, int64_t *port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

static struct connect_request
request(int64_t port)
{
    struct connect_request rq = {
        .port = port, .timeout_ms = 2000, .keepalive = true, .dscp = -1};
    assert_true(ip_parse(STR_LIT("127.0.0.1"), &rq.to));
    return rq;
}

/* Whether the system does it or not: what goes with the first packet arrives once. */
static void
test_fast_open(void **state)
{
    (void)state;
    int64_t port;
    int listener = listen_somewhere(4, &port), queue = 4;
    (void)setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue);
    for (int i = 0; i < 4; i++) {
        struct connected c;
        struct connect_request rq = request(port);
        char got[8];
        rq.fast_open = true;
        rq.first = i % 2 == 0 ? STR_EMPTY : STR_LIT("EHLO");
        assert_true(connect_tcp(&rq, &c));
        assert_true(c.sent <= rq.first.n);
        assert_true(c.fast != CONNECT_FAST_DATA || c.sent > 0);
        assert_int_equal(send(c.fd, &"EHLO"[c.sent], 4 - c.sent, 0), 4 - c.sent);
        int server = accept(listener, NULL, NULL);
        assert_int_equal(recv(server, got, 4, MSG_WAITALL), 4);
        assert_memory_equal(got, "EHLO", 4);
        assert_int_equal(recv(server, got, sizeof got, MSG_DONTWAIT), -1);
        close(server);
        close(c.fd);
    }
    close(listener);
}

static void
test_connects(void **state)
{
    struct arena *a = arena_new();
    struct connected c;
    int64_t port;
    (void)state;
    int listener = listen_somewhere(1, &port);
    struct connect_request rq = request(port);
    assert_true(ip_parse(STR_LIT("127.0.0.2"), &rq.from));
    rq.dscp = connect_dscp(STR_LIT("ef"));
    assert_true(connect_tcp(&rq, &c));
    assert_true(str_eqz(ip_text(a, &c.from), "127.0.0.2") && c.port > 0);
    int class = 0;
    socklen_t n = sizeof class;
    assert_int_equal(getsockopt(c.fd, IPPROTO_IP, IP_TOS, &class, &n), 0);
    assert_int_equal(class, 46 << 2);
    close(c.fd);
    close(listener);
    arena_free(a);
}

static void
test_refusals(void **state)
{
    struct connected c;
    int64_t port;
    (void)state;
    close(listen_somewhere(1, &port));
    struct connect_request rq = request(port);
    assert_false(connect_tcp(&rq, &c));
    assert_int_equal(c.sys_errno, ECONNREFUSED);
    assert_int_equal(c.fd, -1);
    assert_true(ip_parse(STR_LIT("192.0.2.1"), &rq.from));
    assert_false(connect_tcp(&rq, &c));
    assert_int_equal(c.sys_errno, EADDRNOTAVAIL);
    static const int64_t ports[] = {0, -1, 65536};
    for (size_t i = 0; i < 3; i++) {
        rq = request(ports[i]);
        assert_false(connect_tcp(&rq, &c));
        assert_int_equal(c.sys_errno, EINVAL);
    }
}

/* A queue of connections that is full answers nothing. */
static void
test_timeout(void **state)
{
    struct connected held[16], c;
    int64_t port;
    size_t n = 0;
    (void)state;
    int listener = listen_somewhere(0, &port);
    struct connect_request rq = request(port);
    rq.timeout_ms = 200;
    int64_t before = 0;
    for (; n < 16; n++) {
        before = await_now_ms();
        if (!connect_tcp(&rq, &held[n]))
            break;
    }
    assert_true(n < 16);
    c = held[n];
    int64_t took = await_now_ms() - before;
    assert_int_equal(c.sys_errno, ETIMEDOUT);
    assert_true(took >= 190 && took < 1500);
    while (n > 0)
        close(held[--n].fd);
    close(listener);
}

static void
test_names(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    assert_int_equal(connect_port(a, STR_LIT("25")), 25);
    assert_int_equal(connect_port(a, STR_LIT("smtp")), 25);
    assert_int_equal(connect_port(a, STR_LIT("65535")), 65535);
    assert_int_equal(connect_port(a, STR_LIT("65536")), 0);
    assert_int_equal(connect_port(a, STR_LIT("99999999999999999999")), 0);
    assert_int_equal(connect_port(a, STR_LIT("nonexistent")), 0);
    assert_int_equal(connect_port(a, STR_EMPTY), 0);
    assert_int_equal(connect_dscp(STR_LIT("AF41")), 34);
    assert_int_equal(connect_dscp(STR_LIT("throughput")), 2);
    assert_int_equal(connect_dscp(STR_LIT("0x3f")), 63);
    assert_int_equal(connect_dscp(STR_LIT("62")), 62);
    assert_int_equal(connect_dscp(STR_LIT("64")), -1);
    assert_int_equal(connect_dscp(STR_LIT("5x")), -1);
    assert_int_equal(connect_dscp(STR_LIT("000000063")), -1);
    assert_int_equal(connect_dscp(STR_LIT("best")), -1);
    assert_int_equal(connect_dscp(STR_EMPTY), -1);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connects), cmocka_unit_test(test_fast_open),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
