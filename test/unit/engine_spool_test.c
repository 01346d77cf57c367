/* Spool files: made, opened, locked, updated, removed; every failing call leaves a whole message or none. */
#include "engine/spool.h"

#include "base/arena.h"
#include "durable_faults.h"
#include "engine/spool_journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[] = "/tmp/remex_spool_XXXXXX";
static struct arena *a;
static struct spool_place place = {.root = root};
static const struct message_id id = {"1xVNEb-000000079s2-0001"};
static struct spool_fault fault;

static void
wipe(void)
{
    char path[300];
    static const char *const parts[] = {"input/b", "input", "q/input/b", "q/input"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", root, parts[i]);
        DIR *d = opendir(path);
        for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
            (void)unlinkat(dirfd(d), e->d_name, 0);
        if (d != NULL)
            closedir(d);
        (void)rmdir(path);
    }
    (void)snprintf(path, sizeof path, "%s/q", root);
    (void)rmdir(path);
}

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    return mkdtemp(root) == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    wipe();
    return rmdir(root);
}

static struct spool_header
envelope(void)
{
    struct spool_header h;
    spool_header_init(&h);
    h.id = id;
    h.login = STR_LIT("remex");
    h.uid = h.gid = 1;
    h.sender = STR_LIT("a@b");
    vec_push(a, &h.recipients,
             ((struct spool_recipient){.address = STR_LIT("x@y"), .parent = SPOOL_NONE}));
    assert_true(header_list_add(a, &h.headers, STR_LIT("Subject: x"), HEADER_AT_END));
    return h;
}

/* Creates and commits; the entry is closed. */
static enum spool_result
make_message(const struct durable_calls *c)
{
    struct spool_entry e;
    struct spool_header h = envelope();
    enum spool_result r = spool_create(&place, c, &id, &e, &fault);
    if (r != SPOOL_OK)
        return r;
    assert_int_equal(lseek(e.body, 0, SEEK_CUR), e.body_start);
    assert_int_equal(write(e.body, "body\n", 5), 5);
    r = spool_commit(a, &e, &h, &fault);
    spool_close(&e);
    return r;
}

static size_t
files_in_input(void)
{
    size_t n = 0;
    int fd = spool_open_directory(&place, place.split ? spool_subdirectory(&id) : '\0', false);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.' && strlen(e->d_name) > 1;
    if (d != NULL)
        closedir(d);
    return n;
}

static void
opens_whole(void)
{
    struct spool_entry e;
    struct spool_header h;
    char body[16] = "";
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_OK);
    assert_int_equal(e.body_start, 26);
    assert_int_equal(read(e.body, body, 15), 5);
    assert_string_equal(body, "body\n");
    assert_int_equal(spool_read(a, &e, &h, &fault), SPOOL_OK);
    assert_int_equal(h.recipients.n, 1);
    assert_true(str_eqz(h.recipients.v[0].address, "x@y"));
    spool_close(&e);
}

static void
test_life(void **state)
{
    (void)state;
    static const char *const queues[] = {NULL, "q"};
    for (int i = 0; i < 4; i++) {
        struct spool_entry e, f;
        place.split = i % 2 == 1;
        place.queue = queues[i / 2];
        assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_ABSENT);
        assert_int_equal(make_message(&durable_kernel), SPOOL_OK);
        assert_int_equal(files_in_input(), 2);
        opens_whole();
        place.split = !place.split; /* found in the other place too */
        opens_whole();
        place.split = !place.split;
        assert_int_equal(make_message(&durable_kernel), SPOOL_BUSY);
        assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_OK);
        assert_int_equal(spool_open(&place, &durable_kernel, &id, &f, &fault), SPOOL_BUSY);
        assert_string_equal(fault.text, "spool file \"1xVNEb-000000079s2-0001-D\" is locked");
        assert_int_equal(spool_remove(&e, &fault), SPOOL_OK);
        spool_close(&e);
        assert_int_equal(files_in_input(), 0);
        wipe();
    }
    place = (struct spool_place){.root = root};
}

