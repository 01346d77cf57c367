/* The verifier: one pass over the words with the depths of the value stack, loops and saves on entry to
 * each instruction. Jumps must agree with what is known at their target. A THROW ends the
 * evaluation, so branches of different depth may meet there.
 */
#include "filter/verify.h"

#include "base/arena.h"
#include "filter/fn.h"
#include "filter/host.h"

enum {
    UNKNOWN = -1,
    STACK_MAX = 1024,
    CONCAT_MAX = 4096,
};

struct depths {
    int32_t values; /* UNKNOWN: not reached yet */
    int32_t loops;
    int32_t saves;
};

struct verifier {
    const struct code *code;
    struct depths *at;  /* by word */
    bool *starts;       /* word starts an instruction */
    const char *why;
    uint32_t where;
    uint32_t stack;
};

static bool
refuse(struct verifier *v, uint32_t where, const char *why)
{
    v->why = why;
    v->where = where;
    return false;
}

static bool
find_starts(struct verifier *v)
{
    const struct code *c = v->code;
    for (uint32_t i = 0; i < c->n;) {
        if (ins_op(c->ins[i]) >= OP_COUNT)
            return refuse(v, i, "unknown opcode");
        unsigned words = op_words(op_row(ins_op(c->ins[i]))->shape);
        if (words > c->n - i)
            return refuse(v, i, "instruction cut off");
        v->starts[i] = true;
        i += words;
    }
    return true;
}

static bool
check_function(struct verifier *v, uint32_t i, uint32_t a, uint32_t b)
{
    size_t n;
    const struct fn *all = fn_all(&n);
    if (a >= n || all[a].call == NULL)
        return refuse(v, i, "no such function");
    return b <= FN_ARGS_MAX || refuse(v, i, "too many arguments");
}

static bool
check_operands(struct verifier *v, uint32_t i)
{
    const struct code *c = v->code;
    enum op_shape shape = op_row(ins_op(c->ins[i]))->shape;
    uint32_t a = ins_a(c->ins[i]);
    uint32_t b = op_words(shape) == 2 ? c->ins[i + 1] : 0;
    switch (shape) {
    case SHAPE_NONE:
        return true;
    case SHAPE_N:
        return a <= CONCAT_MAX || ins_op(c->ins[i]) != OP_CONCAT ||
               refuse(v, i, "too many values joined");
    case SHAPE_K:
        return a < c->consts_n || refuse(v, i, "no such constant");
    case SHAPE_L:
        return (a < c->n && v->starts[a]) || refuse(v, i, "jump into nowhere");
    case SHAPE_V:
        return a < c->host->vars_n || refuse(v, i, "no such variable");
    case SHAPE_VK:
        return (a < c->host->vars_n && b < c->consts_n) || refuse(v, i, "no such variable");
    case SHAPE_HK:
        return (a <= HEADER_LIST && b < c->consts_n) || refuse(v, i, "no such header form");
    case SHAPE_FN:
        return check_function(v, i, a, b);
    case SHAPE_XN:
        return (a < HOST_CALL_COUNT && b <= FN_ARGS_MAX) || refuse(v, i, "no such host call");
    }
    return refuse(v, i, "unknown shape");
}

static int32_t
popped(const struct code *c, uint32_t i)
{
    const struct op_row *row = op_row(ins_op(c->ins[i]));
    if (row->pops == POPS_A)
        return (int32_t)ins_a(c->ins[i]);
    return row->pops == POPS_B ? (int32_t)c->ins[i + 1] : row->pops;
}

/* What the instruction does to the depths; false when it takes what is not there. */
static bool
apply(struct verifier *v, uint32_t i, struct depths *d)
{
    enum op op = ins_op(v->code->ins[i]);
    int32_t pops = popped(v->code, i);
    if (d->values < pops)
        return refuse(v, i, "value stack is too low");
    d->values += op_row(op)->pushes - pops;
    d->loops += op == OP_LOOP ? 1 : op == OP_ENDLOOP || op == OP_LEAVE ? -1 : 0;
    d->saves += op == OP_SAVE ? 1 : op == OP_RESTORE ? -1 : 0;
    bool needs_loop = op == OP_NEXT || op == OP_GATHER || op == OP_KEEP || op == OP_KEY ||
                      op == OP_SORTED;
    if (d->loops < 0 || d->saves < 0 || (needs_loop && d->loops == 0))
        return refuse(v, i, "no loop or no save to end");
    if (d->values > STACK_MAX)
        return refuse(v, i, "value stack is too high");
    if ((uint32_t)d->values > v->stack)
        v->stack = (uint32_t)d->values;
    return true;
}

static bool
flow_to(struct verifier *v, uint32_t from, uint32_t to, struct depths d)
{
    if (to >= v->code->n)
        return refuse(v, from, "runs off the end");
    struct depths *t = &v->at[to];
    if (t->values == UNKNOWN) {
        if (to <= from)
            return refuse(v, from, "jumps back to what was not reached");
        *t = d;
        return true;
    }
    if (ins_op(v->code->ins[to]) == OP_THROW)
        return true;
    bool same = t->values == d.values && t->loops == d.loops && t->saves == d.saves;
    return same || refuse(v, from, "branches disagree about the stack");
}

static bool
ends_here(enum op op)
{
    return op == OP_THROW || op == OP_THROWERR || op == OP_FORCE || op == OP_RETURN || op == OP_ANSWER;
}

static bool
step(struct verifier *v, uint32_t i)
{
    const struct code *c = v->code;
    enum op op = ins_op(c->ins[i]);
    struct depths d = v->at[i];
    if (!check_operands(v, i))
        return false;
    if (d.values == UNKNOWN) /* behind a THROW: never runs */
        return true;
    if (op == OP_THROW || op == OP_THROWERR || op == OP_FORCE)
        return true;
    if (!apply(v, i, &d))
        return false;
    if ((op == OP_RETURN) != !c->condition && ends_here(op))
        return refuse(v, i, "ends in the wrong way");
    if (op_row(op)->shape == SHAPE_L && !flow_to(v, i, ins_a(c->ins[i]), d))
        return false;
    if (ends_here(op) || op == OP_JUMP)
        return true;
    return flow_to(v, i, i + op_words(op_row(op)->shape), d);
}

bool
code_verify(struct arena *scratch, struct code *code, const char **why, uint32_t *where)
{
    struct arena_mark mark = arena_mark(scratch);
    struct verifier v = {.code = code};
    v.at = ARENA_ARRAY(scratch, struct depths, (size_t)code->n + 1);
    v.starts = ARENA_ARRAY(scratch, bool, (size_t)code->n + 1);
    bool good = code->n > 0 || refuse(&v, 0, "empty code");
    for (uint32_t i = 1; i < code->n; i++)
        v.at[i].values = UNKNOWN;
    good = good && find_starts(&v);
    for (uint32_t i = 0; good && i < code->n; i++) {
        if (v.starts[i])
            good = step(&v, i);
    }
    code->stack = v.stack;
    *why = v.why;
    *where = v.where;
    arena_reset(scratch, mark);
    return good;
}
