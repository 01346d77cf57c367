/* Macros: the table, and the search for all names at once.
 *
 * A user's macro begins with a capital letter, a built-in one with an underscore and a capital letter. So only
 * the capitals of a line are looked at; the bytes there choose chains of candidates.
 */
#include "conf/macro.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/macro_builtin.h"

#include <string.h>

enum {
    CHAIN_BITS = 9,
    CHAINS = 1 << CHAIN_BITS,
    LETTERS = 26,
    SHORT = 3, /* names of 3 to 7 bytes are found by their first three, longer ones by eight */
    LONG = 8,
    WORK_MAX = 1 << 28,  /* bytes searched again, and what candidates cost */
    CANDIDATE_COST = 16, /* of a look at one more of a chain, likely out of the cache */
    BUILTIN_ORDER = 0,   /* all of them; the user's are numbered from 1 */
    RUNS_MAX = 4096,     /* of the map of a line; what comes later has no exact place */
};

#define NONE UINT32_MAX

struct entry {
    struct macro macro;
    uint32_t next; /* in its chain, or NONE */
};

struct macro_table {
    struct arena *arena;
    struct macro_builtins *builtins;
    void (*used)(const struct macro *m); /* of the request */
    VEC(struct entry *) list;            /* order is index + 1 */
    uint32_t long_names[CHAINS];         /* first entry of each chain */
    uint32_t short_names[CHAINS];
    uint32_t tiny[LETTERS]; /* one or two bytes, by letter */
    /* Bit x of second[c]: some name begins with letter c and then byte x, or is c alone. */
    uint64_t second[LETTERS][4];
    size_t made; /* bytes, against MACRO_TOTAL_MAX */
    size_t work; /* against WORK_MAX */
};

static size_t
long_chain(const char *p)
{
    uint64_t x;
    memcpy(&x, p, LONG);
    return (size_t)(x * UINT64_C(0x9e3779b97f4a7c15) >> (64 - CHAIN_BITS));
}

static size_t
short_chain(const char *p)
{
    uint32_t x = (uint32_t)(unsigned char)p[0] << 16 | (uint32_t)(unsigned char)p[1] << 8 |
                 (uint32_t)(unsigned char)p[2];
    return x * UINT32_C(0x9e3779b1) >> (32 - CHAIN_BITS);
}

/* The chain that a name of n bytes is in. */
static uint32_t *
head_of(struct macro_table *t, const char *p, size_t n)
{
    if (n >= LONG)
        return &t->long_names[long_chain(p)];
    if (n >= SHORT)
        return &t->short_names[short_chain(p)];
    return &t->tiny[(unsigned)(p[0] - 'A') % LETTERS];
}

static void
note_beginning(struct macro_table *t, struct str name)
{
    uint64_t *bits = t->second[(unsigned)(name.p[0] - 'A') % LETTERS];
    unsigned c = name.n > 1 ? (unsigned char)name.p[1] : 0;
    if (name.n > 1)
        bits[c / 64] |= UINT64_C(1) << c % 64;
    else
        memset(bits, 0xff, sizeof t->second[0]);
}

static void
add_entry(struct macro_table *t, const struct macro *m)
{
    note_beginning(t, m->name);
    struct entry *e = ARENA_NEW(t->arena, struct entry);
    e->macro = *m;
    uint32_t *head = head_of(t, m->name.p, m->name.n);
    e->next = *head;
    *head = (uint32_t)t->list.n;
    vec_push(t->arena, &t->list, e);
}

struct macro_table *
macro_table_new(struct arena *a, const struct conf_request *rq)
{
    struct macro_table *t = ARENA_NEW(a, struct macro_table);
    t->arena = a;
    t->builtins = macro_builtins_new(a, rq);
    t->used = rq->macro_used;
    memset(t->long_names, 0xff, sizeof t->long_names);
    memset(t->short_names, 0xff, sizeof t->short_names);
    memset(t->tiny, 0xff, sizeof t->tiny);
    for (size_t i = 0; i < rq->macros_n; i++) {
        struct macro m = rq->macros[i];
        m.from_command_line = true;
        if (m.name.n > 0 && m.name.p[0] >= 'A' && m.name.p[0] <= 'Z')
            add_entry(t, &m);
    }
    return t;
}

/* --- finding --- */

/* The capital letters of a text, one after the other. */
struct capitals {
    struct str s;
    size_t base;   /* offset of the block that hits belongs to */
    uint64_t hits; /* the high bit of byte k of the block is set when a capital stands there */
};

enum { BLOCK = 8 };

/* The bytes at s.p + at, the first in the lowest bits; zeros behind the end. */
static uint64_t
load_block(struct str s, size_t at)
{
    uint64_t x = 0;
    memcpy(&x, s.p + at, s.n - at < BLOCK ? s.n - at : BLOCK);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

static uint64_t
capital_bits(uint64_t x)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low = x & (ones * 127);
    /* below 'Z' + 1, ASCII, and above 'A' - 1 */
    return (ones * (127 + '[') - low) & ~x & (low + ones * (127 - '@')) & (ones * 128);
}