/* One byte says that delivery was tried; the rest stays, and what has been replaced since it was read is left alone. */
static void
test_mark_tried(void **state)
{
    (void)state;
    struct spool_entry e;
    struct spool_header h = envelope(), read;
    const struct spool_acl_variable v = {.name = STR_LIT("x"),
                                         .value = STR_LIT("\n-deliver_firsttime\n")};
    vec_push(a, &h.acl_variables, v); /* a text that only looks like it */
    h.first_delivery = true;
    assert_int_equal(make_message(&durable_kernel), SPOOL_OK);
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_OK);
    assert_int_equal(spool_read(a, &e, &read, &fault), SPOOL_OK);
    assert_false(read.first_delivery);
    assert_false(spool_mark_tried(&e, &read));
    assert_int_equal(spool_update(a, &e, &h, &fault), SPOOL_OK);
    assert_int_equal(spool_read(a, &e, &read, &fault), SPOOL_OK);
    assert_true(read.first_delivery);
    assert_true(spool_mark_tried(&e, &read));
    assert_int_equal(spool_update(a, &e, &h, &fault), SPOOL_OK);
    assert_false(spool_mark_tried(&e, &read)); /* that file is no more */
    assert_int_equal(spool_read(a, &e, &read, &fault), SPOOL_OK);
    assert_true(spool_mark_tried(&e, &read));
    assert_int_equal(spool_read(a, &e, &read, &fault), SPOOL_OK);
    assert_false(read.first_delivery);
    assert_int_equal(read.unknown.n, 0);
    assert_int_equal(read.acl_variables.n, 1);
    assert_true(str_eq(read.acl_variables.v[0].value, v.value));
    assert_int_equal(spool_remove(&e, &fault), SPOOL_OK);
    spool_close(&e);
    wipe();
}

static void
test_order(void **state)
{
    (void)state;
    faults_set(0, 0);
    assert_int_equal(make_message(&faulty), SPOOL_OK);
    assert_string_equal(faults.log, "open 1xVNEb-000000079s2-0001-D;write;fsync;"
                                    "open hdr.1xVNEb-000000079s2-0001;write;fsync;close;"
                                    "rename 1xVNEb-000000079s2-0001-H;fsync;");
    struct spool_entry e;
    assert_int_equal(spool_open(&place, &faulty, &id, &e, &fault), SPOOL_OK);
    faults_set(0, 0);
    assert_int_equal(spool_remove(&e, &fault), SPOOL_OK);
    spool_close(&e);
    assert_string_equal(faults.log, "unlink 1xVNEb-000000079s2-0001-H;fsync;"
                                    "unlink 1xVNEb-000000079s2-0001-J;"
                                    "unlink 1xVNEb-000000079s2-0001-D;");
}

static void
test_each_failure_of_a_new_message(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC};
    for (int i = 1; i <= 9; i++) {
        for (int e = 0; e < 2; e++) {
            faults_set(i, errors[e]);
            assert_int_equal(make_message(&faulty), SPOOL_ERROR);
            assert_int_equal(fault.sys_errno, errors[e]);
            assert_int_equal(files_in_input(), 0);
        }
    }
    faults_set(10, EIO);
    assert_int_equal(make_message(&faulty), SPOOL_OK);
    opens_whole();
}

/* Follows on the test before: its message is updated with each call failing in turn. */
static void
test_each_failure_of_an_update(void **state)
{
    (void)state;
    struct spool_entry e;
    struct spool_journal j;
    struct spool_header h;
    struct str done = STR_LIT("x@y");
    struct spool_journal_found found = {.any = true};
    assert_int_equal(spool_open(&place, &faulty, &id, &e, &fault), SPOOL_OK);
    faults_set(0, 0);
    assert_int_equal(spool_journal_open(&e, &j, &fault), SPOOL_OK);
    assert_int_equal(spool_journal_append(a, &e, &j, &done, 1, &fault), SPOOL_OK);
    spool_journal_close(&j);
    for (int i = 1; i <= 8; i++) {
        assert_int_equal(spool_read(a, &e, &h, &fault), SPOOL_OK);
        assert_int_equal(spool_journal_read(a, &e, &h, &found, &fault), SPOOL_OK);
        assert_true(found.any || i == 8);
        assert_true(spool_tree_has(&h.done, done));
        faults_set(i, ENOSPC);
        assert_int_equal(spool_update(a, &e, &h, &fault), i < 8 ? SPOOL_ERROR : SPOOL_OK);
        if (i == 7)
            assert_string_equal(fault.text, "failed to remove \"1xVNEb-000000079s2-0001-J\": "
                                            "No space left on device");
    }
    assert_int_equal(files_in_input(), 2);
    assert_int_equal(spool_read(a, &e, &h, &fault), SPOOL_OK);
    assert_true(spool_tree_has(&h.done, done));
    h.id = (struct message_id){"1xVNEb-00079s-2P"};
    assert_int_equal(spool_update(a, &e, &h, &fault), SPOOL_BAD);
    for (int i = 1; i <= 4; i++) {
        faults_set(i, EIO);
        assert_int_equal(spool_remove(&e, &fault), SPOOL_ERROR);
    }
    spool_close(&e);
    wipe();
}

enum step { STEP_MAKE, STEP_UPDATE, STEP_REMOVE };

