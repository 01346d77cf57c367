/* The verifier: one pass over the words with the depths of the value stack, loops and saves, packed into one
 * number that goes from instruction to instruction; a table by word has it for what jumps lead to. Jumps must agree
 * with what is known at their target. A THROW ends the evaluation, so branches of different depth may meet there.
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
    LOOP_UNIT = 1 << 11,
    LOOPS_MAX = 1023,
    SAVE_UNIT = 1 << 21,
    SAVES_MAX = 1023,
};

/* Values in bits 0-10, loops in 11-20, saves in 21-30, and KNOWN; each field is checked before it is raised or
 * lowered. 0: nothing is known, or nothing gets here. */
typedef uint32_t depths;
static const depths KNOWN = (depths)1 << 31;
/* Stands for the second word of an instruction: nothing may go there. */
static const depths OPERAND = 1;
static const depths FAULT = 2;

/* Operands of a shape must be below these. */
struct limits {
    uint32_t a;
    uint32_t b;
};

struct verifier {
    const struct code *code;
    depths *at; /* by word, of those that were passed or that a jump leads to */
    struct limits limits[SHAPES];
    const struct fn *functions;
    size_t functions_n;
    const char *why;
    uint32_t where;
};

static bool
refuse(struct verifier *v, uint32_t where, const char *why)
{
    v->why = why;
    v->where = where;
    return false;
}

/* --- operands --- */

static void
set_limits(struct verifier *v)
{
    enum { ANY = 1 << 24 };
    const struct code *c = v->code;
    uint32_t vars = (uint32_t)c->host->vars_n;
    v->functions = fn_all(&v->functions_n);
    v->limits[SHAPE_NONE] = (struct limits){ANY, 1};
    v->limits[SHAPE_K] = (struct limits){c->consts_n, 1};
    v->limits[SHAPE_N] = (struct limits){CONCAT_MAX + 1, 1};
    v->limits[SHAPE_L] = (struct limits){c->n, 1};
    v->limits[SHAPE_V] = (struct limits){vars, 1};
    v->limits[SHAPE_VK] = (struct limits){vars, c->consts_n};
    v->limits[SHAPE_HK] = (struct limits){HEADER_LIST + 1, c->consts_n};
    v->limits[SHAPE_NK] = (struct limits){FILTER_TEST_CASE * 2, c->consts_n};
    v->limits[SHAPE_HT] = (struct limits){FILTER_TEST_CASE * 2 << MATCHH_TEST,
                                          c->consts_n > 0 ? c->consts_n - 1 : 0};
    v->limits[SHAPE_FN] = (struct limits){(uint32_t)v->functions_n, FN_ARGS_MAX + 1};
    v->limits[SHAPE_XN] = (struct limits){HOST_CALL_COUNT, FN_ARGS_MAX + 1};
    v->limits[SHAPE_AN] = (struct limits){ANY, FN_ARGS_MAX + 1};
    v->limits[SHAPE_AK] = (struct limits){ANY, c->consts_n};
}

static bool
refuse_operands(struct verifier *v, uint32_t i, enum op_shape shape, bool of_a)
{
    static const char *const why[] = {
        [SHAPE_NONE] = "operand too large", [SHAPE_K] = "no such constant",
        [SHAPE_N] = "number too large",     [SHAPE_L] = "jump into nowhere",
        [SHAPE_V] = "no such variable",     [SHAPE_VK] = "no such variable",
        [SHAPE_HK] = "no such header form", [SHAPE_FN] = "no such function",
        [SHAPE_XN] = "no such host call",   [SHAPE_AN] = "no such action",
        [SHAPE_AK] = "no such constant",    [SHAPE_NK] = "no such constant",
        [SHAPE_HT] = "no such constant",
    };
    bool arguments = shape == SHAPE_FN || shape == SHAPE_XN || shape == SHAPE_AN;
    return refuse(v, i, arguments && !of_a ? "too many arguments" : why[shape]);
}

static const unsigned char action_args[] = {
#define FILTER_ACTION(name, word, args, doc) args,
#include "filter/filter_action.def"
#undef FILTER_ACTION
};

