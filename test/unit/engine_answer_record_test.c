/* Answers of children: what goes in comes out, and nothing else is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "engine/answer_record.h"

static struct transport_answer
sample(void)
{
    return (struct transport_answer){
        .why = {.outcome = OUT_FAIL,
                .smtp_code = 550,
                .sys_errno = -24,
                .enhanced = STR_LIT("5.1.1"),
                .peer = STR_LIT("no"),
                .log = STR_LIT("no, really"),
                .host = STR_LIT("h"),
                .host_ip = STR_LIT("127.0.0.1")},
        .log_note = STR_LIT(" C=\"ok\""),
        .detail = -5,
        .freeze = true,
        .freeze_told = true,
        .retry_message = true,
        .output = STR_LIT("line\n"),
        .log_line = STR_LIT("line"),
        .warning = STR_LIT("To: x\n\nw"),
        .warning_to = STR_LIT("x@y"),
        .reply = STR_LIT("To: y\n\nw"),
        .reply_to = STR_LIT(""),
        .size = INT64_MAX,
    };
}

static void
assert_sample(const struct transport_answer *t)
{
    const struct transport_answer s = sample();
    assert_int_equal(t->why.outcome, OUT_FAIL);
    assert_int_equal(t->why.smtp_code, 550);
    assert_int_equal(t->why.sys_errno, -24);
    assert_int_equal(t->detail, -5);
    assert_true(t->size == INT64_MAX);
    assert_true(t->freeze && t->freeze_told && t->retry_message);
    assert_true(str_eq(t->why.enhanced, s.why.enhanced) && str_eq(t->why.peer, s.why.peer));
    assert_true(str_eq(t->why.log, s.why.log) && str_eq(t->why.host, s.why.host));
    assert_true(str_eq(t->why.host_ip, s.why.host_ip) && str_eq(t->log_note, s.log_note));
    assert_true(str_eq(t->output, s.output) && str_eq(t->log_line, s.log_line));
    assert_true(str_eq(t->warning, s.warning) && str_eq(t->warning_to, s.warning_to));
    assert_true(str_eq(t->reply, s.reply));
    assert_true(str_is_set(t->reply_to) && t->reply_to.n == 0);
}

static void
test_round_trip(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct buf b = buf_in(a, 0);
    const struct transport_answer in[3] = {sample(), {.why = {.outcome = OUT_OK}}, sample()};
    struct transport_answer out[3];
    const char *fault;
    answer_record_add(&b, in, 3);
    assert_true(answer_record_read(str_tainted(buf_str(&b)), out, 3, &fault));
    assert_null(fault);
    assert_sample(&out[0]);
    assert_sample(&out[2]);
    assert_int_equal(out[1].why.outcome, OUT_OK);
    assert_false(str_is_set(out[1].why.log));
    assert_true(str_is_tainted(out[0].reply));
    assert_false(answer_record_read(buf_str(&b), out, 2, &fault));
    assert_false(str_is_set(out[0].reply)); /* nothing is left of it */
    arena_free(a);
}

/* Every prefix is refused: a child that dies while it writes has said nothing. */
static void
test_prefixes(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct buf b = buf_in(a, 0);
    const struct transport_answer in[2] = {sample(), sample()};
    struct transport_answer out[2];
    const char *fault;
    answer_record_add(&b, in, 2);
    struct str all = buf_str(&b);
    for (size_t n = 0; n < all.n; n++) {
        assert_false(answer_record_read(str_sub(all, 0, n), out, 2, &fault));
        assert_non_null(fault);
    }
    buf_addc(&b, 'x');
    assert_false(answer_record_read(buf_str(&b), out, 2, &fault));
    assert_string_equal(fault, "bytes behind the end");
    arena_free(a);
}

