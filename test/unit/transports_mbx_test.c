/* MBX mailboxes: header, lines in front of messages, whole deliveries, locks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_load_fixture.h"

#include "append_fixture.h"
#include "durable_faults.h"
#include "transports/mbx.h"

static const char options[] = "  file = %R/m\n  mbx_format\n  message_prefix =\n"
                              "  message_suffix =\n  check_string =\n";
static const char body[] = "Subject: x\r\nTo: u@d\r\n\r\nFrom x\r\nbody\r\n";

static void
test_line(void **state)
{
    (void)state;
    char out[MBX_LINE_MAX];
    size_t n = mbx_line(952424512, 3600, 123, out);
    assert_string_equal(out, " 7-Mar-2000 11:21:52 +0100,123;000000000000-00000000\r\n");
    assert_int_equal(n, strlen(out));
    mbx_line(952424512, -12600, 0, out);
    assert_string_equal(out, " 7-Mar-2000 06:51:52 -0330,0;000000000000-00000000\r\n");
}

static void
test_parse(void **state)
{
    (void)state;
    struct mbx_entry e;
    assert_true(mbx_line_parse(
        STR_LIT(" 7-Mar-2000 11:21:52 +0100,123;0000000a0001-0000000f\r\n"), &e));
    assert_int_equal(e.size, 123);
    assert_int_equal(e.keywords, 10);
    assert_int_equal(e.flags, 1);
    assert_int_equal(e.uid, 15);
    static const char *const bad[] = {
        "",
        " 7-Mar-2000 11:21:52 +0100,",
        " 7-Mar-2000 11:21:52 +0100,x;000000000000-00000000",
        " 7-Mar-2000 11:21:52 +0100,-1;000000000000-00000000",
        " 7-Mar-2000 11:21:52 +0100,1;00000000000-00000000",
        " 7-Mar-2000 11:21:52 +0100,1;000000000000-0000000",
        " 7-Mar-2000 11:21:52 +0100,1;000000000000-00000000x",
        " 7-Mar-2000 11:21:52 +0100;1;000000000000-00000000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(mbx_line_parse(str_from_cstr(bad[i]), &e));
}

/* The messages of the mailbox, each as long as its line says. */
static int
count_messages(struct append_case *c)
{
    struct str all, line;
    int n = 0;
    assert_int_equal(file_read(c->loaded.arena, append_at(c, "m"), 1u << 20, &all), FILE_OK);
    assert_true(all.n > MBX_HEADER_SIZE && mbx_is_header(all));
    for (size_t at = MBX_HEADER_SIZE; at < all.n; n++) {
        struct mbx_entry e;
        size_t end = str_chr(all, '\n', at);
        line = str_sub(all, at, end + 1 - at);
        assert_true(mbx_line_parse(line, &e));
        assert_int_equal(e.size, strlen(body));
        assert_memory_equal(all.p + end + 1, body, strlen(body));
        at = end + 1 + (size_t)e.size;
    }
    return n;
}

static void
test_delivers(void **state)
{
    (void)state;
    struct append_case c;
    append_clean();
    for (int i = 1; i <= 3; i++) {
        append_begin(&c, options);
        append_good(&c);
        assert_int_equal(count_messages(&c), i);
        append_end(&c);
    }
}

/* The lock file in /tmp is gone when nobody else has the mailbox open, and stays when a reader has. */
static void
test_lock_file(void **state)
{
    (void)state;
    struct append_case c;
    struct stat st;
    char name[100];
    append_begin(&c, options);
    append_another(&c);
    assert_int_equal(stat(append_at(&c, "m"), &st), 0);
    (void)snprintf(name, sizeof name, "/tmp/.%lx.%lx", (unsigned long)st.st_dev,
                   (unsigned long)st.st_ino);
    assert_int_not_equal(access(name, F_OK), 0);
    int fd = open(append_at(&c, "m"), O_RDWR | O_CLOEXEC);
    struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &l), 0);
    append_another(&c);
    assert_int_equal(access(name, F_OK), 0);
    close(fd);
    append_another(&c);
    assert_int_not_equal(access(name, F_OK), 0);
    /* another writer */
    int other = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    l.l_type = F_WRLCK;
    assert_int_equal(fcntl(other, F_OFD_SETLK, &l), 0);
    append_end(&c);
    append_begin(&c, "  file = %R/m\n  mbx_format\n  lock_retries = 1\n");
    assert_non_null(strstr(append_run(&c), "failed to lock mailbox "));
    close(other);
    /* a link in its place */
    assert_int_equal(unlink(name), 0);
    assert_int_equal(symlink("/etc/passwd", name), 0);
    (void)append_run(&c);
    assert_int_equal(c.answer.why.outcome, OUT_DEFER);
    assert_int_equal(unlink(name), 0);
    append_end(&c);
}

static void
test_faults(void **state)
{
    (void)state;
    int failed = 0;
    for (int at = 1;; at++) {
        struct append_case c;
        struct stat st;
        append_clean();
        append_begin(&c, options);
        append_good(&c);
        assert_int_equal(stat(append_at(&c, "m"), &st), 0);
        off_t before = st.st_size;
        c.message.id = append_new_id(c.loaded.arena);
        faults_set(at, EIO);
        c.job.calls = &faulty;
        (void)append_run(&c);
        assert_int_equal(stat(append_at(&c, "m"), &st), 0);
        bool ok = c.answer.why.outcome == OUT_OK;
        failed += !ok;
        if (!ok)
            assert_int_equal(st.st_size, before);
        assert_int_equal(count_messages(&c), ok ? 2 : 1);
        bool reached = faults.calls >= at;
        append_end(&c);
        if (!reached)
            break;
    }
    assert_in_range(failed, 3, 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),     cmocka_unit_test(test_parse),
        cmocka_unit_test(test_delivers), cmocka_unit_test(test_lock_file),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, append_setup, append_teardown);
}
