/* Unit tests of conf/path_scan.c: which paths a text of the configuration has. */
#include "conf/path_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* "path" of a file, "path*" of what begins like that, separated by blanks. */
static void
assert_paths(const char *text, const char *expected)
{
    struct path_scan s = {.text = str_from_cstr(text)};
    char found[256] = "";
    size_t n = 0;
    while (path_scan_next(&s))
        n += (size_t)snprintf(found + n, sizeof found - n, "%s%.*s%s", n > 0 ? " " : "",
                              STR_ARG(s.path), s.begins ? "*" : "");
    assert_string_equal(found, expected);
}

static void
test_paths(void **state)
{
    (void)state;
    assert_paths("", "");
    assert_paths("/", "");
    assert_paths("a/b", "");
    assert_paths("/a", "/a");
    assert_paths("/a/$x", "/a/*");
    assert_paths("/a/b-$x.pem", "/a/b-*");
    assert_paths("x : y : /a/b : timestamps", "/a/b");
    assert_paths("a:/b:/c", "/b /c");
    assert_paths("${if exists{/k/$x}{/k/$x}{0}}", "/k/* /k/*");
    assert_paths("$x/a ${x}/b", "");
    assert_paths("{/a/}", "/a/");
    assert_paths("/$x", "");
    assert_paths("/a\\$x", "/a");
}

static void
test_no_end_behind_the_text(void **state)
{
    (void)state;
    struct path_scan s = {.text = str_from("/ab$", 3)}; /* the $ is not part of it */
    assert_true(path_scan_next(&s) && str_eqz(s.path, "/ab") && !s.begins);
    assert_false(path_scan_next(&s));
    s = (struct path_scan){.text = str_from("/a\0b", 4)};
    assert_true(path_scan_next(&s) && str_eqz(s.path, "/a") && !s.begins);
    assert_false(path_scan_next(&s));
    s = (struct path_scan){.text = STR_NULL};
    assert_false(path_scan_next(&s));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_no_end_behind_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
