/* The code-emitting layer. Jumps carry label numbers until emit_finish replaces them. */
#include "filter/emit.h"

#include <assert.h>
#include <string.h>

enum {
    LABEL_OPEN = UINT32_MAX,
    OPERAND_MAX = (1 << 24) - 1,
};

void
emit_start(struct emit *e, struct arena *a)
{
    memset(e, 0, sizeof *e);
    e->arena = a;
}

void
emit_at(struct emit *e, size_t offset)
{
    e->at = (uint32_t)offset;
}

static void
put_word(struct emit *e, uint32_t word)
{
    vec_push(e->arena, &e->ins, word);
    vec_push(e->arena, &e->pos, e->at);
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
    vec_push(e->arena, &e->consts, s);
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
    vec_push(e->arena, &e->labels, open);
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
        e->labels.v[l] = (uint32_t)e->ins.n;
}

void
emit_throw(struct emit *e, struct str text)
{
    for (size_t i = 0; i < e->labels.n; i++)
        emit_place(e, (label_id)i);
    emit_const(e, OP_THROW, text);
}

uint32_t
emit_here(const struct emit *e)
{
    return (uint32_t)e->ins.n;
}

void
emit_range(struct emit *e, uint32_t from, struct str suffix, bool replaces)
{
    struct code_range r = {from, emit_here(e), suffix, replaces};
    vec_push(e->arena, &e->ranges, r);
}

static void
resolve_jumps(struct emit *e)
{
    for (size_t i = 0; i < e->ins.n;) {
        enum op op = ins_op(e->ins.v[i]);
        const struct op_row *row = op_row(op);
        if (row->shape == SHAPE_L) {
            uint32_t target = e->labels.v[ins_a(e->ins.v[i])];
            assert(target != LABEL_OPEN);
            e->ins.v[i] = (uint32_t)op | target << 8;
        }
        i += op_words(row->shape);
    }
}

struct code *
emit_finish(struct emit *e, bool condition)
{
    emit_op(e, condition ? OP_ANSWER : OP_RETURN);
    resolve_jumps(e);
    struct code *c = ARENA_NEW(e->arena, struct code);
    c->ins = e->ins.v;
    c->pos = e->pos.v;
    c->n = (uint32_t)e->ins.n;
    c->consts = e->consts.v;
    c->consts_n = (uint32_t)e->consts.n;
    c->ranges = e->ranges.v;
    c->ranges_n = (uint32_t)e->ranges.n;
    c->condition = condition;
    return c;
}
