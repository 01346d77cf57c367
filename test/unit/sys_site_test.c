/* The site file: settings, faults with their line, trust, the size limit. */
#include "sys/site.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
parse(struct arena *a, const char *text, struct site *s, struct diags *d)
{
    struct source *src = arena_zalloc(a, 1, sizeof *src);
    src->name = STR_LIT("site");
    src->text = str_from_cstr(text);
    return site_parse(a, src, s, d);
}

static void
test_settings(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct site s;
    assert_true(parse(a,
                      "# comment\n\n user = mail \ngroup=adm\nconfigure_file = /a:/b\n"
                      "trusted_config = /x/y\ntrusted_config = /z\ntrusted_macro = ONE\n"
                      "never_users = root\nheaders_charset = ISO-8859-1\nplugin_directory = /p",
                      &s, d));
    assert_int_equal(diags_total(d), 0);
    assert_true(str_eqz(s.user, "mail"));
    assert_true(str_eqz(s.group, "adm"));
    assert_true(str_eqz(s.configure_file, "/a:/b"));
    assert_true(str_eqz(s.plugin_directory, "/p"));
    assert_true(str_eqz(s.headers_charset, "ISO-8859-1"));
    assert_int_equal(s.trusted_config.n, 2);
    assert_true(site_trusts_config(&s, STR_LIT("/z")));
    assert_false(site_trusts_config(&s, STR_LIT("/zz")));
    assert_true(site_trusts_macro(&s, STR_LIT("ONE")));
    assert_false(site_trusts_macro(&s, STR_LIT("ON")));
    arena_free(a);
}

static void
test_defaults(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct site s;
    assert_true(parse(a, "", &s, d));
    assert_true(str_eqz(s.user, "remex"));
    assert_true(str_eqz(s.group, "remex"));
    assert_true(str_starts(s.configure_file, "/etc/remex/remex.conf:"));
    assert_false(str_is_set(s.configure_owner));
    assert_true(parse(a, "user = x\n", &s, d));
    assert_true(str_eqz(s.group, "x"));
    arena_free(a);
}

static void
check_fault(const char *text, uint32_t line, uint32_t col, const char *want)
{
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct site s;
    assert_false(parse(a, text, &s, d));
    assert_int_equal(diags_total(d), 1);
    assert_int_equal(diags_at(d, 0)->at.line, line);
    assert_int_equal(diags_at(d, 0)->at.col, col);
    struct str got = diags_at(d, 0)->text;
    assert_int_equal(got.n, strlen(want));
    assert_memory_equal(got.p, want, got.n);
    arena_free(a);
}

static void
test_faults(void **state)
{
    (void)state;
    check_fault("user = a\n  usr = b\n", 2, 3, "unknown setting \"usr\"");
    check_fault("user\n", 1, 1, "\"=\" expected: a line here is \"name = value\"");
    check_fault("user =\n", 1, 1, "user needs a value");
    check_fault("trusted_config = x\n", 1, 1, "trusted_config must be an absolute path");
    check_fault("plugin_directory = x\n", 1, 1, "plugin_directory must be an absolute path");
    check_fault("trusted_macro = x\n", 1, 1, "trusted_macro must be the name of a macro");
    check_fault("trusted_macro = X-Y\n", 1, 1, "trusted_macro must be the name of a macro");
}

static void
test_hint(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct site s;
    assert_false(parse(a, "trusted_macros = A\n", &s, d));
    assert_true(str_eqz(diags_at(d, 0)->hint, "did you mean \"trusted_macro\"?"));
    arena_free(a);
}

static bool
read_as(const char *path, const char *text, size_t n, mode_t mode, uid_t owner, struct site *s,
        struct diags *d, struct arena *a)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), (ssize_t)n);
    assert_int_equal(fchmod(fd, mode), 0);
    if (geteuid() == 0)
        assert_int_equal(fchown(fd, owner, 0), 0);
    close(fd);
    return site_read(a, path, s, d);
}

static void
test_file(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    char path[] = "/tmp/remex-site-XXXXXX";
    close(mkstemp(path));
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct site s;
    assert_true(read_as(path, "user = a\n", 9, 0644, 0, &s, d, a));
    assert_true(str_eqz(s.user, "a"));
    assert_false(str_is_tainted(s.user));
    assert_false(read_as(path, "user = a\n", 9, 0664, 0, &s, d, a));
    assert_false(read_as(path, "user = a\n", 9, 0646, 0, &s, d, a));
    assert_false(read_as(path, "user = a\n", 9, 0644, 1, &s, d, a));
    assert_int_equal(diags_total(d), 3);
    unlink(path);
    assert_true(site_read(a, path, &s, d));
    assert_true(str_eqz(s.user, "remex"));
    assert_false(site_read(a, "/tmp", &s, d));
    arena_free(a);
}

static void
test_cap(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    char path[] = "/tmp/remex-site-XXXXXX";
    close(mkstemp(path));
    char *text = malloc(SITE_MAX_BYTES + 1);
    memset(text, '\n', SITE_MAX_BYTES + 1);
    struct arena *a = arena_new();
    struct diags *d = diags_new(a, 0);
    struct site s;
    assert_true(read_as(path, text, SITE_MAX_BYTES - 1, 0644, 0, &s, d, a));
    assert_true(read_as(path, text, SITE_MAX_BYTES, 0644, 0, &s, d, a));
    assert_false(read_as(path, text, SITE_MAX_BYTES + 1, 0644, 0, &s, d, a));
    unlink(path);
    free(text);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings), cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_faults),   cmocka_unit_test(test_hint),
        cmocka_unit_test(test_file),     cmocka_unit_test(test_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
