/* Rules that are made like an earlier one.
 *
 * Long filters say the same with other texts: `if $h_subject: contains "x" then save y endif`. An if command is remembered
 * with the places of those of its texts that nothing else depends on. One that has the same bytes between such texts means
 * the same, so it runs the code of the first one with its own texts: an instruction RULE, and constants. What the texts
 * themselves need (escapes, patterns, whether they are expanded) is found out by the functions that every text goes
 * through; where that differs, the rule is compiled in the usual way.
 *
 * Not remembered: commands with an if command inside (which is remembered itself), with foranyaddress, or with arguments
 * that are pushed one by one. Unquoted values of tests are part of the words: `is` reads on when "not" stands there.
 */
#include "filter/filter_repeat.h"

#include "filter/filter_parse.h"

static uint32_t
row_of(const char *p)
{
    uint64_t h =
        (filter_key_load(p) ^ filter_key_load(p + 8) * 31) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32) & (FILTER_RULES - 1);
}

/* --- remembering --- */

void
filter_repeat_start(struct filter_parse *f, const char *from)
{
    struct filter_rules *r = &f->rules;
    r->fits = f->repeats && from < f->words.wide;
    r->from = r->passed = from;
    r->now.slots_n = 0;
    r->now.word = emit_here(&f->expand.emit);
    r->now.constant = (uint32_t)f->expand.emit.consts.n;
}

void
filter_repeat_note(struct filter_parse *f, const struct filter_word *s, uint32_t constant,
                   uint32_t test)
{
    struct filter_rules *r = &f->rules;
    struct filter_rule *now = &r->now;
    if (!r->fits)
        return;
    r->fits = now->slots_n < FILTER_SLOTS && s->from >= r->passed;
    if (!r->fits)
        return;
    now->slots[now->slots_n++] = (struct filter_slot){
        .at = (uint32_t)(s->from - r->passed),
        .n = (uint32_t)(s->to - s->from),
        .constant = constant - now->constant,
        .test = test,
        .quoted = s->quoted,
        .pattern = test != FILTER_NO_TEST &&
                   (f->tests.v[test].test & (FILTER_TEST_CASE - 1)) == FILTER_TEST_MATCHES,
    };
    r->passed = s->to;
}

/* Only the instructions of tests and actions find constants of another rule. */
static bool
may_be_shared(const struct emit *e, uint32_t word)
{
    uint32_t step;
    for (uint32_t i = word; i < e->ins_n; i += step) {
        enum op_shape shape = op_row(ins_op(e->ins[i]))->shape;
        if (shape == SHAPE_K || shape == SHAPE_HK || shape == SHAPE_VK)
            return false;
        step = op_words(shape);
    }
    return true;
}

bool
filter_repeat_end(struct filter_parse *f, const char *to)
{
    struct filter_rules *r = &f->rules;
    const struct emit *e = &f->expand.emit;
    bool fits = r->fits && to - r->from <= FILTER_RULE_TEXT &&
                filter_word_ends[(unsigned char)*to] == FILTER_BYTE_SPACE;
    r->fits = false; /* for what stands round it */
    r->now.constants_n = (uint32_t)e->consts.n - r->now.constant;
    if (!fits || r->now.constants_n > FILTER_RULE_CONSTS || !may_be_shared(e, r->now.word))
        return false;
    r->now.p = r->from;
    r->now.tail = (uint32_t)(to - r->passed) + 1;
    uint32_t row = row_of(r->from);
    struct filter_rule **way = &r->v[row][r->next[row]++ & (FILTER_RULE_WAYS - 1)];
    if (*way == NULL)
        *way = arena_alloc(f->work, sizeof **way);
    **way = r->now;
    return true;
}

/* --- taking --- */

/* A text that needs to be looked at as usual: with escapes or `$`, a pattern. Returns the byte behind it; NULL: it is of
 * another kind than that of the rule, or empty. */
