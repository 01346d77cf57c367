/* Sessions of many connections on few threads: messages arrive whole, a connection that says nothing holds no thread, deadlines and
 * the end of the service reach sessions at rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session_fixture.h"

#include "engine/smtp_pool.h"

#include "engine/message_id.h"
#include "sys/await.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

static const char conf_text[] =
    "primary_hostname = mx.example.org\nqualify_domain = example.org\n"
    "log_selector = +pid\nkeep_environment =\n"
    "smtp_accept_max_nonmail = 100000\nhosts_require_helo =\n"
    "acl_smtp_rcpt = rcpt\nacl_smtp_data = accept\nacl_smtp_notquit = gone\n"
    "begin acl\n"
    "rcpt:\n  warn set acl_c_n = x$acl_c_n\n  deny local_parts = no\n"
    "  accept local_parts = count\n         message = seen $acl_c_n\n  accept\n"
    "gone:\n  warn logwrite = notquit $smtp_notquit_reason\n";

struct service {
    struct arena *arena;
    const struct conf *conf;
    struct smtp_pool_calls calls;
    struct smtp_pool *pool;
    struct message_id_clock *ids; /* of all threads, as in the daemon */
    atomic_int accepted, closed, engines;
};

static struct engine *
make_engine(void *ctx, struct arena *a)
{
    struct service *v = ctx;
    struct engine *e = ARENA_NEW(a, struct engine);
    session_engine(a, v->conf, e);
    e->ids = v->ids;
    v->engines++;
    return e;
}

static void
accepted(void *ctx, struct engine *e, struct str id, struct str queue, enum smtp_due due)
{
    (void)e;
    struct service *v = ctx;
    assert_true(id.n > 15 && queue.n == 0);
    assert_int_equal(due, SMTP_DUE_NOW);
    v->accepted++;
}

static void
closed(void *ctx, uint64_t tag)
{
    struct service *v = ctx;
    assert_int_equal(tag, 42);
    v->closed++;
}

/* timeout: of a line. On a busy machine a second is soon over. */
static void
start_timed(struct service *v, unsigned threads, unsigned kept, const char *timeout)
{
    *v = (struct service){.arena = arena_new(), .ids = message_id_clock_new()};
    struct str spool = str_printf(v->arena, "/tmp/remex-pool-test.%d", (int)getpid());
    struct str text = str_printf(v->arena, "smtp_receive_timeout = %s\n%s", timeout, conf_text);
    v->conf = session_conf(v->arena, spool, str_cstr(v->arena, text));
    v->calls = (struct smtp_pool_calls){
        .engine = make_engine, .accepted = accepted, .closed = closed, .ctx = v};
    const struct smtp_pool_setup setup = {
        .calls = &v->calls, .threads_max = threads, .threads_kept = kept};
    v->pool = smtp_pool_new(&setup);
    assert_non_null(v->pool);
}

static void
start(struct service *v, unsigned threads)
{
    start_timed(v, threads, 0, "5m");
}

static void
stop(struct service *v)
{
    assert_true(smtp_pool_wait(v->pool, 20000));
    smtp_pool_free(v->pool);
    message_id_clock_free(v->ids);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf /tmp/remex-pool-test.%d", (int)getpid());
    assert_int_equal(system(command), 0); /* NOLINT: fixed text */
    arena_free(v->arena);
}

/* The client's end of a connection that the pool has. */
static int
dial(struct service *v)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    const struct smtp_pool_peer peer = {.fd = accept(listener, NULL, NULL),
                                        .address = STR_LIT("127.0.0.1"),
                                        .port = 1000,
                                        .own_address = STR_LIT("127.0.0.1"),
                                        .own_port = 25,
                                        .count = 1,
                                        .tag = 42};
    assert_true(peer.fd >= 0);
    close(listener);
    assert_true(smtp_pool_add(v->pool, &peer));
    return fd;
}

/* What comes up to a last line of an answer, or the end. */
static void
hear(int fd, char *text, size_t size)
{
    size_t n = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, 20000), 1);
        ssize_t got = recv(fd, text + n, size - 1 - n, 0);
        assert_true(got >= 0);
        n += (size_t)got;
        text[n] = '\0';
        char *line = n < 2 ? text : text + n - 2;
        while (line > text && line[-1] != '\n')
            line--;
        if (got == 0 || (n > 4 && text[n - 1] == '\n' && line[3] == ' '))
            return;
    }
}

static void
say(int fd, const char *text, const char *answer)
{
    char heard[2048];
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    hear(fd, heard, sizeof heard);
    if (strncmp(heard, answer, strlen(answer)) != 0)
        fail_msg("%s: %s", text, heard);
}

static void
greeting(int fd)
{
    char heard[256];
    hear(fd, heard, sizeof heard);
    assert_memory_equal(heard, "220 ", 4);
}

static void
send_message(int fd)
{
    say(fd, "MAIL FROM:<a@b.example>\r\n", "250 OK");
    say(fd, "RCPT TO:<c@d.example>\r\n", "250 Accepted");
    say(fd, "DATA\r\n", "354 ");
    say(fd, "Subject: x\r\n\r\nbody\r\n.\r\n", "250 OK id=");
}

