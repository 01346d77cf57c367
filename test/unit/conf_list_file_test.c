/* Unit tests of conf/list_file.c. */
#include "conf_list_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/list_file_XXXXXX";

static int
make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static const char *
path_of(struct fixture *f, const char *name)
{
    return str_cstr(f->arena, str_printf(f->arena, "%s/%s", folder, name));
}

static const char *
file_of(struct fixture *f, const char *name, const char *text)
{
    const char *path = path_of(f, name);
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
    assert_int_equal(fclose(out), 0);
    return path;
}

static const char *
ask_file(struct fixture *f, const char *subject, const char *before, const char *path,
         const char *after)
{
    struct str list = str_printf(f->arena, "%s%s%s", before, path, after);
    return ask(f, LIST_DOMAIN, subject, str_cstr(f->arena, list));
}

static void
lines_count_as_items(void **state)
{
    struct fixture *f = *state;
    const char *p = file_of(f, "a", "a.ex\n!d.ex\n*.w # c\nlsearch;/x\n");
    assert_string_equal(ask_file(f, "a.ex", "", p, ""), "yes<a.ex><a.ex><>");
    assert_string_equal(ask_file(f, "q.w", "", p, ""), "yes<*.w><q.w><q>");
    assert_string_equal(ask_file(f, "b.ex", "", p, ""), "yes<lsearch;/x><b.ex><>");
    assert_string_equal(ask_file(f, "d.ex", "", p, " : *"), "no");
    assert_string_equal(ask_file(f, "d.ex", "!", p, ""), "yes<d.ex><d.ex><>");
    assert_string_equal(ask_file(f, "a.ex", "! ", p, " : *"), "no");
    assert_string_equal(ask_file(f, "zz", "!", p, ""), "yes<><><>");
    assert_string_equal(ask_file(f, "zz", "", p, " : zz"), "yes<zz><zz><>");
    p = file_of(f, "a", "a.ex\n!d.ex\n");
    assert_string_equal(ask_file(f, "q", "", p, ""), "yes<><><>");
    assert_string_equal(ask_file(f, "q", "!", p, ""), "no");
    assert_string_equal(ask_file(f, "q", "", p, " : zz"), "no");
    assert_string_equal(ask_file(f, "q", "!", file_of(f, "a", ""), ""), "yes<><><>");
    assert_int_equal(unlink(p), 0);
}

static void
changes_are_seen(void **state)
{
    struct fixture *f = *state;
    const char *p = file_of(f, "b", "a.ex\n");
    struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    assert_int_equal(utimensat(AT_FDCWD, p, old, 0), 0);
    assert_string_equal(ask_file(f, "a.ex", "", p, ""), "yes<a.ex><a.ex><>");
    const struct list_file *kept = map_get(f->eval.lists->files[LIST_DOMAIN], str_from_cstr(p));
    const struct list *before = kept->list;
    assert_string_equal(ask_file(f, "a.ex", "", p, ""), "yes<a.ex><a.ex><>");
    assert_ptr_equal(kept->list, before);
    (void)file_of(f, "b", "b.ex\n");
    for (int i = 0; i < 3; i++) {
        assert_string_equal(ask_file(f, "a.ex", "", p, ""), "no");
        assert_string_equal(ask_file(f, "b.ex", "", p, ""), "yes<b.ex><b.ex><>");
        /* Same size, a time so new that it could stay the same. */
        (void)file_of(f, "b", "c.ex\n");
        assert_string_equal(ask_file(f, "c.ex", "", p, ""), "yes<c.ex><c.ex><>");
        (void)file_of(f, "b", "b.ex\n");
    }
    assert_int_equal(unlink(p), 0);
}

static void
what_cannot_be_read(void **state)
{
    struct fixture *f = *state;
    const char *p = path_of(f, "none");
    struct str list = str_from_cstr(p);
    struct str want = str_printf(
        f->arena,
        "error: failed to open %s when checking \"z : %s\": No such file or directory", p, p);
    assert_string_equal(ask_file(f, "a.ex", "z : ", p, ""), str_cstr(f->arena, want));
    struct list_question q = {.kind = LIST_DOMAIN,
                              .subject = STR_LIT("a"),
                              .list = list,
                              .what = STR_LIT("local_parts")};
    want = str_printf(
        f->arena,
        "error: failed to open %s when checking local_parts: No such file or directory", p);
    assert_string_equal(ask_question(f, &q), str_cstr(f->arena, want));
    assert_string_equal(ask_file(f, "a.ex", "", folder, " : a.ex"), "yes<a.ex><a.ex><>");
    q.list = str_tainted(STR_LIT("/etc/passwd"));
    const char *got = ask_question(f, &q);
    assert_true(strncmp(got,
                        "error: failed to open /etc/passwd when checking local_parts: "
                        "Permission denied (euid=",
                        83) == 0);
    assert_true(str_find(buf_str(&f->log), STR_LIT("P Tainted filename '/etc/passwd'\n"), 0) !=
                STR_NPOS);
}

static void
policies_of_a_host_list_reach_into_files(void **state)
{
    struct fixture *f = *state;
    const char *p = file_of(f, "h", "*.zz\n10.0.0.7\n+hl\n");
    struct str list = str_printf(f->arena, "%s : 10.0.0.2", p);
    assert_string_equal(ask(f, LIST_HOST, "10.0.0.2", str_cstr(f->arena, list)), "no");
    list = str_printf(f->arena, "+ignore_unknown : %s : 10.0.0.2", p);
    assert_string_equal(ask(f, LIST_HOST, "10.0.0.2", str_cstr(f->arena, list)), "yes<><><>");
    list = str_printf(f->arena, "+include_unknown : %s", p);
    assert_string_equal(ask(f, LIST_HOST, "10.0.0.2", str_cstr(f->arena, list)), "yes<><><>");
    list = str_printf(f->arena, "+ignore_unknown : %s", p);
    assert_string_equal(ask(f, LIST_HOST, "10.0.0.7", str_cstr(f->arena, list)),
                        "yes<10.0.0.7><><>");
    assert_int_equal(unlink(p), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_count_as_items, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_are_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(policies_of_a_host_list_reach_into_files, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
