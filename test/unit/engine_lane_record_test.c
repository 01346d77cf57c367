/* Records of the fast lane: both ways, caps, and that no changed byte is taken. */
#include "engine/lane_record.h"

#include "base/arena.h"
#include "engine/spool_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct message_id id = {"1xVNEb-000000079s2-0001"};

struct cap {
    enum lane_kind kind;
    uint32_t least, most;
};

static const struct cap caps[] = {
#define LANE_RECORD(name, letter, least, most, doc) {LANE_KIND_##name, (least), (most)},
#include "engine/lane.def"
#undef LANE_RECORD
};

static bool
reads(enum lane_kind kind, uint32_t length)
{
    unsigned char b[LANE_HEAD];
    struct lane_head back, h = {.kind = kind, .length = length, .sum = 77};
    h.body = kind == LANE_KIND_MESSAGE ? 48 : 0;
    lane_head_write(&h, 5, 1000 * LANE_ALIGN, b);
    bool ok = lane_head_read(b, 5, 1000 * LANE_ALIGN, &back);
    if (ok)
        assert_true(back.kind == kind && back.length == length && back.sum == 77 &&
                    back.body == h.body && !back.ended);
    return ok;
}

static void
test_caps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        const struct cap *c = &caps[i];
        assert_true(reads(c->kind, c->least));
        assert_true(reads(c->kind, c->most));
        assert_false(reads(c->kind, c->most + 1));
        if (c->least > 0)
            assert_false(reads(c->kind, c->least - 1));
        if (c->most > c->least)
            assert_true(reads(c->kind, c->most - 1));
        assert_true(lane_record_size(c->most) % LANE_ALIGN == 0);
        assert_true(lane_record_size(c->most) < LANE_SEGMENT_MAX / 8);
    }
}

