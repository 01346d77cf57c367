/* The message as scanners see it: stream at its caps, file and what becomes of it, descriptor, what a crash left. */
#include "scanners/scan_message.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "mail/header.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char spool[64];
    struct arena *arena;
    struct conf_main main;
    struct conf conf;
    struct header_list headers;
    struct message message;
    struct eval eval;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    (void)snprintf(f->spool, sizeof f->spool, "/tmp/remex-scan-XXXXXX");
    assert_non_null(mkdtemp(f->spool));
    f->arena = arena_new();
    f->main.spool_directory.text = str_from_cstr(f->spool);
    f->conf.main = &f->main;
    f->message = (struct message){
        .arena = f->arena,
        .id = STR_LIT("1xWmxl-000287-30"),
        .sender = STR_LIT("a@b.ex"),
        .headers = &f->headers,
        .body_fd = -1,
        .body_text = STR_LIT("line one\nline two\n"),
    };
    vec_push(f->arena, &f->message.recipients, ((struct recipient){.address = STR_LIT("x@y")}));
    vec_push(f->arena, &f->message.recipients, ((struct recipient){.address = STR_LIT("z@y")}));
    assert_true(header_list_add(f->arena, &f->headers, STR_LIT("A: 1\n"), HEADER_AT_END));
    assert_true(header_list_add(f->arena, &f->headers, STR_LIT("Gone: 2\n"), HEADER_AT_END));
    assert_true(header_list_add(f->arena, &f->headers, STR_LIT("B: 3\n 4\n"), HEADER_AT_END));
    f->headers.v[1].type = HEADER_TYPE_DELETED;
    f->eval.conf = &f->conf;
    f->eval.message = &f->message;
    f->eval.clock.utc = true;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    char top[80];
    (void)snprintf(top, sizeof top, "%s/scan", f->spool);
    (void)rmdir(top);
    assert_int_equal(rmdir(f->spool), 0);
    arena_free(f->arena);
    free(f);
    return 0;
}

#define PLAIN "A: 1\nB: 3\n 4\n\nline one\nline two\n"

/* All of a stream, which must not be longer than a block. */
static struct str
read_all(struct fixture *f, enum scan_form form, int64_t cap)
{
    struct scan_stream st;
    struct str block, more;
    scan_stream_start(f->arena, scan_message_of(&f->eval), form, cap, &st);
    int r = scan_stream_next(&st, &block);
    assert_true(r >= 0);
    if (r == 0)
        return STR_EMPTY;
    block = str_dup(f->arena, block);
    assert_int_equal(scan_stream_next(&st, &more), 0);
    assert_true(str_is_tainted(block));
    return block;
}

static void
test_stream(void **state)
{
    struct fixture *f = *state;
    struct str all = STR_LIT(PLAIN);
    assert_true(str_eq(read_all(f, SCAN_PLAIN, -1), all));
    for (int64_t cap = 0; cap <= (int64_t)all.n + 1; cap++)
        assert_true(str_eq(read_all(f, SCAN_PLAIN, cap), str_sub(all, 0, (size_t)cap)));
    struct scan_message *s = scan_message_of(&f->eval);
    assert_int_equal(scan_message_size(s, SCAN_PLAIN), all.n);
    struct str mbox = read_all(f, SCAN_MBOX, -1);
    assert_int_equal(scan_message_size(s, SCAN_MBOX), mbox.n);
    assert_true(str_starts(mbox, "From MAILER-DAEMON "));
    assert_true(str_ends(
        mbox, STR_LIT("\nX-Envelope-From: <a@b.ex>\nX-Envelope-To: x@y, z@y\n" PLAIN)));
}

static void
test_no_envelope(void **state)
{
    struct fixture *f = *state;
    f->message.sender = STR_EMPTY;
    f->message.recipients.n = 0;
    struct str mbox = read_all(f, SCAN_MBOX, -1);
    assert_int_equal(str_find(mbox, STR_LIT("X-Envelope"), 0), STR_NPOS);
    assert_true(str_ends(mbox, STR_LIT("\n" PLAIN)));
}

