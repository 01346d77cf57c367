/* Requests to the host: arguments as they arrive, answers, and the refusal of what has no entry. */
#include "filter_vm_fixture.h"

static enum vm_status
lookup_type(void *env, struct vm *vm, struct str type, struct host_lookup_type *out)
{
    (void)env;
    *out = (struct host_lookup_type){.query_style = str_eqz(type, "query")};
    return str_eqz(type, "key") || str_eqz(type, "query")
               ? VM_OK
               : vm_fail(vm, "unknown lookup type \"%.*s\"", STR_ARG(type));
}

static enum vm_status
lookup(void *env, struct vm *vm, const struct host_lookup *q, struct str *out)
{
    (void)env;
    if (str_eqz(q->key, "defers"))
        return vm_defer(vm, "not now");
    if (str_eqz(q->key, "none"))
        return VM_NO;
    *out = str_printf(vm_scratch(vm), "%.*s|%.*s|%.*s|%d", STR_ARG(q->type), STR_ARG(q->key),
                      STR_ARG(q->file), q->query_style);
    return VM_OK;
}

static enum vm_status
acl(void *env, struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)env;
    (void)vm;
    *out = argc > 1 ? argv[argc - 1] : STR_EMPTY;
    return str_eqz(argv[0], "yes") ? VM_OK : VM_NO;
}

static void
test_lookup(void **state)
{
    struct fixture *f = *state;
    f->host.lookup_type = lookup_type;
    f->host.lookup = lookup;
    fixture_check(f, "${lookup{k}key{/file}}", "key|k|/file|0");
    fixture_check(f, "${lookup query{select}}", "query||select|1");
    fixture_check(f, "${lookup{k}key{/f}{<$value>}{no}}<$value>", "<key|k|/f|0><>");
    fixture_check(f, "${lookup{none}key{/f}{$value}{no}}", "no");
    fixture_check(f, "<${lookup{none}key{/f}}>", "<>");
    const char *got = fixture_expand(f, "${lookup{defers}key{/f}}");
    if (got[0] != 'D' && got[0] != '!')
        fail_msg("%s", got);
    assert_non_null(strstr(got, "not now"));
    fixture_check(f, "${lookup{k}odd{/f}}", "!unknown lookup type \"odd\"");
}

static void
test_acl(void **state)
{
    struct fixture *f = *state;
    f->host.acl = acl;
    fixture_check(f, "${acl{yes}{a}{b}}", "b");
    fixture_check(f, "${if acl{{yes}{a}}{y}{n}}", "y");
    fixture_check(f, "${if acl{{no}{a}}{y}{n}}", "n");
}

/* What the table has no entry for cannot be had, whatever a string says. */
static void
test_refused(void **state)
{
    static const char *const texts[] = {
        "${run{/bin/true}}",        "${acl{x}}",           "${perl{x}}",
        "${dlfunc{/x}{y}}",         "${readsocket{/x}{}}", "${readfile{/etc/passwd}}",
        "${if exists{/etc}{y}{n}}", "${stat:/etc}",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *got = fixture_expand(f, texts[i]);
        if (got[0] != '!' || got[1] == '\0')
            fail_msg("%s gave %s", texts[i], got);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lookup, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_acl, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
