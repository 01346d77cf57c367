/* The code-emitting layer: owns instructions, constants, labels and error ranges while a text is
 * compiled. Front ends call nothing else to make code. */
#ifndef REMEX_FILTER_EMIT_H
#define REMEX_FILTER_EMIT_H

#include "base/vec.h"
#include "filter/code.h"

/* A jump target that may be used before it is placed. */
typedef uint32_t label_id;

struct emit {
    struct arena *arena; /* of the code and its texts */
    struct arena *work;  /* of the growing arrays, until emit_finish copies them */
    uint32_t *ins;
    uint32_t *pos; /* one for each word of ins */
    size_t ins_n;
    size_t ins_cap;
    VEC(struct str) consts;
    VEC(uint32_t) labels; /* target, or LABEL_OPEN */
    VEC(struct code_range) ranges;
    uint32_t at;   /* source offset of what is emitted next */
    uint32_t base; /* added to offsets: where the text being compiled lies in the whole */
    uint32_t
        outer_labels; /* labels before this one belong to what stands round the text: emit_throw leaves them alone */
};

void emit_start(struct emit *e, struct arena *a, struct arena *work);
/* Room for so many words and constants, which saves growing in steps when the text is long. */
void emit_reserve(struct emit *e, size_t words, size_t consts);
/* Source offset of the instructions that follow. */
void emit_at(struct emit *e, size_t offset);
void emit_op(struct emit *e, enum op op);
void emit_a(struct emit *e, enum op op, uint32_t a);
void emit_ab(struct emit *e, enum op op, uint32_t a, uint32_t b);
/* Instruction with a constant as its only operand; s must outlive the code. */
void emit_const(struct emit *e, enum op op, struct str s);
uint32_t emit_constant(struct emit *e, struct str s);
label_id emit_label(struct emit *e);
void emit_jump(struct emit *e, enum op op, label_id to);
/* The label stands for the next instruction. */
void emit_place(struct emit *e, label_id l);
/* The label stands for word `at`, which is there already. */
void emit_place_at(struct emit *e, label_id l, uint32_t at);
/* Raises text as an error; every label that is still open leads here too: whichever branch would skip the
 * broken part of the text fails all the same, after what stands before it has run. */
void emit_throw(struct emit *e, struct str text);
/* Number of words so far: start or end of a range. */
uint32_t emit_here(const struct emit *e);
/* A range from here on, to the end unless it is closed: a text that is cut off by a syntax error still
 * names its construct. Returns its number. */
size_t emit_range_open(struct emit *e, const struct code_range *what);
void emit_range_close(struct emit *e, size_t range);
/* Resolves jumps and hands the code over, not yet verified. */
struct code *emit_finish(struct emit *e, bool condition);

#endif
