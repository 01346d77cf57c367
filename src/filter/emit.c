/* The code-emitting layer. The jumps to a label that is not placed yet are a chain through their operands. */
#include "filter/emit.h"

#include <stdint.h>
#include <string.h>

enum {
    WORDS_FIRST = 64,
    CONSTS_FIRST = 16,
    LABELS_FIRST = 16,
};

/* In a label: the rest is its word. Without it: the newest jump to the label + 1, or 0. */
static const uint32_t PLACED = (uint32_t)1 << 31;

#define FIRST_ROOM(e, vec, items)                                                              \
    ((vec)->v = arena_alloc((e)->work, (items) * sizeof *(vec)->v), (vec)->cap = (items),      \
     (vec)->n = 0)

/* Words and their offsets, which lie behind each other. */
static void
set_words(struct emit *e, uint32_t *words, size_t cap)
{
    e->ins = words;
    e->offsets = words + cap;
    e->ins_cap = cap;
}

void
emit_start(struct emit *e, struct arena *a, struct arena *work)
{
    e->arena = a;
    e->work = work;
    e->ins_n = 0;
    e->at = 0;
    e->base = 0;
    e->outer_labels = 0;
    e->literals = 0;
    e->quotes = false;
    set_words(e, arena_alloc(work, 2 * WORDS_FIRST * sizeof *e->ins), WORDS_FIRST);
    FIRST_ROOM(e, &e->consts, CONSTS_FIRST);
    FIRST_ROOM(e, &e->labels, LABELS_FIRST);
    e->guards.v = NULL;
    e->guards.n = e->guards.cap = 0;
    e->ranges.v = NULL;
    e->ranges.n = e->ranges.cap = 0;
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
    if (words > e->ins_cap)
        set_words(e, arena_alloc(e->work, 2 * words * sizeof *e->ins), words);
    MORE_ROOM(e, &e->consts, words / 2);
    MORE_ROOM(e, &e->labels, words / 4);
}

void
emit_grow(struct emit *e)
{
    const uint32_t *ins = e->ins;
    const uint32_t *offsets = e->offsets;
    size_t cap = e->ins_cap * 2;
    set_words(e, arena_alloc(e->work, 2 * cap * sizeof *e->ins), cap);
    memcpy(e->ins, ins, e->ins_n * sizeof *e->ins);
    memcpy(e->offsets, offsets, e->ins_n * sizeof *e->offsets);
}

void
emit_cut(struct emit *e, uint32_t word)
{
    while (e->ins_n > word) {
        uint32_t last = e->ins[--e->ins_n];
        if (ins_op(last) == OP_CONST && ins_a(last) + 1 == e->consts.n)
            emit_not_literal(e, (uint32_t)--e->consts.n);
    }
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
    emit_quoting_throw(e, text);
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

/* Copies to *to and steps behind the copy. */
static void *
keep(char **to, const void *v, size_t bytes)
{
    void *p = *to;
    if (bytes > 0)
        memcpy(p, v, bytes);
    *to += bytes;
    return p;
}

/* What grew where it stays. */
static void
leave_there(const struct emit *e, struct code *c)
{
    c->consts = e->consts.v;
    c->ranges = e->ranges.v;
    c->ins = e->ins;
    c->offsets = e->offsets;
}

struct code *
emit_finish(struct emit *e, bool condition)
{
    emit_op(e, condition ? OP_ANSWER : OP_RETURN);
    size_t words = e->ins_n * sizeof *e->ins;
    size_t consts = e->consts.n * sizeof *e->consts.v;
    size_t ranges = e->ranges.n * sizeof *e->ranges.v;
    bool stays = e->arena == e->work;
    char *to =
        arena_alloc(e->arena, sizeof(struct code) + (stays ? 0 : consts + ranges + 2 * words));
    struct code *c = (struct code *)(void *)to;
    *c = (struct code){.n = (uint32_t)e->ins_n,
                       .consts_n = (uint32_t)e->consts.n,
                       .ranges_n = (uint32_t)e->ranges.n,
                       .literals = e->quotes ? 0 : e->literals,
                       .condition = condition};
    if (stays) {
        leave_there(e, c);
        return c;
    }
    to += sizeof(struct code);
    c->consts = keep(&to, e->consts.v, consts);
    c->ranges = keep(&to, e->ranges.v, ranges);
    c->ins = keep(&to, e->ins, words);
    c->offsets = keep(&to, e->offsets, words);
    return c;
}
