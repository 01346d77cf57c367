/* The parts of a message where they lie, and files that they are decoded to: names, what is refused, how much is written. */
#include "scanners/mime_scan.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "mail/header.h"
#include "scanners/scan_message.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Contents of the one part, in base 64 "hello\n". */
#define BODY "aGVsbG8K\n"

struct fixture {
    char spool[64];
    struct arena *arena;
    struct conf_main main;
    struct conf conf;
    struct header_list headers;
    struct message message;
    struct eval eval;
    struct mime_source source;
    struct mime_scan scan;
    struct mime_at at;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    (void)snprintf(f->spool, sizeof f->spool, "/tmp/remex-mime-XXXXXX");
    assert_non_null(mkdtemp(f->spool));
    f->arena = arena_new();
    f->main.spool_directory.text = str_from_cstr(f->spool);
    f->conf.main = &f->main;
    f->message = (struct message){
        .arena = f->arena,
        .id = STR_LIT("1xWmxl-000287-30"),
        .headers = &f->headers,
        .body_fd = -1,
        .body_text = STR_LIT(BODY),
    };
    f->eval.conf = &f->conf;
    f->eval.message = &f->message;
    f->source = mime_source_body(&f->message);
    f->scan = (struct mime_scan){
        .arena = f->arena,
        .message = scan_message_of(&f->eval),
        .may_decode = 1000,
    };
    f->at = (struct mime_at){
        .scan = &f->scan,
        .source = &f->source,
        .end = f->source.size,
        .encoding = MIME_BASE64,
    };
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    char top[80];
    scan_message_end(&f->message, false);
    (void)snprintf(top, sizeof top, "%s/scan", f->spool);
    (void)rmdir(top);
    assert_int_equal(rmdir(f->spool), 0);
    arena_free(f->arena);
    free(f);
    return 0;
}

static struct str
content(struct fixture *f, struct str path)
{
    struct str text;
    if (file_read(f->arena, str_cstr(f->arena, path), 1000, &text) != FILE_OK)
        return STR_NULL;
    return text;
}

/* The name within the scan directory, or the whole path. */
static struct str
decoded(struct fixture *f, const char *where)
{
    struct mime_decoded found;
    struct str path, why;
    assert_true(mime_decode_to_file(&f->at, str_from_cstr(where), &path, &found, &why));
    assert_int_equal(found.size, 6);
    assert_true(str_eqz(content(f, path), "hello\n"));
    struct str folder = f->scan.message->directory;
    return str_starts(path, str_cstr(f->arena, folder)) ? str_sub(path, folder.n + 1, path.n)
                                                        : path;
}

static void
test_names(void **state)
{
    struct fixture *f = *state;
    char path[120];
    assert_true(str_eqz(decoded(f, "default"), "1xWmxl-000287-30-00000"));
    assert_true(str_eqz(decoded(f, " "), "1xWmxl-000287-30-00001"));
    assert_true(str_eqz(decoded(f, "name"), "name"));
    struct str in_folder = decoded(f, f->spool);
    (void)snprintf(path, sizeof path, "%s/1xWmxl-000287-30-00002", f->spool);
    assert_true(str_eqz(in_folder, path));
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof path, "%s/own", f->spool);
    assert_true(str_eqz(decoded(f, path), path));
    assert_true(str_eqz(decoded(f, path), path)); /* it is overwritten */
    assert_int_equal(unlink(path), 0);
}

static void
assert_refused(struct fixture *f, struct str where, const char *why_part)
{
    struct mime_decoded found;
    struct str path, why = STR_NULL;
    assert_false(mime_decode_to_file(&f->at, where, &path, &found, &why));
    if (str_find(why, str_from_cstr(why_part), 0) == STR_NPOS)
        fail_msg("\"%.*s\" is refused with \"%.*s\"", STR_ARG(where), STR_ARG(why));
}

static void
test_refused(void **state)
{
    struct fixture *f = *state;
    char path[120], link[120];
    static const char no_name[] = "is no name of a file";
    assert_refused(f, STR_LIT("../x"), no_name);
    assert_refused(f, STR_LIT("a/b"), no_name);
    assert_refused(f, STR_LIT("."), no_name);
    assert_refused(f, STR_LIT(".."), no_name);
    assert_refused(f, str_from("a\0b", 3), no_name);
    assert_refused(f, str_tainted(STR_LIT("name")), "Tainted filename 'name'");
    assert_refused(f, str_tainted(STR_LIT("/tmp/name")), "Tainted filename");
    (void)snprintf(path, sizeof path, "%s/fifo", f->spool);
    (void)snprintf(link, sizeof link, "%s/link", f->spool);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(symlink("/tmp/remex-mime-nowhere", link), 0);
    assert_refused(f, str_from_cstr(path), "failed to open");
    assert_refused(f, str_from_cstr(link), "failed to open");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(link), 0);
}

/* All that is written of one message counts together; what goes beyond leaves no file. */
static void
test_limit(void **state)
{
    struct fixture *f = *state;
    for (int64_t limit = 11; limit <= 13; limit++) {
        struct mime_decoded found;
        struct str path, why, first = decoded(f, "one");
        f->scan.may_decode = limit - 6;
        bool ok = mime_decode_to_file(&f->at, STR_LIT("two"), &path, &found, &why);
        assert_int_equal(ok, limit >= 12);
        assert_int_equal(str_is_set(content(f, path)), ok);
        assert_true(ok || str_find(why, STR_LIT("too much is decoded"), 0) != STR_NPOS);
        assert_true(str_eqz(first, "one"));
        f->scan.may_decode = 1000;
    }
}

static void
test_nowhere(void **state)
{
    struct fixture *f = *state;
    struct mime_decoded found;
    struct str why;
    char text[16];
    int fd = mime_decode_to_nowhere(&f->at, &found, &why);
    assert_true(fd >= 0);
    struct mime_source s = {.fd = fd, .size = found.size};
    assert_int_equal(mime_source_read(&s, 0, text, sizeof text), 6);
    assert_memory_equal(text, "hello\n", 6);
    assert_int_equal(mime_source_read(&s, 4, text, sizeof text), 2);
    assert_int_equal(mime_source_read(&s, 6, text, sizeof text), 0);
    close(fd);
    fd = mime_decode_to_nowhere(&f->at, &found, &why); /* again and again */
    assert_true(fd >= 0);
    close(fd);
    f->scan.may_decode = 5;
    assert_int_equal(mime_decode_to_nowhere(&f->at, &found, &why), -1);
}

static void
test_source(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "xxContent-Type: multipart/mixed; boundary=A\n\n--A\n"
                               "Content-Type: text/b; name=n\n\nbody\n--A--\n";
    const struct mime_source s = {
        .fd = -1, .at = 2, .size = sizeof text - 3, .text = STR_INIT(text)};
    const struct mime_index *x =
        mime_source_walk(f->arena, &s, (struct mime_caps){.parts = 10, .depth = 10}, NULL);
    struct mime_part p;
    assert_int_equal(x->parts.n, 2);
    assert_true(mime_source_header(f->arena, &s, &x->parts.v[1], &p));
    assert_true(str_eqz(p.type, "text/b") && str_eqz(p.filename, "n"));
    assert_true(str_is_tainted(p.filename));
    struct mime_source gone = {.fd = 1000000, .size = 10};
    assert_null(mime_source_walk(f->arena, &gone, (struct mime_caps){.parts = 1}, NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nowhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_source, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
