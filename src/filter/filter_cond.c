/* The front end for Exim filter files: conditions.
 *
 * Code is emitted while a condition is read. A part leaves behind the jumps that are taken when it is true and when it is
 * false, and something still open at its end: a test whose jump is not decided, or an answer in the flag. What stands
 * behind it says which way that goes: "and" and "then" jump when it is false, "or" when it is true. So each test is run
 * once, and only if the answer needs it. With a trace (-v) each part first ends in the flag, to be noted.
 */
#include "filter/filter_parse.h"

#include "filter/host.h"

enum {
    TERMS_MAX = 1000, /* in a row, with a trace: it repeats their texts */
    BRACKETS_MAX = 500,
};
static const uint32_t NO_TEST = UINT32_MAX;

/* A part that was read. */
struct part {
    filter_jumps yes, no;       /* taken when it is known to be true or false */
    uint32_t test;              /* the word of the test at its end; NO_TEST: the flag tells */
    bool negated;               /* "not" stands before it, which is not done yet */
    struct filter_trace *trace; /* NULL: there is none */
};

enum joint { JOINT_NONE, JOINT_AND, JOINT_OR };

struct condition {
    struct filter_parse *f;
    unsigned brackets;
    unsigned terms;
    bool loops; /* there is a foranyaddress in it */
};

static bool parse_group(struct condition *c, bool nested, struct part *x);

/* --- words --- */