/* In a child that ends before its n-th call; exit status 0 when it came through. */
static int
killed_at(enum step step, int n)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct spool_entry e;
        struct spool_header h;
        struct spool_journal_found found = {.any = true};
        faults_set(n, EIO);
        faults.kill = true;
        if (step == STEP_MAKE)
            _exit(make_message(&faulty) == SPOOL_OK ? 0 : 2);
        if (spool_open(&place, &faulty, &id, &e, &fault) != SPOOL_OK ||
            spool_read(a, &e, &h, &fault) != SPOOL_OK ||
            spool_journal_read(a, &e, &h, &found, &fault) != SPOOL_OK)
            _exit(3);
        enum spool_result r =
            step == STEP_UPDATE ? spool_update(a, &e, &h, &fault) : spool_remove(&e, &fault);
        _exit(r == SPOOL_OK ? 0 : 2);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status);
}

static bool
has_file(char suffix)
{
    int dir = spool_open_directory(&place, '\0', false);
    bool has = faccessat(dir, spool_file_name(&id, suffix).text, F_OK, 0) == 0;
    close(dir);
    return has;
}

/* Until its last rename a message is not there; then it is whole. */
static void
test_killed_while_making(void **state)
{
    (void)state;
    int n = 1;
    for (; killed_at(STEP_MAKE, n) != 0; n++) {
        assert_int_equal(has_file('H'), n == 9);
        if (n == 9)
            opens_whole();
        wipe();
    }
    assert_int_equal(n, 10);
    opens_whole();
}

/* Follows on: what the journal says is in it or in -H, whenever the end comes. */
static void
test_killed_while_updating_and_removing(void **state)
{
    (void)state;
    struct spool_entry e;
    struct spool_journal j;
    struct spool_header h;
    struct str done = STR_LIT("x@y");
    struct spool_journal_found found = {.any = true};
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_OK);
    assert_int_equal(spool_journal_open(&e, &j, &fault), SPOOL_OK);
    assert_int_equal(spool_journal_append(a, &e, &j, &done, 1, &fault), SPOOL_OK);
    spool_journal_close(&j);
    spool_close(&e);
    for (int n = 1, end = 1; end != 0; n++) {
        end = killed_at(STEP_UPDATE, n);
        assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_OK);
        assert_int_equal(spool_read(a, &e, &h, &fault), SPOOL_OK);
        assert_int_equal(spool_journal_read(a, &e, &h, &found, &fault), SPOOL_OK);
        assert_true(spool_tree_has(&h.done, done));
        assert_int_equal(found.any, end != 0);
        spool_close(&e);
    }
    assert_int_equal(killed_at(STEP_REMOVE, 1), 1);
    opens_whole();
    assert_int_equal(killed_at(STEP_REMOVE, 2), 1);
    assert_false(has_file('H'));
    assert_true(has_file('D'));
    wipe();
}

static void
put(int dir, const char *name, const char *content)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
}

static void
test_hostile(void **state)
{
    (void)state;
    struct spool_entry e;
    struct spool_header h;
    int dir = spool_open_directory(&place, '\0', true);
    struct spool_name d = spool_file_name(&id, 'D'), hn = spool_file_name(&id, 'H');
    put(dir, d.text, "");
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_BAD);
    put(dir, d.text, "1xVNEb-000000079s2-0002-D\n");
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_BAD);
    assert_string_equal(fault.text,
                        "spool file 1xVNEb-000000079s2-0001-D, line 1: name: first line "
                        "is not the name of the file");
    unlinkat(dir, d.text, 0);
    assert_int_equal(mkfifoat(dir, d.text, 0600), 0);
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_ERROR);
    unlinkat(dir, d.text, 0);
    assert_int_equal(symlinkat("/etc/passwd", dir, d.text), 0);
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_ERROR);
    assert_int_equal(fault.sys_errno, ELOOP);
    unlinkat(dir, d.text, 0);
    put(dir, d.text, "1xVNEb-000000079s2-0001-D\n");
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_OK);
    assert_int_equal(spool_read(a, &e, &h, &fault), SPOOL_ABSENT);
    assert_int_equal(mkfifoat(dir, hn.text, 0600), 0);
    assert_int_equal(spool_read(a, &e, &h, &fault), SPOOL_ERROR);
    unlinkat(dir, hn.text, 0);
    put(dir, hn.text, "1xVNEb-000000079s2-0001-H\nroot\n");
    assert_int_equal(spool_read(a, &e, &h, &fault), SPOOL_BAD);
    assert_int_equal(fault.line, 2);
    spool_close(&e);
    close(dir);
    place.queue = "../x";
    assert_int_equal(spool_open_directory(&place, '\0', true), -1);
    place.queue = "a/b";
    assert_int_equal(spool_open_directory(&place, '\0', true), -1);
    place.queue = NULL;
    wipe();
}