static void
test_message(void **state)
{
    struct service v;
    (void)state;
    start(&v, 4);
    int fd = dial(&v);
    greeting(fd);
    say(fd, "EHLO client\r\n", "250-mx.example.org");
    send_message(fd);
    say(fd, "QUIT\r\n", "221 ");
    close(fd);
    stop(&v);
    assert_int_equal(v.accepted, 1);
    assert_int_equal(v.closed, 1);
}

/* Far more connections than threads, each between commands and some within a line; then all go on, on whichever thread, with what
 * they had before. */
static void
test_rest(void **state)
{
    enum { N = 60 };
    struct service v;
    int fds[N];
    char text[64];
    (void)state;
    start(&v, 3);
    for (int i = 0; i < N; i++) {
        fds[i] = dial(&v);
        greeting(fds[i]);
        say(fds[i], "HELO client\r\n", "250 ");
    }
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < N; i++) {
            say(fds[i], "MAIL FROM:<a@b.example>\r\n", "250 ");
            assert_int_equal(send(fds[i], "RCPT TO:<cou", 12, MSG_NOSIGNAL), 12);
        }
        (void)snprintf(text, sizeof text, "250 seen %.*s\r\n", round, "xxx");
        for (int i = 0; i < N; i++) {
            say(fds[i], "nt@d.example>\r\n", text);
            say(fds[i], "RSET\r\n", "250 ");
        }
    }
    assert_int_equal(smtp_pool_count(v.pool), N);
    assert_true(v.engines <= 3);
    for (int i = 0; i < N; i++) {
        say(fds[i], "QUIT\r\n", "221 ");
        close(fds[i]);
    }
    stop(&v);
    assert_int_equal(v.closed, N);
}

static void
test_timeout(void **state)
{
    struct service v;
    (void)state;
    start_timed(&v, 2, 0, "1s");
    int idle = dial(&v), broken = dial(&v), gone = dial(&v);
    char heard[512];
    greeting(idle);
    greeting(broken);
    greeting(gone);
    say(gone, "HELO x\r\n", "250 ");
    close(gone);
    assert_int_equal(send(broken, "HE", 2, MSG_NOSIGNAL), 2);
    hear(idle, heard, sizeof heard);
    assert_string_equal(heard,
                        "421 mx.example.org: SMTP command timeout - closing connection\r\n");
    hear(broken, heard, sizeof heard);
    assert_memory_equal(heard, "421 ", 4);
    close(idle);
    close(broken);
    stop(&v);
    assert_int_equal(v.closed, 3);
}

static void
test_shut_down(void **state)
{
    struct service v;
    (void)state;
    start(&v, 2);
    int idle = dial(&v), busy = dial(&v);
    char heard[512];
    greeting(idle);
    greeting(busy);
    say(busy, "HELO x\r\n", "250 ");
    say(busy, "MAIL FROM:<a@b.example>\r\n", "250 OK");
    say(busy, "RCPT TO:<c@d.example>\r\n", "250 Accepted");
    say(busy, "DATA\r\n", "354 ");
    smtp_pool_shut_down(v.pool);
    hear(idle, heard, sizeof heard);
    assert_string_equal(heard,
                        "421 mx.example.org: Service not available - closing connection\r\n");
    say(busy, "Subject: x\r\n\r\nbody\r\n.\r\n", "250 OK id="); /* the message may end */
    hear(busy, heard, sizeof heard);
    assert_memory_equal(heard, "421 ", 4);
    close(idle);
    close(busy);
    stop(&v);
    assert_int_equal(v.accepted, 1);
}

enum { CLIENTS = 8, EACH = 25 };

static void *
client(void *ctx)
{
    for (int i = 0; i < EACH; i++) {
        int fd = dial(ctx);
        greeting(fd);
        say(fd, "EHLO client\r\n", "250-mx.example.org");
        send_message(fd);
        send_message(fd);
        if (i % 3 != 0)
            say(fd, "QUIT\r\n", "221 ");
        close(fd);
    }
    return NULL;
}

/* For the thread sanitizer, too. */
static void
test_many_at_once(void **state)
{
    struct service v;
    pthread_t t[CLIENTS];
    (void)state;
    start(&v, 5);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, client, &v), 0);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(t[i], NULL);
    stop(&v);
    assert_int_equal(v.accepted, CLIENTS * EACH * 2);
    assert_int_equal(v.closed, CLIENTS * EACH);
}

/* Threads that are kept are there from the start, and a load that needs no more starts none. */
static void
test_kept(void **state)
{
    struct service v;
    pthread_t t[3];
    (void)state;
    start_timed(&v, 20, 10,
                "5m"); /* a session may end while the next one of its client begins */
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&t[i], NULL, client, &v), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    stop(&v);
    assert_int_equal(v.engines, 10);
    assert_int_equal(v.closed, 3 * EACH);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),      cmocka_unit_test(test_rest),
        cmocka_unit_test(test_timeout),      cmocka_unit_test(test_shut_down),
        cmocka_unit_test(test_many_at_once), cmocka_unit_test(test_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
