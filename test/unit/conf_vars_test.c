/* Unit tests of conf/vars.c and vars_process.c: the table, and what variables are without message and session. */
#include "base/arena.h"
#include "conf/eval.h"
#include "conf/model.h"
#include "conf/vars.h"
#include "proc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void
sorted_and_documented(void **state)
{
    (void)state;
    size_t n;
    const struct var *v = vars_all(&n);
    assert_true(n > 250);
    for (size_t i = 0; i < n; i++) {
        assert_true(v[i].doc != NULL && v[i].doc[0] != '\0');
        assert_true((v[i].get == NULL) == ((v[i].flags & VAR_RUNTIME) != 0));
        assert_true((v[i].accepts != NULL) == ((v[i].flags & VAR_FAMILY) != 0));
        assert_true((str_chr(v[i].name, '.', 0) != STR_NPOS) ==
                    ((v[i].flags & VAR_HIDDEN) != 0));
        if (i > 0)
            assert_true(str_cmp(v[i - 1].name, v[i].name) < 0);
    }
}

/* Every one can be asked for at any time, also with models that know nothing yet. */
static void
values_of_nothing(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct wiring w = wire_command_line(a, NULL);
    struct session s = {0};
    struct message m = {.body_fd = -1};
    struct address r = {0};
    size_t n;
    const struct var *v = vars_all(&n);
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < n; i++) {
            struct str out = STR_NULL;
            if (v[i].get == NULL)
                continue;
            enum vm_status st = v[i].get(w.eval, w.vm, STR_LIT("1"), &out);
            assert_true(st == VM_OK || st == VM_NO);
        }
        w.eval->session = &s;
        w.eval->message = &m;
        w.eval->address = &r;
    }
    arena_free(a);
}

static void
check(struct wiring *w, const char *text, const char *want)
{
    struct str value;
    if (vm_expand(w->vm, str_from_cstr(text), &value) != VM_OK)
        value = vm_error(w->vm);
    if (!str_eqz(value, want))
        fail_msg("%s: %.*s", text, STR_ARG(value));
}

static void
the_process(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct wiring w = wire_command_line(a, NULL);
    w.eval->process.caller_uid = 12;
    w.eval->process.caller_gid = 34;
    w.eval->process.pid = 56;
    w.eval->process.directory = STR_LIT("/here");
    w.eval->clock.utc = true;
    check(&w, "$caller_uid $caller_gid $pid $initial_cwd", "12 34 56 /here");
    check(&w, "${if match{$tod_epoch}{\\N^\\d+$\\N}{y}{n}}", "y");
    check(&w, "${if match{$tod_epoch_l}{\\N^\\d{16}$\\N}{y}{n}}", "y");
    check(&w, "${if match{$tod_zone}{\\N^[+]0000$\\N}{y}{n}}", "y");
    check(&w, "${if match{$tod_zulu}{\\N^\\d{14}Z$\\N}{y}{n}}", "y");
    check(&w, "${if match{$tod_logfile}{\\N^\\d{8}$\\N}{y}{n}}", "y");
    check(&w, "${if match{$tod_full}{\\N^..., \\d\\d ... \\d{4} \\S{8} [+]0000$\\N}{y}{n}}",
          "y");
    check(&w, "${if match{$load_average}{\\N^-?\\d+$\\N}{y}{n}}", "y");
    check(&w, "$exim_version", "4.99");
    arena_free(a);
}

static void
families(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct wiring w = wire_command_line(a, NULL);
    struct message m = {.body_fd = -1, .filter_n = {[3] = 7}, .filter_sn = {[4] = 8}};
    w.eval->message = &m;
    check(&w, "<$n3 $n0 $sn4>", "<7 0 8>");
    check(&w, "<$n10>", "unknown variable name \"n10\"");
    check(&w, "<$acl_m_x>", "<>");
    check(&w, "<$acl_mx>",
          "unknown variable name \"acl_mx\" (6th character of a user-defined ACL variable must "
          "be "
          "a digit or underscore)");
    check(&w, "<$auth5>", "unknown variable name \"auth5\"");
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_and_documented),
        cmocka_unit_test(values_of_nothing),
        cmocka_unit_test(the_process),
        cmocka_unit_test(families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
