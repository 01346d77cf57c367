/* A machine over a small host, for the unit tests of src/filter. */
#ifndef REMEX_TEST_FILTER_VM_FIXTURE_H
#define REMEX_TEST_FILTER_VM_FIXTURE_H

#include "base/buf.h"
#include "filter/expand.h"
#include "filter/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct host host;
    struct vm *vm;
    struct arena *arena;
};

static enum vm_status
get_domain(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)env;
    (void)vm;
    (void)rest;
    *out = str_tainted(STR_LIT("example.org"));
    return VM_OK;
}

static enum vm_status
get_family(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)env;
    *out = str_cat(vm_scratch(vm), STR_LIT("fam:"), rest);
    return VM_OK;
}

static enum vm_status
get_unset(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)env;
    (void)vm;
    (void)rest;
    *out = STR_NULL;
    return VM_OK;
}

static bool
accepts_digit(struct str rest)
{
    return rest.n == 1 && ascii_digit(rest.p[0]);
}

static enum vm_status
get_header(void *env, struct vm *vm, enum header_form form, struct str name, struct str *out)
{
    static const char *const texts[] = {"cooked", "raw", "bytes", "list"};
    (void)env;
    (void)vm;
    if (!str_ieqz(name, "subject"))
        return VM_NO;
    *out = str_from_cstr(texts[form]);
    return VM_OK;
}

static const struct var fixture_vars[] = {
    {STR_INIT("acl_m"), get_family, VAR_FAMILY, accepts_digit, ""},
    {STR_INIT("domain"), get_domain, 0, NULL, ""},
    {STR_INIT("item"), NULL, VAR_RUNTIME, NULL, ""},
    {STR_INIT("runrc"), NULL, VAR_RUNTIME, NULL, ""},
    {STR_INIT("unset"), get_unset, 0, NULL, ""},
    {STR_INIT("value"), NULL, VAR_RUNTIME, NULL, ""},
};

static inline int
fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->host.vars = fixture_vars;
    f->host.vars_n = sizeof fixture_vars / sizeof *fixture_vars;
    f->host.header = get_header;
    f->vm = vm_new(&f->host, f);
    f->arena = arena_new();
    *state = f;
    return 0;
}

static int
fixture_teardown(void **state)
{
    struct fixture *f = *state;
    vm_free(f->vm);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* The value of a text, or "!" and the error, or "F" and the text of a forced failure. */
static const char *
fixture_expand(struct fixture *f, const char *text)
{
    struct str out = STR_EMPTY;
    enum vm_status st = vm_expand(f->vm, str_from_cstr(text), &out);
    struct str shown = st == VM_OK ? out : vm_error(f->vm);
    const char *mark = st == VM_OK ? "" : st == VM_FORCED ? "F" : st == VM_DEFER ? "D" : "!";
    return str_printf(f->arena, "%s%.*s", mark, STR_ARG(shown)).p;
}

static inline void
fixture_check(struct fixture *f, const char *text, const char *expected)
{
    const char *got = fixture_expand(f, text);
    if (strcmp(got, expected) != 0)
        fail_msg("%s\n  gave     %s\n  expected %s", text, got, expected);
}

#endif
