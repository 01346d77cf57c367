/* Connections that are kept for a moment, and how many there may be to one destination. */
#include "engine/remote_pool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine_fixture.h"

#include "transports/smtp.h"

enum { LIMIT = 3 };

static struct transport_smtp options;
static const struct driver_instance transport = {.name = STR_INIT("out"),
                                                 .own = {.fields = &options}};

/* A connection to a host of that number, and its other end. */
static struct smtp_client *
client_of(unsigned host, int *other)
{
    int fds[2];
    struct arena *a = arena_new();
    struct smtp_client *c = ARENA_NEW(a, struct smtp_client);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    *c = (struct smtp_client){.arena = a,
                              .port = 25,
                              .fd = fds[0],
                              .own_address = STR_EMPTY,
                              .out = buf_in(a, 0),
                              .idle_ms = 100};
    c->host.name = STR_LIT("h.example");
    c->host.address = str_printf(a, "192.0.2.%u", host);
    reply_reader_start(a, &c->reader, c->fd);
    *other = fds[1];
    return c;
}

static struct smtp_target
target_of(struct host_target *h, struct arena *a, unsigned host)
{
    h->name = STR_LIT("h.example");
    h->address = str_printf(a, "192.0.2.%u", host);
    return (struct smtp_target){.host = h, .port = 25};
}

static void
put(struct engine *e, struct smtp_client *c)
{
    remote_pool_put(e, (struct remote_kept){.client = c,
                                            .transport = STR_LIT("out"),
                                            .place = REMOTE_PLACE_NONE,
                                            .shared = true});
}

/* What the other end gets: all there is, and whether that is the end. */
static bool
says(int other, const char *text)
{
    char got[64];
    ssize_t n = recv(other, got, sizeof got, MSG_DONTWAIT);
    return n == (ssize_t)strlen(text) && memcmp(got, text, (size_t)n) == 0;
}

/* Only where a message went a moment before. */
static void
test_kept_and_taken(void **state)
{
    (void)state;
    struct engine_case *c = engine_case_new("");
    struct engine *e = &c->engine;
    struct host_target h = {.name = STR_EMPTY}, h2 = {.name = STR_EMPTY};
    struct smtp_target one = target_of(&h, e->arena, 1), two = target_of(&h2, e->arena, 2);
    struct remote_kept got;
    int other;
    e->pool = remote_pool_new(e);
    struct smtp_client *first = client_of(1, &other);
    first->broken = true; /* nothing is said */
    put(e, first);
    assert_int_equal(remote_pool_wait_ms(e), -1);
    close(other);
    struct smtp_client *second = client_of(1, &other);
    put(e, second);
    assert_in_range(remote_pool_wait_ms(e), 1, REMOTE_POOL_KEEP_MS);
    assert_false(remote_pool_expire(e, &got));
    assert_false(remote_pool_take(e, &transport, &two, &got));
    one.clear = true;
    assert_false(remote_pool_take(e, &transport, &one, &got));
    one.clear = false;
    assert_true(remote_pool_take(e, &transport, &one, &got) && got.client == second);
    assert_false(remote_pool_take(e, &transport, &one, &got));
    put(e, second);
    assert_int_equal(write(other, "421 x\r\n", 7), 7); /* no answer to anything */
    assert_false(remote_pool_take(e, &transport, &one, &got));
    assert_int_equal(remote_pool_wait_ms(e), -1);
    char none;
    assert_true(recv(other, &none, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET); /* no QUIT */
    close(other);
    engine_case_free(c);
}

/* The one that was kept longest goes; at the end all are left with QUIT. */
static void
test_most(void **state)
{
    (void)state;
    enum { MORE = REMOTE_POOL_MAX + 1 };
    struct engine_case *c = engine_case_new("");
    struct engine *e = &c->engine;
    int other[MORE], none;
    e->pool = remote_pool_new(e);
    for (unsigned i = 0; i < MORE; i++) {
        struct smtp_client *known = client_of(i, &none);
        known->broken = true;
        put(e, known);
        close(none);
        put(e, client_of(i, &other[i]));
        if (i == 0) /* it will have its answer */
            assert_int_equal(write(other[0], "221 x\r\n", 7), 7);
    }
    assert_true(says(other[0], "QUIT\r\n"));
    for (unsigned i = 1; i < MORE; i++)
        assert_false(says(other[i], ""));
    remote_pool_end(e);
    for (unsigned i = 1; i < MORE; i++)
        assert_true(says(other[i], "QUIT\r\n") && says(other[i], ""));
    for (unsigned i = 0; i < MORE; i++)
        close(other[i]);
    assert_int_equal(remote_pool_wait_ms(e), -1);
    engine_case_free(c);
}

/* How many more processes on the spool get a place, each while those before it have theirs; they die with them. */
static int
places_elsewhere(struct engine *e, const struct smtp_target *t)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        int64_t place;
        remote_pool_abandon(e);
        bool has = remote_pool_place(e, t, &place);
        _exit(!has ? 0 : place == REMOTE_PLACE_NONE ? 100 : 1 + places_elsewhere(e, t));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

/* deliver_host_connections holds for all processes, at each destination; what a dead one had is free. */
static void
test_places(void **state)
{
    (void)state;
    struct engine_case *c = engine_case_new("deliver_host_connections = 3\n");
    struct engine *e = &c->engine;
    struct host_target h = {.name = STR_EMPTY}, h2 = {.name = STR_EMPTY};
    struct smtp_target one = target_of(&h, e->arena, 1), two = target_of(&h2, e->arena, 2);
    int64_t place;
    int other;
    e->pool = remote_pool_new(e);
    assert_true(remote_pool_place(e, &one, &place) && place != REMOTE_PLACE_NONE);
    for (int i = 0; i < 2; i++)
        assert_int_equal(places_elsewhere(e, &one), LIMIT - 1);
    assert_int_equal(places_elsewhere(e, &two), LIMIT);
    /* One of our own that is kept is not given again, although its lock would not keep us away. */
    struct smtp_client *known = client_of(1, &other);
    known->broken = true;
    put(e, known);
    close(other);
    struct remote_kept kept = {.client = client_of(1, &other),
                               .transport = STR_LIT("out"),
                               .place = place,
                               .shared = true};
    remote_pool_put(e, kept);
    int64_t next;
    assert_true(remote_pool_place(e, &one, &next) && next != place);
    assert_int_equal(places_elsewhere(e, &one), LIMIT - 2);
    remote_pool_leave(e, next);
    remote_pool_leave(e, REMOTE_PLACE_NONE);
    assert_int_equal(places_elsewhere(e, &one), LIMIT - 1);
    remote_pool_end(e);
    assert_int_equal(places_elsewhere(e, &one), LIMIT);
    close(other);
    engine_case_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_and_taken),
        cmocka_unit_test(test_most),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
