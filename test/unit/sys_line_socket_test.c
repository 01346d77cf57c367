/* Dialogues in lines over a UNIX socket: lines as they come, their cap, the end, no server. */
#include "sys/line_socket.h"

#include "base/arena.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 5000 };

struct place {
    char dir[64];
    struct sockaddr_un at;
    int listener;
};

static int
set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    strcpy(p->dir, "/tmp/remex-line-test-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->at.sun_family = AF_UNIX;
    strcpy(p->at.sun_path, p->dir);
    strcat(p->at.sun_path, "/s");
    p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(p->listener, (const struct sockaddr *)&p->at, sizeof p->at), 0);
    assert_int_equal(listen(p->listener, 1), 0);
    *state = p;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *p = *state;
    close(p->listener);
    (void)unlink(p->at.sun_path);
    (void)rmdir(p->dir);
    free(p);
    return 0;
}

static void
lines(void **state)
{
    struct place *p = *state;
    struct arena *a = arena_new();
    struct line_socket s;
    struct str line;
    char text[16];
    assert_true(line_socket_open(a, &s, str_from_cstr(p->at.sun_path), WAIT_MS));
    int peer = accept(p->listener, NULL, NULL);
    assert_true(line_socket_send(&s, STR_LIT("hello\n")));
    assert_int_equal(read(peer, text, sizeof text), 6);
    assert_int_equal(write(peer, "one\ntwo\n\nthr", 12), 12);
    assert_true(line_socket_read(&s, &line) && str_eqz(line, "one"));
    assert_true(str_is_tainted(line));
    assert_true(line_socket_read(&s, &line) && str_eqz(line, "two"));
    assert_true(line_socket_read(&s, &line) && line.n == 0);
    assert_int_equal(write(peer, "ee\n", 3), 3);
    assert_true(line_socket_read(&s, &line) && str_eqz(line, "three"));
    close(peer);
    assert_false(line_socket_read(&s, &line));
    assert_int_equal(errno, 0);
    assert_false(line_socket_send(&s, STR_LIT("x")));
    line_socket_close(&s);
    line_socket_close(&s);
    arena_free(a);
}

/* True: a line of n bytes with its end was read. */
static bool
takes(struct place *p, size_t n)
{
    struct arena *a = arena_new();
    struct line_socket s;
    struct str line;
    char *text = arena_alloc(a, n);
    memset(text, 'x', n);
    text[n - 1] = '\n';
    assert_true(line_socket_open(a, &s, str_from_cstr(p->at.sun_path), WAIT_MS));
    int peer = accept(p->listener, NULL, NULL);
    assert_int_equal(write(peer, text, n), n);
    bool ok = line_socket_read(&s, &line);
    assert_true(ok ? line.n == n - 1 : errno == EMSGSIZE);
    line_socket_close(&s);
    close(peer);
    arena_free(a);
    return ok;
}

static void
caps(void **state)
{
    assert_true(takes(*state, LINE_SOCKET_MAX - 1));
    assert_true(takes(*state, LINE_SOCKET_MAX));
    assert_false(takes(*state, LINE_SOCKET_MAX + 1));
}

static void
nobody_there(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct line_socket s;
    assert_false(line_socket_open(a, &s, STR_LIT("/non/exist"), WAIT_MS));
    assert_int_equal(errno, ENOENT);
    assert_false(line_socket_open(a, &s, STR_EMPTY, WAIT_MS));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(caps),
        cmocka_unit_test(nobody_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
