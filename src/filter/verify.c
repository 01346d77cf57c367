/* The verifier: one pass over the words with the depths of the value stack, loops and saves, packed into one
 * number that goes from instruction to instruction; a table by word has it for what jumps lead to. Jumps must agree
 * with what is known at their target. A THROW ends the evaluation, so branches of different depth may meet there.
 *
 * Everything that is known of an opcode beforehand is in one row of a table that derives from op.def: a sound word
 * costs a row, two comparisons with limits, one subtraction and one addition.
 */
#include "filter/verify.h"

#include "base/arena.h"
#include "filter/filter_code.h"
#include "filter/filter_run.h"
#include "filter/fn.h"
#include "filter/host.h"

#include <string.h>

/* Depths: whether they are known in bit 0, loops in bits 1-10, saves in 12-18, values in 20-30. Above each field is a
 * bit that is 0; it is 1 after more was taken than there is, or as many were added as the field holds, and then the next
 * instruction is refused. The values are on top: the largest number is that of the highest stack. */
typedef uint32_t depths;
enum {
    KNOWN = 1,
    ONE_LOOP = 1 << 1,
    ONE_SAVE = 1 << 12,
    VALUE_SHIFT = 20,
    ONE_VALUE = 1 << VALUE_SHIFT,
};
static const depths GUARDS = (depths)1 << 31 | 1 << 19 | 1 << 11;
/* At a THROW that a jump leads to: any depths will do. */
static const depths THROWN = 2;
/* Of an instruction that is refused. */
static const depths FAULT = (depths)1 << 31;

enum {
    STACK_MAX = 1024,
    CONCAT_MAX = 4096,
    FEW_WORDS = 256, /* of code for which the table of words is on the stack */
};

/* --- limits of operands --- */

/* What an operand must be below. */
enum limit {
    LIMIT_NOTHING, /* of opcodes that there are not, and of b where there is none */
    LIMIT_ANY,
    LIMIT_CONCAT,
    LIMIT_FORM,
    LIMIT_HOST_CALL,
    LIMIT_ARGUMENTS,
    LIMIT_FUNCTION,
    LIMIT_CONSTANT, /* from here on they depend on the code */
    LIMIT_TEST,
    LIMIT_WORD,
    LIMIT_VARIABLE,
    LIMITS,
};

/* By shape: the limits of its operands. */
enum {
    A_NONE = LIMIT_ANY,
    B_NONE = LIMIT_NOTHING,
    A_K = LIMIT_CONSTANT,
    B_K = LIMIT_NOTHING,
    A_N = LIMIT_CONCAT,
    B_N = LIMIT_NOTHING,
    A_L = LIMIT_WORD,
    B_L = LIMIT_NOTHING,
    A_V = LIMIT_VARIABLE,
    B_V = LIMIT_NOTHING,
    A_VK = LIMIT_VARIABLE,
    B_VK = LIMIT_CONSTANT,
    A_HK = LIMIT_FORM,
    B_HK = LIMIT_CONSTANT,
    A_LT = LIMIT_WORD,
    B_LT = LIMIT_TEST,
    A_LN = LIMIT_WORD,
    B_LN = LIMIT_CONSTANT,
    A_FN = LIMIT_FUNCTION,
    B_FN = LIMIT_ARGUMENTS,
    A_XN = LIMIT_HOST_CALL,
    B_XN = LIMIT_ARGUMENTS,
    A_AN = LIMIT_ANY,
    B_AN = LIMIT_ARGUMENTS,
    A_AK = LIMIT_ANY,
    B_AK = LIMIT_CONSTANT,
};

static const char *const limit_faults[LIMITS] = {
    [LIMIT_NOTHING] = "unknown opcode",
    [LIMIT_ANY] = "operand too large",
    [LIMIT_CONCAT] = "number too large",
    [LIMIT_FORM] = "no such header form",
    [LIMIT_TEST] = "no such test",
    [LIMIT_HOST_CALL] = "no such host call",
    [LIMIT_ARGUMENTS] = "too many arguments",
    [LIMIT_FUNCTION] = "no such function",
    [LIMIT_CONSTANT] = "no such constant",
    [LIMIT_WORD] = "jump into nowhere",
    [LIMIT_VARIABLE] = "no such variable",
};

/* --- effects --- */

