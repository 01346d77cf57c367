/* Journals: lines added, a torn last line, failing calls. */
#include "engine/spool_journal.h"

#include "base/arena.h"
#include "durable_faults.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char root[] = "/tmp/remex_journal_XXXXXX";
static struct arena *a;
static struct spool_fault fault;
static struct spool_entry e;
static const char name[] = "1xVNEb-00079s-2P-J";

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    e = (struct spool_entry){
        .id = {"1xVNEb-00079s-2P"}, .body = -1, .envelope = -1, .calls = &faulty};
    if (mkdtemp(root) == NULL)
        return -1;
    e.dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return e.dir < 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    unlinkat(e.dir, name, 0);
    spool_close(&e);
    return rmdir(root);
}

static void
put(const char *content, size_t n)
{
    int fd = openat(e.dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, content, n), n);
    close(fd);
}

static void
content_is(const char *want)
{
    struct str s;
    int fd = openat(e.dir, name, O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_read_fd(a, fd, 100000, &s), FILE_OK);
    close(fd);
    assert_string_equal(str_cstr(a, s), want);
}

static void
test_append_and_read(void **state)
{
    (void)state;
    struct spool_journal j;
    struct spool_header h;
    struct spool_journal_found found = {.any = true};
    struct str done[] = {STR_INIT("a@b"), STR_INIT("/var/mail/x y:c@d")};
    spool_header_init(&h);
    assert_int_equal(spool_journal_read(a, &e, &h, &found, &fault), SPOOL_OK);
    assert_false(found.any);
    faults_set(0, 0);
    assert_int_equal(spool_journal_open(&e, &j, &fault), SPOOL_OK);
    assert_int_equal(spool_journal_append(a, &e, &j, done, 2, &fault), SPOOL_OK);
    assert_string_equal(faults.log, "open 1xVNEb-00079s-2P-J;fsync;write;fsync;");
    content_is("a@b\n/var/mail/x y:c@d\n");
    struct str refused[] = {STR_INIT("e@f"), STR_INIT("x\ny")};
    assert_int_equal(spool_journal_append(a, &e, &j, refused, 2, &fault), SPOOL_BAD);
    spool_journal_close(&j);
    content_is("a@b\n/var/mail/x y:c@d\n");
    assert_int_equal(spool_journal_read(a, &e, &h, &found, &fault), SPOOL_OK);
    assert_true(found.any);
    assert_int_equal(h.done.nodes.n, 2);
    assert_true(spool_tree_has(&h.done, done[1]));
}

static void
test_failures_leave_no_part(void **state)
{
    (void)state;
    struct spool_journal j;
    struct str done = STR_LIT("a@b");
    put("x@y\n", 4);
    for (int i = 1; i <= 4; i++) {
        faults_set(i, ENOSPC);
        faults.short_writes = i == 4; /* half of it is written, then no more */
        enum spool_result r = spool_journal_open(&e, &j, &fault);
        assert_int_equal(r, i <= 2 ? SPOOL_ERROR : SPOOL_OK);
        if (r == SPOOL_OK)
            assert_int_equal(spool_journal_append(a, &e, &j, &done, 1, &fault), SPOOL_ERROR);
        assert_int_equal(fault.sys_errno, ENOSPC);
        spool_journal_close(&j);
        content_is("x@y\n");
    }
}

static void
test_torn_line(void **state)
{
    (void)state;
    struct spool_journal j;
    struct spool_header h;
    struct spool_journal_found found = {.any = true};
    static char long_line[1400];
    memset(long_line, 'z', sizeof long_line);
    memcpy(long_line, "a@b\n", 4);
    spool_header_init(&h);
    put(long_line, sizeof long_line);
    assert_int_equal(spool_journal_read(a, &e, &h, &found, &fault), SPOOL_OK);
    assert_int_equal(h.done.nodes.n, 1);
    faults_set(0, 0);
    assert_int_equal(spool_journal_open(&e, &j, &fault), SPOOL_OK);
    content_is("a@b\n");
    spool_journal_close(&j);
    put("torn", 4);
    assert_int_equal(spool_journal_open(&e, &j, &fault), SPOOL_OK);
    spool_journal_close(&j);
    content_is("");
}

