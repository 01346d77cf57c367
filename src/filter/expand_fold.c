/* Results that are the same each time are computed while compiling: a function of constants becomes a constant.
 *
 * Only what the rows of fn.def call pure is folded, and only results without an error: an error is raised when it is
 * reached.
 */
#include "filter/expand_parse.h"

#include "filter/vm_state.h"

#include <string.h>

enum { FOLD_MAX = 1024 }; /* bytes of a result that is kept */

/* A replacement that uses nothing but what was matched. */
static bool
uses_captures_only(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\' || (s.p[i] == '$' && !ascii_digit(i + 1 < s.n ? s.p[i + 1] : '\0')))
            return false;
    }
    return true;
}

static bool
is_foldable(const struct fn *fn, const struct str *argv, uint32_t argc)
{
    if ((fn->flags & FN_PURE) == 0)
        return false;
    return (fn->flags & FN_REPLACES) == 0 || uses_captures_only(argv[argc - 1]);
}

/* The value of a call whose arguments are the words from `from` on; the words go. */
static bool
fold(struct parse *p, const struct fn *fn, uint32_t from, uint32_t argc, struct str *value,
     bool *answer)
{
    struct str argv[FN_ARGS_MAX];
    if (!p->folds || (fn->flags & FN_PURE) == 0 || emit_here(&p->emit) - from != argc)
        return false;
    for (uint32_t i = 0; i < argc; i++) {
        if (!parse_constant(p, from + i, from + i + 1, &argv[i]))
            return false;
    }
    if (!is_foldable(fn, argv, argc))
        return false;
    *value = STR_EMPTY;
    enum vm_status st = fn->call(p->vm, argv, argc, value);
    if (st > VM_NO || value->n > FOLD_MAX)
        return false;
    *answer = st == VM_OK;
    emit_cut(&p->emit, from);
    return true;
}

static void
emit_value(struct parse *p, struct str value)
{
    if (value.n > 0)
        emit_const(&p->emit, OP_CONST, str_dup(p->emit.arena, value));
    else
        emit_op(&p->emit, OP_EMPTY);
}

bool
parse_fold_call(struct parse *p, const struct fn *fn, uint32_t from, uint32_t argc)
{
    struct str value;
    bool answer;
    if (!fold(p, fn, from, argc, &value, &answer))
        return false;
    emit_value(p, value);
    return true;
}

void
parse_emit_call(struct parse *p, const struct fn *fn, uint32_t from, uint32_t argc)
{
    if (!parse_fold_call(p, fn, from, argc))
        emit_ab(&p->emit, OP_CALL, parse_fn_number(fn), argc);
}

void
parse_emit_find(struct parse *p, const struct fn *fn, uint32_t from, uint32_t argc)
{
    struct str value;
    bool answer;
    if (fold(p, fn, from, argc, &value, &answer)) {
        emit_value(p, value);
        emit_op(&p->emit, answer ? OP_TRUE : OP_FALSE);
    } else {
        emit_ab(&p->emit, OP_FIND, parse_fn_number(fn), argc);
    }
}

void
parse_emit_test(struct parse *p, const struct fn *fn, uint32_t from, uint32_t argc)
{
    struct str unused;
    bool answer;
    if (fold(p, fn, from, argc, &unused, &answer))
        emit_op(&p->emit, answer ? OP_TRUE : OP_FALSE);
    else
        emit_ab(&p->emit, OP_TEST, parse_fn_number(fn), argc);
}
