/* Unit tests of sys/saslauthd.c against a daemon served by the test on a path of its own. */
#include "base/arena.h"
#include "sys/saslauthd.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct daemon {
    struct arena *arena;
    char dir[64], path[80];
    int listener;
    struct str answer;
    bool silent; /* neither answers nor closes before the client does */
    char got[SASLAUTHD_TEXT_MAX * 4 + 16];
    size_t got_n;
};

static int
setup(void **state)
{
    struct daemon *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->arena = arena_new();
    (void)snprintf(d->dir, sizeof d->dir, "/tmp/remex-sasl-XXXXXX");
    assert_non_null(mkdtemp(d->dir));
    (void)snprintf(d->path, sizeof d->path, "%s/mux", d->dir);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, d->path, strlen(d->path));
    d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(d->listener, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(d->listener, 1), 0);
    *state = d;
    return 0;
}

static int
teardown(void **state)
{
    struct daemon *d = *state;
    close(d->listener);
    (void)unlink(d->path);
    (void)rmdir(d->dir);
    arena_free(d->arena);
    free(d);
    return 0;
}

/* True when four texts are there. */
static bool
is_complete(const struct daemon *d)
{
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        if (at + 2 > d->got_n)
            return false;
        at += 2 + ((size_t)(unsigned char)d->got[at] << 8 | (unsigned char)d->got[at + 1]);
    }
    return at <= d->got_n;
}

static void *
serve(void *context)
{
    struct daemon *d = context;
    int fd = accept(d->listener, NULL, NULL);
    ssize_t n = 1;
    d->got_n = 0;
    while (n > 0 && (d->silent || !is_complete(d))) {
        n = read(fd, d->got + d->got_n, sizeof d->got - d->got_n);
        d->got_n += n > 0 ? (size_t)n : 0;
    }
    if (d->answer.n > 0 && !d->silent)
        (void)!write(fd, d->answer.p, d->answer.n);
    close(fd);
    return NULL;
}

/* "yes", "no" or "!reason". */
static const char *
verdict(struct daemon *d, const struct saslauthd_request *rq)
{
    struct str why = STR_NULL;
    switch (saslauthd_check(d->arena, rq, &why)) {
    case SASLAUTHD_YES:
        return "yes";
    case SASLAUTHD_NO:
        return "no";
    case SASLAUTHD_ERROR:
        break;
    }
    return str_printf(d->arena, "!%.*s", STR_ARG(why)).p;
}

static const char *
ask(struct daemon *d, struct saslauthd_request rq, struct str answer)
{
    pthread_t server;
    d->answer = answer;
    rq.path = d->path;
    if (rq.timeout_ms == 0)
        rq.timeout_ms = 5000;
    assert_int_equal(pthread_create(&server, NULL, serve, d), 0);
    const char *v = verdict(d, &rq);
    assert_int_equal(pthread_join(server, NULL), 0);
    return v;
}

static void
the_request(void **state)
{
    static const char expected[] = "\0\1u\0\2pw\0\3svc\0\0";
    struct daemon *d = *state;
    struct saslauthd_request rq = {
        .user = STR_LIT("u"), .password = STR_LIT("pw"), .service = STR_LIT("svc")};
    assert_string_equal(ask(d, rq, STR_LIT("\0\2OK")), "yes");
    assert_int_equal(d->got_n, sizeof expected - 1);
    assert_memory_equal(d->got, expected, sizeof expected - 1);
}

/* As recorded from Exim, save that a broken answer has a text of its own. */
static void
answers(void **state)
{
    static const struct {
        struct str answer;
        const char *verdict;
    } rows[] = {
        {STR_INIT("\0\2OK"), "yes"},
        {STR_INIT("\0\2NO"), "no"},
        {STR_INIT("\0\5OK hi"), "yes"},
        {STR_INIT("\0\6NO bad"), "no"},
        {STR_INIT("\0\10OK"), "yes"},
        {STR_INIT("\0\3foo"), "!foo"},
        {STR_INIT("\0\2ok"), "!ok"},
        {STR_INIT("\0\1O"), "!no answer from saslauthd daemon"},
        {STR_INIT("\0\0"), "!no answer from saslauthd daemon"},
        {STR_INIT("\0"), "!no answer from saslauthd daemon"},
        {STR_INIT(""), "!no answer from saslauthd daemon"},
        {STR_INIT("\377\377OK"), "!no answer from saslauthd daemon"},
    };
    struct saslauthd_request rq = {.user = STR_LIT("u"), .password = STR_LIT("p")};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(ask(*state, rq, rows[i].answer), rows[i].verdict);
}

static struct str
repeat(struct daemon *d, size_t n)
{
    char *p = arena_alloc(d->arena, n);
    memset(p, 'x', n);
    return str_from(p, n);
}

static void
sizes_are_capped(void **state)
{
    struct daemon *d = *state;
    struct saslauthd_request rq = {.user = STR_LIT("u"), .path = d->path, .timeout_ms = 5000};
    rq.password = repeat(d, SASLAUTHD_TEXT_MAX - 1);
    assert_string_equal(ask(d, rq, STR_LIT("\0\2OK")), "yes");
    rq.password = repeat(d, SASLAUTHD_TEXT_MAX);
    assert_string_equal(ask(d, rq, STR_LIT("\0\2OK")), "yes");
    assert_int_equal(d->got_n, SASLAUTHD_TEXT_MAX + 9);
    rq.password = repeat(d, SASLAUTHD_TEXT_MAX + 1);
    assert_string_equal(verdict(d, &rq), "!value for saslauthd is longer than 65535 bytes");
}

static struct str
long_answer(struct daemon *d, size_t n)
{
    struct str text = repeat(d, n);
    struct str head =
        str_printf(d->arena, "%c%cOK", (int)((n + 2) >> 8), (int)((n + 2) & 0xff));
    return str_cat(d->arena, head, text);
}

static void
long_answers(void **state)
{
    struct daemon *d = *state;
    struct saslauthd_request rq = {.user = STR_LIT("u"), .password = STR_LIT("p")};
    assert_string_equal(ask(d, rq, long_answer(d, SASLAUTHD_ANSWER_MAX - 3)), "yes");
    assert_string_equal(ask(d, rq, long_answer(d, SASLAUTHD_ANSWER_MAX - 2)), "yes");
    assert_string_equal(ask(d, rq, long_answer(d, SASLAUTHD_ANSWER_MAX - 1)),
                        "!no answer from saslauthd daemon");
}

static void
no_daemon(void **state)
{
    struct daemon *d = *state;
    struct saslauthd_request rq = {.path = "/nonexistent/mux", .timeout_ms = 100};
    assert_string_equal(
        verdict(d, &rq),
        "!cannot connect to saslauthd daemon at /nonexistent/mux: No such file or directory");
    rq.path = str_printf(d->arena, "/%.*s", STR_ARG(repeat(d, 200))).p;
    assert_non_null(strstr(verdict(d, &rq), strerror(ENAMETOOLONG)));
}

static void
a_silent_daemon(void **state)
{
    struct daemon *d = *state;
    struct saslauthd_request rq = {
        .user = STR_LIT("u"), .password = STR_LIT("p"), .timeout_ms = 50};
    d->silent = true;
    assert_string_equal(ask(d, rq, STR_LIT("\0\2OK")),
                        "!failed to read from saslauthd daemon: Connection timed out");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_request, setup, teardown),
        cmocka_unit_test_setup_teardown(answers, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_are_capped, setup, teardown),
        cmocka_unit_test_setup_teardown(long_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(no_daemon, setup, teardown),
        cmocka_unit_test_setup_teardown(a_silent_daemon, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