static struct capitals
capitals_from(struct str s, size_t at)
{
    struct capitals c = {.s = s, .base = at};
    c.hits = at < s.n ? capital_bits(load_block(s, at)) : 0;
    return c;
}

/* Offset of the next capital, or the length of the text. */
static inline size_t
capitals_next(struct capitals *c)
{
    while (c->hits == 0) {
        c->base += BLOCK;
        if (c->base >= c->s.n)
            return c->s.n;
        c->hits = capital_bits(load_block(c->s, c->base));
    }
    size_t at = c->base + (size_t)__builtin_ctzll(c->hits) / 8;
    c->hits &= c->hits - 1;
    return at;
}

static bool
name_at(const struct entry *e, struct str s, size_t i)
{
    struct str name = e->macro.name;
    return s.n - i >= name.n && memcmp(s.p + i, name.p, name.n) == 0;
}

static uint32_t
lowest_in_chain(struct macro_table *t, uint32_t k, struct str s, size_t i, uint32_t from,
                uint32_t best)
{
    t->work++;
    for (; k != NONE; k = t->list.v[k]->next) {
        if (k + 1 >= from && k + 1 < best && name_at(t->list.v[k], s, i))
            best = k + 1;
        t->work += t->list.v[k]->next != NONE ? CANDIDATE_COST : 0;
    }
    return best;
}

/* The lowest order of at least `from` and below `best` among the names at s.p[i] (a capital), else best. */
static inline uint32_t
lowest_at(struct macro_table *t, struct str s, size_t i, uint32_t from, uint32_t best)
{
    size_t n = s.n - i;
    unsigned next = n > 1 ? (unsigned char)s.p[i + 1] : 0;
    if ((t->second[(unsigned)(s.p[i] - 'A') % LETTERS][next / 64] >> next % 64 & 1) == 0)
        return best;
    uint32_t k = n >= LONG ? t->long_names[long_chain(s.p + i)] : NONE;
    if (k != NONE)
        best = lowest_in_chain(t, k, s, i, from, best);
    k = n >= SHORT ? t->short_names[short_chain(s.p + i)] : NONE;
    if (k != NONE)
        best = lowest_in_chain(t, k, s, i, from, best);
    k = t->tiny[s.p[i] - 'A'];
    return k == NONE ? best : lowest_in_chain(t, k, s, i, from, best);
}

/* The order of the first macro, from `from` on, whose name occurs in s after `at`; NONE: no macro. */
static uint32_t
first_macro(struct macro_table *t, struct str s, size_t at, uint32_t from)
{
    uint32_t best = NONE;
    struct capitals c = capitals_from(s, at);
    for (size_t i = capitals_next(&c); i < s.n; i = capitals_next(&c)) {
        if (from == BUILTIN_ORDER && i > at && s.p[i - 1] == '_' &&
            macro_builtin_at(t->builtins, str_sub(s, i - 1, s.n), NULL) > 0)
            return BUILTIN_ORDER;
        best = lowest_at(t, s, i, from, best);
    }
    return best;
}

/* --- replacing --- */

struct replacement {
    struct arena *arena;
    const struct textmap *old;
    struct buf text;
    struct textmap_runs runs;
    size_t copied; /* bytes of the old text */
};

static void
copy_until(struct replacement *r, struct str s, size_t end)
{
    if (r->runs.list.n < RUNS_MAX)
        textmap_append(r->arena, &r->runs, r->old, r->copied, end - r->copied, r->text.n);
    buf_add(&r->text, s.p + r->copied, end - r->copied);
}

/* The n bytes at `at` of s give way to text. The outermost macro is the one that is named to the user. */
static void
put(struct replacement *r, struct str s, size_t at, struct str name, struct str text)
{
    copy_until(r, s, at);
    struct textmap_run run = textmap_run_moved(r->old, at, r->text.n);
    if (!run.fixed)
        run.macro = name;
    run.fixed = true;
    if (r->runs.list.n < RUNS_MAX)
        vec_push(r->arena, &r->runs.list, run);
    buf_adds(&r->text, text);
    r->copied = at + name.n;
}

static void
replace_user(struct replacement *r, struct str s, size_t from, const struct macro *m,
             void (*used)(const struct macro *m))
{
    for (size_t i = str_find(s, m->name, from); i != STR_NPOS && !r->text.overflow;
         i = str_find(s, m->name, r->copied)) {
        put(r, s, i, m->name, m->text);
        if (used != NULL)
            used(m);
    }
}

static void
replace_builtin(struct replacement *r, struct str s, size_t from,
                const struct macro_builtins *b)
{
    size_t start = from;
    struct capitals c = capitals_from(s, from);
    for (size_t i = capitals_next(&c); i < s.n && !r->text.overflow; i = capitals_next(&c)) {
        struct str text;
        size_t n = i > start && s.p[i - 1] == '_'
                       ? macro_builtin_at(b, str_sub(s, i - 1, s.n), &text)
                       : 0;
        if (n == 0)
            continue;
        put(r, s, i - 1, str_sub(s, i - 1, n), text);
        start = r->copied;
    }
}

