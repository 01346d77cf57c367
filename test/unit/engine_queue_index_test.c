/* What a listing kept is found by the next one, as long as the files are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_fixture.h"

#include "engine/queue_index.h"

#include <fcntl.h>

static struct engine_case *c;

static int
setup(void **state)
{
    (void)state;
    c = engine_case_new("");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    engine_case_free(c);
    return 0;
}

enum { NOW = 1000000000, MS = 1000000 };
static const struct timespec now = {.tv_sec = NOW, .tv_nsec = 100 * MS};

static struct message_id
id_at(unsigned i)
{
    const struct message_id_source s = {.now = {.tv_sec = NOW - 1000 + i},
                                        .host = MESSAGE_ID_HOST_NONE,
                                        .form = MESSAGE_ID_NEW};
    return message_id_make(&s);
}

static struct queue_index_stamp
stamp_at(unsigned i)
{
    return (struct queue_index_stamp){
        .inode = 100 + i, .changed_s = NOW - 500, .changed_ns = i};
}

/* A listing of n messages with that text; returns how many of them the one before knew. */
static unsigned
listing(unsigned n, struct str text)
{
    struct arena *a = arena_new();
    struct queue_index *x = queue_index_open(a, &c->engine, now);
    unsigned known = 0;
    assert_non_null(x);
    for (unsigned i = 0; i < n; i++) {
        struct message_id id = id_at(i);
        struct queue_index_stamp stamp = stamp_at(i);
        struct queue_index_entry e = {.received_time = i, .plain = i % 2 == 0, .text = text},
                                 found;
        if (queue_index_find(x, &id, &stamp, &found)) {
            known++;
            assert_int_equal(found.received_time, i);
            assert_int_equal(found.plain, i % 2 == 0);
            assert_true(str_eq(found.text, text));
        }
        queue_index_keep(x, &id, &stamp, &e);
    }
    queue_index_finish(x);
    arena_free(a);
    return known;
}

static void
test_kept(void **state)
{
    (void)state;
    struct str text = STR_LIT("   17 x <a@b>\n          c@d\n\n");
    assert_int_equal(listing(10000, text), 0);
    assert_int_equal(listing(10000, text), 10000);
    assert_int_equal(listing(10500, text), 10000); /* too few are new: it stays as it is */
    assert_int_equal(listing(12000, text), 10000);
    assert_int_equal(listing(12000, text), 12000);
    assert_string_equal(engine_case_read(c, "spool/db/listing.new"), "");
}

static void
test_longest_text(void **state)
{
    (void)state;
    char *p = arena_alloc(c->loaded.arena, QUEUE_INDEX_TEXT_MAX + 1);
    memset(p, 'x', QUEUE_INDEX_TEXT_MAX + 1);
    for (uint32_t n = QUEUE_INDEX_TEXT_MAX - 1; n <= QUEUE_INDEX_TEXT_MAX + 1; n++) {
        listing(20, str_from(p, n));
        assert_int_equal(listing(20, str_from(p, n)), n <= QUEUE_INDEX_TEXT_MAX ? 20 : 0);
        assert_int_equal(
            remove(str_cstr(c->loaded.arena,
                            str_printf(c->loaded.arena, "%s/spool/db/listing", c->root))) == 0,
            n <= QUEUE_INDEX_TEXT_MAX);
    }
}

/* Another file under that name, one that changed, one that may change yet. */
static void
test_other_files(void **state)
{
    (void)state;
    struct arena *a = c->loaded.arena;
    struct queue_index_entry e = {.text = STR_LIT("x\n")}, found;
    /* when each of them changed, and whether that is long enough ago; whole seconds may be all that the file system has */
    static const struct {
        int64_t s;
        uint32_t ns;
        bool kept;
    } changes[] = {
        {NOW + 1, 0, false},       {NOW, 0, false},        {NOW - 1, 0, false},
        {NOW - 2, 0, true},        {NOW, 100 * MS, false}, {NOW, 51 * MS, false},
        {NOW, 50 * MS, true},      {NOW, 49 * MS, true},   {NOW - 1, 999 * MS, true},
        {NOW + 1, 1 * MS, false},  {NOW, 999 * MS, false}, {NOW - 1, 1, true},
        {NOW - 3, 999 * MS, true},
    };
    enum { N = sizeof changes / sizeof changes[0] };
    struct queue_index *x = queue_index_open(a, &c->engine, now);
    for (unsigned i = 0; i < N; i++) {
        struct message_id id = id_at(i);
        struct queue_index_stamp stamp = stamp_at(i);
        stamp.changed_s = changes[i].s;
        stamp.changed_ns = changes[i].ns;
        queue_index_keep(x, &id, &stamp, &e);
    }
    queue_index_finish(x);
    x = queue_index_open(a, &c->engine, now);
    for (unsigned i = 0; i < N; i++) {
        struct message_id id = id_at(i);
        struct queue_index_stamp stamp = stamp_at(i);
        stamp.changed_s = changes[i].s;
        stamp.changed_ns = changes[i].ns;
        assert_int_equal(queue_index_find(x, &id, &stamp, &found), changes[i].kept);
        struct queue_index_stamp others[] = {stamp, stamp, stamp};
        others[0].inode++;
        others[1].changed_s++;
        others[2].changed_ns++;
        for (size_t k = 0; k < 3; k++)
            assert_false(queue_index_find(x, &id, &others[k], &found));
    }
}

/* Whatever is wrong with the file, nothing wrong comes out of it. */
static void
test_damaged(void **state)
{
    (void)state;
    struct str text = STR_LIT("   17 x <a@b>\n          c@d\n\n");
    const char *path =
        str_cstr(c->loaded.arena, str_printf(c->loaded.arena, "%s/spool/db/listing", c->root));
    assert_int_equal(listing(100, text), 0);
    for (int at = 0; at < 300; at++) {
        char byte;
        int fd = open(path, O_RDWR | O_CLOEXEC);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x40;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        assert_in_range(listing(100, text), 0, 3); /* what it finds it checks */
        assert_int_equal(listing(100, text), 100);
    }
    for (int n = 16; n < 400; n += 7) {
        assert_int_equal(truncate(path, n), 0);
        assert_in_range(listing(100, text), 0, 4);
        assert_int_equal(listing(100, text), 100);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_longest_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
