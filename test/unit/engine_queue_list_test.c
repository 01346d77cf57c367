/* Listings of a queue: split or not, in order or not, named queues, the bound on memory. */
#include "engine/queue_list.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/remex_queue_XXXXXX";
static struct arena *a;
static struct spool_place place = {.root = root};
static struct spool_fault fault;

static void
wipe_in(int parent, int depth)
{
    DIR *d = fdopendir(parent);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.' || unlinkat(dirfd(d), e->d_name, 0) == 0 || depth == 0)
            continue;
        wipe_in(openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), depth - 1);
        unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
    }
    closedir(d);
}

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    place = (struct spool_place){.root = root};
    memcpy(root + sizeof root - 7, "XXXXXX", 6);
    return mkdtemp(root) == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    wipe_in(open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 4);
    return rmdir(root);
}

static void
touch(char sub, const char *name)
{
    int dir = spool_open_directory(&place, sub, true);
    close(openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    close(dir);
}

static void
lists(enum queue_list_order order, const char *const *want, size_t n)
{
    struct queue_list *q = queue_list_new(a, &place, order);
    struct queue_list_item item;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(queue_list_next(q, &item, &fault), SPOOL_OK);
        assert_string_equal(item.id.text, want[i]);
        assert_true(queue_list_directory(q, &item) >= 0);
        assert_int_equal(faccessat(queue_list_directory(q, &item),
                                   spool_file_name(&item.id, 'H').text, F_OK, 0),
                         0);
    }
    assert_int_equal(queue_list_next(q, &item, &fault), SPOOL_ABSENT);
    assert_int_equal(queue_list_next(q, &item, &fault), SPOOL_ABSENT);
    assert_int_equal(queue_list_count(&place), n);
}

static void
fill(void)
{
    touch('b', "1xVNEb-00079s-2P-H");
    touch('b', "1xVNEb-00079s-2P-D");
    touch('a', "1xVNEa-000000079s2-0001-H");
    touch('\0', "1xVNEc-00079s-2P-H");
    touch('\0', "hdr.1xVNEc-00079s-2Q");
    touch('\0', "1xVNEc-00079s-2R-D");
    touch('\0', "1xVNEc-00079s-2R-J");
    touch('\0', "-H");
    touch('\0', "xx1xVNEc-00079s-2R-H");
}

static void
test_orders(void **state)
{
    (void)state;
    static const char *const sorted[] = {"1xVNEa-000000079s2-0001", "1xVNEb-00079s-2P",
                                         "1xVNEc-00079s-2P"};
    static const char *const unsorted[] = {"1xVNEc-00079s-2P", "1xVNEa-000000079s2-0001",
                                           "1xVNEb-00079s-2P"};
    lists(QUEUE_LIST_SORTED, NULL, 0);
    fill();
    lists(QUEUE_LIST_SORTED, sorted, 3);
    lists(QUEUE_LIST_UNSORTED, unsorted, 3);
    lists(QUEUE_LIST_STREAM, unsorted, 3);
    place.queue = "named";
    lists(QUEUE_LIST_SORTED, NULL, 0);
    fill();
    lists(QUEUE_LIST_SORTED, sorted, 3);
    place.queue = NULL;
    lists(QUEUE_LIST_UNSORTED, unsorted, 3);
}

static void
test_fault(void **state)
{
    (void)state;
    struct queue_list_item item;
    fill();
    place.queue = "a/b";
    struct queue_list *q = queue_list_new(a, &place, QUEUE_LIST_UNSORTED);
    assert_int_equal(queue_list_next(q, &item, &fault), SPOOL_ERROR);
    assert_non_null(strstr(fault.text, "failed to open input of spool \"/tmp/"));
}

/* An input/ that is a file is reported once, its subdirectories too; a listing always ends. */
static void
test_ends(void **state)
{
    (void)state;
    struct queue_list_item item;
    int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(openat(dir, "input", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    close(dir);
    struct queue_list *q = queue_list_new(a, &place, QUEUE_LIST_SORTED);
    int n = 0;
    while (queue_list_next(q, &item, &fault) == SPOOL_ERROR)
        n++;
    assert_int_equal(n, 63);
}

static void
test_memory(void **state)
{
    (void)state;
    struct queue_list_item item, last = {.sub = 0};
    int dir = spool_open_directory(&place, '\0', true);
    for (int i = 0; i < 5000; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "1xVNEb-%011d-0000-H", (i * 3571) % 5000);
        close(openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    close(dir);
    size_t before = arena_used(a), n = 0;
    struct queue_list *q = queue_list_new(a, &place, QUEUE_LIST_SORTED);
    for (; queue_list_next(q, &item, &fault) == SPOOL_OK; n++, last = item)
        assert_true(strcmp(last.id.text, item.id.text) < 0);
    assert_int_equal(n, 5000);
    assert_true(arena_used(a) - before < n * 100);
    /* A stream keeps a few of them at a time, and gives all. */
    before = arena_used(a);
    q = queue_list_new(a, &place, QUEUE_LIST_STREAM);
    for (n = 0; queue_list_next(q, &item, &fault) == SPOOL_OK; n++)
        assert_true(queue_list_directory(q, &item) >= 0);
    assert_int_equal(n, 5000);
    assert_true(arena_used(a) - before < 100000);
}

static void
set_back(void)
{
    const struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000000}};
    int dir = spool_open_directory(&place, '\0', false);
    assert_int_equal(futimens(dir, t), 0);
    close(dir);
}

static uint64_t
calm_of_listing(void)
{
    struct queue_list_item item;
    struct queue_list *q = queue_list_new(a, &place, QUEUE_LIST_UNSORTED);
    assert_int_equal(queue_list_calm(q).ino, 0); /* nothing has been read */
    assert_int_equal(queue_list_next(q, &item, &fault), SPOOL_OK);
    struct spool_calm calm = queue_list_calm(q);
    assert_true(calm.ino == 0 || (calm.changed_s == 1000000000 && calm.changed_ns == 0));
    return calm.ino;
}

/* A directory without journals is told as such; one with a journal, whosever it is, is not. */
static void
test_calm(void **state)
{
    (void)state;
    touch('\0', "1xVNEb-000000079s2-0001-H");
    touch('\0', "1xVNEb-000000079s2-0001-D");
    set_back();
    assert_true(calm_of_listing() != 0);
    touch('\0', "1xVNEb-000000079s2-0002-J");
    set_back();
    assert_int_equal(calm_of_listing(), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_orders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_calm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