enum effect {
    EFFECT_PLAIN,
    EFFECT_OUTSIDE,
    EFFECT_READS,
    EFFECT_IN_LOOP,
    EFFECT_OPENS_LOOP,
    EFFECT_CLOSES_LOOP,
    EFFECT_OPENS_SAVE,
    EFFECT_CLOSES_SAVE,
    EFFECT_SPECIAL, /* from here on the row does not say all */
    EFFECT_TAKES_A = EFFECT_SPECIAL,
    EFFECT_TAKES_B,
    EFFECT_CALLS,
    EFFECT_ASKS,
    EFFECT_ACTS,
    EFFECT_ACTS_ONE,
    EFFECT_GOES,
    EFFECT_MAY_GO,
    EFFECT_NEXT_ITEM,
    EFFECT_RETURNS,
    EFFECT_ANSWERS,
    EFFECT_ENDS,
};

/* What an effect takes away before the instruction and adds after it. */
enum {
    TAKES_PLAIN = 0,
    GIVES_PLAIN = 0,
    TAKES_IN_LOOP = ONE_LOOP,
    GIVES_IN_LOOP = ONE_LOOP,
    TAKES_OPENS_LOOP = 0,
    GIVES_OPENS_LOOP = ONE_LOOP,
    TAKES_CLOSES_LOOP = ONE_LOOP,
    GIVES_CLOSES_LOOP = 0,
    TAKES_OPENS_SAVE = 0,
    GIVES_OPENS_SAVE = ONE_SAVE,
    TAKES_CLOSES_SAVE = ONE_SAVE,
    GIVES_CLOSES_SAVE = 0,
    TAKES_NEXT_ITEM = ONE_LOOP,
    GIVES_NEXT_ITEM = ONE_LOOP,
#define NO_NESTING(effect) TAKES_##effect = 0, GIVES_##effect = 0
    NO_NESTING(OUTSIDE),
    NO_NESTING(READS),
    NO_NESTING(TAKES_A),
    NO_NESTING(TAKES_B),
    NO_NESTING(CALLS),
    NO_NESTING(ASKS),
    NO_NESTING(ACTS),
    NO_NESTING(ACTS_ONE),
    NO_NESTING(GOES),
    NO_NESTING(MAY_GO),
    NO_NESTING(RETURNS),
    NO_NESTING(ANSWERS),
    NO_NESTING(ENDS),
#undef NO_NESTING
};

/* --- rows --- */

enum {
    TWO_WORDS = 1,
    SPECIAL = 2,
    OUTSIDE = 4,  /* depends on more than the code */
    UNSTEADY = 8, /* and on more than variables and header fields */
};

#define IS_UNSTEADY(effect)                                                                    \
    ((effect) == EFFECT_OUTSIDE || (effect) == EFFECT_TAKES_B || (effect) == EFFECT_ASKS ||    \
     (effect) == EFFECT_ACTS || (effect) == EFFECT_ACTS_ONE)
#define IS_OUTSIDE(effect) ((effect) == EFFECT_READS || IS_UNSTEADY(effect))

/* The row of an opcode, column by column, which is the cheapest to look at; of opcodes that there are not all is 0.
 * Values that an operand counts are in pushes and not in takes and gives. */
