/* The verifier: one pass over the words with the depths of the value stack, loops and saves on entry to
 * each instruction, packed into one number. Jumps must agree with what is known at their target. A THROW
 * ends the evaluation, so branches of different depth may meet there.
 */
#include "filter/verify.h"

#include "base/arena.h"
#include "filter/filter_run.h"
#include "filter/fn.h"
#include "filter/host.h"

#include <string.h>

enum {
    STACK_MAX = 1024,
    CONCAT_MAX = 4096,
    LOOP_UNIT = 1 << 12,
    SAVE_UNIT = 1 << 22,
};

/* Depths on entry: values in bits 0-11, loops in 12-21, saves in 22-31, and KNOWN. Below zero shows as a
 * borrow into the next field, so each field is checked before it is lowered. */
typedef uint64_t depths;
static const depths KNOWN = (depths)1 << 63;
/* Stands for the second word of an instruction: nothing may go there. */
static const depths OPERAND = 1;

struct verifier {
    const struct code *code;
    depths *at; /* by word; 0: not reached yet */
    const struct fn *functions;
    size_t functions_n;
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
check_call(struct verifier *v, uint32_t i, uint32_t a, uint32_t b)
{
    if (a >= v->functions_n || v->functions[a].call == NULL)
        return refuse(v, i, "no such function");
    return b <= FN_ARGS_MAX || refuse(v, i, "too many arguments");
}

/* An action takes as many arguments as its row says. */
static bool
check_filter(struct verifier *v, uint32_t i, uint32_t a, uint32_t b)
{
    if (ins_op(v->code->ins[i]) == OP_ASK)
        return (a < FILTER_ASKS && b <= FN_ARGS_MAX) || refuse(v, i, "no such question");
    uint32_t row = a & 0xff;
    return (row < FILTER_ACTIONS && b == filter_action_args((enum filter_action_id)row)) ||
           refuse(v, i, "no such action");
}

static inline bool
check_operands(struct verifier *v, uint32_t i, enum op_shape shape, uint32_t a, uint32_t b)
{
    const struct code *c = v->code;
    switch (shape) {
    case SHAPE_NONE:
        return true;
    case SHAPE_N:
        return a <= CONCAT_MAX || refuse(v, i, "number too large");
    case SHAPE_K:
        return a < c->consts_n || refuse(v, i, "no such constant");
    case SHAPE_L:
        return a < c->n || refuse(v, i, "jump into nowhere");
    case SHAPE_V:
        return a < c->host->vars_n || refuse(v, i, "no such variable");
    case SHAPE_VK:
        return (a < c->host->vars_n && b < c->consts_n) || refuse(v, i, "no such variable");
    case SHAPE_HK:
        return (a <= HEADER_LIST && b < c->consts_n) || refuse(v, i, "no such header form");
    case SHAPE_FN:
        return check_call(v, i, a, b);
    case SHAPE_XN:
        return (a < HOST_CALL_COUNT && b <= FN_ARGS_MAX) || refuse(v, i, "no such host call");
    case SHAPE_AN:
        return check_filter(v, i, a, b);
    }
    return refuse(v, i, "unknown shape");
}

/* What an instruction does beyond values, by opcode; most do nothing. */
enum {
    IN_LOOP = 1, /* only inside a loop */
    IN_SAVE = 2, /* only after a SAVE */
    LOOP_IN = 4,
    LOOP_OUT = 8,
    SAVE_IN = 16,
    SAVE_OUT = 32,
    FAILS = 64, /* ends the evaluation, whatever is on the stacks */
    ENDS = 128, /* ends it with a result */
};

static const unsigned char effects[256] = {
    [OP_NEXT] = IN_LOOP,
    [OP_GATHER] = IN_LOOP,
    [OP_KEEP] = IN_LOOP,
    [OP_KEY] = IN_LOOP,
    [OP_SORTED] = IN_LOOP,
    [OP_ENDLOOP] = IN_LOOP | LOOP_OUT,
    [OP_LEAVE] = IN_LOOP | LOOP_OUT,
    [OP_LOOP] = LOOP_IN,
    [OP_SAVE] = SAVE_IN,
    [OP_RESTORE] = IN_SAVE | SAVE_OUT,
    [OP_THROW] = FAILS,
    [OP_THROWERR] = FAILS,
    [OP_FORCE] = FAILS,
    [OP_RETURN] = ENDS,
    [OP_ANSWER] = ENDS,
};

/* Loops and saves that an instruction opens or closes. */
static bool
apply_nesting(struct verifier *v, uint32_t i, unsigned effect, depths *d)
{
    bool in_loop = (*d & (SAVE_UNIT - 1)) >= LOOP_UNIT;
    bool in_save = (*d & ~KNOWN) >= SAVE_UNIT;
    if (((effect & IN_LOOP) != 0 && !in_loop) || ((effect & IN_SAVE) != 0 && !in_save))
        return refuse(v, i, "no loop or no save to end");
    if ((effect & LOOP_IN) != 0)
        *d += LOOP_UNIT;
    if ((effect & LOOP_OUT) != 0)
        *d -= LOOP_UNIT;
    if ((effect & SAVE_IN) != 0)
        *d += SAVE_UNIT;
    if ((effect & SAVE_OUT) != 0)
        *d -= SAVE_UNIT;
    return true;
}

static bool
flow_to(struct verifier *v, uint32_t from, uint32_t to, depths d)
{
    if (to >= v->code->n)
        return refuse(v, from, "runs off the end");
    if (v->at[to] == d || ins_op(v->code->ins[to]) == OP_THROW)
        return v->at[to] != OPERAND || refuse(v, from, "jump into nowhere");
    if (v->at[to] != 0)
        return refuse(v, from,
                      v->at[to] == OPERAND ? "jump into nowhere"
                                           : "branches disagree about the stack");
    if (to <= from)
        return refuse(v, from, "jumps back to what was not reached");
    v->at[to] = d;
    return true;
}

/* What most instructions do not: loops and saves, jumps, ends. d: depths after its values. */
static bool
step_special(struct verifier *v, uint32_t i, const struct op_row *row, depths d)
{
    enum op op = ins_op(v->code->ins[i]);
    unsigned effect = effects[op];
    if ((effect & ENDS) != 0)
        return (op == OP_ANSWER) == v->code->condition || refuse(v, i, "ends in the wrong way");
    if (effect != 0 && !apply_nesting(v, i, effect, &d))
        return false;
    if (row->shape == SHAPE_L && !flow_to(v, i, ins_a(v->code->ins[i]), d))
        return false;
    return op == OP_JUMP || flow_to(v, i, i + op_words(row->shape), d);
}

/* Checks the instruction at word i, whose operands are good, and passes its depths on. */
static inline bool
step(struct verifier *v, uint32_t i, const struct op_row *row, uint32_t pops)
{
    depths d = v->at[i];
    unsigned effect = effects[ins_op(v->code->ins[i])];
    uint32_t next = i + op_words(row->shape);
    if (d == 0 || (effect & FAILS) != 0) /* behind a THROW nothing runs */
        return true;
    uint32_t values = (uint32_t)(d & (LOOP_UNIT - 1));
    if (values < pops)
        return refuse(v, i, "value stack is too low");
    values = values - pops + (uint32_t)row->pushes;
    if (values > STACK_MAX)
        return refuse(v, i, "value stack is too high");
    if (values > v->stack)
        v->stack = values;
    d = (d & ~(depths)(LOOP_UNIT - 1)) | values;
    if (effect != 0 || row->shape == SHAPE_L || next >= v->code->n || v->at[next] != 0)
        return step_special(v, i, row, d);
    v->at[next] = d;
    return true;
}

/* The second word of an instruction is taken before anything can jump there. */
static bool
take_operand(struct verifier *v, uint32_t i)
{
    if (v->code->n - i < 2)
        return refuse(v, i, "instruction cut off");
    if (v->at[i + 1] != 0)
        return refuse(v, i, "jump into nowhere");
    v->at[i + 1] = OPERAND;
    return true;
}

static bool
verify_words(struct verifier *v)
{
    const uint32_t *ins = v->code->ins;
    uint32_t n = v->code->n;
    for (uint32_t i = 0; i < n;) {
        if (ins_op(ins[i]) >= OP_COUNT)
            return refuse(v, i, "unknown opcode");
        const struct op_row *row = op_row(ins_op(ins[i]));
        uint32_t words = op_words(row->shape);
        if (words == 2 && !take_operand(v, i))
            return false;
        uint32_t a = ins_a(ins[i]);
        uint32_t b = words == 2 ? ins[i + 1] : 0;
        uint32_t pops = row->pops >= 0 ? (uint32_t)row->pops : row->pops == POPS_A ? a : b;
        if (!check_operands(v, i, row->shape, a, b) || !step(v, i, row, pops))
            return false;
        i += words;
    }
    return n > 0 || refuse(v, 0, "empty code");
}

bool
code_verify(struct arena *scratch, struct code *code, const char **why, uint32_t *where)
{
    struct arena_mark mark = arena_mark(scratch);
    struct verifier v = {.code = code};
    v.functions = fn_all(&v.functions_n);
    v.at = ARENA_ARRAY(scratch, depths, (size_t)code->n + 1);
    v.at[0] = KNOWN;
    bool good = verify_words(&v);
    code->stack = v.stack;
    *why = v.why;
    *where = v.where;
    arena_reset(scratch, mark);
    return good;
}