/* An action takes as many arguments as its row says, or less: the last ones are unset. */
static inline bool
check_action(struct verifier *v, uint32_t i, uint32_t argc)
{
    uint32_t row = ins_a(v->code->ins[i]) & 0xff;
    return (row < FILTER_ACTIONS && argc <= action_args[row]) || refuse(v, i, "no such action");
}

/* --- flow --- */

/* Loops and saves: what an instruction needs and does. */
enum {
    IN_LOOP = 1, /* only inside a loop */
    IN_SAVE = 2, /* only after a SAVE */
    LOOP_IN = 4,
    LOOP_OUT = 8,
    SAVE_IN = 16,
    SAVE_OUT = 32,
};

/* Loops and saves that an instruction opens or closes. */
static bool
apply_nesting(struct verifier *v, uint32_t i, depths *d, unsigned effect)
{
    uint32_t loops = *d / LOOP_UNIT & LOOPS_MAX;
    uint32_t saves = *d / SAVE_UNIT & SAVES_MAX;
    if (((effect & IN_LOOP) != 0 && loops == 0) || ((effect & IN_SAVE) != 0 && saves == 0))
        return refuse(v, i, "no loop or no save to end");
    if (((effect & LOOP_IN) != 0 && loops == LOOPS_MAX) ||
        ((effect & SAVE_IN) != 0 && saves == SAVES_MAX))
        return refuse(v, i, "too many loops or saves");
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

/* A jump from word `from` to word `to`, which there is. */
static bool
jump_to(struct verifier *v, uint32_t from, uint32_t to, depths d)
{
    depths there = v->at[to];
    if (there == OPERAND)
        return refuse(v, from, "jump into nowhere");
    if (there == d || ins_op(v->code->ins[to]) == OP_THROW)
        return true;
    if (there != 0)
        return refuse(v, from, "branches disagree about the stack");
    if (to <= from)
        return refuse(v, from, "jumps back to what was not reached");
    v->at[to] = d;
    return true;
}

/* What most instructions do not: loops and saves, jumps, ends. d: depths after its values; returns what the next
 * instruction begins with, 0 when nothing gets there but by a jump, FAULT when refused. */
static depths
step_special(struct verifier *v, uint32_t i, depths d)
{
    const uint32_t *ins = v->code->ins;
    enum op op = ins_op(ins[i]);
    uint32_t a = ins_a(ins[i]);
    bool good = true;
    switch ((int)op) {
    case OP_JUMP:
        return jump_to(v, i, a, d) ? 0 : FAULT;
    case OP_JUMPF:
    case OP_JUMPT:
        return jump_to(v, i, a, d) ? d : FAULT;
    case OP_ACTION:
        return check_action(v, i, ins[i + 1]) ? d : FAULT;
    case OP_ACTIONT:
        return check_action(v, i, 1) ? d : FAULT;
    case OP_ASK:
        good = a < FILTER_ASKS || refuse(v, i, "no such question");
        break;
    case OP_CALL:
    case OP_FIND:
    case OP_TEST:
        good = v->functions[a].call != NULL || refuse_operands(v, i, SHAPE_FN, true);
        break;
    case OP_THROW:
    case OP_THROWERR:
    case OP_FORCE:
        return 0;
    case OP_RETURN:
    case OP_ANSWER:
        good = (op == OP_ANSWER) == v->code->condition || refuse(v, i, "ends in the wrong way");
        return good ? 0 : FAULT;
    case OP_NEXT:
        good = apply_nesting(v, i, &d, IN_LOOP) && jump_to(v, i, a, d);
        break;
    case OP_GATHER:
    case OP_KEEP:
    case OP_KEY:
    case OP_SORTED:
        good = apply_nesting(v, i, &d, IN_LOOP);
        break;
    case OP_LOOP:
        good = apply_nesting(v, i, &d, LOOP_IN);
        break;
    case OP_ENDLOOP:
    case OP_LEAVE:
        good = apply_nesting(v, i, &d, IN_LOOP | LOOP_OUT);
        break;
    case OP_SAVE:
        good = apply_nesting(v, i, &d, SAVE_IN);
        break;
    case OP_RESTORE:
        good = apply_nesting(v, i, &d, IN_SAVE | SAVE_OUT);
        break;
    default:
        break;
    }
    return good ? d : FAULT;
}

static const bool is_special[OP_COUNT] = {
    [OP_JUMP] = true,    [OP_JUMPF] = true,  [OP_JUMPT] = true,    [OP_ACTION] = true,
    [OP_ACTIONT] = true, [OP_ASK] = true,    [OP_CALL] = true,     [OP_FIND] = true,
    [OP_TEST] = true,    [OP_THROW] = true,  [OP_THROWERR] = true, [OP_FORCE] = true,
    [OP_RETURN] = true,  [OP_ANSWER] = true, [OP_NEXT] = true,     [OP_GATHER] = true,
    [OP_KEEP] = true,    [OP_KEY] = true,    [OP_SORTED] = true,   [OP_LOOP] = true,
    [OP_ENDLOOP] = true, [OP_LEAVE] = true,  [OP_SAVE] = true,     [OP_RESTORE] = true,
};

/* A row of op.def as the loop wants it. */
static const struct row {
    unsigned char shape, words;
    signed char pops;
    unsigned char pushes;
} rows[OP_COUNT] = {
#define OP(name, shape, pops, pushes, doc)                                                     \
    {SHAPE_##shape, SHAPE_##shape >= SHAPE_VK ? 2 : 1, pops, pushes},
#include "filter/op.def"
#undef OP
};

/* The second word of an instruction, which is taken before anything can jump there. */
static inline bool
take_operand(struct verifier *v, uint32_t i, uint32_t *b)
{
    if (v->code->n - i < 2)
        return refuse(v, i, "instruction cut off");
    if (v->at[i + 1] != 0)
        return refuse(v, i, "jump into nowhere");
    v->at[i + 1] = OPERAND;
    *b = v->code->ins[i + 1];
    return true;
}

/* The one hot loop: everything that most instructions need is in local variables. */
static bool
verify_words(struct verifier *v, uint32_t *stack)
{
    enum { VALUES = LOOP_UNIT - 1 };
    const uint32_t *ins = v->code->ins;
    const uint32_t n = v->code->n;
    depths *at = v->at;
    depths d = KNOWN;
    uint32_t most = 0;
    uint32_t last = 0;
    for (uint32_t i = 0; i < n;) {
        uint32_t op = ins_op(ins[i]);
        uint32_t a = ins_a(ins[i]);
        uint32_t b = 0;
        if (op >= OP_COUNT)
            return refuse(v, i, "unknown opcode");
        struct row row = rows[op];
        if (row.words == 2 && !take_operand(v, i, &b))
            return false;
        if (a >= v->limits[row.shape].a || b >= v->limits[row.shape].b)
            return refuse_operands(v, i, row.shape, a >= v->limits[row.shape].a);
        if (at[i] == 0)
            at[i] = d; /* a jump back may lead here */
        else if (d == 0)
            d = at[i];
        else if (d != at[i])
            return refuse(v, i, "branches disagree about the stack");
        last = i;
        i += row.words;
        if (d == 0)
            continue;
        uint32_t pops = row.pops >= 0 ? (uint32_t)row.pops : row.pops == POPS_A ? a : b;
        if ((d & VALUES) < pops)
            return refuse(v, last, "value stack is too low");
        d = d - pops + row.pushes;
        if ((d & VALUES) > most && (most = d & VALUES) > STACK_MAX)
            return refuse(v, last, "value stack is too high");
        if (is_special[op] && (d = step_special(v, last, d)) == FAULT)
            return false;
    }
    *stack = most;
    return d == 0 ? n > 0 || refuse(v, 0, "empty code") : refuse(v, last, "runs off the end");
}

bool
code_verify(struct arena *scratch, struct code *code, const char **why, uint32_t *where)
{
    struct arena_mark mark = arena_mark(scratch);
    struct verifier v; /* set_limits fills in the limits */
    uint32_t stack = 0;
    v.code = code;
    v.why = NULL;
    v.where = 0;
    set_limits(&v);
    v.at = arena_alloc(scratch, code->n * sizeof *v.at);
    memset(v.at, 0, code->n * sizeof *v.at);
    bool good = verify_words(&v, &stack);
    code->stack = stack;
    *why = v.why;
    *where = v.where;
    arena_reset(scratch, mark);
    return good;
}
