/* Unit tests of sys/plugin.c: what is refused. That good plugins load is tested with the programs. */
#include "sys/plugin.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
bad_names_and_directories(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str why = STR_NULL;
    const char *const names[] = {
        "", "../x", "a/b", "a.b",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_null(plugin_load(a, STR_LIT("/tmp"), names[i], PLUGIN_KIND_LOOKUP, &why));
        assert_true(str_eqz(why, "bad plugin directory or name"));
    }
    assert_null(plugin_load(a, STR_LIT("relative"), "x", PLUGIN_KIND_LOOKUP, &why));
    assert_true(str_eqz(why, "bad plugin directory or name"));
    assert_null(plugin_load(a, str_tainted(STR_LIT("/tmp")), "x", PLUGIN_KIND_LOOKUP, &why));
    assert_null(plugin_load(a, STR_LIT("/nonexistent"), "x", PLUGIN_KIND_LOOKUP, &why));
    assert_true(
        str_eqz(why, "cannot open plugin /nonexistent/x.so: No such file or directory"));
    arena_free(a);
}

static void
files_that_are_no_plugin(void **state)
{
    (void)state;
    char dir[] = "/tmp/remex-plugin-XXXXXX", path[64];
    struct arena *a = arena_new();
    struct str why = STR_NULL;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/x.so", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("not an object\n", f);
    fclose(f);
    assert_int_equal(chmod(path, 0644), 0);
    assert_null(plugin_load(a, str_from_cstr(dir), "x", PLUGIN_KIND_LOOKUP, &why));
    assert_true(str_starts(why, "cannot load plugin x: "));
    assert_int_equal(chmod(path, 0666), 0);
    assert_null(plugin_load(a, str_from_cstr(dir), "x", PLUGIN_KIND_LOOKUP, &why));
    if (geteuid() == 0)
        assert_true(
            str_ends(why, STR_LIT("or its folder is not root's or others may write it")));
    unlink(path);
    rmdir(dir);
    arena_free(a);
}

static void
the_default_is_absolute(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str dir = plugin_directory_default(a);
    assert_true(str_starts(dir, "/") && str_ends(dir, STR_LIT("/plugins")));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_names_and_directories),
        cmocka_unit_test(files_that_are_no_plugin),
        cmocka_unit_test(the_default_is_absolute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
