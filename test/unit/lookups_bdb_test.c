/* Unit tests of lookups/bdb.c over Berkeley DB files that the test makes byte by byte. */
#include "lookups/bdb.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PAGE = 512, PAGES = 5 };

struct image {
    unsigned char p[PAGE * PAGES];
    bool big_endian;
};

static void
put(const struct image *im, unsigned char *p, uint32_t v, int n)
{
    for (int i = 0; i < n; i++)
        p[im->big_endian ? n - 1 - i : i] = (unsigned char)(v >> (8 * i));
}

static unsigned char *
page(struct image *im, uint32_t no, unsigned type)
{
    unsigned char *p = im->p + no * PAGE;
    put(im, p + 8, no, 4);
    p[25] = (unsigned char)type;
    return p;
}

static void
make_meta(struct image *im, uint32_t magic)
{
    memset(im->p, 0, sizeof im->p);
    unsigned char *p = page(im, 0, magic == 0x061561 ? 8 : 9);
    put(im, p + 12, magic, 4);
    put(im, p + 16, 9, 4);
    put(im, p + 20, PAGE, 4);
    put(im, p + 32, PAGES - 1, 4);
}

/* Adds an item before the last one of the page. */
static void
add_item(struct image *im, unsigned char *p, const void *bytes, size_t n)
{
    unsigned items =
        im->big_endian ? (unsigned)p[20] << 8 | p[21] : (unsigned)p[21] << 8 | p[20];
    unsigned char *last = p + 26 + (items - 1) * 2;
    uint32_t top = items == 0       ? PAGE
                   : im->big_endian ? (uint32_t)last[0] << 8 | last[1]
                                    : (uint32_t)last[1] << 8 | last[0];
    top -= (uint32_t)n;
    memcpy(p + top, bytes, n);
    put(im, p + 26 + items * 2, top, 2);
    put(im, p + 20, items + 1, 2);
}

static void
add_tree_item(struct image *im, unsigned char *p, const char *text)
{
    unsigned char item[64];
    size_t n = strlen(text);
    put(im, item, (uint32_t)n, 2);
    item[2] = 1;
    memcpy(item + 3, text, n);
    add_item(im, p, item, n + 3);
}

/* An item on a chain of overflow pages. */
static void
add_chain(struct image *im, unsigned char *p, uint32_t first, uint32_t length, bool tree)
{
    unsigned char item[12] = {3, 0, 0, 0};
    if (tree)
        memcpy(item, "\0\0\3\0", 4);
    put(im, item + 4, first, 4);
    put(im, item + 8, length, 4);
    add_item(im, p, item, sizeof item);
}

static void
make_overflow(struct image *im, uint32_t no, uint32_t next, const char *text)
{
    unsigned char *p = page(im, no, 7);
    put(im, p + 16, next, 4);
    put(im, p + 22, (uint32_t)strlen(text), 2);
    memcpy(p + 26, text, strlen(text));
}

static void
make_hash(struct image *im)
{
    make_meta(im, 0x061561);
    unsigned char *p = page(im, 1, 13);
    add_item(im, p, "\1one", 4);
    add_item(im, p, "\1first", 6);
    add_item(im, p, "\1big", 4);
    add_chain(im, p, 3, 11, false);
    unsigned char dup[] = "\2??a??";
    put(im, dup + 1, 1, 2);
    put(im, dup + 4, 1, 2);
    add_item(im, p, "\1dup", 4);
    add_item(im, p, dup, 6);
    p = page(im, 2, 2);
    add_item(im, p, "\1other\0", 7);
    add_item(im, p, "\1", 1);
    make_overflow(im, 3, 4, "hello ");
    make_overflow(im, 4, 0, "world");
}

static void
make_tree(struct image *im)
{
    make_meta(im, 0x053162);
    unsigned char *p = page(im, 1, 5);
    add_tree_item(im, p, "one");
    add_tree_item(im, p, "first");
    add_chain(im, p, 3, 6, true);
    add_tree_item(im, p, "of a long key");
    add_tree_item(im, p, "big");
    add_chain(im, p, 3, 11, true);
    add_tree_item(im, p, "gone");
    add_tree_item(im, p, "x");
    unsigned at = im->big_endian ? (unsigned)p[26 + 12] << 8 | p[27 + 12]
                                 : (unsigned)p[27 + 12] << 8 | p[26 + 12];
    p[at + 2] |= 0x80; /* deleted */
    make_overflow(im, 3, 4, "hello ");
    make_overflow(im, 4, 0, "world");
}

