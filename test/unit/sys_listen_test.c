/* Listening sockets: what their connections inherit, and how many wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/listen.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* On a free port of the loopback; its number in *port. */
static int
open_loopback(bool nodelay, struct sockaddr_in *at)
{
    const struct listen_request rq = {.ip = {.n = 4, .b = {127, 0, 0, 1}},
                                      .family = LISTEN_IPV4,
                                      .scope = {.p = "", .n = 0},
                                      .backlog = 10,
                                      .nodelay = nodelay};
    socklen_t n = sizeof *at;
    int fd = -1;
    assert_int_equal(listen_open(&rq, &fd), LISTEN_OK);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &n), 0);
    return fd;
}

static int
connect_to(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)at, sizeof *at), 0);
    return fd;
}

static void
test_nodelay(void **state)
{
    (void)state;
    for (int wanted = 0; wanted <= 1; wanted++) {
        struct sockaddr_in at;
        int fd = open_loopback(wanted != 0, &at), client = connect_to(&at), on = -1;
        int got = listen_accept(fd, true);
        socklen_t n = sizeof on;
        assert_true(got >= 0);
        assert_int_equal(getsockopt(got, IPPROTO_TCP, TCP_NODELAY, &on, &n), 0);
        assert_int_equal(on != 0, wanted);
        close(got);
        close(client);
        close(fd);
    }
}

static void
test_waiting(void **state)
{
    struct sockaddr_in at;
    int fd = open_loopback(false, &at), clients[3];
    (void)state;
    assert_int_equal(listen_waiting(fd), 0);
    for (int i = 0; i < 3; i++) {
        clients[i] = connect_to(&at);
        assert_int_equal(listen_waiting(fd), i + 1);
    }
    int got = listen_accept(fd, false);
    assert_int_equal(listen_waiting(fd), 2);
    assert_int_equal(listen_waiting(-1), -1);
    close(got);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodelay),
        cmocka_unit_test(test_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
