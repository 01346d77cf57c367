/* The code-emitting layer: owns instructions, constants, labels and error ranges while a text is
 * compiled. Front ends call nothing else to make code. What is called for each word is inline: a text that is
 * compiled, run once and forgotten costs mostly this. */
#ifndef REMEX_FILTER_EMIT_H
#define REMEX_FILTER_EMIT_H

#include "base/vec.h"
#include "filter/code.h"

#include <assert.h>

/* A jump target that may be used before it is placed. */
typedef uint32_t label_id;

enum { EMIT_OPERAND_MAX = (1 << 24) - 1 };

struct emit {
    struct arena *arena; /* of the code and its texts */
    struct arena
        *work; /* of the growing arrays, which emit_finish copies unless it is the same */
    uint32_t *ins;
    uint32_t *offsets; /* by word: where in the source it comes from; behind the room for ins */
    size_t ins_n;
    size_t ins_cap;
    VEC(struct str) consts;
    VEC(uint32_t) labels; /* placed, or the chain of jumps to patch; emit.c */
    VEC(uint32_t) guards; /* loops that a syntax error inside them replaces */
    VEC(struct code_range) ranges;
    uint32_t at;   /* source offset of what is emitted next */
    uint32_t base; /* added to offsets: where the text being compiled lies in the whole */
    uint32_t
        outer_labels; /* labels before this one belong to what stands round the text: emit_throw leaves them alone */
    uint64_t literals; /* bit i: as in the code */
    bool quotes;       /* an error text quotes the source: no literal counts */
};

void emit_start(struct emit *e, struct arena *a, struct arena *work);
/* Room for so many words and what belongs to them, which saves growing in steps when the text is long. Right after the
 * start. */
void emit_reserve(struct emit *e, size_t words);
/* For the inline functions: room for one word more. */
void emit_grow(struct emit *e);

/* Source offset of the instructions that follow. */
static inline void
emit_at(struct emit *e, size_t offset)
{
    e->at = e->base + (uint32_t)offset;
}

static inline void
emit_word(struct emit *e, uint32_t word)
{
    if (e->ins_n == e->ins_cap)
        emit_grow(e);
    e->offsets[e->ins_n] = e->at;
    e->ins[e->ins_n++] = word;
}

static inline void
emit_a(struct emit *e, enum op op, uint32_t a)
{
    assert(a <= EMIT_OPERAND_MAX);
    emit_word(e, (uint32_t)op | a << 8);
}

static inline void
emit_op(struct emit *e, enum op op)
{
    emit_a(e, op, 0);
}

static inline void
emit_ab(struct emit *e, enum op op, uint32_t a, uint32_t b)
{
    emit_a(e, op, a);
    emit_word(e, b);
}

/* The second word of an instruction, with a source offset of its own. */
static inline void
emit_second(struct emit *e, uint32_t b)
{
    emit_word(e, b);
}

static inline uint32_t
emit_constant(struct emit *e, struct str s)
{
    vec_push(e->work, &e->consts, s);
    return (uint32_t)e->consts.n - 1;
}

/* Instruction with a constant as its only operand; s must outlive the code. */
static inline void
emit_const(struct emit *e, enum op op, struct str s)
{
    emit_a(e, op, emit_constant(e, s));
}

/* A constant that is text of the source as it stands there. */
static inline void
emit_literal(struct emit *e, struct str s)
{
    if (e->consts.n < 64)
        e->literals |= UINT64_C(1) << e->consts.n;
    emit_const(e, OP_CONST, s);
}

/* The constant is more to the compiler than a text. */
static inline void
emit_not_literal(struct emit *e, uint32_t constant)
{
    if (constant < 64)
        e->literals &= ~(UINT64_C(1) << constant);
}

/* Raises an error whose text quotes the source. */
static inline void
emit_quoting_throw(struct emit *e, struct str text)
{
    e->quotes = true;
    emit_const(e, OP_THROW, text);
}

static inline label_id
emit_label(struct emit *e)
{
    uint32_t none = 0;
    vec_push(e->work, &e->labels, none);
    return (label_id)e->labels.n - 1;
}

/* Number of words so far: start or end of a range. */
static inline uint32_t
emit_here(const struct emit *e)
{
    return (uint32_t)e->ins_n;
}

/* Takes back the words from `word` on: instructions without a second word, to which no jump leads. */
void emit_cut(struct emit *e, uint32_t word);
void emit_jump(struct emit *e, enum op op, label_id to);
/* The label stands for the next instruction. */
void emit_place(struct emit *e, label_id l);
/* A guarded instruction, which starts a loop: if a syntax error comes before emit_unguard, it becomes a jump to the
 * error, so that nothing of the loop runs. */
void emit_guarded(struct emit *e, enum op op, uint32_t a);
/* The newest guard has done its work. */
void emit_unguard(struct emit *e);
/* Raises text as an error; every label that is still open leads here too: whichever branch would skip the
 * broken part of the text fails all the same, after what stands before it has run. */
void emit_throw(struct emit *e, struct str text);
/* A range from here on, to the end unless it is closed: a text that is cut off by a syntax error still
 * names its construct. Returns its number. */
size_t emit_range_open(struct emit *e, const struct code_range *what);
void emit_range_close(struct emit *e, size_t range);
/* Hands the code over, not yet verified. Every label was placed. */
struct code *emit_finish(struct emit *e, bool condition);

#endif
