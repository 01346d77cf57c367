/* The code-emitting layer. Jumps carry label numbers until emit_finish replaces them. */
#include "filter/emit.h"

#include <assert.h>
#include <string.h>

enum {
    OPERAND_MAX = (1 << 24) - 1,
    WORDS_FIRST = 64,
};

/* Target of a label that was not placed yet. */
static const uint32_t LABEL_OPEN = UINT32_MAX;

void
emit_start(struct emit *e, struct arena *a, struct arena *work)
{
    memset(e, 0, sizeof *e);
    e->arena = a;
    e->work = work;
    e->ins_cap = WORDS_FIRST;
    e->ins = arena_alloc(work, WORDS_FIRST * sizeof *e->ins);
    e->pos = arena_alloc(work, WORDS_FIRST * sizeof *e->pos);
}

void
emit_reserve(struct emit *e, size_t words, size_t consts)
{
    if (words > e->ins_cap) {
        e->ins = arena_grow(e->work, e->ins, e->ins_n * sizeof *e->ins, words * sizeof *e->ins);
        e->pos = arena_grow(e->work, e->pos, e->ins_n * sizeof *e->pos, words * sizeof *e->pos);
        e->ins_cap = words;
    }
    if (consts > e->consts.cap) {
        e->consts.v = arena_grow(e->work, e->consts.v, e->consts.n * sizeof *e->consts.v,
                                 consts * sizeof *e->consts.v);
        e->consts.cap = consts;
    }
}

void
emit_at(struct emit *e, size_t offset)
{
    e->at = e->base + (uint32_t)offset;
}

static void
grow_words(struct emit *e)
{
    size_t cap = e->ins_cap * 2;
    e->ins = arena_grow(e->work, e->ins, e->ins_cap * sizeof *e->ins, cap * sizeof *e->ins);
    e->pos = arena_grow(e->work, e->pos, e->ins_cap * sizeof *e->pos, cap * sizeof *e->pos);
    e->ins_cap = cap;
}

static inline void
put_word(struct emit *e, uint32_t word)
{
    if (e->ins_n == e->ins_cap)
        grow_words(e);
    e->ins[e->ins_n] = word;
    e->pos[e->ins_n++] = e->at;
}

void
emit_op(struct emit *e, enum op op)
{
    put_word(e, (uint32_t)op);
}

void
emit_a(struct emit *e, enum op op, uint32_t a)
{
    assert(a <= OPERAND_MAX);
    put_word(e, (uint32_t)op | a << 8);
}

void
emit_ab(struct emit *e, enum op op, uint32_t a, uint32_t b)
{
    emit_a(e, op, a);
    put_word(e, b);
}

uint32_t
emit_constant(struct emit *e, struct str s)
{
    vec_push(e->work, &e->consts, s);
    return (uint32_t)e->consts.n - 1;
}

void
emit_const(struct emit *e, enum op op, struct str s)
{
    emit_a(e, op, emit_constant(e, s));
}

label_id
emit_label(struct emit *e)
{
    uint32_t open = LABEL_OPEN;
    vec_push(e->work, &e->labels, open);
    return (label_id)e->labels.n - 1;
}

void
emit_jump(struct emit *e, enum op op, label_id to)
{
    emit_a(e, op, to);
}

void
emit_place(struct emit *e, label_id l)
{
    if (e->labels.v[l] == LABEL_OPEN)
        e->labels.v[l] = (uint32_t)e->ins_n;
}

void
emit_place_at(struct emit *e, label_id l, uint32_t at)
{
    e->labels.v[l] = at;
}

void
emit_throw(struct emit *e, struct str text)
{
    for (size_t i = e->outer_labels; i < e->labels.n; i++)
        emit_place(e, (label_id)i);
    emit_const(e, OP_THROW, text);
}

uint32_t
emit_here(const struct emit *e)
{
    return (uint32_t)e->ins_n;
}

size_t
emit_range_open(struct emit *e, const struct code_range *what)
{
    struct code_range r = *what;
    r.from = emit_here(e);
    r.to = UINT32_MAX;
    vec_push(e->work, &e->ranges, r);
    return e->ranges.n - 1;
}

void
emit_range_close(struct emit *e, size_t range)
{
    e->ranges.v[range].to = emit_here(e);
}

static void
resolve_jumps(struct emit *e)
{
    for (size_t i = 0; i < e->ins_n;) {
        enum op op = ins_op(e->ins[i]);
        const struct op_row *row = op_row(op);
        if (row->shape == SHAPE_L) {
            uint32_t target = e->labels.v[ins_a(e->ins[i])];
            assert(target != LABEL_OPEN);
            e->ins[i] = (uint32_t)op | target << 8;
        }
        i += op_words(row->shape);
    }
}

static void *
keep(struct emit *e, const void *v, size_t bytes)
{
    if (bytes == 0)
        return NULL;
    return memcpy(arena_alloc(e->arena, bytes), v, bytes);
}

struct code *
emit_finish(struct emit *e, bool condition)
{
    emit_op(e, condition ? OP_ANSWER : OP_RETURN);
    resolve_jumps(e);
    struct code *c = ARENA_NEW(e->arena, struct code);
    c->ins = keep(e, e->ins, e->ins_n * sizeof *e->ins);
    c->pos = keep(e, e->pos, e->ins_n * sizeof *e->pos);
    c->n = (uint32_t)e->ins_n;
    c->consts = keep(e, e->consts.v, e->consts.n * sizeof *e->consts.v);
    c->consts_n = (uint32_t)e->consts.n;
    c->ranges = keep(e, e->ranges.v, e->ranges.n * sizeof *e->ranges.v);
    c->ranges_n = (uint32_t)e->ranges.n;
    c->condition = condition;
    return c;
}
