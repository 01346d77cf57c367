/* Messages between processes: round trips, descriptors, and everything that is not in the table. */
#include "sys/ipc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { A = 1, B = 2, C = 4 };
enum { EMPTY, BOTH, DESCRIPTOR };

static const struct ipc_row rows[] = {
    {"EMPTY", A, B | C, "", false},
    {"BOTH", A | B, B, "us", false},
    {"DESCRIPTOR", A, B, "u", true},
};
static const struct ipc_protocol protocol = {rows, 3};

struct two {
    int fds[2];
};

static int
setup(void **state)
{
    static struct two t;
    assert_true(ipc_pair(t.fds));
    assert_int_equal(fcntl(t.fds[1], F_SETFL, O_NONBLOCK), 0);
    *state = &t;
    return 0;
}

static int
teardown(void **state)
{
    struct two *t = *state;
    close(t->fds[0]);
    close(t->fds[1]);
    return 0;
}

static void
test_round_trip(void **state)
{
    struct two *t = *state;
    struct ipc_message m;
    struct ipc_field f[] = {{.number = UINT64_MAX}, {.text = STR_LIT("some text")}};
    assert_int_equal(ipc_receive(&protocol, t->fds[1], A, B, &m), IPC_AGAIN);
    assert_int_equal(ipc_send(&protocol, t->fds[0], BOTH, f, -1), IPC_OK);
    assert_int_equal(ipc_send(&protocol, t->fds[0], EMPTY, NULL, -1), IPC_OK);
    assert_int_equal(ipc_receive(&protocol, t->fds[1], A, B, &m), IPC_OK);
    assert_int_equal(m.type, BOTH);
    assert_int_equal(m.n, 2);
    assert_true(m.f[0].number == UINT64_MAX);
    assert_true(str_eqz(m.f[1].text, "some text"));
    assert_true(str_is_tainted(m.f[1].text));
    assert_int_equal(m.fd, -1);
    assert_int_equal(ipc_receive(&protocol, t->fds[1], A, C, &m), IPC_OK);
    assert_int_equal(m.type, EMPTY);
    close(t->fds[0]);
    t->fds[0] = -1;
    assert_int_equal(ipc_receive(&protocol, t->fds[1], A, B, &m), IPC_CLOSED);
}

static void
test_descriptor(void **state)
{
    struct two *t = *state;
    struct ipc_message m;
    struct ipc_field f[] = {{.number = 7}};
    int pipe_fd[2];
    char c = 'x';
    assert_int_equal(pipe(pipe_fd), 0);
    assert_int_equal(ipc_send(&protocol, t->fds[0], DESCRIPTOR, f, pipe_fd[1]), IPC_OK);
    close(pipe_fd[1]);
    assert_int_equal(ipc_receive(&protocol, t->fds[1], A, B, &m), IPC_OK);
    assert_true(m.fd >= 0);
    assert_int_equal(fcntl(m.fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(m.fd, &c, 1), 1);
    assert_int_equal(read(pipe_fd[0], &c, 1), 1);
    close(m.fd);
    assert_int_equal(read(pipe_fd[0], &c, 1), 0); /* no other copy is open */
    close(pipe_fd[0]);
}

static void
test_wrong_sender_or_receiver(void **state)
{
    struct two *t = *state;
    struct ipc_message m;
    struct ipc_field f[] = {{.number = 1}, {.text = STR_EMPTY}};
    const unsigned wrong[][2] = {{C, B}, {A, A}, {A, C}, {0, B}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(ipc_send(&protocol, t->fds[0], BOTH, f, -1), IPC_OK);
        assert_int_equal(ipc_receive(&protocol, t->fds[1], wrong[i][0], wrong[i][1], &m),
                         IPC_FORGED);
    }
}

static bool
parses(const void *bytes, size_t n, bool has_fd)
{
    struct ipc_message m;
    memcpy(m.bytes, bytes, n);
    return ipc_parse(&protocol, A, B, n, has_fd, &m);
}

static void
test_forged(void **state)
{
    (void)state;
    struct {
        uint16_t type, length;
        uint64_t number;
        uint16_t n;
        char text[6];
    } __attribute__((packed)) m = {BOTH, sizeof m, 1, 6, "abcdef"};
    assert_true(parses(&m, sizeof m, false));
    assert_false(parses(&m, sizeof m, true));
    for (size_t n = 0; n < sizeof m; n++)
        assert_false(parses(&m, n, false));
    m.n = 5; /* something is left over */
    assert_false(parses(&m, sizeof m, false));
    m.n = 7;
    assert_false(parses(&m, sizeof m, false));
    m.n = 6;
    m.text[3] = '\0';
    assert_false(parses(&m, sizeof m, false));
    m.text[3] = 'd';
    m.length--;
    assert_false(parses(&m, sizeof m, false));
    m.length++;
    m.type = 3;
    assert_false(parses(&m, sizeof m, false));
    m.type = DESCRIPTOR;
    assert_false(parses(&m, sizeof m, true));
}

static void
test_caps(void **state)
{
    struct two *t = *state;
    static char text[IPC_TEXT_MAX + 1];
    struct ipc_message m;
    memset(text, 'x', sizeof text);
    for (size_t n = IPC_TEXT_MAX - 1; n <= IPC_TEXT_MAX; n++) {
        struct ipc_field f[] = {{.number = 1}, {.text = str_from(text, n)}};
        assert_int_equal(ipc_send(&protocol, t->fds[0], BOTH, f, -1), IPC_OK);
        assert_int_equal(ipc_receive(&protocol, t->fds[1], A, B, &m), IPC_OK);
        assert_int_equal(m.f[1].text.n, n);
    }
    struct ipc_field f[] = {{.number = 1}, {.text = str_from(text, IPC_TEXT_MAX + 1)}};
    assert_int_equal(ipc_send(&protocol, t->fds[0], BOTH, f, -1), IPC_CLOSED);
    assert_int_equal(ipc_receive(&protocol, t->fds[1], A, B, &m), IPC_AGAIN);
}

static void
test_too_long_a_packet(void **state)
{
    struct two *t = *state;
    static char bytes[IPC_PACKET_MAX + 1];
    struct ipc_message m;
    assert_int_equal(send(t->fds[0], bytes, sizeof bytes, 0), (ssize_t)sizeof bytes);
    assert_int_equal(ipc_receive(&protocol, t->fds[1], A, B, &m), IPC_FORGED);
}

/* Neither a peer that does not read nor one that has read what we were told of. */
static void
test_waits_for_nobody(void **state)
{
    struct two *t = *state;
    struct ipc_message m;
    enum ipc_result r;
    size_t sent = 0, got = 0;
    assert_int_equal(ipc_receive_now(&protocol, t->fds[0], A, B, &m), IPC_AGAIN);
    while ((r = ipc_offer(&protocol, t->fds[0], EMPTY, NULL, -1)) == IPC_OK && sent < 1000000)
        sent++;
    assert_int_equal(r, IPC_AGAIN);
    while ((r = ipc_receive_now(&protocol, t->fds[1], A, B, &m)) == IPC_OK)
        got++;
    assert_int_equal(r, IPC_AGAIN);
    assert_int_equal(got, sent);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_waits_for_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_sender_or_receiver, setup, teardown),
        cmocka_unit_test(test_forged),
        cmocka_unit_test_setup_teardown(test_caps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_long_a_packet, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
