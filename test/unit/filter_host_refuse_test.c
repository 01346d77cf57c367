/* Unit tests of filter/host_refuse.c: each bit takes its capability away, in Exim's words, and no other. */
#include "filter/host_refuse.h"

#include "base/arena.h"
#include "proc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct row {
    unsigned refuse;
    const char *text;
    const char *error;
};

static const struct row rows[] = {
    {HOST_REFUSE_DLFUNC, "${dlfunc{/x}{y}}", "dynamically-loaded functions are not permitted"},
    {HOST_REFUSE_EXISTS, "${if exists{/}{a}{b}}", "File existence tests are not permitted"},
    {HOST_REFUSE_EXISTS, "${stat:/}", "Use of the stat() expansion is not permitted"},
    {HOST_REFUSE_LOOKUP, "${lookup{x}lsearch{/dev/null}}",
     "lookup expansions are not permitted"},
    {HOST_REFUSE_PERL, "${perl{x}}", "Perl calls are not permitted"},
    {HOST_REFUSE_READFILE, "${readfile{/dev/null}}", "file insertions are not permitted"},
    {HOST_REFUSE_READSOCKET, "${readsocket{/x}{y}}", "socket insertions are not permitted"},
    {HOST_REFUSE_RUN, "${run{/bin/true}}", "running a command is not permitted"},
};

static bool
is_refused(struct vm *vm, const struct row *r)
{
    struct str out;
    return vm_expand(vm, str_from_cstr(r->text), &out) == VM_ERROR &&
           str_eqz(vm_error(vm), r->error);
}

static void
test_each(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct wiring w = wire_command_line(a, NULL);
    const struct host *full = vm_host(w.vm);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_ptr_equal(vm_set_host(w.vm, host_refuse(a, full, rows[i].refuse)), full);
        assert_true(is_refused(w.vm, &rows[i]));
        (void)vm_set_host(w.vm, host_refuse(a, full, HOST_REFUSE_ALL & ~rows[i].refuse));
        assert_false(is_refused(w.vm, &rows[i]));
        (void)vm_set_host(w.vm, full);
        assert_false(is_refused(w.vm, &rows[i]));
    }
    arena_free(a);
}

static void
test_nothing(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct wiring w = wire_command_line(a, NULL);
    assert_ptr_equal(host_refuse(a, vm_host(w.vm), 0), vm_host(w.vm));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