static void
test_bad_content(void **state)
{
    (void)state;
    struct spool_header h;
    struct spool_journal_found found = {.any = true};
    spool_header_init(&h);
    put("a@b\n\nc@d\n", 9);
    assert_int_equal(spool_journal_read(a, &e, &h, &found, &fault), SPOOL_BAD);
    assert_int_equal(fault.line, 2);
    put("a\0b\n", 4);
    assert_int_equal(spool_journal_read(a, &e, &h, &found, &fault), SPOOL_BAD);
    assert_string_equal(fault.text,
                        "spool file 1xVNEb-00079s-2P-J, line 1: address: empty, too long, "
                        "too many, or CR or NUL in it");
}

/* Recipients of a bounce count when both of its lines are there, whatever else is. */
static void
test_bounces(void **state)
{
    (void)state;
    struct spool_journal j;
    struct spool_header h;
    struct spool_journal_found found;
    struct str told[] = {STR_INIT("a@b"), STR_INIT("c@d")}, other = STR_LIT("e@f");
    struct str id = STR_LIT("1xVNEb-000000079s2-0001");
    faults_set(0, 0);
    put("", 0);
    assert_int_equal(spool_journal_open(&e, &j, &fault), SPOOL_OK);
    assert_int_equal(spool_journal_append(a, &e, &j, &other, 1, &fault), SPOOL_OK);
    assert_int_equal(spool_journal_append_bounce(a, &e, &j, id, told, 2, &fault), SPOOL_OK);
    spool_journal_close(&j);
    static const char all[] = "e@f\n*bounce 1xVNEb-000000079s2-0001\na@b\nc@d\n"
                              "*bounced 1xVNEb-000000079s2-0001\n";
    content_is(all);
    for (size_t n = 0; n < sizeof all; n++) {
        bool whole = n == sizeof all - 1, begun = n >= 36 && !whole;
        put(all, n);
        spool_header_init(&h);
        assert_int_equal(spool_journal_read(a, &e, &h, &found, &fault), SPOOL_OK);
        assert_int_equal(found.bounces.n, whole ? 1 : 0);
        assert_int_equal(found.torn.n, begun ? 1 : 0);
        assert_int_equal(spool_tree_has(&h.done, told[0]), whole);
        assert_int_equal(spool_tree_has(&h.done, told[1]), whole);
        assert_int_equal(spool_tree_has(&h.done, other), n >= 4);
    }
    assert_string_equal(found.bounces.v[0].text, "1xVNEb-000000079s2-0001");
}

static void
test_odd_bounces(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t done, bounces, torn;
    } rows[] = {
        {"*bounce 1xVNEb-00079s-2P\n*bounced 1xVNEb-00079s-2P\n", 0, 1, 0},
        {"*bounced 1xVNEb-00079s-2P\na@b\n", 1, 0, 0},
        {"*bounce 1xVNEb-00079s-2P\na@b\n*bounced 1xVNEb-00079s-2Q\n", 0, 0, 1},
        {"*bounce 1xVNEb-00079s-2P\na@b\n*bounce 1xVNEb-00079s-2Q\nc@d\n"
         "*bounced 1xVNEb-00079s-2Q\n",
         1, 1, 1},
        {"*bounce nonsense\na@b\n", 2, 0, 0}, /* no id: a line like any other */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct spool_header h;
        struct spool_journal_found found;
        put(rows[i].text, strlen(rows[i].text));
        spool_header_init(&h);
        assert_int_equal(spool_journal_read(a, &e, &h, &found, &fault), SPOOL_OK);
        assert_int_equal(h.done.nodes.n, rows[i].done);
        assert_int_equal(found.bounces.n, rows[i].bounces);
        assert_int_equal(found.torn.n, rows[i].torn);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_and_read), cmocka_unit_test(test_failures_leave_no_part),
        cmocka_unit_test(test_torn_line),       cmocka_unit_test(test_bad_content),
        cmocka_unit_test(test_bounces),         cmocka_unit_test(test_odd_bounces),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
