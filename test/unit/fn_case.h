/* Tables of calls of functions of the language: arguments, how the call ends, and its value or error text. */
#ifndef FN_CASE_H
#define FN_CASE_H

#include "base/arena.h"
#include "filter/fn.h"
#include "filter/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fn_case {
    enum fn_kind kind;
    const char *name;
    const char *argv[5]; /* an operator's subject comes first, then the parts of its suffix */
    enum vm_status want;
    const char *text; /* value of VM_OK (conditions have none), error text of VM_ERROR */
};

static const struct host fn_case_host = {.vars = NULL};

static inline int
fn_case_setup(void **state)
{
    *state = vm_new(&fn_case_host, NULL);
    return *state == NULL;
}

static inline int
fn_case_teardown(void **state)
{
    vm_free(*state);
    return 0;
}

static inline void
fn_case_one(struct vm *vm, const struct fn_case *c)
{
    struct str argv[5];
    struct str out = STR_EMPTY;
    unsigned argc = 0;
    const struct fn *fn = fn_find(c->kind, str_from_cstr(c->name));
    assert_non_null(fn);
    while (argc < 5 && c->argv[argc] != NULL) {
        argv[argc] = str_from_cstr(c->argv[argc]);
        argc++;
    }
    enum vm_status st = fn->call(vm, argv, argc, &out);
    struct str text = st == VM_ERROR ? vm_error(vm) : out;
    bool compared = st == VM_ERROR || (st == VM_OK && c->kind != FN_COND);
    if (st != c->want || (compared && !str_eqz(text, c->text)))
        fail_msg("%s(%s, %s, %s): status %d, \"%.*s\"; wanted %d, \"%s\"", c->name,
                 c->argv[0] != NULL ? c->argv[0] : "", argc > 1 ? c->argv[1] : "",
                 argc > 2 ? c->argv[2] : "", (int)st, STR_ARG(text), (int)c->want, c->text);
}

static inline void
fn_case_run(struct vm *vm, const struct fn_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena_mark mark = arena_mark(vm_scratch(vm));
        fn_case_one(vm, &cases[i]);
        vm_reset_state(vm);
        arena_reset(vm_scratch(vm), mark);
    }
}

#endif