static void
test_flips(void **state)
{
    (void)state;
    unsigned char b[LANE_HEAD];
    struct lane_head h = {.kind = LANE_KIND_MESSAGE, .length = 500, .sum = 99, .body = 64}, x;
    lane_head_write(&h, 0x123456789abcdef0, 4096, b);
    assert_true(lane_head_read(b, 0x123456789abcdef0, 4096, &x));
    assert_false(lane_head_read(b, 0x123456789abcdef1, 4096, &x));
    assert_false(lane_head_read(b, 0x123456789abcdef0, 4104, &x));
    for (size_t bit = 0; bit < LANE_ENDED_AT * 8; bit++) {
        b[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_false(lane_head_read(b, 0x123456789abcdef0, 4096, &x));
        b[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t bit = LANE_ENDED_AT * 8; bit < LANE_HEAD * 8; bit++) {
        b[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_true(lane_head_read(b, 0x123456789abcdef0, 4096, &x) && !x.ended);
        b[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    memcpy(b + LANE_ENDED_AT, lane_ended, sizeof lane_ended);
    assert_true(lane_head_read(b, 0x123456789abcdef0, 4096, &x) && x.ended);
}

static void
test_places(void **state)
{
    (void)state;
    unsigned char b[LANE_HEAD];
    struct lane_head x, h = {.kind = LANE_KIND_MESSAGE, .length = 500, .body = 4096};
    lane_head_write(&h, 1, 4096, b); /* its body is not before it */
    assert_false(lane_head_read(b, 1, 4096, &x));
    h.body = 63; /* not where a record can be */
    lane_head_write(&h, 1, 4096, b);
    assert_false(lane_head_read(b, 1, 4096, &x));
    h = (struct lane_head){.kind = LANE_KIND_BODY, .length = 1, .body = 8};
    lane_head_write(&h, 1, 4096, b);
    assert_false(lane_head_read(b, 1, 4096, &x));
}

static struct str
content_of(struct arena *a, const struct lane_message *m, bool *ok)
{
    unsigned char head[LANE_MESSAGE_HEAD];
    *ok = lane_message_head(m, head);
    struct buf b = buf_in(a, 0);
    buf_add(&b, (const char *)head, sizeof head);
    buf_adds(&b, m->queue);
    buf_adds(&b, m->log);
    buf_adds(&b, m->header);
    return buf_str(&b);
}

static void
test_message(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct lane_message m = {.id = id, .queue = STR_LIT("q"), .log = STR_LIT("line\n")}, back;
    bool ok;
    m.header = STR_LIT("x-H\n");
    struct str c = content_of(a, &m, &ok);
    assert_true(ok && lane_message_read(c, &back));
    assert_string_equal(back.id.text, id.text);
    assert_true(str_eq(back.queue, m.queue) && str_eq(back.log, m.log) &&
                str_eq(back.header, m.header));
    for (size_t n = 0; n < c.n; n++)
        assert_false(lane_message_read(str_sub(c, 0, n), &back));
    m.queue = str_from("a\0b", 3);
    assert_false(lane_message_read(content_of(a, &m, &ok), &back));
    m.queue = STR_EMPTY;
    m.header = STR_EMPTY;
    (void)content_of(a, &m, &ok);
    assert_false(ok);
    char *big = arena_zalloc(a, LANE_MESSAGE_MAX, 1);
    for (int more = -1; more <= 1; more++) {
        m.header = str_from(big, LANE_MESSAGE_MAX - LANE_MESSAGE_HEAD - m.log.n - 1 +
                                     (size_t)(more + 1));
        (void)content_of(a, &m, &ok);
        assert_int_equal(ok, more <= 0);
    }
    arena_free(a);
}

static bool
note_round(struct arena *a, enum lane_kind kind, struct str address)
{
    struct buf b = buf_in(a, LANE_NOTE_MAX);
    struct lane_note n = {.id = id, .address = address}, back;
    if (!lane_note_write(kind, &n, &b))
        return false;
    struct str c = buf_str(&b);
    assert_true(lane_note_read(kind, c, &back));
    assert_string_equal(back.id.text, id.text);
    assert_true(str_eq(back.address, kind == LANE_KIND_RECIPIENT ? address : STR_EMPTY));
    return true;
}

static void
test_notes(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct lane_note n;
    assert_true(note_round(a, LANE_KIND_DONE, STR_EMPTY));
    assert_true(note_round(a, LANE_KIND_MOVED, STR_EMPTY));
    assert_true(note_round(a, LANE_KIND_ABORT, STR_EMPTY));
    assert_true(note_round(a, LANE_KIND_RECIPIENT, STR_LIT("x@y")));
    assert_false(note_round(a, LANE_KIND_RECIPIENT, STR_EMPTY));
    assert_false(note_round(a, LANE_KIND_RECIPIENT, STR_LIT("x\ny")));
    assert_false(note_round(a, LANE_KIND_RECIPIENT, STR_LIT("x\ry")));
    assert_false(note_round(a, LANE_KIND_RECIPIENT, str_from("x\0y", 3)));
    char *big = arena_alloc(a, SPOOL_LINE_MAX);
    memset(big, 'x', SPOOL_LINE_MAX);
    assert_true(note_round(a, LANE_KIND_RECIPIENT, str_from(big, SPOOL_LINE_MAX / 2 - 1)));
    assert_true(note_round(a, LANE_KIND_RECIPIENT, str_from(big, SPOOL_LINE_MAX / 2)));
    assert_false(note_round(a, LANE_KIND_RECIPIENT, str_from(big, SPOOL_LINE_MAX / 2 + 1)));
    assert_false(lane_note_read(LANE_KIND_DONE, STR_EMPTY, &n));
    assert_false(lane_note_read(LANE_KIND_DONE, STR_LIT("\x17"), &n));
    assert_false(lane_note_read(LANE_KIND_DONE,
                                STR_LIT("\x10"
                                        "1xVNEb-00079s-2"),
                                &n));
    assert_false(lane_note_read(LANE_KIND_DONE,
                                STR_LIT("\x10"
                                        "1xVNEb-00079s-2Px"),
                                &n));
    assert_true(lane_note_read(LANE_KIND_DONE,
                               STR_LIT("\x10"
                                       "1xVNEb-00079s-2P"),
                               &n));
    assert_false(lane_note_read(LANE_KIND_RECIPIENT,
                                STR_LIT("\x10"
                                        "1xVNEb-00079s-2P"),
                                &n));
    arena_free(a);
}

static void
test_names(void **state)
{
    (void)state;
    assert_string_equal(lane_kind_name(LANE_KIND_MESSAGE), "MESSAGE");
    assert_string_equal(lane_kind_name(LANE_KIND_ABORT), "ABORT");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caps),   cmocka_unit_test(test_flips),
        cmocka_unit_test(test_places), cmocka_unit_test(test_message),
        cmocka_unit_test(test_notes),  cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