static void
add(struct buf *b, char type, unsigned char index, unsigned n, const char *value)
{
    const char head[9] = {type,
                          (char)index,
                          0,
                          0,
                          0,
                          (char)(n & 0xff),
                          (char)(n >> 8 & 0xff),
                          (char)(n >> 16 & 0xff),
                          (char)(n >> 24 & 0xff)};
    buf_add(b, head, 9);
    buf_add(b, value, n);
}

static void
test_forged(void **state)
{
    (void)state;
    static const char ok[8] = {0}, defer[8] = {OUT_DEFER}, pass[8] = {OUT_PASS}, wild[8] = {77};
    static const struct {
        struct {
            char type;
            unsigned char index;
            unsigned n;
            const char *value;
        } r[4];
        const char *fault;
    } cases[] = {
        {{{'o', 0, 8, ok}, {'Z', 1, 0, ""}}, NULL},
        {{{'o', 0, 8, pass}, {'Z', 1, 0, ""}}, "an outcome that no delivery has"},
        {{{'o', 0, 8, wild}, {'Z', 1, 0, ""}}, "a number out of range"},
        {{{'o', 0, 7, ok}, {'Z', 1, 0, ""}}, "a number of a wrong length"},
        {{{'Z', 0, 0, ""}}, "too few answers"},
        {{{'L', 0, 1, "x"}, {'Z', 1, 0, ""}}, "an answer out of order"},
        {{{'o', 1, 8, ok}, {'Z', 1, 0, ""}}, "an answer out of order"},
        {{{'o', 0, 8, ok}, {'o', 0, 8, defer}, {'Z', 1, 0, ""}}, "a field twice"},
        {{{'o', 0, 8, ok}, {'L', 0, 1, "x"}, {'L', 0, 1, "y"}, {'Z', 1, 0, ""}},
         "a field twice"},
        {{{'o', 0, 8, ok}, {'?', 0, 1, "x"}, {'Z', 1, 0, ""}}, "an unknown type"},
        {{{'o', 0, 8, ok}, {'L', 1, 1, "x"}, {'Z', 1, 0, ""}}, "an answer out of order"},
        {{{'o', 0, 8, ok}, {'o', 1, 8, ok}, {'Z', 2, 0, ""}}, "an answer out of order"},
        {{{'o', 0, 8, ok}, {'Z', 1, 1, "x"}}, "bytes behind the end"},
        {{{'o', 0, 8, ok}}, "no end"},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf b = buf_in(a, 0);
        struct transport_answer out[1];
        const char *fault;
        for (size_t k = 0; k < 4 && cases[i].r[k].type != 0; k++)
            add(&b, cases[i].r[k].type, cases[i].r[k].index, cases[i].r[k].n,
                cases[i].r[k].value);
        bool good = answer_record_read(buf_str(&b), out, 1, &fault);
        assert_int_equal(good, cases[i].fault == NULL);
        if (!good && strcmp(fault, cases[i].fault) != 0)
            fail_msg("case %zu: %s", i, fault);
    }
    arena_free(a);
}

/* Texts at their maximum, and one byte more. */
static void
test_caps(void **state)
{
    (void)state;
    enum { MAX = 64 * 1024 };
    struct arena *a = arena_new();
    char *text = arena_alloc(a, MAX + 1);
    memset(text, 'x', MAX + 1);
    for (unsigned n = MAX - 1; n <= MAX + 1; n++) {
        struct buf b = buf_in(a, 0);
        struct transport_answer out[1];
        const char *fault;
        add(&b, 'o', 0, 8, "\0\0\0\0\0\0\0");
        add(&b, 'L', 0, n, text);
        add(&b, 'Z', 1, 0, "");
        assert_int_equal(answer_record_read(buf_str(&b), out, 1, &fault), n <= MAX);
        const struct transport_answer in = {.why = {.log = str_from(text, n)}};
        b = buf_in(a, 0); /* the writer cuts */
        answer_record_add(&b, &in, 1);
        assert_true(answer_record_read(buf_str(&b), out, 1, &fault));
        assert_int_equal(out[0].why.log.n, n < MAX ? n : MAX);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_caps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
