/* Compiled code: instructions, constants, positions.
 *
 * Written by emit.c only, checked by verify.c before it first runs, read-only afterwards; lives in
 * the arena that it was compiled into. Nothing outside src/filter looks inside.
 */
#ifndef REMEX_FILTER_CODE_H
#define REMEX_FILTER_CODE_H

#include "base/diag.h"
#include "base/str.h"

struct buf;
struct filter_tables;
struct memo;

enum op {
#define OP(name, shape, pops, pushes, effect, doc) OP_##name,
#include "filter/op.def"
#undef OP
    OP_COUNT,
};

enum op_shape {
    SHAPE_NONE,
    SHAPE_K,
    SHAPE_N,
    SHAPE_L,
    SHAPE_V,
    SHAPE_VK,
    SHAPE_HK,
    SHAPE_LT,
    SHAPE_LN,
    SHAPE_FN,
    SHAPE_XN,
    SHAPE_AN,
    SHAPE_AK,
    SHAPES,
};

enum { POPS_A = -1, POPS_B = -2 };

struct op_row {
    const char *name;
    enum op_shape shape;
    int pops;
    int pushes;
    const char *doc;
};

extern const struct op_row op_rows[];

/* The row of an opcode below OP_COUNT. */
static inline const struct op_row *
op_row(enum op op)
{
    return &op_rows[op];
}

/* Words that an instruction of that shape takes: 1 or 2. */
static inline unsigned
op_words(enum op_shape shape)
{
    return shape >= SHAPE_VK ? 2 : 1;
}

/* What the host is asked by OP_HOST (operand a). */
enum host_call {
#define HOST_CALL(name, text) HOST_CALL_##name,
#include "filter/host_call.def"
#undef HOST_CALL
    HOST_CALL_COUNT,
};
const char *host_call_name(unsigned call);

/* Errors raised while running inside [from, to) get before, name and after as a suffix, or are replaced
 * by them; outer ranges come first. */
struct code_range {
    uint32_t from;
    uint32_t to;
    const char *before;
    struct str name;
    const char *after;
    bool replaces;
};

struct code {
    struct str text;
    const struct textmap *map;
    const struct host *host; /* its variables are what OP_VAR numbers */
    const uint32_t *ins;
    uint32_t n;
    const uint32_t *offsets; /* the position map: by word, where in the text it comes from */
    const struct str *consts;
    uint32_t consts_n;
    const struct code_range *ranges;
    uint32_t ranges_n;
    const struct str *answer; /* what the code comes to, if that is a constant; else NULL */
    struct memo *memo;        /* vm_memo.h; NULL: its runs are not remembered */
    uint64_t
        literals; /* bit i: constant i is text of the source that no decision of the compiler depends on */
    uint32_t stack;                     /* values needed, set by the verifier */
    const struct filter_tables *filter; /* filter_code.h; NULL: it is not a filter's */
    bool closed; /* set by the verifier: it asks nobody and calls pure functions only */
    bool
        steady; /* set by the verifier: it may read variables and headers, and calls steady functions only */
    bool condition; /* ends with ANSWER */
};

/* Offset in the text of a word. */
static inline uint32_t
code_offset(const struct code *c, uint32_t word)
{
    return c->offsets[word];
}

static inline enum op
ins_op(uint32_t word)
{
    return (enum op)(word & 0xff);
}

static inline uint32_t
ins_a(uint32_t word)
{
    return word >> 8;
}

#endif
