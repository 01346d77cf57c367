/* Records: what goes in comes out, and nothing else is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/record.h"

enum colour { RED, GREEN, BLUE };

struct thing {
    int i;
    unsigned u;
    enum colour colour;
    int64_t big;
    bool flag;
    char letter;
    struct str text, other;
};

enum { TEXT_CAP = 8 };

static const struct record_row thing_rows[] = {
    RECORD_NUMBER(struct thing, i, -5, 5),
    RECORD_NUMBER(struct thing, u, 0, UINT32_MAX),
    RECORD_NUMBER(struct thing, colour, RED, BLUE),
    RECORD_NUMBER(struct thing, big, INT64_MIN, INT64_MAX),
    RECORD_NUMBER(struct thing, flag, 0, 1),
    RECORD_NUMBER(struct thing, letter, 0, 127),
    RECORD_TEXT(struct thing, text, TEXT_CAP),
    RECORD_TEXT(struct thing, other, TEXT_CAP),
};
static const struct record_rows rows = {.v = thing_rows,
                                        .n = sizeof thing_rows / sizeof thing_rows[0]};

static struct str
written(struct arena *a, const struct thing *t)
{
    struct buf b = buf_in(a, 0);
    assert_true(record_put(&b, 'T', &rows, t));
    return buf_str(&b);
}

/* Reads bytes that are one record. */
static bool
reads(struct str bytes, struct thing *t, const char **fault)
{
    struct record r;
    assert_true(record_next(&bytes, &r));
    assert_int_equal(bytes.n, 0);
    memset(t, 0, sizeof *t);
    return record_read(r.body, &rows, t, fault);
}

static void
test_round_trip(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct thing t = {.i = -5,
                            .u = UINT32_MAX,
                            .colour = BLUE,
                            .big = INT64_MIN,
                            .flag = true,
                            .letter = 'x',
                            .text = str_tainted(STR_LIT("a\0b")),
                            .other = STR_EMPTY};
    struct thing got;
    const char *fault;
    assert_true(reads(written(a, &t), &got, &fault));
    assert_null(fault);
    assert_int_equal(got.i, -5);
    assert_true(got.u == UINT32_MAX && got.colour == BLUE && got.big == INT64_MIN);
    assert_true(got.flag && got.letter == 'x');
    assert_true(str_eq(got.text, t.text) && got.text.taint == STR_TAINTED);
    assert_true(str_is_set(got.other) && got.other.n == 0 && !str_is_tainted(got.other));
    arena_free(a);
}

static void
test_unset_stays_unset(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct thing t = {.i = 0}, got;
    const char *fault;
    struct str bytes = written(a, &t);
    assert_int_equal(bytes.n, RECORD_HEAD);
    assert_true(reads(bytes, &got, &fault));
    assert_false(str_is_set(got.text));
    arena_free(a);
}

static void
test_caps(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const char *fault;
    struct thing got;
    for (size_t n = TEXT_CAP - 1; n <= TEXT_CAP + 1; n++) {
        struct buf b = buf_in(a, 0);
        struct thing t = {.text = str_from("0123456789", n)};
        assert_int_equal(record_put(&b, 'T', &rows, &t), n <= TEXT_CAP);
    }
    for (int i = 4; i <= 6; i++) {
        struct buf b = buf_in(a, 0);
        struct thing t = {.i = i};
        assert_int_equal(record_put(&b, 'T', &rows, &t), i <= 5);
    }
    /* One that another hand wrote. */
    static const struct record_row loose_rows[] = {RECORD_NUMBER(struct thing, i, -50, 50)};
    static const struct record_rows loose = {.v = loose_rows, .n = 1};
    struct buf b = buf_in(a, 0);
    struct thing t = {.i = 6};
    assert_true(record_put(&b, 'T', &loose, &t));
    assert_false(reads(buf_str(&b), &got, &fault));
    assert_string_equal(fault, "a number out of range");
    arena_free(a);
}

/* A field by hand. */
static void
add_field(struct buf *b, unsigned row, size_t claimed, const char *bytes, size_t n)
{
    char head[RECORD_HEAD] = {(char)row};
    record_put_number(head + 1, claimed, 4);
    buf_add(b, head, sizeof head);
    buf_add(b, bytes, n);
}

static const char *
fault_of(struct str body)
{
    const char *fault = NULL;
    struct thing t = {.i = 0};
    assert_false(record_read(body, &rows, &t, &fault));
    return fault;
}

static void
test_forged(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char number[8] = {1};
    struct buf b = buf_in(a, 0);
    add_field(&b, 99, 8, number, 8);
    assert_string_equal(fault_of(buf_str(&b)), "an unknown field");
    b = buf_in(a, 0);
    add_field(&b, 1, 8, number, 8);
    add_field(&b, 1, 8, number, 8);
    assert_string_equal(fault_of(buf_str(&b)), "a field out of order");
    b = buf_in(a, 0);
    add_field(&b, 1, 7, number, 7);
    assert_string_equal(fault_of(buf_str(&b)), "a number of a wrong length");
    b = buf_in(a, 0);
    add_field(&b, 1, 9, number, 8);
    assert_string_equal(fault_of(buf_str(&b)), "a field beyond the end");
    b = buf_in(a, 0);
    add_field(&b, 6, 3, number, 3);
    assert_string_equal(fault_of(buf_str(&b)), "a text without its mark");
    b = buf_in(a, 0);
    add_field(&b, 6, 4, "\xff\xff\0\0", 4);
    assert_string_equal(fault_of(buf_str(&b)), "a mark out of range");
    assert_string_equal(fault_of(STR_LIT("x")), "a field beyond the end");
    arena_free(a);
}

static void
test_next(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct thing t = {.i = 3};
    struct record r;
    struct str one = written(a, &t), rest = str_cat(a, one, one);
    assert_true(record_next(&rest, &r) && r.tag == 'T');
    assert_true(record_next(&rest, &r));
    assert_false(record_next(&rest, &r));
    for (size_t n = 0; n < one.n; n++) {
        struct str cut = str_sub(one, 0, n);
        assert_false(record_next(&cut, &r));
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_unset_stays_unset),
        cmocka_unit_test(test_caps),       cmocka_unit_test(test_forged),
        cmocka_unit_test(test_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
