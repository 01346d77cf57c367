/* The code-emitting layer. The jumps to a label that is not placed yet are a chain through their operands. */
#include "filter/emit.h"

#include <stdint.h>
#include <string.h>

enum {
    WORDS_FIRST = 64,
    CONSTS_FIRST = 16,
    PLACES_FIRST = 32,
    LABELS_FIRST = 16,
};

/* In a label: the rest is its word. Without it: the newest jump to the label + 1, or 0. */
static const uint32_t PLACED = (uint32_t)1 << 31;

#define FIRST_ROOM(e, vec, items)                                                              \
    ((vec)->v = arena_alloc((e)->work, (items) * sizeof *(vec)->v), (vec)->cap = (items))

void
emit_start(struct emit *e, struct arena *a, struct arena *work)
{
    memset(e, 0, sizeof *e);
    e->arena = a;
    e->work = work;
    e->noted = UINT32_MAX;
    e->ins_cap = WORDS_FIRST;
    e->ins = arena_alloc(work, WORDS_FIRST * sizeof *e->ins);
    FIRST_ROOM(e, &e->consts, CONSTS_FIRST);
    FIRST_ROOM(e, &e->places, PLACES_FIRST);
    FIRST_ROOM(e, &e->labels, LABELS_FIRST);
}

static void
grow_words(struct emit *e, size_t words)
{
    e->ins = arena_grow(e->work, e->ins, e->ins_cap * sizeof *e->ins, words * sizeof *e->ins);
    e->ins_cap = words;
}

#define MORE_ROOM(e, vec, items)                                                               \
    do {                                                                                       \
        if ((items) > (vec)->cap)                                                              \
            FIRST_ROOM(e, vec, items);                                                         \
    } while (0)

void
emit_reserve(struct emit *e, size_t words)
{
    assert(e->ins_n == 0);
    if (words > e->ins_cap) {
        e->ins = arena_alloc(e->work, words * sizeof *e->ins);
        e->ins_cap = words;
    }
    MORE_ROOM(e, &e->consts, words / 2);
    MORE_ROOM(e, &e->places, words / 2);
    MORE_ROOM(e, &e->labels, words / 4);
}

void
emit_grow(struct emit *e)
{
    grow_words(e, e->ins_cap * 2);
}

void
emit_cut(struct emit *e, uint32_t word)
{
    while (e->ins_n > word) {
        uint32_t last = e->ins[--e->ins_n];
        if (ins_op(last) == OP_CONST && ins_a(last) + 1 == e->consts.n)
            e->consts.n--;
    }
    while (e->places.n > 0 && e->places.v[e->places.n - 1].word >= word)
        e->places.n--;
    e->noted = e->places.n > 0 ? e->places.v[e->places.n - 1].at : UINT32_MAX;
}

void
emit_jump(struct emit *e, enum op op, label_id to)
{
    uint32_t label = e->labels.v[to];
    if ((label & PLACED) == 0)
        e->labels.v[to] = (uint32_t)e->ins_n + 1;
    emit_a(e, op, label & ~PLACED);
}

void
emit_place(struct emit *e, label_id l)
{
    uint32_t jump = e->labels.v[l];
    uint32_t here = (uint32_t)e->ins_n;
    if ((jump & PLACED) != 0)
        return;
    e->labels.v[l] = PLACED | here;
    while (jump != 0) {
        uint32_t *word = &e->ins[jump - 1];
        jump = ins_a(*word);
        *word = (uint32_t)ins_op(*word) | here << 8;
    }
}

void
emit_guarded(struct emit *e, enum op op, uint32_t a)
{
    uint32_t here = (uint32_t)e->ins_n;
    vec_push(e->work, &e->guards, here);
    emit_a(e, op, a);
}

void
emit_unguard(struct emit *e)
{
    e->guards.n--;
}

void
emit_throw(struct emit *e, struct str text)
{
    for (size_t i = e->outer_labels; i < e->labels.n; i++)
        emit_place(e, (label_id)i);
    while (e->guards.n > 0)
        e->ins[e->guards.v[--e->guards.n]] = (uint32_t)OP_JUMP | (uint32_t)e->ins_n << 8;
    emit_const(e, OP_THROW, text);
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

static void *
keep(struct emit *e, const void *v, size_t bytes)
{
    if (bytes == 0)
        return NULL;
    if (e->arena == e->work) /* it grew where it stays */
        return (void *)(uintptr_t)v;
    return memcpy(arena_alloc(e->arena, bytes), v, bytes);
}

struct code *
emit_finish(struct emit *e, bool condition)
{
    emit_op(e, condition ? OP_ANSWER : OP_RETURN);
    struct code *c = ARENA_NEW(e->arena, struct code);
    c->ins = keep(e, e->ins, e->ins_n * sizeof *e->ins);
    c->n = (uint32_t)e->ins_n;
    c->places = keep(e, e->places.v, e->places.n * sizeof *e->places.v);
    c->places_n = (uint32_t)e->places.n;
    c->consts = keep(e, e->consts.v, e->consts.n * sizeof *e->consts.v);
    c->consts_n = (uint32_t)e->consts.n;
    c->ranges = keep(e, e->ranges.v, e->ranges.n * sizeof *e->ranges.v);
    c->ranges_n = (uint32_t)e->ranges.n;
    c->condition = condition;
    return c;
}