static const struct {
    struct str word, short_form, upper;
} tests[] = {
#define FILTER_TEST(name, word, short_form, doc)                                               \
    {STR_INIT(word), STR_INIT(short_form), STR_INIT(#name)},
#include "filter/filter_test.def"
#undef FILTER_TEST
};

/* The same letters, whatever their case; lower: in lower case. */
static inline bool
is_letters(struct str word, struct str lower)
{
    if (word.n != lower.n)
        return false;
    for (uint32_t i = 0; i < word.n; i++) {
        if (ascii_lower(word.p[i]) != lower.p[i])
            return false;
    }
    return true;
}

static bool
is_short_upper(struct str word, size_t i)
{
    struct str s = tests[i].short_form;
    return word.n == s.n && str_eq(word, str_sub(tests[i].upper, 0, s.n));
}

/* FILTER_TESTS: no such word. */
static unsigned char
find_test(struct str word)
{
    char first = word.n > 0 ? ascii_lower(word.p[0]) : '\0';
    for (unsigned char i = 0; i < FILTER_TESTS; i++) {
        if (first != tests[i].word.p[0])
            continue;
        if (str_eq(word, tests[i].word) || str_eq(word, tests[i].short_form))
            return i;
        if (i < FILTER_TEST_ABOVE && (str_eq(word, tests[i].upper) || is_short_upper(word, i)))
            return i | FILTER_TEST_CASE;
    }
    return FILTER_TESTS;
}

static bool
unrecognized(struct filter_parse *f, const struct filter_word *w)
{
    return filter_parse_error(
        f, w->from, "unrecognized condition word \"%.*s\" near line %u of filter file",
        STR_ARG(w->text), filter_line(f));
}

/* A value; parentheses do not begin one. */
static bool
take_value(struct filter_parse *f, struct filter_word *out)
{
    char c = filter_words_peek(&f->words);
    if (c == '(' || c == ')')
        return filter_parse_error(f, f->words.at, "unexpected \"%c\" in line %u of filter file",
                                  c, filter_line(f));
    return filter_parse_item(f, true, out);
}

/* *ahead: the word behind it had to be looked at, too.
 * What stands behind the first value: "contains", "is", "is not", "does not contain", "is above"… */
static bool
take_test(struct filter_parse *f, struct filter_test_node *n, bool *ahead)
{
    struct filter_word w;
    *ahead = false;
    if (!filter_parse_word(f, true, &w))
        return false;
    bool is = is_letters(w.text, STR_LIT("is"));
    if (!is && !is_letters(w.text, STR_LIT("does"))) {
        n->test = find_test(w.text);
        return n->test != FILTER_TESTS || unrecognized(f, &w);
    }
    unsigned char plain = FILTER_TEST_IS | (w.text.p[0] == 'I' ? FILTER_TEST_CASE : 0);
    const char *behind = f->words.at;
    if (!filter_parse_word(f, true, &w))
        return false;
    if (is_letters(w.text, STR_LIT("not"))) {
        n->negated = !n->negated;
        behind = f->words.at;
        if (!filter_parse_word(f, true, &w))
            return false;
    }
    n->test = find_test(w.text);
    if (n->test != FILTER_TESTS)
        return true;
    if (!is)
        return unrecognized(f, &w);
    n->test = plain;
    *ahead = true;
    filter_words_back(&f->words, behind); /* the word was the value */
    return true;
}

/* --- parts --- */

static struct filter_trace *
new_trace(struct filter_parse *f, enum filter_trace_kind kind)
{
    if ((f->flags & FILTER_TRACE_CONDITIONS) == 0)
        return NULL;
    struct filter_trace *t = ARENA_NEW(f->work, struct filter_trace);
    t->kind = kind;
    return t;
}

/* Both ways lead to what comes next, with the answer in the flag. */
static void
end_in_flag(struct filter_parse *f, struct part *x)
{
    if (x->test != NO_TEST)
        filter_jumps_add(f, &x->no, x->test, OP_IFNOT);
    filter_jumps_place(f, x->yes);
    filter_jumps_place(f, x->no);
    x->yes = x->no = 0;
    x->test = NO_TEST;
}

/* Does the "not" that is left, and the trace: nothing will change the part's meaning any more. */
static void
settle(struct filter_parse *f, struct part *x, bool whole)
{
    bool negated = x->negated;
    x->negated = false;
    if (negated && x->test != NO_TEST)
        f->tests.v[f->expand.emit.ins[x->test + 1]].negated ^= true;
    if (x->trace != NULL) {
        bool flag = x->test == NO_TEST;
        x->trace->negated ^= negated;
        end_in_flag(f, x);
        if (negated && flag)
            emit_op(&f->expand.emit, OP_NOT);
        filter_trace_emit(f, x->trace, whole);
    } else if (negated) {
        filter_jumps yes = x->yes;
        x->yes = x->no;
        x->no = yes;
        if (x->test == NO_TEST)
            emit_op(&f->expand.emit, OP_NOT);
    }
}

/* What is open at the end of a part jumps when the answer is `when`; what comes next runs when it is not. */
static void
jump_when(struct filter_parse *f, struct part *x, bool when)
{
    filter_jumps *taken = when ? &x->yes : &x->no;
    filter_jumps *passed = when ? &x->no : &x->yes;
    if (x->test != NO_TEST)
        filter_jumps_add(f, taken, x->test, when ? OP_IF : OP_IFNOT);
    else
        filter_jumps_emit(f, taken, when ? OP_JUMPT : OP_JUMPF);
    filter_jumps_place(f, *passed);
    *passed = 0;
    x->test = NO_TEST;
}

/* Both lists. */
static filter_jumps
join_jumps(struct filter_parse *f, filter_jumps a, filter_jumps b)
{
    if (a == 0)
        return b;
    uint32_t *ins = f->expand.emit.ins;
    uint32_t last = a;
    while (ins_a(ins[last - 1]) != 0)
        last = ins_a(ins[last - 1]);
    ins[last - 1] |= b << 8;
    return a;
}

/* x, which has jumped, and y behind it become one part. */
static void
join(struct filter_parse *f, struct part *x, const struct part *y, enum filter_trace_kind kind)
{
    struct filter_trace *t = new_trace(f, kind);
    x->yes = join_jumps(f, y->yes, x->yes);
    x->no = join_jumps(f, y->no, x->no);
    x->test = y->test;
    if (t != NULL) {
        t->a = x->trace;
        t->b = y->trace;
    }
    x->trace = t;
}

/* --- tests and questions --- */

static void
emit_test(struct filter_parse *f, struct part *x, const struct filter_test_node *n)
{
    x->test = filter_emit_test(f, n);
    x->trace = new_trace(f, FILTER_TRACE_TEST);
    if (x->trace == NULL)
        return;
    x->trace->which = n->test;
    x->trace->negated = n->negated;
    x->trace->left = n->left.text;
    x->trace->right = n->right.text;
}

/* personal alias a alias b: pushed, and never expanded. */
static bool
take_aliases(struct filter_parse *f, unsigned *n)
{
    for (*n = 0;; ++*n) {
        struct filter_word w;
        const char *before = f->words.at;
        if (!filter_parse_word(f, true, &w))
            return false;
        if (!FILTER_WORD_IS(w.text, "alias")) {
            filter_words_back(&f->words, before);
            return true;
        }
        if (*n == FN_ARGS_MAX)
            return filter_parse_error(f, w.from,
                                      "more than %d aliases near line %u of filter file",
                                      (int)FN_ARGS_MAX, filter_line(f));
        if (!take_value(f, &w))
            return false;
        emit_const(&f->expand.emit, OP_CONST, w.text);
    }
}

static const struct str ask_words[] = {
#define FILTER_ASK(name, word, doc) STR_INIT(word),
#include "filter/filter_ask.def"
#undef FILTER_ASK
};

/* FILTER_ASKS: no such word. */
static unsigned
find_ask(struct str word)
{
    unsigned i = 0;
    while (i < FILTER_ASKS && !str_eq(word, ask_words[i]))
        i++;
    return i;
}

static bool
take_ask(struct filter_parse *f, struct part *x, unsigned ask)
{
    unsigned aliases = 0;
    if (ask == FILTER_ASK_PERSONAL && !take_aliases(f, &aliases))
        return false;
    emit_ab(&f->expand.emit, OP_ASK, ask, aliases);
    x->trace = new_trace(f, FILTER_TRACE_ASK);
    if (x->trace != NULL)
        x->trace->which = ask;
    return true;
}

static bool
open_bracket(struct condition *c)
{
    if (++c->brackets > BRACKETS_MAX)
        return filter_parse_error(c->f, c->f->words.at,
                                  "condition is nested too deeply near line %u of filter file",
                                  filter_line(c->f));
    c->f->words.at++;
    filter_words_skip(&c->f->words);
    return true;
}

/* The loop over the addresses; it is left as soon as one makes the condition true. */
static bool
parse_loop(struct condition *c, struct part *inner)
{
    struct filter_parse *f = c->f;
    struct emit *e = &f->expand.emit;
    filter_jumps end = 0, out = 0;
    emit_a(e, OP_LOOP, 3);
    uint32_t next = emit_here(e);
    filter_jumps_emit(f, &end, OP_NEXT);
    if (!parse_group(c, true, inner))
        return false;
    settle(f, inner, false);
    jump_when(f, inner, true);
    emit_a(e, OP_JUMP, next);
    filter_jumps_place(f, inner->yes);
    emit_op(e, OP_TRUE);
    filter_jumps_emit(f, &out, OP_JUMP);
    filter_jumps_place(f, end);
    emit_op(e, OP_FALSE);
    filter_jumps_place(f, out);
    emit_op(e, OP_LEAVE);
    return true;
}

static bool
take_foranyaddress(struct condition *c, struct part *x)
{
    struct filter_parse *f = c->f;
    struct filter_word list;
    struct part inner;
    if (!take_value(f, &list))
        return false;
    if (filter_words_peek(&f->words) != '(')
        return filter_parse_error(
            f, f->words.at,
            "\"(\" expected after \"foranyaddress\" near line %u of filter file",
            filter_line(f));
    if (!open_bracket(c))
        return false;
    c->loops = true;
    filter_emit_string(f, &list);
    if (!parse_loop(c, &inner))
        return false;
    x->trace = new_trace(f, FILTER_TRACE_ANY);
    if (x->trace != NULL) {
        x->trace->left = list.text;
        x->trace->a = inner.trace;
    }
    return true;
}

/* --- phrases --- */

/* The place of the phrase that may stand at the cursor. NULL: the text is nearly at its end. */
static inline struct filter_phrase *
phrase_slot(struct filter_parse *f)
{
    const char *p = f->words.at;
    if (p >= f->words.wide)
        return NULL;
    uint64_t h =
        (filter_key_load(p) ^ filter_key_load(p + 8) * 31) * UINT64_C(0x9e3779b97f4a7c15);
    return &f->phrases[h >> 32 & (FILTER_PHRASES - 1)];
}

/* A second value begins here, and no white space or comment that would have been skipped. */
static inline bool
begins_value(char c)
{
    return filter_word_ends[(unsigned char)c] == 0 && c != '#';
}

/* Takes what was read before at another place. */
static inline bool
take_phrase(struct filter_parse *f, const struct filter_phrase *s, struct filter_test_node *n)
{
    struct filter_words *w = &f->words;
    const char *from = w->at;
    if (s == NULL || s->p == NULL || w->wide - from <= (ptrdiff_t)s->n ||
        !wide_same_all(s->p, from, s->n) || !begins_value(from[s->n]))
        return false;
    if (s->before_quote) { /* what stands there would be read as a word first, and its lines counted twice */
        const char *quote = from + s->n;
        if (*quote != '"' || w->counts ||
            filter_word_space(w, quote) - quote >= FILTER_AHEAD_MAX)
            return false;
    }
    n->left = (struct filter_word){
        .text = {from, s->left_n, STR_CLEAN}, .from = from, .to = from + s->left_n};
    n->operand = s->operand;
    n->test = s->test;
    n->negated = s->negated;
    w->at = from + s->n;
    return true;
}

/* Remembers what was read from the start of n->left to the cursor: one line, and nothing behind the cursor was looked
 * at but perhaps a quoted string, which is neither "not" nor a test. */
static void
keep_phrase(struct filter_parse *f, const struct filter_test_node *n, struct filter_phrase *s,
            bool ahead)
{
    const char *p = n->left.from;
    size_t size = (size_t)(f->words.at - p);
    char next = filter_words_peek(&f->words);
    if (s == NULL || f->words.wide - p <= (ptrdiff_t)size || n->left.quoted ||
        memchr(p, '\n', size) != NULL || memchr(p, '#', size) != NULL || !begins_value(next) ||
        (ahead && next != '"'))
        return;
    *s = (struct filter_phrase){.p = p,
                                .n = (uint32_t)size,
                                .left_n = n->left.text.n,
                                .operand = n->operand,
                                .test = n->test,
                                .negated = n->negated,
                                .before_quote = ahead};
}

/* --- groups --- */

/* The words of a test and its second value; n->left was read. */
static bool
take_rest_of_test(struct condition *c, struct part *x, struct filter_test_node *n,
                  struct filter_phrase *slot)
{
    struct filter_parse *f = c->f;
    bool ahead;
    n->negated = false;
    n->operand = filter_operand(f, &n->left);
    if (!take_test(f, n, &ahead))
        return false;
    keep_phrase(f, n, slot, ahead);
    if (!take_value(f, &n->right))
        return false;
    emit_test(f, x, n);
    return true;
}

/* What its first word, in n->left, begins. */
static bool
take_other(struct condition *c, struct part *x, struct filter_test_node *n,
           struct filter_phrase *slot)
{
    struct filter_parse *f = c->f;
    struct str word = n->left.text;
    if (word.n == 0 && !n->left.quoted)
        return filter_parse_error(f, n->left.from, "\"then\" missing at end of filter file");
    if (FILTER_WORD_IS(word, "then"))
        return filter_parse_error(
            f, n->left.from, "unexpected \"then\" near line %u of filter file", filter_line(f));
    if (FILTER_WORD_IS(word, "foranyaddress"))
        return take_foranyaddress(c, x);
    unsigned ask = find_ask(word);
    return ask < FILTER_ASKS ? take_ask(f, x, ask) : take_rest_of_test(c, x, n, slot);
}

/* One test, question or group, after its "not"s. */
static bool
parse_primary(struct condition *c, struct part *x)
{
    struct filter_parse *f = c->f;
    struct filter_test_node n;
    bool negated = false;
    *x = (struct part){.test = NO_TEST};
    for (;;) {
        struct filter_phrase *slot = phrase_slot(f);
        if (take_phrase(f, slot, &n)) {
            if (!take_value(f, &n.right))
                return false;
            emit_test(f, x, &n);
            break;
        }
        if (filter_words_peek(&f->words) == '(') {
            if (!open_bracket(c) || !parse_group(c, true, x))
                return false;
            break;
        }
        if (!take_value(f, &n.left))
            return false;
        if (!FILTER_WORD_IS(n.left.text, "not")) {
            if (!take_other(c, x, &n, slot))
                return false;
            break;
        }
        negated = !negated;
    }
    x->negated ^= negated;
    return true;
}

/* The word behind a term. */
static bool
take_joint(struct condition *c, bool nested, enum joint *joint)
{
    struct filter_parse *f = c->f;
    struct filter_word w;
    *joint = JOINT_NONE;
    if (!nested && filter_words_key(&f->words) == FILTER_KEY("then")) {
        (void)filter_words_take_key(&f->words, FILTER_KEY("then"));
        return true;
    }
    if (filter_words_peek(&f->words) == '(')
        return filter_parse_error(f, f->words.at, "unexpected \"(\" in line %u of filter file",
                                  filter_line(f));
    if (filter_words_peek(&f->words) == ')') {
        if (!nested)
            return filter_parse_error(
                f, f->words.at, "unexpected \")\" in line %u of filter file", filter_line(f));
        c->brackets--;
        f->words.at++;
        filter_words_skip(&f->words);
        return true;
    }
    if (!filter_parse_word(f, false, &w))
        return false;
    if (FILTER_WORD_IS(w.text, "then"))
        return !nested ||
               filter_parse_error(
                   f, w.from, "missing \")\" at end of condition near line %u of filter file",
                   filter_line(f));
    *joint = FILTER_WORD_IS(w.text, "and") ? JOINT_AND : JOINT_OR;
    return *joint == JOINT_AND || FILTER_WORD_IS(w.text, "or") ||
           filter_parse_error(f, w.from,
                              "\"and\" or \"or\" or \"%s\" expected near line %u of filter "
                              "file, but found \"%.*s\"",
                              nested ? ")" : "then", filter_line(f), STR_ARG(w.text));
}

/* With a trace, texts of conditions become too long when there are too many terms. */
static bool
count_term(struct condition *c)
{
    return ++c->terms <= TERMS_MAX || (c->f->flags & FILTER_TRACE_CONDITIONS) == 0 ||
           filter_parse_error(c->f, c->f->words.at,
                              "condition is too long near line %u of filter file",
                              filter_line(c->f));
}

/* A term, and the word behind it. */
static bool
parse_term(struct condition *c, bool nested, struct part *x, enum joint *joint)
{
    return count_term(c) && parse_primary(c, x) && take_joint(c, nested, joint);
}

/* Terms with "and" between them. In a trace the last two belong together, and those before them with what they make. */
static bool
parse_ands(struct condition *c, bool nested, struct part *x, enum joint *joint)
{
    struct filter_parse *f = c->f;
    bool trace = (f->flags & FILTER_TRACE_CONDITIONS) != 0;
    if (!parse_term(c, nested, x, joint))
        return false;
    while (*joint == JOINT_AND) {
        struct part y;
        settle(f, x, false);
        jump_when(f, x, false);
        if (!(trace ? parse_ands : parse_term)(c, nested, &y, joint))
            return false;
        settle(f, &y, false);
        join(f, x, &y, FILTER_TRACE_AND);
    }
    return true;
}

/* Terms up to ")" or "then", which is taken. */
static bool
parse_group(struct condition *c, bool nested, struct part *x)
{
    struct filter_parse *f = c->f;
    enum joint joint;
    if (!parse_ands(c, nested, x, &joint))
        return false;
    while (joint == JOINT_OR) {
        struct part y;
        settle(f, x, false);
        jump_when(f, x, true);
        if (!parse_ands(c, nested, &y, &joint))
            return false;
        settle(f, &y, false);
        join(f, x, &y, FILTER_TRACE_OR);
    }
    return true;
}

/* As much as was emitted and read at some time. */
struct state {
    struct filter_words words;
    uint32_t words_n;
    size_t consts_n, tests_n;
};

static struct state
state_of(const struct filter_parse *f)
{
    const struct emit *e = &f->expand.emit;
    return (struct state){f->words, emit_here(e), e->consts.n, f->tests.n};
}

static void
go_back_to(struct filter_parse *f, const struct state *s)
{
    struct emit *e = &f->expand.emit;
    f->words = s->words;
    e->ins_n = s->words_n;
    e->consts.n = s->consts_n;
    f->tests.n = s->tests_n;
}

bool
filter_parse_condition(struct filter_parse *f, filter_jumps *no, bool *loops)
{
    struct state before = state_of(f);
    struct condition c = {.f = f};
    struct part x;
    f->command = STR_NULL;
    if (!parse_group(&c, false, &x))
        return false;
    *loops = c.loops && f->this_address != NULL;
    if (*loops) { /* known too late: the old value belongs before the condition */
        go_back_to(f, &before);
        c = (struct condition){.f = f};
        emit_a(&f->expand.emit, OP_VAR, (uint32_t)(f->this_address - f->expand.host->vars));
        if (!parse_group(&c, false, &x))
            return false;
    }
    settle(f, &x, true);
    jump_when(f, &x, false);
    *no = x.no;
    return true;
}
