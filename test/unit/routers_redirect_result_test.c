/* Unit tests of routers/redirect_result.c: what is written reads back as itself, and nothing else reads. */
#include "routers/redirect_result.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static struct redirect_result
sample(struct arena *a)
{
    struct redirect_result r = {
        .end = REDIRECT_END_SEEN, .filter = true, .text = STR_LIT("text")};
    struct str *argv = ARENA_ARRAY(a, struct str, FILTER_MAIL_ARGUMENTS);
    struct filter_action *mail = ARENA_NEW(a, struct filter_action);
    *mail = (struct filter_action){.id = FILTER_VACATION,
                                   .flags = FILTER_SEEN | FILTER_RETURN_MESSAGE,
                                   .argc = FILTER_MAIL_ARGUMENTS,
                                   .argv = argv};
    argv[FILTER_MAIL_TEXT] = str_tainted(STR_LIT("on\nholiday"));
    argv[FILTER_MAIL_SUBJECT] = STR_EMPTY;
    const struct redirect_child children[] = {
        {.item = ADDRESS_ITEM_MAIL, .text = STR_LIT("a@b"), .mode = -1, .own_domain = true},
        {.item = ADDRESS_ITEM_FILE, .text = STR_LIT("/f"), .mode = 0640, .ignore_error = true},
        {.item = ADDRESS_ITEM_PIPE,
         .text = str_tainted(STR_LIT("|x")),
         .mode = -1,
         .errors_to = STR_LIT("e@f")},
        {.item = ADDRESS_ITEM_REPLY, .text = STR_LIT(">r@s"), .mode = -1, .reply = mail},
    };
    for (size_t i = 0; i < sizeof children / sizeof *children; i++)
        vec_push(a, &r.children, children[i]);
    const struct redirect_fault f = {.text = STR_LIT("bad"), .given = STR_LIT("@@")};
    const struct redirect_edit e = {.remove = true, .text = STR_LIT("x:y")};
    vec_push(a, &r.faults, f);
    vec_push(a, &r.edits, e);
    r.counters[3] = -7;
    return r;
}

static struct str
written(struct arena *a, const struct redirect_result *r)
{
    struct buf b = buf_in(a, REDIRECT_BYTES_MAX);
    redirect_result_write(&b, r);
    return buf_str(&b);
}

static void
test_round_trip(void **state)
{
    struct arena *a = *state;
    struct redirect_result in = sample(a), out;
    struct str bytes = written(a, &in);
    assert_true(redirect_result_read(a, bytes, &out));
    assert_int_equal(out.end, REDIRECT_END_SEEN);
    assert_true(out.filter);
    assert_true(str_eqz(out.text, "text"));
    assert_int_equal(out.counters[3], -7);
    assert_int_equal(out.children.n, 4);
    assert_true(out.children.v[0].own_domain);
    assert_false(str_is_set(out.children.v[0].errors_to));
    assert_int_equal(out.children.v[1].mode, 0640);
    assert_true(out.children.v[1].ignore_error);
    assert_true(str_is_tainted(out.children.v[2].text));
    assert_false(str_is_tainted(out.children.v[1].text));
    assert_true(str_eqz(out.children.v[2].errors_to, "e@f"));
    const struct filter_action *mail = out.children.v[3].reply;
    assert_int_equal(mail->id, FILTER_VACATION);
    assert_int_equal(mail->flags, FILTER_SEEN | FILTER_RETURN_MESSAGE);
    assert_true(str_eqz(mail->argv[FILTER_MAIL_TEXT], "on\nholiday"));
    assert_true(str_is_tainted(mail->argv[FILTER_MAIL_TEXT]));
    assert_true(str_is_set(mail->argv[FILTER_MAIL_SUBJECT]));
    assert_false(str_is_set(mail->argv[FILTER_MAIL_TO]));
    assert_true(str_eqz(out.faults.v[0].given, "@@"));
    assert_true(out.edits.v[0].remove);
    struct str again = written(a, &out);
    assert_true(str_eq(again, bytes));
}

/* Any part of it, and it with anything behind it, is refused. */
static void
test_cut(void **state)
{
    struct arena *a = *state;
    struct redirect_result in = sample(a), out;
    struct str bytes = written(a, &in);
    for (size_t n = 0; n < bytes.n; n++) {
        assert_false(redirect_result_read(a, str_sub(bytes, 0, n), &out));
        assert_int_equal(out.children.n, 0);
    }
    assert_false(redirect_result_read(a, str_cat(a, bytes, STR_LIT("x")), &out));
    assert_false(redirect_result_read(a, str_cat(a, bytes, bytes), &out));
}

/* One byte changed never reads as something that could not have been written. */
static void
test_changed(void **state)
{
    struct arena *a = *state;
    struct redirect_result in = sample(a), out;
    struct str bytes = written(a, &in);
    for (size_t i = 0; i < bytes.n; i++) {
        static const unsigned char flips[] = {0x01, 0x80, 0xff};
        for (size_t k = 0; k < sizeof flips; k++) {
            struct arena_mark mark = arena_mark(a);
            struct str copy = str_dup(a, bytes);
            ((char *)(uintptr_t)copy.p)[i] = (char)((unsigned char)copy.p[i] ^ flips[k]);
            if (redirect_result_read(a, copy, &out)) {
                assert_true(out.end < REDIRECT_ENDS);
                for (size_t c = 0; c < out.children.n; c++) {
                    const struct redirect_child *child = &out.children.v[c];
                    assert_true(child->mode >= -1 && child->mode <= 07777);
                    assert_int_equal(child->item == ADDRESS_ITEM_REPLY, child->reply != NULL);
                }
            }
            arena_reset(a, mark);
        }
    }
}

/* As many faults as there may be are written; one more becomes a fault of its own. */
static void
test_cap(void **state)
{
    struct arena *a = *state;
    struct redirect_result in = {.end = REDIRECT_END_ITEMS}, out;
    const struct redirect_fault f = {.text = STR_LIT("bad")};
    for (int i = 0; i < REDIRECT_FAULTS_MAX; i++)
        vec_push(a, &in.faults, f);
    assert_true(redirect_result_read(a, written(a, &in), &out));
    assert_int_equal(out.faults.n, REDIRECT_FAULTS_MAX);
    vec_push(a, &in.faults, f);
    assert_true(redirect_result_read(a, written(a, &in), &out));
    assert_int_equal(out.end, REDIRECT_END_BAD);
    assert_true(str_eqz(out.text, "the result is too large"));
}

/* A text that does not fit into the buffer is no half record. */
static void
test_overflow(void **state)
{
    struct arena *a = *state;
    struct redirect_result in = sample(a), out;
    for (size_t limit = 200; limit < 400; limit += 7) {
        struct buf b = buf_in(a, limit);
        redirect_result_write(&b, &in);
        assert_true(redirect_result_read(a, buf_str(&b), &out));
        assert_true(out.end == REDIRECT_END_SEEN || out.end == REDIRECT_END_BAD);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip), TEST(test_cut),      TEST(test_changed),
        TEST(test_cap),        TEST(test_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