static enum macro_limit
replace_one(struct macro_table *t, struct arena *a, struct macro_line *line, size_t from,
            uint32_t order)
{
    struct textmap old = {.runs = line->runs.list.v, .n = (uint32_t)line->runs.list.n};
    struct replacement r = {.arena = a, .old = &old, .text = buf_in(a, MACRO_LINE_MAX)};
    if (order == BUILTIN_ORDER)
        replace_builtin(&r, line->text, from, t->builtins);
    else
        replace_user(&r, line->text, from, &t->list.v[order - 1]->macro, t->used);
    copy_until(&r, line->text, line->text.n);
    if (r.text.overflow)
        return MACRO_LINE_TOO_LONG;
    line->text = buf_str(&r.text);
    line->runs = r.runs;
    line->replaced = true;
    t->made += line->text.n;
    t->work += line->text.n + 64;
    return t->made > MACRO_TOTAL_MAX || t->work > WORK_MAX ? MACRO_TOO_MUCH : MACRO_FITS;
}

/* Exim looks for built-in macros only if the first thing in the line that could begin a macro could begin one of
 * them: `A _HAVE_TLS` stays as it is. */
static uint32_t
first_order(struct str s, size_t from)
{
    struct capitals c = capitals_from(s, from);
    size_t i = capitals_next(&c);
    return i < s.n && i > from && s.p[i - 1] == '_' ? BUILTIN_ORDER : BUILTIN_ORDER + 1;
}

/* True if a built-in macro could stand there, which an underscore and a capital letter begin. */
static bool
may_hold_builtin(struct str s, size_t from)
{
    if (from >= s.n)
        return false;
    const char *end = s.p + s.n;
    const char *p = s.p + from;
    while ((p = memchr(p, '_', (size_t)(end - p))) != NULL) {
        if (++p == end)
            break;
        if (*p >= 'A' && *p <= 'Z')
            return true;
    }
    return false;
}

enum macro_limit
macro_replace(struct macro_table *t, struct arena *a, struct macro_line *line, size_t from,
              uint32_t line_no, uint32_t col)
{
    if (t->list.n == 0 && !may_hold_builtin(line->text, from))
        return MACRO_FITS;
    uint32_t order = first_macro(t, line->text, from, first_order(line->text, from));
    if (order == NONE)
        return t->work > WORK_MAX ? MACRO_TOO_MUCH : MACRO_FITS;
    struct textmap_run whole = {.line = line_no, .col = col};
    vec_push(a, &line->runs.list, whole);
    while (order != NONE) {
        enum macro_limit limit = replace_one(t, a, line, from, order);
        if (limit != MACRO_FITS)
            return limit;
        order = first_macro(t, line->text, from, order + 1);
    }
    return MACRO_FITS;
}

/* --- defining --- */

static struct entry *
find_entry(struct macro_table *t, struct str name)
{
    for (uint32_t k = *head_of(t, name.p, name.n); k != NONE; k = t->list.v[k]->next) {
        t->work += CANDIDATE_COST;
        if (str_eq(t->list.v[k]->macro.name, name))
            return t->list.v[k];
    }
    return NULL;
}

/* The name of an existing macro that is a part of a new one's, or STR_NULL. */
static struct str
part_of(struct macro_table *t, struct str name)
{
    uint32_t order = first_macro(t, name, 0, BUILTIN_ORDER);
    if (order == NONE)
        return STR_NULL;
    if (order != BUILTIN_ORDER)
        return t->list.v[order - 1]->macro.name;
    for (uint32_t i = 0; i < name.n; i++) {
        struct str rest = {name.p + i, name.n - i, STR_CLEAN};
        size_t n = name.p[i] == '_' ? macro_builtin_at(t->builtins, rest, NULL) : 0;
        if (n > 0)
            return str_sub(rest, 0, n);
    }
    return STR_NULL;
}

enum macro_result
macro_define(struct macro_table *t, struct str name, struct str text, struct span where,
             bool redefine, struct str *other)
{
    struct str part = part_of(t, name);
    struct entry *old = str_is_set(part) ? find_entry(t, name) : NULL;
    if (old != NULL && old->macro.from_command_line)
        return MACRO_OK;
    if (old != NULL && !redefine)
        return MACRO_DUPLICATE;
    if (old != NULL) {
        old->macro.text = text;
        old->macro.where = where;
        return MACRO_OK;
    }
    if (redefine)
        return MACRO_UNDEFINED;
    if (str_is_set(part)) {
        *other = part;
        return MACRO_CONTAINS;
    }
    struct macro m = {.name = name, .text = text, .where = where};
    add_entry(t, &m);
    return MACRO_OK;
}

bool
macro_may_occur(const struct macro_table *t, struct str text)
{
    return (t != NULL && t->list.n > 0) || may_hold_builtin(text, 0);
}

size_t
macro_count(const struct macro_table *t)
{
    return t->list.n;
}

struct macro *
macro_at(const struct macro_table *t, size_t i)
{
    return &t->list.v[i]->macro;
}
