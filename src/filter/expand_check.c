/* Constant arguments that can only be wrong are told of while compiling, wherever they stand: in a branch
 * that is never taken too, as the reference does, and with a caret when a configuration is checked.
 */
#include "filter/expand_parse.h"

#include "filter/vm_state.h"

enum checked { NUMBERS, FIRST, SECOND, REST };

/* Functions whose faults depend on these arguments alone. */
static const struct {
    enum fn_kind kind;
    struct str name;
    enum checked which;
} checked_functions[] = {
    {FN_ITEM, STR_INIT("hash"), NUMBERS},    {FN_ITEM, STR_INIT("length"), NUMBERS},
    {FN_ITEM, STR_INIT("nhash"), NUMBERS},   {FN_ITEM, STR_INIT("substr"), NUMBERS},
    {FN_ITEM, STR_INIT("sg"), SECOND},       {FN_COND, STR_INIT("bool"), FIRST},
    {FN_ITEM, STR_INIT("imapfolder"), REST},
};

static bool
is_checked(enum checked which, uint32_t i, uint32_t argc)
{
    switch (which) {
    case NUMBERS:
        return i + 1 < argc;
    case FIRST:
        return i == 0;
    case SECOND:
        return i == 1;
    case REST:
        return i > 0;
    }
    return false;
}

/* Calls the function with its constant arguments, up to the first that is not, and something harmless for
 * the others; only an error matters. */
static bool
try_call(struct parse *p, const struct fn *fn, enum checked which, const uint32_t *starts,
         uint32_t argc)
{
    struct str argv[FN_ARGS_MAX];
    struct str unused;
    bool any = false;
    bool constant = true;
    for (uint32_t i = 0; i < argc; i++) {
        argv[i] = STR_EMPTY;
        if (!is_checked(which, i, argc))
            continue;
        constant = constant && parse_constant(p, starts[i], starts[i + 1], &argv[i]);
        any = any || constant;
        if (!constant)
            argv[i] = STR_LIT("1");
    }
    if (!any)
        return true;
    if (fn->call(p->vm, argv, argc, &unused) != VM_ERROR)
        return true;
    return parse_error(p, "%.*s", STR_ARG(vm_error(p->vm)));
}

void
parse_note_checks(unsigned char *by_row)
{
    for (size_t i = 0; i < sizeof checked_functions / sizeof *checked_functions; i++) {
        const struct fn *fn = fn_find(checked_functions[i].kind, checked_functions[i].name);
        if (fn != NULL)
            by_row[parse_fn_number(fn)] = (unsigned char)(checked_functions[i].which + 1);
    }
}

bool
parse_check_constants(struct parse *p, const struct fn *fn, const uint32_t *starts,
                      uint32_t argc)
{
    unsigned which = p->vm->checks[fn - p->vm->functions];
    return which == 0 || try_call(p, fn, (enum checked)(which - 1), starts, argc);
}