/* Blocks are full wherever header lines and body begin. */
static void
test_blocks(void **state)
{
    struct fixture *f = *state;
    char *line = malloc(SCAN_BLOCK_MAX);
    memset(line, 'x', SCAN_BLOCK_MAX);
    FILE *body = tmpfile();
    assert_non_null(body);
    fputs("not of the body", body);
    for (int i = 0; i < 3; i++)
        fwrite(line, 1, SCAN_BLOCK_MAX, body);
    fflush(body);
    f->message.body_fd = fileno(body);
    f->message.body_start = 15;
    f->message.body_size = 2 * SCAN_BLOCK_MAX + 1; /* what is behind it is not shown */
    struct scan_stream st;
    struct str block;
    int64_t total = 0;
    scan_stream_start(f->arena, scan_message_of(&f->eval), SCAN_PLAIN, -1, &st);
    assert_int_equal(scan_stream_next(&st, &block), 1);
    assert_int_equal(block.n, SCAN_BLOCK_MAX);
    assert_true(str_starts(block, "A: 1\nB: 3\n 4\n\nxxxx"));
    do {
        total += block.n;
    } while (scan_stream_next(&st, &block) > 0);
    assert_int_equal(total, scan_message_size(scan_message_of(&f->eval), SCAN_PLAIN));
    f->message.body_fd = 1 << 20; /* not open */
    scan_stream_start(f->arena, scan_message_of(&f->eval), SCAN_PLAIN, -1, &st);
    assert_int_equal(scan_stream_next(&st, &block), -1);
    fclose(body);
    free(line);
}

static bool
is_there(const struct str path)
{
    return access(path.p, F_OK) == 0;
}

static void
test_file(void **state)
{
    struct fixture *f = *state;
    struct scan_message *s = scan_message_of(&f->eval);
    struct str why = STR_NULL, content, again;
    struct stat st;
    assert_ptr_equal(s, scan_message_of(&f->eval));
    assert_true(scan_message_file(s, &why));
    assert_true(str_ends(s->path, STR_LIT("/scan/1xWmxl-000287-30/1xWmxl-000287-30.eml")));
    assert_int_equal(stat(s->path.p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(stat(s->directory.p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0750);
    assert_int_equal(file_read(f->arena, s->path.p, 4096, &content), FILE_OK);
    assert_true(str_eq(content, read_all(f, SCAN_MBOX, -1)));
    assert_true(scan_message_file(s, &why));
    int fd = scan_message_descriptor(s, &why);
    assert_int_equal(file_read_fd(f->arena, fd, 4096, &again), FILE_OK);
    assert_true(str_eq(content, again));
    assert_int_equal(write(fd, "x", 1), -1);
    close(fd);
    char sub[160];
    (void)snprintf(sub, sizeof sub, "%s/a", s->directory.p);
    assert_int_equal(mkdir(sub, 0700), 0);
    struct str directory = s->directory;
    scan_message_end(&f->message, false);
    assert_null(f->message.scan);
    assert_false(is_there(directory));
}

static void
test_memory(void **state)
{
    struct fixture *f = *state;
    struct scan_message *s = scan_message_of(&f->eval);
    struct str why = STR_NULL, content;
    int fd = scan_message_descriptor(s, &why);
    assert_true(fd >= 0);
    assert_int_equal(file_read_fd(f->arena, fd, 4096, &content), FILE_OK);
    assert_true(str_eq(content, read_all(f, SCAN_MBOX, -1)));
    assert_int_equal(write(fd, "x", 1), -1);
    close(fd);
    assert_false(is_there(s->directory));
    scan_message_end(&f->message, false);
}

/* Where it cannot be written the reason names the place. */
static void
test_no_place(void **state)
{
    struct fixture *f = *state;
    f->main.spool_directory.text = STR_LIT("/nonexistent/spool");
    struct str why = STR_NULL;
    assert_false(scan_message_file(scan_message_of(&f->eval), &why));
    assert_true(str_eqz(
        why, "failed to create directory /nonexistent/spool/scan: No such file or directory"));
    scan_message_end(&f->message, false);
}

static void
remove_kept(struct str path, struct str directory)
{
    assert_int_equal(unlink(path.p), 0);
    assert_int_equal(rmdir(directory.p), 0);
}

/* What is at work or kept stays, what was left behind goes. */
static void
test_sweep(void **state)
{
    struct fixture *f = *state;
    struct str why = STR_NULL;
    assert_int_equal(scan_message_sweep("/nonexistent"), 0);
    assert_int_equal(scan_message_sweep(f->spool), 0);
    struct scan_message *s = scan_message_of(&f->eval);
    assert_true(scan_message_file(s, &why));
    struct str path = s->path, directory = s->directory;
    assert_int_equal(scan_message_sweep(f->spool), 0); /* at work */
    assert_true(is_there(path));
    scan_message_end(&f->message, true);
    assert_int_equal(scan_message_sweep(f->spool), 0); /* kept */
    assert_true(is_there(path));
    remove_kept(path, directory);
    s = scan_message_of(&f->eval);
    assert_true(scan_message_file(s, &why));
    close(s->lock); /* as if the process had died */
    assert_int_equal(scan_message_sweep(f->spool), 1);
    assert_false(is_there(directory));
    f->message.scan = NULL;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_envelope, setup, teardown),
        cmocka_unit_test_setup_teardown(test_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