static void
check(const struct bdb *db, struct arena *a, struct str key, const char *expected)
{
    struct str data = STR_NULL;
    if (expected == NULL) {
        assert_false(bdb_find(db, a, key, &data));
        return;
    }
    assert_true(bdb_find(db, a, key, &data));
    assert_true(str_eqz(data, expected));
}

static void
hash_files_in_both_byte_orders(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct image im = {.big_endian = big};
        const char *why;
        struct arena *a = arena_new();
        make_hash(&im);
        assert_true(bdb_recognise(im.p, 64));
        struct bdb *db = bdb_open(a, im.p, sizeof im.p, &why);
        assert_non_null(db);
        assert_int_equal(bdb_count(db), 4);
        check(db, a, STR_LIT("one"), "first");
        check(db, a, STR_LIT("big"), "hello world");
        check(db, a, STR_LIT("dup"), "a");
        check(db, a, STR_LIT("other\0"), "");
        check(db, a, STR_LIT("other"), NULL);
        check(db, a, STR_LIT("On"), NULL);
        arena_free(a);
    }
}

static void
trees_in_both_byte_orders(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct image im = {.big_endian = big};
        const char *why;
        struct arena *a = arena_new();
        make_tree(&im);
        struct bdb *db = bdb_open(a, im.p, sizeof im.p, &why);
        assert_non_null(db);
        check(db, a, STR_LIT("one"), "first");
        check(db, a, STR_LIT("big"), "hello world");
        check(db, a, STR_LIT("hello "), "of a long key");
        check(db, a, STR_LIT("gone"), NULL);
        arena_free(a);
    }
}

static void
chains_that_lie_are_not_followed(void **state)
{
    (void)state;
    struct image im = {.big_endian = false};
    const char *why;
    struct arena *a = arena_new();
    make_hash(&im);
    put(&im, im.p + 4 * PAGE + 16, 3, 4); /* a ring */
    struct bdb *db = bdb_open(a, im.p, sizeof im.p, &why);
    check(db, a, STR_LIT("big"), "hello world"); /* the length ends it */
    put(&im, im.p + 3 * PAGE + 16, 99, 4);       /* beyond the file */
    check(db, a, STR_LIT("big"), NULL);
    put(&im, im.p + 3 * PAGE + 16, 1, 4); /* no overflow page */
    check(db, a, STR_LIT("big"), NULL);
    put(&im, im.p + 3 * PAGE + 16, 4, 4);
    put(&im, im.p + 3 * PAGE + 22, 0, 2); /* no progress */
    check(db, a, STR_LIT("big"), NULL);
    arena_free(a);
}

static void
files_that_are_refused(void **state)
{
    (void)state;
    struct image im = {.big_endian = false};
    const char *why = NULL;
    struct arena *a = arena_new();
    make_hash(&im);
    assert_false(bdb_recognise(im.p, 31));
    im.p[26] = 1;
    assert_null(bdb_open(a, im.p, sizeof im.p, &why));
    assert_string_equal(why, "file is encrypted or has checksums");
    im.p[26] = 0;
    put(&im, im.p + 20, 511, 4);
    assert_null(bdb_open(a, im.p, sizeof im.p, &why));
    assert_string_equal(why, "unexpected file type or format");
    im.p[12] ^= 1;
    assert_null(bdb_open(a, im.p, sizeof im.p, &why));
    arena_free(a);
}

/* No byte of a page may lead out of the file (the sanitizers watch). */
static void
every_byte_may_be_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < (size_t)PAGE * PAGES; i++)
        for (int tree = 0; tree < 2; tree++) {
            struct image im = {.big_endian = false};
            const char *why;
            struct str data;
            struct arena *a = arena_new();
            (tree ? make_tree : make_hash)(&im);
            im.p[i] ^= 0xff;
            struct bdb *db = bdb_open(a, im.p, sizeof im.p, &why);
            if (db != NULL) {
                (void)bdb_find(db, a, STR_LIT("big"), &data);
                (void)bdb_find(db, a, STR_LIT("one"), &data);
            }
            arena_free(a);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_files_in_both_byte_orders),
        cmocka_unit_test(trees_in_both_byte_orders),
        cmocka_unit_test(chains_that_lie_are_not_followed),
        cmocka_unit_test(files_that_are_refused),
        cmocka_unit_test(every_byte_may_be_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
