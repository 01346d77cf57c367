/* Unit tests of plugins/pam.c, linked in: real PAM with service files of the test's own. */
#include "base/arena.h"
#include "sys/pam_plugin.h"
#include "sys/plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct plugin remex_plugin;

struct fixture {
    struct arena *arena;
    char dir[64];
    char service[80], script[80], seen[80];
};

static void
write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = arena_new();
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/remex-pam-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->service, sizeof f->service, "%s/exim", f->dir);
    (void)snprintf(f->script, sizeof f->script, "%s/script", f->dir);
    (void)snprintf(f->seen, sizeof f->seen, "%s/seen", f->dir);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    (void)unlink(f->service);
    (void)unlink(f->script);
    (void)unlink(f->seen);
    (void)rmdir(f->dir);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* "yes", "no" or "!reason". */
static const char *
ask(struct fixture *f, const char *rules, struct str user, const struct str *answers, size_t n)
{
    const struct pam_plugin *pam = remex_plugin.objects[0];
    struct pam_request rq = {"exim", f->dir, user, answers, n};
    struct str why = STR_NULL;
    write_file(f->service, rules, 0644);
    switch (pam->check(f->arena, &rq, &why)) {
    case PAM_VERDICT_YES:
        return "yes";
    case PAM_VERDICT_NO:
        return "no";
    case PAM_VERDICT_ERROR:
        break;
    }
    return str_printf(f->arena, "!%.*s", STR_ARG(why)).p;
}

static const char *
ask_user(struct fixture *f, const char *rules)
{
    struct str password = STR_LIT("p");
    return ask(f, rules, STR_LIT("u"), &password, 1);
}

static void
verdicts(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(
        ask_user(f, "auth required pam_permit.so\naccount required pam_permit.so\n"), "yes");
    assert_string_equal(
        ask_user(f, "auth required pam_deny.so\naccount required pam_permit.so\n"), "no");
    assert_string_equal(
        ask_user(f, "auth required pam_permit.so\naccount required pam_deny.so\n"), "no");
    assert_string_equal(
        ask_user(f, "auth required nosuch.so\naccount required pam_permit.so\n"),
        "!Module is unknown");
    assert_string_equal(ask_user(f, "garbage\n"), "!Permission denied");
}

static void
verdicts_by_code(void **state)
{
    static const struct {
        const char *auth, *account, *verdict;
    } rows[] = {
        {"success", "success", "yes"},
        {"auth_err", "success", "no"},
        {"user_unknown", "success", "no"},
        {"acct_expired", "success", "no"},
        {"success", "acct_expired", "no"},
        {"success", "user_unknown", "no"},
        {"authinfo_unavail", "success",
         "!Authentication service cannot retrieve authentication info"},
        {"perm_denied", "success", "!Permission denied"},
        {"success", "new_authtok_reqd",
         "!Authentication token is no longer valid; new one required"},
        {"success", "system_err", "!System error"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *rules =
            str_printf(
                f->arena,
                "auth required pam_debug.so auth=%s\naccount required pam_debug.so acct=%s\n",
                rows[i].auth, rows[i].account)
                .p;
        assert_string_equal(ask_user(f, rules), rows[i].verdict);
    }
}

static void
nobody_is_refused(void **state)
{
    struct fixture *f = *state;
    const char *permit = "auth required pam_permit.so\naccount required pam_permit.so\n";
    assert_string_equal(ask(f, permit, STR_EMPTY, NULL, 0), "no");
    assert_string_equal(ask(f, permit, STR_LIT("a\0b"), NULL, 0), "no");
    assert_string_equal(ask(f, permit, STR_LIT("u"), NULL, 0), "yes");
}

/* What a module of PAM got as the password. */
static const char *
password_seen(struct fixture *f, const struct str *answers, size_t n)
{
    static char text[100];
    const char *rules = str_printf(f->arena,
                                   "auth required pam_exec.so expose_authtok quiet %s\n"
                                   "account required pam_permit.so\n",
                                   f->script)
                            .p;
    write_file(f->script, str_printf(f->arena, "#!/bin/sh\ncat > %s\n", f->seen).p, 0755);
    assert_string_equal(ask(f, rules, STR_LIT("root"), answers, n), "yes");
    FILE *file = fopen(f->seen, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

static void
answers_reach_the_module(void **state)
{
    struct fixture *f = *state;
    const struct str answers[] = {STR_INIT("a b:c"), STR_INIT("second")};
    const struct str nul[] = {STR_INIT("a\0b")};
    assert_string_equal(password_seen(f, answers, 2), "a b:c");
    assert_string_equal(password_seen(f, answers, 0), "");
    /* A password with a NUL cannot be handed over whole, so it is not handed over at all. */
    const char *rules = "auth required pam_unix.so\naccount required pam_permit.so\n";
    assert_string_not_equal(ask(f, rules, STR_LIT("root"), nul, 1), "yes");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(verdicts, setup, teardown),
        cmocka_unit_test_setup_teardown(verdicts_by_code, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_reach_the_module, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