static const char *__attribute__((noinline))
take_other_text(struct filter_parse *f, const struct filter_slot *slot, const char *p,
                struct str *out)
{
    struct filter_word s;
    const struct filter_test_row *t = &f->tests.v[slot->test];
    f->words.at = p - 1;
    if (slot->pattern) {
        p = filter_words_pattern(&f->words, f->expand.emit.arena, out);
        if (p != NULL)
            return t->plain ? p : NULL;
    }
    if (filter_words_string(&f->words, f->expand.emit.arena, &s) != FILTER_WORD_OK ||
        s.text.n == 0 || s.to - s.from >= FILTER_AHEAD_MAX)
        return NULL;
    *out = s.text;
    if (slot->test == FILTER_NO_TEST)
        return s.to;
    struct filter_right right = filter_take_right(f, t->test, &s);
    *out = right.text;
    bool same = right.expands == t->expands && right.plain == t->plain && right.text.n > 0;
    return same ? s.to : NULL;
}

/* The text at p, which another one stands in place of in the rule. Returns the byte behind it, or NULL. */
static inline const char *
take_text(struct filter_parse *f, const struct filter_slot *slot, const char *p,
          struct str *out)
{
    const struct filter_words *w = &f->words;
    const char *end;
    if (!slot->quoted) {
        end = filter_word_space(w, p);
        if (end == p || *p == '"' || *p == '#')
            return NULL;
    } else {
        end = slot->pattern ? p : filter_string_stop(w, p, slot->test != FILTER_NO_TEST);
        if (*end != '"' || end == p)
            return take_other_text(f, slot, p, out);
    }
    *out = (struct str){p, (uint32_t)(end - p), STR_CLEAN};
    return end - p < FILTER_AHEAD_MAX ? end : NULL;
}

/* Everything is as in the rule, which begins at p. The texts are put where constants come, but do not count yet. Returns the byte
 * behind the white space that ends "endif", or NULL. */
static inline const char *
take_rule(struct filter_parse *f, const struct filter_rule *rule, const char *p)
{
    const char *was = rule->p;
    const char *wide = f->words.wide;
    struct str *consts = &f->expand.emit.consts.v[f->expand.emit.consts.n];
    const struct filter_slot *end = rule->slots + rule->slots_n;
    for (const struct filter_slot *slot = rule->slots; slot < end; slot++) {
        if (wide - p <= (ptrdiff_t)slot->at || !wide_same_all(was, p, slot->at))
            return NULL;
        p = take_text(f, slot, p + slot->at, &consts[slot->constant]);
        if (p == NULL)
            return NULL;
        was += slot->at + slot->n;
    }
    if (wide - p <= (ptrdiff_t)rule->tail || !wide_same_all(was, p, rule->tail))
        return NULL;
    return p + rule->tail;
}

/* Constants that are no texts of slots. */
static inline void
copy_constants(struct emit *e, const struct filter_rule *rule)
{
    if (rule->constants_n != rule->slots_n)
        memcpy(&e->consts.v[e->consts.n], &e->consts.v[rule->constant],
               rule->constants_n * sizeof *e->consts.v);
}

/* The rule that the text at p is made like; its texts were put behind the constants. NULL: there is none. *to: behind it. */
static inline const struct filter_rule *
find_rule(struct filter_parse *f, const char *p, const char **to)
{
    struct filter_rule *const *ways = f->rules.v[row_of(p)];
    for (uint32_t i = 0; i < FILTER_RULE_WAYS && ways[i] != NULL; i++) {
        copy_constants(&f->expand.emit, ways[i]);
        *to = take_rule(f, ways[i], p);
        if (*to != NULL)
            return ways[i];
    }
    return NULL;
}

/* Without room a rule is compiled in the usual way, which makes some. */
static inline bool
has_room(const struct filter_parse *f)
{
    const struct emit *e = &f->expand.emit;
    return e->consts.cap - e->consts.n >= FILTER_RULE_CONSTS;
}

bool
filter_repeat(struct filter_parse *f)
{
    struct emit *e = &f->expand.emit;
    const char *from = f->words.at;
    const char *const start = from;
    while (from < f->words.wide && has_room(f) && emit_here(e) != f->whole) {
        const struct filter_rule *rule = find_rule(f, from, &f->words.at);
        if (rule == NULL)
            break;
        filter_at(f, from);
        emit_ab(e, OP_RULE, rule->word, (uint32_t)e->consts.n - rule->constant);
        e->consts.n += rule->constants_n;
        if (*f->words.at <= ' ' || *f->words.at == '#')
            filter_words_skip(&f->words);
        from = f->words.at;
    }
    f->words.at = from;
    if (from == start)
        return false;
    f->rules.fits = false; /* what stands round them has a rule inside */
    return true;
}
