/* Messages that are held: hidden until they are shown, shown once, and what failing calls leave behind. */
#include "engine/spool_held.h"

#include "base/arena.h"
#include "durable_faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/remex_held_XXXXXX";
static struct arena *a;
static struct spool_fault fault;
static struct spool_place place;
static const struct message_id id = {"1xVNEb-000000079s2-0001"};

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    place = (struct spool_place){.root = root};
    return mkdtemp(root) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    int dir = spool_open_directory(&place, '\0', false);
    if (dir >= 0)
        close(dir);
    char input[64];
    (void)snprintf(input, sizeof input, "%s/input/b", root);
    (void)rmdir(input);
    (void)snprintf(input, sizeof input, "%s/input", root);
    (void)rmdir(input);
    return rmdir(root);
}

static bool
has(char sub, const char *name)
{
    int dir = spool_open_directory(&place, sub, false);
    bool there = dir >= 0 && faccessat(dir, name, F_OK, 0) == 0;
    if (dir >= 0)
        close(dir);
    return there;
}

static void
wipe(char sub)
{
    int dir = spool_open_directory(&place, sub, false);
    (void)unlinkat(dir, spool_held_name(&id).text, 0);
    (void)unlinkat(dir, spool_file_name(&id, 'H').text, 0);
    (void)unlinkat(dir, spool_file_name(&id, 'D').text, 0);
    close(dir);
}

static enum spool_result
hold(struct spool_entry *e)
{
    struct spool_header h;
    spool_header_init(&h);
    h.id = id;
    h.login = STR_LIT("mail");
    h.sender = STR_EMPTY;
    vec_push(
        a, &h.recipients,
        ((struct spool_recipient){.address = STR_LIT("a@b.example"), .parent = SPOOL_NONE}));
    assert_int_equal(spool_create(&place, &faulty, &id, e, &fault), SPOOL_OK);
    assert_int_equal(write(e->body, "body\n", 5), 5);
    return spool_commit_held(a, e, &h, &fault);
}

static void
test_hidden_then_shown(void **state)
{
    (void)state;
    struct spool_entry e;
    struct spool_header h;
    faults_set(0, 0);
    assert_int_equal(hold(&e), SPOOL_OK);
    assert_true(has('\0', "hold.1xVNEb-000000079s2-0001"));
    assert_false(has('\0', spool_file_name(&id, 'H').text));
    faults_set(0, 0);
    assert_int_equal(spool_show(&e, &fault), SPOOL_OK);
    assert_string_equal(faults.log, "rename 1xVNEb-000000079s2-0001-H;fsync;");
    assert_false(has('\0', "hold.1xVNEb-000000079s2-0001"));
    spool_header_init(&h);
    assert_int_equal(spool_read(a, &e, &h, &fault), SPOOL_OK);
    assert_int_equal(h.recipients.n, 1);
    /* The second time there is nothing to show, and the directory is synced all the same. */
    faults_set(0, 0);
    assert_int_equal(spool_show(&e, &fault), SPOOL_ABSENT);
    assert_string_equal(faults.log, "rename 1xVNEb-000000079s2-0001-H;fsync;");
    spool_close(&e);
    wipe('\0');
}

static void
test_failing_calls(void **state)
{
    (void)state;
    struct spool_entry e;
    faults_set(0, 0);
    assert_int_equal(hold(&e), SPOOL_OK);
    faults_set(1, EIO);
    assert_int_equal(spool_show(&e, &fault), SPOOL_ERROR);
    assert_string_equal(
        fault.text, "failed to rename \"hold.1xVNEb-000000079s2-0001\": Input/output error");
    assert_true(has('\0', "hold.1xVNEb-000000079s2-0001")); /* still to be shown */
    faults_set(2, EIO);
    assert_int_equal(spool_show(&e, &fault), SPOOL_ERROR);
    faults_set(0, 0);
    assert_int_equal(spool_show(&e, &fault), SPOOL_ABSENT);
    spool_close(&e);
    wipe('\0');
    /* Holding it fails: no file is left. */
    for (int n = 3; n <= 9; n++) {
        faults_set(n, ENOSPC);
        assert_int_equal(hold(&e), SPOOL_ERROR);
        spool_close(&e);
        assert_false(has('\0', "hold.1xVNEb-000000079s2-0001"));
        assert_false(has('\0', spool_file_name(&id, 'D').text));
    }
}

static void
test_dropped(void **state)
{
    (void)state;
    struct spool_entry e;
    faults_set(0, 0);
    assert_int_equal(hold(&e), SPOOL_OK);
    spool_drop(&e);
    spool_close(&e);
    assert_false(has('\0', "hold.1xVNEb-000000079s2-0001"));
    assert_false(has('\0', spool_file_name(&id, 'D').text));
}

static void
by_id(char sub)
{
    struct spool_entry e;
    faults_set(0, 0);
    assert_int_equal(hold(&e), SPOOL_OK);
    spool_close(&e);
    assert_int_equal(spool_show_id(&place, &faulty, &id, &fault), SPOOL_OK);
    assert_true(has(sub, spool_file_name(&id, 'H').text));
    assert_int_equal(spool_show_id(&place, &faulty, &id, &fault), SPOOL_ABSENT);
    wipe(sub);
    assert_int_equal(spool_show_id(&place, &faulty, &id, &fault), SPOOL_ABSENT);
    assert_int_equal(hold(&e), SPOOL_OK);
    spool_close(&e);
    spool_drop_id(&place, &faulty, &id);
    assert_false(has(sub, spool_file_name(&id, 'D').text));
    spool_drop_id(&place, &faulty, &id); /* again is no harm */
}

/* A message of the queue is not dropped by somebody who takes it for one that is held. */
static void
test_shown_is_not_dropped(void **state)
{
    (void)state;
    struct spool_entry e;
    faults_set(0, 0);
    assert_int_equal(hold(&e), SPOOL_OK);
    assert_int_equal(spool_show(&e, &fault), SPOOL_OK);
    spool_close(&e);
    spool_drop_id(&place, &faulty, &id);
    assert_true(has('\0', spool_file_name(&id, 'D').text));
    wipe('\0');
}

static void
test_by_id(void **state)
{
    (void)state;
    by_id('\0');
    place.split = true;
    by_id(spool_subdirectory(&id));
    /* It was held before the directories were put together. */
    struct spool_entry e;
    assert_int_equal(hold(&e), SPOOL_OK);
    spool_close(&e);
    place.split = false;
    assert_int_equal(spool_show_id(&place, &faulty, &id, &fault), SPOOL_OK);
    assert_true(has(spool_subdirectory(&id), spool_file_name(&id, 'H').text));
    wipe(spool_subdirectory(&id));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hidden_then_shown),
        cmocka_unit_test(test_failing_calls),
        cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_by_id),
        cmocka_unit_test(test_shown_is_not_dropped),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