/* What is kept for a run is shared by the messages of one directory, and given up only when none of them is open. */
static void
test_kept(void **state)
{
    (void)state;
    struct spool_kept kept = {.dir = -1, .logs = -1};
    struct spool_entry e, other;
    assert_int_equal(make_message(&durable_kernel), SPOOL_OK);
    place.kept = &kept;
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_OK);
    assert_int_equal(kept.users, 1);
    assert_int_equal(e.dir, kept.dir);
    assert_int_equal(spool_kept_logs(&place, &e), -1); /* there is none */
    char logs[300];
    (void)snprintf(logs, sizeof logs, "%s/msglog", root);
    assert_int_equal(mkdir(logs, 0700), 0);
    assert_true(spool_kept_logs(&place, &e) >= 0);
    assert_int_equal(spool_kept_logs(&place, &e), kept.logs);
    /* Meanwhile another queue, which has a directory of its own then. */
    int dir = kept.dir;
    place.queue = "q";
    int there = spool_open_directory(&place, '\0', true);
    assert_true(there >= 0);
    close(there);
    there = spool_open_directory(&place, '\0', false);
    assert_true(there >= 0 && there != kept.dir);
    close(there);
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &other, &fault), SPOOL_ABSENT);
    assert_int_equal(spool_kept_logs(&place, &(struct spool_entry){.kept = NULL}), -1);
    assert_int_equal(kept.dir, dir);
    place.queue = NULL;
    spool_close(&e);
    assert_int_equal(kept.users, 0);
    place.queue = "q";
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &other, &fault), SPOOL_ABSENT);
    assert_string_equal(kept.queue, "q");
    assert_int_equal(kept.logs, -1);
    place.queue = NULL;
    spool_kept_close(&kept);
    assert_int_equal(kept.dir, -1);
    place.kept = NULL;
    (void)rmdir(logs);
    wipe();
}

/* Sets the time of a directory's last change back, so that the next one shows. */
static void
set_back(int dir)
{
    const struct timespec t[2] = {{.tv_nsec = UTIME_OMIT},
                                  {.tv_sec = 1000000000, .tv_nsec = 7}};
    assert_int_equal(futimens(dir, t), 0);
}

/* That a directory had no journals holds until it changes, for the messages in it. */
static void
test_calm(void **state)
{
    (void)state;
    struct spool_kept kept = {.dir = -1, .logs = -1};
    struct spool_entry e;
    struct spool_header h;
    struct spool_journal_found found;
    assert_int_equal(make_message(&durable_kernel), SPOOL_OK);
    place.kept = &kept;
    assert_int_equal(spool_open(&place, &durable_kernel, &id, &e, &fault), SPOOL_OK);
    assert_int_equal(spool_read(a, &e, &h, &fault), SPOOL_OK);
    assert_false(spool_is_calm(&e)); /* nothing is known */
    set_back(kept.dir);
    kept.calm = spool_calm_begin(kept.dir);
    assert_true(kept.calm.ino != 0);
    assert_true(spool_is_calm(&e));
    assert_int_equal(spool_journal_read(a, &e, &h, &found, &fault), SPOOL_OK);
    assert_false(found.any);
    struct spool_name j = spool_file_name(&id, 'J');
    put(kept.dir, j.text, "x@y\n");
    assert_false(spool_is_calm(&e));
    assert_int_equal(spool_journal_read(a, &e, &h, &found, &fault), SPOOL_OK);
    assert_true(found.any);
    assert_true(spool_tree_has(&h.done, STR_LIT("x@y")));
    unlinkat(kept.dir, j.text, 0);
    set_back(kept.dir);
    kept.calm.ino++; /* another directory */
    assert_false(spool_is_calm(&e));
    /* One that has changed in this moment may change again without a trace; so may one of the future. */
    const struct timespec later[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) + 100}};
    assert_int_equal(futimens(kept.dir, later), 0);
    assert_int_equal(spool_calm_begin(kept.dir).ino, 0);
    assert_int_equal(spool_calm_begin(-1).ino, 0);
    /* Whole seconds may be all that the file system has. */
    const struct timespec just[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - 1}};
    assert_int_equal(futimens(kept.dir, just), 0);
    assert_int_equal(spool_calm_begin(kept.dir).ino, 0);
    kept.calm = (struct spool_calm){.ino = 0};
    spool_close(&e);
    assert_int_equal(
        spool_open(&(struct spool_place){.root = root}, &durable_kernel, &id, &e, &fault),
        SPOOL_OK);
    assert_false(spool_is_calm(&e)); /* its directory is not kept */
    spool_close(&e);
    spool_kept_close(&kept);
    place.kept = NULL;
    wipe();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_mark_tried),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_each_failure_of_a_new_message),
        cmocka_unit_test(test_each_failure_of_an_update),
        cmocka_unit_test(test_killed_while_making),
        cmocka_unit_test(test_killed_while_updating_and_removing),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_calm),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
