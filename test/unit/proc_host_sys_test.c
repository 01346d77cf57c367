/* What expansions ask of the system: programs, files, the environment; taint is refused. */
#include "proc/host_sys.h"

#include "base/arena.h"
#include "conf/eval.h"
#include "proc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct arena *a;
static struct wiring w;

static int
setup(void **state)
{
    (void)state;
    a = arena_new();
    w = wire_command_line(a, NULL);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

/* The value, or "Failed: " and the error. */
static void
check(const char *text, const char *want)
{
    struct str value;
    enum vm_status st = vm_expand(w.vm, str_from_cstr(text), &value);
    if (st != VM_OK)
        value = str_cat(a, STR_LIT("Failed: "), vm_error(w.vm));
    if (!str_eqz(value, want))
        fail_msg("%s: %.*s", text, STR_ARG(value));
}

static void
test_run(void **state)
{
    (void)state;
    check("${run{/usr/bin/printf %s_ a \"c  d\"}}", "a_c  d_");
    check("${run{/bin/false}{y}{n}}$runrc", "n1");
    check("${run{/bin/sh -c \"echo q; exit 2\"}{$value}{[$value]$runrc}}", "[q\n]2");
    check("${run{/nonexistent}{y}{n$runrc}}", "n127");
    check("${run{/nonexistent}}", "");
    check("${run{}{y}{n}}", "n");
    check("${run{/usr/bin/printf \"${uc:ab}\"}}", "AB");
    check("${run{/bin/echo ${uc:a b}}}", "Failed: Expansion of \"${uc:a\" from command "
                                         "\"/bin/echo ${uc:a b}\" in ${run} expansion failed: "
                                         "missing } at end of string");
    check("${run,preexpand{/usr/bin/printf %s_ ${uc:a b}}}", "A_B_");
}

static void
test_files(void **state)
{
    (void)state;
    char path[] = "/tmp/remex-host-XXXXXX", text[128];
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "a\nb\n\nc", 6), 6);
    close(fd);
    snprintf(text, sizeof text, "${readfile{%s}{,}}", path);
    check(text, "a,b,,c");
    snprintf(text, sizeof text, "${readfile{%s}{}}", path);
    check(text, "abc");
    snprintf(text, sizeof text, "${readfile{%s}}", path);
    check(text, "a\nb\n\nc");
    snprintf(text, sizeof text, "${if exists{%s}{y}{n}}", path);
    check(text, "y");
    unlink(path);
    check(text, "n");
    check("${readfile{/nonexistent}}",
          "Failed: failed to open /nonexistent: No such file or directory");
    check("${readfile{/tmp}}", "");
    check("${stat:/nonexistent}",
          "Failed: stat(/nonexistent) failed: No such file or directory");
    check("${if exists{}{y}{n}}", "n");
}

static void
test_environment(void **state)
{
    (void)state;
    setenv("REMEX_TEST", "v", 1);
    check("${env{REMEX_TEST}}", "v");
    check("${env{REMEX_NONE}{y}{n}}", "n");
}

static void
test_sockets(void **state)
{
    (void)state;
    check("${readsocket{/nonexistent}{x}}",
          "Failed: failed to connect to socket /nonexistent: No such file or directory");
    check("${readsocket{/nonexistent}{x}{3s}{}{fallback}}", "fallback");
    check("${readsocket{inet:127.0.0.1:1}{x}{3s:tls=yes}{}{fallback}}", "fallback");
}

static void
test_taint(void **state)
{
    (void)state;
    struct str out = STR_EMPTY;
    struct str path = str_tainted(STR_LIT("/etc/passwd"));
    assert_int_equal(host_sys_readfile(w.eval, w.vm, path, STR_NULL, &out), VM_ERROR);
    assert_true(str_starts(vm_error(w.vm), "failed to open /etc/passwd: Permission denied"));
    struct host_run q = {.command = str_tainted(STR_LIT("/bin/true")), .preexpanded = true};
    assert_int_equal(host_sys_run(w.eval, w.vm, &q, &out), VM_ERROR);
    assert_true(
        str_eqz(vm_error(w.vm), "couldn't create child process: Operation not permitted"));
    struct host_socket s = {.where = path};
    assert_int_equal(host_sys_readsocket(w.eval, w.vm, &s, &out), VM_NO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),         cmocka_unit_test(test_files),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_sockets),
        cmocka_unit_test(test_taint),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
