/* Answers of queryprogram commands. */
#include "routers/query_answer.h"

#include "base/arena.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *a;

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static struct query_answer
answer(const char *text)
{
    return query_answer_read(a, str_tainted(str_from_cstr(text)));
}

static void
test_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum query_answer_kind kind;
        const char *rest;
    } rows[] = {
        {"ACCEPT", QUERY_ACCEPT, ""},
        {" accept \n", QUERY_ACCEPT, ""},
        {"Decline more text\n", QUERY_DECLINE, "more text"},
        {"FAIL go away", QUERY_FAIL, "go away"},
        {"fail", QUERY_FAIL, ""},
        {"Defer\tlater", QUERY_DEFER, "later"},
        {"freeze x\ny", QUERY_FREEZE, "x y"},
        {"PASS", QUERY_PASS, ""},
        {"redirect a@b, c@d\n", QUERY_REDIRECT, "a@b, c@d"},
        {"declinexx", QUERY_UNKNOWN, ""},
        {"", QUERY_UNKNOWN, ""},
        {"\n\n", QUERY_UNKNOWN, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct query_answer q = answer(rows[i].text);
        assert_int_equal(q.kind, rows[i].kind);
        if (!str_eqz(q.text, rows[i].rest))
            fail_msg("%s: %.*s", rows[i].text, STR_ARG(q.text));
    }
}

static void
test_accept(void **state)
{
    (void)state;
    struct query_answer q =
        answer("ACCEPT hosts=\"a : b\" TRANSPORT = t1 data=\"some \\\"thing\" lookup=byname");
    assert_true(str_eqz(q.hosts, "a : b"));
    assert_true(str_eqz(q.transport, "t1"));
    assert_true(str_eqz(q.data, "some \"thing"));
    assert_true(str_eqz(q.lookup, "byname"));
    assert_true(str_is_tainted(q.hosts));
    q = answer("accept transport=t2 foo=bar transport=t3 alone");
    assert_true(str_eqz(q.transport, "t2"));
    assert_false(str_is_set(q.hosts));
    q = answer("accept data=");
    assert_true(str_is_set(q.data));
    assert_int_equal(q.data.n, 0);
    q = answer("accept data=\"open");
    assert_true(str_eqz(q.data, "open"));
    q = answer("accept hosts= transport=t2");
    assert_true(str_eqz(q.hosts, "transport=t2"));
}

static void
test_cap(void **state)
{
    (void)state;
    for (int n = QUERY_ANSWER_MAX - 1; n <= QUERY_ANSWER_MAX + 1; n++) {
        struct buf b = buf_in(a, 0);
        buf_addz(&b, "FAIL ");
        while ((int)b.n < n)
            buf_addc(&b, 'x');
        struct query_answer q = query_answer_read(a, buf_str(&b));
        int kept = n > QUERY_ANSWER_MAX ? QUERY_ANSWER_MAX : n;
        assert_int_equal(q.text.n, kept - 5);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_accept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cap, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