static const struct {
    unsigned char a[256], b[256]; /* enum limit; b: 0 of an instruction of one word */
    unsigned char kind[256];      /* TWO_WORDS, SPECIAL: all that most instructions are not */
    unsigned char effect[256];
    unsigned char pushes[256];
    depths takes[256];
    depths gives[256];
} rows = {
    .a =
        {
#define OP(name, shape, pops, pushes, effect, doc) A_##shape,
#include "filter/op.def"
#undef OP
        },
    .b =
        {
#define OP(name, shape, pops, pushes, effect, doc) B_##shape,
#include "filter/op.def"
#undef OP
        },
    .kind =
        {
#define OP(name, shape, pops, pushes, effect, doc)                                             \
    ((B_##shape) != 0 ? TWO_WORDS : 0) | (EFFECT_##effect >= EFFECT_SPECIAL ? SPECIAL : 0) |   \
        (IS_OUTSIDE(EFFECT_##effect) ? OUTSIDE : 0) |                                          \
        (IS_UNSTEADY(EFFECT_##effect) ? UNSTEADY : 0),
#include "filter/op.def"
#undef OP
        },
    .effect =
        {
#define OP(name, shape, pops, pushes, effect, doc) EFFECT_##effect,
#include "filter/op.def"
#undef OP
        },
    .pushes =
        {
#define OP(name, shape, pops, pushes, effect, doc) (pops) < 0 ? (pushes) : 0,
#include "filter/op.def"
#undef OP
        },
    .takes =
        {
#define OP(name, shape, pops, pushes, effect, doc)                                             \
    ((pops) < 0 ? 0 : (pops)) * ONE_VALUE + TAKES_##effect,
#include "filter/op.def"
#undef OP
        },
    .gives =
        {
#define OP(name, shape, pops, pushes, effect, doc)                                             \
    ((pops) < 0 ? 0 : (pushes)) * ONE_VALUE + GIVES_##effect,
#include "filter/op.def"
#undef OP
        },
};

static const unsigned char action_args[] = {
#define FILTER_ACTION(name, word, args, doc) args,
#include "filter/filter_action.def"
#undef FILTER_ACTION
};

/* --- one code object --- */

struct verifier {
    const struct code *code;
    depths *at; /* by word: 0 of those that were not passed and that no jump leads to */
    uint32_t limits_a[LIMITS]; /* as a first word with operand a and no opcode */
    uint32_t limits_b[LIMITS];
    const struct fn *functions;
    unsigned
        kinds; /* OUTSIDE: a function was called whose value does not depend on its arguments alone; UNSTEADY: nor
                       on them and the settings */
    const char *why;
    uint32_t where;
};

static depths __attribute__((cold, noinline))
refuse(struct verifier *v, uint32_t where, const char *why)
{
    v->why = why;
    v->where = where;
    return FAULT;
}

/* As a second word, and as a first word with operand a and no opcode. Numbers fit into 24 bits; any operand a does. */
#define FIXED_LIMITS(row, any)                                                                 \
    {                                                                                          \
        [LIMIT_ANY] = (any), [LIMIT_CONCAT] = row(CONCAT_MAX + 1),                             \
        [LIMIT_FORM] = row(HEADER_LIST + 1), [LIMIT_HOST_CALL] = row(HOST_CALL_COUNT),         \
        [LIMIT_ARGUMENTS] = row(FN_ARGS_MAX + 1),                                              \
    }
#define AS_FIRST(n) ((uint32_t)(n) << 8)
#define AS_SECOND(n) ((uint32_t)(n))
static const uint32_t fixed_a[LIMITS] = FIXED_LIMITS(AS_FIRST, UINT32_MAX);
static const uint32_t fixed_b[LIMITS] = FIXED_LIMITS(AS_SECOND, (uint32_t)1 << 24);

static inline void
set_limit(struct verifier *v, enum limit l, uint32_t below)
{
    v->limits_b[l] = below;
    v->limits_a[l] = below << 8;
}

static bool
set_limits(struct verifier *v)
{
    size_t functions;
    const struct code *c = v->code;
    if ((c->n | c->consts_n | c->host->vars_n) >> 24 != 0)
        return false;
    v->functions = fn_all(&functions);
    memcpy(v->limits_a, fixed_a, sizeof fixed_a);
    memcpy(v->limits_b, fixed_b, sizeof fixed_b);
    set_limit(v, LIMIT_FUNCTION, (uint32_t)functions);
    set_limit(v, LIMIT_CONSTANT, c->consts_n);
    set_limit(v, LIMIT_TEST, c->filter != NULL ? c->filter->tests_n : 0);
    set_limit(v, LIMIT_WORD, c->n);
    set_limit(v, LIMIT_VARIABLE, (uint32_t)c->host->vars_n);
    return true;
}

/* An action takes as many arguments as its row says, or less: the last ones are unset. */
static bool
is_action(uint32_t a, uint32_t argc)
{
    uint32_t row = a & 0xff;
    return row < FILTER_ACTIONS && argc <= action_args[row];
}

/* A jump from word `from` to word `to`, which there is. What it leads to in an instruction's second word is refused when
 * that instruction is reached. */
static depths
jump_to(struct verifier *v, uint32_t from, uint32_t to, depths d)
{
    depths there = v->at[to];
    if (there == d)
        return d;
    bool throws = ins_op(v->code->ins[to]) == OP_THROW;
    if (there == 0 && to > from && !throws) {
        v->at[to] = d;
        return d;
    }
    if (there == THROWN)
        return d;
    if (throws && (there != 0 || to > from)) {
        v->at[to] = THROWN;
        return d;
    }
    return refuse(v, from,
                  there != 0 ? "branches disagree about the stack"
                             : "jumps back to what was not reached");
}

/* Values that an operand counts. d: before the instruction. */
static depths
take_values(struct verifier *v, uint32_t i, depths d, uint32_t pops)
{
    if (d >> VALUE_SHIFT < pops)
        return refuse(v, i, "value stack is too low");
    return d - (pops - rows.pushes[ins_op(v->code->ins[i])]) * (depths)ONE_VALUE;
}

static inline unsigned
kinds_of_call(unsigned flags)
{
    if ((flags & (FN_PURE | FN_REPLACES)) == FN_PURE)
        return 0;
    return (flags & FN_STEADY) != 0 ? OUTSIDE : OUTSIDE | UNSTEADY;
}

/* What the row does not say. Returns what the next instruction begins with, 0 when nothing gets there but by a jump. */
static depths
step_special(struct verifier *v, uint32_t i, depths d, enum effect effect)
{
    const uint32_t *ins = v->code->ins + i;
    uint32_t a = ins_a(ins[0]);
    bool answers = false;
    switch (effect) {
    case EFFECT_GOES:
        return jump_to(v, i, a, d) == FAULT ? FAULT : 0;
    case EFFECT_MAY_GO:
    case EFFECT_NEXT_ITEM:
        return jump_to(v, i, a, d);
    case EFFECT_TAKES_A:
        return a == 0 ? refuse(v, i, "joins nothing") : take_values(v, i, d, a);
    case EFFECT_CALLS:
        if (v->functions[a].call == NULL)
            return refuse(v, i, "no such function");
        v->kinds |= kinds_of_call(v->functions[a].flags);
        return take_values(v, i, d, ins[1]);
    case EFFECT_ASKS:
        if (a >= FILTER_ASKS)
            return refuse(v, i, "no such question");
        return take_values(v, i, d, ins[1]);
    case EFFECT_ACTS:
        if (!is_action(a, ins[1]))
            return refuse(v, i, "no such action");
        return take_values(v, i, d, ins[1]);
    case EFFECT_ACTS_ONE:
        return is_action(a, 1) ? d : refuse(v, i, "no such action");
    case EFFECT_TAKES_B:
        return take_values(v, i, d, ins[1]);
    case EFFECT_ANSWERS:
        answers = true;
        __attribute__((fallthrough));
    case EFFECT_RETURNS:
        return answers == v->code->condition ? 0 : refuse(v, i, "ends in the wrong way");
    case EFFECT_ENDS:
    case EFFECT_PLAIN:
    case EFFECT_OUTSIDE:
    case EFFECT_READS:
    case EFFECT_IN_LOOP:
    case EFFECT_OPENS_LOOP:
    case EFFECT_CLOSES_LOOP:
    case EFFECT_OPENS_SAVE:
    case EFFECT_CLOSES_SAVE:
        break;
    }
    return 0;
}

/* --- what the loop leaves to others --- */

/* Operands that are not both below their limits. */
static depths __attribute__((cold, noinline)) refuse_operands(struct verifier *v, uint32_t i)
{
    uint32_t word = v->code->ins[i];
    size_t op = ins_op(word);
    if (word >= v->limits_a[rows.a[op]])
        return refuse(v, i, limit_faults[rows.a[op]]);
    if (v->code->n - i < 2)
        return refuse(v, i, "instruction cut off");
    return refuse(v, i, v->at[i + 1] != 0 ? "jump into nowhere" : limit_faults[rows.b[op]]);
}

/* An instruction that takes more than there is. */
static depths __attribute__((cold, noinline))
refuse_depths(struct verifier *v, uint32_t i, depths d, depths takes)
{
    if ((d & GUARDS) != 0)
        return refuse(v, i, "too many values, loops or saves");
    return refuse(v, i,
                  d >> VALUE_SHIFT < takes >> VALUE_SHIFT ? "value stack is too low"
                                                          : "no loop or no save to end");
}

/* A word that a jump leads to. d: what comes from the instruction before it, 0: nothing does. */
static depths
meet(struct verifier *v, uint32_t i, depths d)
{
    depths there = v->at[i];
    if (there == THROWN)
        return d != 0 ? d : KNOWN;
    if (d != 0 && d != there)
        return refuse(v, i, "branches disagree about the stack");
    return there;
}

/* The second word, i. It is taken before anything can jump there. */
static inline bool
good_second(const struct verifier *v, size_t i, unsigned b)
{
    return i < v->code->n && v->at[i] == 0 && v->code->ins[i] < v->limits_b[b];
}

/* Over what is never reached, whose operands must be good all the same, since they are shown in listings. Returns the next
 * word that a jump leads to, or the end; *d is FAULT if something was refused. */
static uint32_t
pass_unreached(struct verifier *v, uint32_t i, depths *d)
{
    const uint32_t *ins = v->code->ins;
    while (i < v->code->n && v->at[i] == 0) {
        size_t op = ins[i] & 0xff;
        if (ins[i] >= v->limits_a[rows.a[op]] ||
            (rows.b[op] != 0 && !good_second(v, i + 1, rows.b[op]))) {
            *d = refuse_operands(v, i);
            return i;
        }
        i += rows.b[op] != 0 ? 2 : 1;
    }
    return i;
}

/* The one hot loop. Returns the depths at the end: 0 if the code ends as it should. */
static depths
verify_words(struct verifier *v, depths *at, depths *highest)
{
    const uint32_t *const ins = v->code->ins;
    const size_t n = v->code->n;
    depths d = KNOWN;
    depths most = 0;
    unsigned kinds = 0;
    for (size_t i = 0; i < n;) {
        size_t op = ins[i] & 0xff;
        if (ins[i] >= v->limits_a[rows.a[op]])
            return refuse_operands(v, (uint32_t)i);
        if (at[i] != 0 && (d = meet(v, (uint32_t)i, d)) == FAULT)
            return FAULT;
        depths left = d - rows.takes[op];
        if ((left & GUARDS) != 0)
            return refuse_depths(v, (uint32_t)i, d, rows.takes[op]);
        at[i++] = d;
        d = left + rows.gives[op];
        if (rows.kind[op] != 0) {
            kinds |= rows.kind[op];
            uint32_t here = (uint32_t)i - 1;
            if ((rows.kind[op] & TWO_WORDS) != 0 && !good_second(v, i++, rows.b[op]))
                return refuse_operands(v, here);
            if ((rows.kind[op] & SPECIAL) != 0)
                d = step_special(v, here, d, (enum effect)rows.effect[op]);
            if (d == 0)
                i = pass_unreached(v, (uint32_t)i, &d);
            if (d == FAULT)
                return FAULT;
        }
        if (d > most)
            most = d;
    }
    *highest = most;
    v->kinds |= kinds;
    return d == 0 ? 0 : refuse(v, (uint32_t)n - 1, "runs off the end");
}

/* --- tables of filters --- */

static bool
good_operand(const struct verifier *v, const struct filter_operand *o)
{
    switch (o->kind) {
    case FILTER_OPERAND_TEXT:
        return true;
    case FILTER_OPERAND_HEADER:
        return o->number <= HEADER_LIST;
    case FILTER_OPERAND_VARIABLE:
        return o->number < v->code->host->vars_n;
    }
    return false;
}

/* FAULT, or 0: they are good. */
static depths
verify_tables(struct verifier *v)
{
    const struct filter_tables *t = v->code->filter;
    if (t == NULL)
        return 0;
    for (uint32_t i = 0; i < t->operands_n; i++) {
        if (!good_operand(v, &t->operands[i]))
            return refuse(v, i, "bad operand of a test");
    }
    for (uint32_t i = 0; i < t->tests_n; i++) {
        const struct filter_test_row *row = &t->tests[i];
        if (row->operand >= t->operands_n || row->constant >= v->code->consts_n ||
            row->test >= FILTER_TEST_CASE * 2)
            return refuse(v, i, "bad test");
    }
    return 0;
}

bool
code_verify(struct arena *scratch, struct code *code, const char **why, uint32_t *where)
{
    depths few[FEW_WORDS];
    struct verifier v; /* set_limits fills in the limits */
    depths most = 0;
    struct arena_mark mark = arena_mark(scratch);
    bool is_small = code->n <= FEW_WORDS;
    v.code = code;
    v.why = NULL;
    v.where = 0;
    v.kinds = 0;
    v.at = is_small ? few : arena_alloc(scratch, code->n * sizeof *v.at);
    memset(v.at, 0, code->n * sizeof *v.at);
    depths end = FAULT;
    if (code->n == 0)
        (void)refuse(&v, 0, "empty code");
    else if (!set_limits(&v))
        (void)refuse(&v, 0, "too many words, constants or variables");
    else if (verify_tables(&v) == 0)
        end = verify_words(&v, v.at, &most);
    if (end == 0 && most >> VALUE_SHIFT > STACK_MAX)
        end = refuse(&v, 0, "value stack is too high");
    code->stack = most >> VALUE_SHIFT;
    code->closed = (v.kinds & OUTSIDE) == 0;
    code->steady = (v.kinds & UNSTEADY) == 0;
    *why = v.why;
    *where = v.where;
    if (!is_small)
        arena_reset(scratch, mark);
    return end == 0;
}
