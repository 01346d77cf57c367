/* Asking the inspect process: what a job comes to whatever is at its other end. */
#include "sys/inspect.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 50 };

/* Takes the job's socket, as a process of the other side would. */
struct other {
    int fd;
    uint64_t library, limit;
};

static bool
take(void *ctx, const struct ipc_field job[3], int socket, struct str *why)
{
    struct other *o = ctx;
    (void)why;
    o->fd = dup(socket);
    o->library = job[0].number;
    o->limit = job[1].number;
    return o->fd >= 0;
}

static bool
refuse(void *ctx, const struct ipc_field job[3], int socket, struct str *why)
{
    (void)ctx, (void)job, (void)socket;
    *why = STR_LIT("nobody there");
    return false;
}

struct fixture {
    struct arena *arena;
    struct other other;
    struct inspect_service service;
    struct inspect_job job;
};

static int
set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.arena = arena_new(), .other = {.fd = -1}};
    f.service = (struct inspect_service){.hand = take, .ctx = &f.other};
    f.job = (struct inspect_job){.arena = f.arena, .socket = -1, .why = STR_NULL};
    *state = &f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    inspect_close(&f->job);
    if (f->other.fd >= 0)
        close(f->other.fd);
    arena_free(f->arena);
    return 0;
}

static bool
begin(struct fixture *f)
{
    return inspect_open(&f->service, INSPECT_LIBRARY_SPF, STR_EMPTY, LIMIT_MS, &f->job);
}

static bool
hears(struct fixture *f)
{
    struct ipc_message msg;
    return inspect_hear(&f->job, &msg);
}

static void
assert_why(const struct fixture *f, const char *text)
{
    assert_true(str_find(f->job.why, str_from_cstr(text), 0) != STR_NPOS);
}

static struct str
text_of(struct arena *a, size_t n)
{
    char *p = arena_alloc(a, n + 1);
    memset(p, 'x', n);
    return str_from(p, n);
}

static void
test_nobody_to_ask(void **state)
{
    struct fixture *f = *state;
    assert_false(inspect_open(NULL, INSPECT_LIBRARY_SPF, STR_EMPTY, 1, &f->job));
    assert_why(f, "no inspect process");
    f->service.hand = refuse;
    assert_false(begin(f));
    assert_why(f, "nobody there");
}

/* Of how a library is set up, and of any other text. */
static void
test_caps(void **state)
{
    struct fixture *f = *state;
    for (size_t n = IPC_TEXT_MAX - 1; n <= IPC_TEXT_MAX + 1; n++) {
        bool ok = inspect_open(&f->service, INSPECT_LIBRARY_CLAMAV, text_of(f->arena, n),
                               LIMIT_MS, &f->job);
        assert_int_equal(ok, n <= IPC_TEXT_MAX);
        if (!ok)
            break;
        const struct ipc_field q[] = {{.number = 16}, {.text = text_of(f->arena, n)}};
        assert_true(inspect_say(&f->job, INSPECT_QUESTION, q, -1));
        const struct ipc_field big[] = {{.number = 16}, {.text = text_of(f->arena, n + 2)}};
        assert_int_equal(inspect_say(&f->job, INSPECT_QUESTION, big, -1),
                         n + 2 <= IPC_TEXT_MAX);
        inspect_close(&f->job);
        close(f->other.fd);
        f->other.fd = -1;
    }
    assert_true(
        inspect_open(&f->service, INSPECT_LIBRARY_CLAMAV, STR_EMPTY, INT64_MAX, &f->job));
    assert_int_equal(f->other.limit, INSPECT_LIMIT_MAX_MS);
    inspect_close(&f->job);
    close(f->other.fd);
    assert_true(inspect_open(&f->service, INSPECT_LIBRARY_CLAMAV, STR_EMPTY, -5, &f->job));
    assert_int_equal(f->other.limit, 0);
}

static void
test_an_answer(void **state)
{
    struct fixture *f = *state;
    struct ipc_message msg;
    const struct ipc_field r[] = {{.number = INSPECT_FOUND}, {.text = STR_LIT("Worm")}};
    assert_true(begin(f));
    assert_int_equal(ipc_send(&inspect_protocol, f->other.fd, INSPECT_SCAN_RESULT, r, -1),
                     IPC_OK);
    assert_true(inspect_hear(&f->job, &msg));
    assert_int_equal(msg.type, INSPECT_SCAN_RESULT);
    assert_true(str_eqz(msg.f[1].text, "Worm") && str_is_tainted(msg.f[1].text));
}

static void
test_how_it_can_end(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[INSPECT_ENDS + 1] = {
        [INSPECT_KILLED] = "ended by signal 11 (3 since the start)",
        [INSPECT_EXITED] = "ended with status 11 (3 since the start)",
        [INSPECT_TIMED_OUT] = "took too long: killed (3 since the start)",
        [INSPECT_UNLOADED] = "no signatures",
        [INSPECT_CROWDED] = "too many jobs",
        [INSPECT_ENDS] = "inspect process ended",
    };
    for (unsigned end = 0; end <= INSPECT_ENDS; end++) {
        const struct ipc_field e[] = {
            {.number = end}, {.number = 11}, {.number = 3}, {.text = STR_LIT("no signatures")}};
        assert_true(begin(f));
        assert_int_equal(ipc_send(&inspect_protocol, f->other.fd, INSPECT_ENDED, e, -1),
                         IPC_OK);
        assert_false(hears(f));
        assert_why(f, texts[end]);
        inspect_close(&f->job);
        close(f->other.fd);
        f->other.fd = -1;
    }
}

/* What was said before the end is heard, although something of ours was not read. */
static void
test_the_last_word_counts(void **state)
{
    struct fixture *f = *state;
    const struct ipc_field q[] = {{.number = 16}, {.text = STR_LIT("unread")}};
    const struct ipc_field e[] = {
        {.number = INSPECT_KILLED}, {.number = 6}, {.number = 1}, {.text = STR_EMPTY}};
    assert_true(begin(f));
    assert_true(inspect_say(&f->job, INSPECT_QUESTION, q, -1));
    assert_int_equal(ipc_send(&inspect_protocol, f->other.fd, INSPECT_ENDED, e, -1), IPC_OK);
    close(f->other.fd);
    f->other.fd = -1;
    assert_false(hears(f));
    assert_why(f, "signal 6");
    assert_true(inspect_say(&f->job, INSPECT_QUESTION, q, -1)); /* no reason of its own */
}

static void
test_gone_silent_and_forged(void **state)
{
    struct fixture *f = *state;
    assert_true(begin(f));
    close(f->other.fd);
    f->other.fd = -1;
    assert_false(hears(f));
    assert_why(f, "is gone");
    inspect_close(&f->job);
    assert_true(begin(f));
    assert_int_equal(send(f->other.fd, "what?", 5, 0), 5);
    assert_false(hears(f));
    assert_why(f, "no message");
    inspect_close(&f->job);
    close(f->other.fd);
    assert_true(begin(f));
    assert_false(hears(f)); /* after the limit and a grace of two seconds */
    assert_why(f, "in time");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nobody_to_ask),
        TEST(test_caps),
        TEST(test_an_answer),
        TEST(test_how_it_can_end),
        TEST(test_the_last_word_counts),
        TEST(test_gone_silent_and_forged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
