/* Texts that are alike share their code; see vm_alike.h.
 *
 * The compiler marks the constants that are text as it stands in the source (emit_literal), and takes the mark away when
 * it looks at one (parse_constant). A word is a run of letters and digits, which mean nothing in literal text unless
 * something stands before them, so what is in front of a word that differs is looked at here.
 */
#include "filter/vm_alike.h"

#include "base/load.h"
#include "base/scan.h"
#include "filter/vm_state.h"

enum {
    TEXT_MIN = 16, /* bytes */
    WORDS_MAX = 8, /* that differ */
};

/* A word of the older text, or the end of one, and what stands there in the newer text. */
struct change {
    uint32_t from, to;
    uint32_t new_from, new_to;
    uint32_t shift; /* of what stands behind it, counted round zero */
};

struct changes {
    uint32_t n;
    uint32_t shifts;            /* 0: everything stays in its place */
    struct change v[WORDS_MAX]; /* in their order in the text */
};

/* --- comparing --- */

static inline uint32_t
end_of_word(struct str s, uint32_t at)
{
    while (at < s.n && ascii_alnum(s.p[at]))
        at++;
    return at;
}

/* Steps over what is the same. */
static inline void
skip_same(struct str old, struct str new, struct change *c)
{
    size_t left = old.n - c->from;
    size_t new_left = new.n - c->new_from;
    size_t n =
        scan_same(old.p + c->from, new.p + c->new_from, left < new_left ? left : new_left);
    c->from += (uint32_t)n;
    c->new_from += (uint32_t)n;
}

/* Where they differ a word must go on in both, or in one of them end: then its last letter belongs to what differs. */
static inline bool
take_word(struct str old, struct str new, struct change *c, uint32_t behind)
{
    c->to = end_of_word(old, c->from);
    c->new_to = end_of_word(new, c->new_from);
    if (c->to > c->from && c->new_to > c->new_from)
        return c->from > 0;
    if (c->from < behind + 2 || !ascii_alnum(old.p[c->from - 1]))
        return false;
    c->from--;
    c->new_from--;
    return true;
}

/* False: they are the same, or differ in more than words. */
static bool
compare(struct str old, struct str new, struct changes *all)
{
    struct change c = {.from = 0};
    all->n = 0;
    all->shifts = 0;
    for (;;) {
        uint32_t behind = c.from;
        skip_same(old, new, &c);
        if (c.from == old.n && c.new_from == new.n)
            return all->n > 0;
        if (all->n == WORDS_MAX || !take_word(old, new, &c, behind))
            return false;
        c.shift = c.new_to - c.to;
        all->shifts |= c.shift;
        all->v[all->n++] = c;
        c.from = c.to;
        c.new_from = c.new_to;
    }
}

/* --- constants --- */

static inline bool
lies_in(struct str text, struct str s)
{
    return s.n > 0 && (uintptr_t)s.p - (uintptr_t)text.p < text.n;
}

/* A word at the very beginning of literal text must not become part of what is in front of it: a variable's name or
 * number, or a backslash. */
static inline bool
may_differ(struct str text, const struct change *c, uint32_t literal_at)
{
    char before = text.p[c->from - 1];
    if (c->from > literal_at)
        return before != '\\';
    return before == '{' || before == '}' || before == ':';
}

/* --- making --- */

/* An offset in the newer text. */
static inline uint32_t
moved(const struct changes *all, uint32_t at)
{
    uint32_t shift = 0;
    for (uint32_t i = 0; i < all->n && all->v[i].to <= at; i++)
        shift = all->v[i].shift;
    return at + shift;
}

/* Constant k, *s, of the older text becomes one of the newer; *found gets the words that it holds. False: a
 * word in it must not differ. */
static inline bool
move_constant(const struct code *old, uint32_t k, struct str text, const struct changes *all,
              unsigned *found, struct str *s)
{
    uint32_t at = (uint32_t)(s->p - old->text.p);
    uint32_t end = at + s->n;
    uint32_t before = 0; /* shift of its beginning */
    uint32_t behind = 0;
    for (uint32_t i = 0; i < all->n && all->v[i].from < end; i++) {
        const struct change *w = &all->v[i];
        behind = w->shift;
        if (w->to <= at) {
            before = w->shift;
            continue;
        }
        if (k >= 64 || (old->literals >> k & 1) == 0 || w->from < at || w->to > end ||
            !may_differ(old->text, w, at))
            return false;
        *found |= 1u << i;
    }
    s->p = text.p + (at + before);
    s->n += behind - before;
    return true;
}

/* The constants of the newer text. False: what differs does not lie in literal text alone. */
static bool
fill_constants(struct str *to, const struct code *old, struct str text,
               const struct changes *all)
{
    unsigned found = 0;
    for (uint32_t k = 0; k < old->consts_n; k++) {
        struct str s = old->consts[k];
        if (lies_in(old->text, s) && !move_constant(old, k, text, all, &found, &s))
            return false;
        to[k] = s;
    }
    return found == (1u << all->n) - 1;
}

/* No range is named by a part of the text. */
static bool
named_elsewhere(const struct code *c)
{
    for (uint32_t i = 0; i < c->ranges_n; i++) {
        if (lies_in(c->text, c->ranges[i].name))
            return false;
    }
    return true;
}

static struct code *
make(struct arena *a, const struct code *old, struct str text, const struct changes *all)
{
    struct arena_mark mark = arena_mark(a);
    size_t offsets = all->shifts == 0 ? 0 : old->n * sizeof *old->offsets;
    char *at =
        arena_alloc(a, sizeof(struct code) + old->consts_n * sizeof *old->consts + offsets);
    struct code *c = (struct code *)(void *)at;
    struct str *consts = (struct str *)(void *)(at + sizeof(struct code));
    if (!fill_constants(consts, old, text, all)) {
        arena_reset(a, mark);
        return NULL;
    }
    *c = *old;
    c->text = text;
    c->answer = NULL;
    c->memo = NULL;
    c->consts = consts;
    if (offsets > 0) {
        uint32_t *places = (uint32_t *)(void *)(consts + old->consts_n);
        for (uint32_t i = 0; i < old->n; i++)
            places[i] = moved(all, old->offsets[i]);
        c->offsets = places;
    }
    return c;
}

/* --- finding --- */

static inline const struct code **
slot_of(struct vm *vm, struct str text)
{
    uint64_t ends = load8(text.p) ^ load8(text.p + text.n - 8) << 1;
    return &vm->alike[ends * UINT64_C(0x9e3779b97f4a7c15) >> VM_ALIKE_SHIFT];
}

struct code *
alike_find(struct vm *vm, struct arena *a, struct str text)
{
    struct changes all;
    if (text.n < TEXT_MIN)
        return NULL;
    const struct code **slot = slot_of(vm, text);
    const struct code *c = *slot;
    if (c == NULL || c->host != vm->host || c->text.taint != text.taint ||
        !compare(c->text, text, &all) || !named_elsewhere(c))
        return NULL;
    struct code *new = make(a, c, text, &all);
    if (new != NULL && all.shifts != 0)
        *slot = new; /* the next one is more likely as long as this one */
    return new;
}

void
alike_note(struct vm *vm, const struct code *c)
{
    if (c->literals != 0 && c->text.n >= TEXT_MIN)
        *slot_of(vm, c->text) = c;
}
