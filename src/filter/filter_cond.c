/* The front end for Exim filter files: conditions.
 *
 * A condition is read into a tree, since "and" binds tighter than "or" and a test with -v shows the parts as text, and
 * then compiled so that only as much runs as the answer needs. The answer is left in the flag.
 */
#include "filter/filter_parse.h"

#include "base/buf.h"
#include "filter/host.h"

enum {
    DEPTH_MAX = 1000, /* of the tree: terms in a row, and parentheses */
    BRACKETS_MAX = 500,
};

enum node_kind { NODE_TEST, NODE_ASK, NODE_ANY, NODE_AND, NODE_OR };

struct node {
    enum node_kind kind;
    bool negated;
    bool loops; /* there is a foranyaddress in it */
    unsigned depth;
    unsigned which; /* NODE_TEST: test and case, NODE_ASK: question */
    struct filter_word left, right;
    struct node *a, *b;                 /* parts; NODE_ANY: the condition */
    const struct filter_phrase *phrase; /* NODE_TEST: of the left value, or NULL */
    struct filter_word *aliases;
    unsigned aliases_n;
    size_t at;
};

struct condition {
    struct filter_parse *f;
    unsigned brackets;
};

static struct node *parse_group(struct condition *c, bool nested);

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
static unsigned
find_test(struct str word)
{
    char first = word.n > 0 ? ascii_lower(word.p[0]) : '\0';
    for (unsigned i = 0; i < FILTER_TESTS; i++) {
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
        STR_ARG(w->text), f->words.line);
}

/* A value; parentheses do not begin one. */
static bool
take_value(struct filter_parse *f, struct filter_word *out)
{
    char c = filter_words_peek(&f->words);
    if (c == '(' || c == ')')
        return filter_parse_error(f, f->words.at, "unexpected \"%c\" in line %u of filter file",
                                  c, f->words.line);
    return filter_parse_item(f, true, out);
}

/* *ahead: the word behind it had to be looked at, too.
 * What stands behind the first value: "contains", "is", "is not", "does not contain", "is above"… */
static bool
take_test(struct filter_parse *f, struct node *n, bool *ahead)
{
    struct filter_word w;
    *ahead = false;
    if (!filter_parse_word(f, true, &w))
        return false;
    bool is = is_letters(w.text, STR_LIT("is"));
    if (!is && !is_letters(w.text, STR_LIT("does"))) {
        n->which = find_test(w.text);
        return n->which != FILTER_TESTS || unrecognized(f, &w);
    }
    unsigned plain = FILTER_TEST_IS | (w.text.p[0] == 'I' ? FILTER_TEST_CASE : 0);
    size_t behind = f->words.at;
    if (!filter_parse_word(f, true, &w))
        return false;
    if (is_letters(w.text, STR_LIT("not"))) {
        n->negated = !n->negated;
        behind = f->words.at;
        if (!filter_parse_word(f, true, &w))
            return false;
    }
    n->which = find_test(w.text);
    if (n->which != FILTER_TESTS)
        return true;
    if (!is)
        return unrecognized(f, &w);
    n->which = plain;
    *ahead = true;
    f->words.at = behind; /* the word was the value; its line stays counted */
    return true;
}

/* --- reading --- */

static struct node *
new_node(struct condition *c, enum node_kind kind)
{
    struct node *n = arena_alloc(c->f->work, sizeof *n);
    n->kind = kind;
    n->negated = n->loops = false;
    n->depth = n->aliases_n = 0;
    n->phrase = NULL;
    n->at = c->f->words.at;
    return n;
}

/* personal alias a alias b */
static bool
take_aliases(struct filter_parse *f, struct node *n)
{
    n->aliases = ARENA_ARRAY(f->work, struct filter_word, FN_ARGS_MAX);
    for (;;) {
        struct filter_word w;
        size_t before = f->words.at;
        if (!filter_parse_word(f, true, &w))
            return false;
        if (!FILTER_WORD_IS(w.text, "alias")) {
            f->words.at = before;
            return true;
        }
        if (n->aliases_n == FN_ARGS_MAX)
            return filter_parse_error(f, w.from,
                                      "more than %d aliases near line %u of filter file",
                                      (int)FN_ARGS_MAX, f->words.line);
        if (!take_value(f, &n->aliases[n->aliases_n]))
            return false;
        n->aliases_n++;
    }
}

static bool
open_bracket(struct condition *c)
{
    if (++c->brackets > BRACKETS_MAX)
        return filter_parse_error(c->f, c->f->words.at,
                                  "condition is nested too deeply near line %u of filter file",
                                  c->f->words.line);
    c->f->words.at++;
    filter_words_skip(&c->f->words);
    return true;
}

static bool
take_foranyaddress(struct condition *c, struct node *n)
{
    struct filter_parse *f = c->f;
    n->kind = NODE_ANY;
    if (!take_value(f, &n->left))
        return false;
    if (filter_words_peek(&f->words) != '(')
        return filter_parse_error(
            f, f->words.at,
            "\"(\" expected after \"foranyaddress\" near line %u of filter file",
            f->words.line);
    if (!open_bracket(c))
        return false;
    n->a = parse_group(c, true);
    if (n->a == NULL)
        return false;
    n->loops = true;
    n->depth = n->a->depth + 1;
    return true;
}

static const struct str ask_words[] = {
#define FILTER_ASK(name, word, doc) STR_INIT(word),
#include "filter/filter_ask.def"
#undef FILTER_ASK
};

static bool
take_ask(struct filter_parse *f, struct node *n, struct str word)
{
    for (unsigned i = 0; i < FILTER_ASKS; i++) {
        if (str_eq(word, ask_words[i])) {
            n->kind = NODE_ASK;
            n->which = i;
            return i != FILTER_ASK_PERSONAL || take_aliases(f, n);
        }
    }
    n->kind = NODE_TEST;
    bool ahead;
    return take_test(f, n, &ahead) && take_value(f, &n->right);
}

/* --- phrases --- */

/* The place of the phrase that may stand at the cursor. NULL: the text is nearly at its end. */
static struct filter_phrase *
phrase_slot(struct filter_parse *f)
{
    const struct filter_words *w = &f->words;
    uint64_t a, b;
    if (w->text.n - w->at < FILTER_PHRASE_MIN)
        return NULL;
    memcpy(&a, w->text.p + w->at, sizeof a);
    memcpy(&b, w->text.p + w->at + sizeof a, sizeof b);
    uint64_t h = (a ^ b * 31) * UINT64_C(0x9e3779b97f4a7c15);
    return &f->phrases[h >> 32 & (FILTER_PHRASES - 1)];
}

/* A second value begins here, and no white space or comment that would have been skipped. */
static bool
begins_value(const struct filter_words *w, size_t at)
{
    char c = w->text.p[at];
    return filter_word_ends[(unsigned char)c] == 0 && c != '#';
}

/* Takes what was read before at another place. */
static bool
take_phrase(struct filter_parse *f, struct node *n, const struct filter_phrase *s)
{
    struct filter_words *w = &f->words;
    if (s == NULL || s->p == NULL || s->n >= w->text.n - w->at ||
        memcmp(s->p, w->text.p + w->at, s->n) != 0 || !begins_value(w, w->at + s->n))
        return false;
    n->left = (struct filter_word){.text = str_sub(w->text, w->at, s->left_n),
                                   .from = w->at,
                                   .to = w->at + s->left_n,
                                   .special = FILTER_HAS_UNKNOWN};
    n->which = s->which;
    n->negated = n->negated != s->negated;
    n->phrase = s;
    w->at += s->n;
    return true;
}

/* Remembers what was read from the start of n->left to the cursor: one line, and nothing behind the cursor was looked
 * at. */
static void
keep_phrase(struct filter_parse *f, struct node *n, struct filter_phrase *s, bool negated)
{
    size_t from = n->left.from;
    size_t size = f->words.at - from;
    const char *p = f->words.text.p + from;
    if (s == NULL || n->left.quoted || memchr(p, '\n', size) != NULL ||
        memchr(p, '#', size) != NULL || !begins_value(&f->words, f->words.at))
        return;
    *s = (struct filter_phrase){.p = p,
                                .n = (uint32_t)size,
                                .left_n = n->left.text.n,
                                .which = n->which,
                                .negated = n->negated != negated};
    s->header = filter_is_header(n->left.text, &s->form, &s->name);
    n->phrase = s;
}

/* What its first word, in n->left, begins. */
static bool
take_rest_of_test(struct condition *c, struct node *n, struct filter_phrase *slot)
{
    struct filter_parse *f = c->f;
    struct str word = n->left.text;
    if (word.n > 0 && word.p[0] == '$' && !n->left.quoted) {
        bool negated = n->negated, ahead;
        if (!take_test(f, n, &ahead))
            return false;
        if (!ahead)
            keep_phrase(f, n, slot, negated);
        return take_value(f, &n->right);
    }
    if (word.n == 0 && !n->left.quoted)
        return filter_parse_error(f, n->left.from, "\"then\" missing at end of filter file");
    if (FILTER_WORD_IS(word, "then"))
        return filter_parse_error(
            f, n->left.from, "unexpected \"then\" near line %u of filter file", f->words.line);
    return FILTER_WORD_IS(word, "foranyaddress") ? take_foranyaddress(c, n)
                                                 : take_ask(f, n, word);
}

/* One test, question or group, after its "not"s. */
static struct node *
parse_primary(struct condition *c)
{
    struct filter_parse *f = c->f;
    bool negated = false;
    for (;;) {
        if (filter_words_peek(&f->words) == '(') {
            struct node *group = open_bracket(c) ? parse_group(c, true) : NULL;
            if (group != NULL)
                group->negated = group->negated != negated;
            return group;
        }
        struct node *n = new_node(c, NODE_TEST);
        struct filter_phrase *slot = phrase_slot(f);
        n->negated = negated;
        if (take_phrase(f, n, slot))
            return take_value(f, &n->right) ? n : NULL;
        if (!take_value(f, &n->left))
            return NULL;
        if (FILTER_WORD_IS(n->left.text, "not")) {
            negated = !negated;
            continue;
        }
        return take_rest_of_test(c, n, slot) ? n : NULL;
    }
}

static struct node *
join(struct condition *c, enum node_kind kind, struct node *a, struct node *b)
{
    struct node *n = new_node(c, kind);
    n->a = a;
    n->b = b;
    n->loops = a->loops || b->loops;
    n->depth = (a->depth > b->depth ? a->depth : b->depth) + 1;
    if (n->depth <= DEPTH_MAX)
        return n;
    (void)filter_parse_error(c->f, n->at, "condition is too long near line %u of filter file",
                             c->f->words.line);
    return NULL;
}

/* The word behind a term. *more: another term follows, to be joined by *kind. */
static bool
take_joint(struct condition *c, bool nested, bool *more, enum node_kind *kind)
{
    struct filter_parse *f = c->f;
    struct filter_word w;
    *more = false;
    if (filter_words_peek(&f->words) == '(')
        return filter_parse_error(f, f->words.at, "unexpected \"(\" in line %u of filter file",
                                  f->words.line);
    if (filter_words_peek(&f->words) == ')') {
        if (!nested)
            return filter_parse_error(
                f, f->words.at, "unexpected \")\" in line %u of filter file", f->words.line);
        c->brackets--;
        f->words.at++;
        filter_words_skip(&f->words);
        return true;
    }
    if (!nested && FILTER_WORDS_TAKE(&f->words, "then"))
        return true;
    if (!filter_parse_word(f, false, &w))
        return false;
    if (FILTER_WORD_IS(w.text, "then"))
        return !nested ||
               filter_parse_error(
                   f, w.from, "missing \")\" at end of condition near line %u of filter file",
                   f->words.line);
    *more = true;
    *kind = FILTER_WORD_IS(w.text, "and") ? NODE_AND : NODE_OR;
    return *kind == NODE_AND || FILTER_WORD_IS(w.text, "or") ||
           filter_parse_error(f, w.from,
                              "\"and\" or \"or\" or \"%s\" expected near line %u of filter "
                              "file, but found \"%.*s\"",
                              nested ? ")" : "then", f->words.line, STR_ARG(w.text));
}

/* Terms up to ")" or "then", which is taken. "and" takes the last term away from an "or" before it. */
static struct node *
parse_group(struct condition *c, bool nested)
{
    struct node *root = parse_primary(c);
    struct node **last = &root;
    for (;;) {
        enum node_kind kind;
        bool more;
        if (root == NULL || !take_joint(c, nested, &more, &kind))
            return NULL;
        if (!more)
            return root;
        struct node *term = parse_primary(c);
        struct node **where = kind == NODE_AND ? last : &root;
        struct node *n = term != NULL ? join(c, kind, *where, term) : NULL;
        if (n == NULL)
            return NULL;
        *where = n;
        last = &n->b;
    }
}

/* --- as text, for -v --- */

static void add_text(struct buf *b, const struct node *n);

static void
add_part(struct buf *b, const struct node *n)
{
    bool brackets = n->kind == NODE_OR && !n->negated;
    buf_addz(b, brackets ? "(" : "");
    add_text(b, n);
    buf_addz(b, brackets ? ")" : "");
}

static void
add_test(struct buf *b, const struct node *n)
{
    unsigned i = n->which & (FILTER_TEST_CASE - 1);
    bool upper = (n->which & FILTER_TEST_CASE) != 0;
    struct str word = upper ? tests[i].upper : tests[i].word;
    buf_adds(b, n->left.text);
    buf_addc(b, ' ');
    if (i >= FILTER_TEST_ABOVE) {
        buf_addz(b, n->negated ? "not " : "");
        buf_adds(b, word);
    } else if (i == FILTER_TEST_IS) {
        buf_adds(b, word);
        buf_addz(b, n->negated ? " not" : "");
    } else if (n->negated) {
        buf_addz(b, "does not ");
        buf_adds(b, str_sub(word, 0, tests[i].short_form.n));
    } else {
        buf_adds(b, word);
    }
    buf_addc(b, ' ');
    buf_adds(b, n->right.text);
}

static void
add_text(struct buf *b, const struct node *n)
{
    bool joint = n->kind == NODE_AND || n->kind == NODE_OR;
    if (n->kind == NODE_TEST) {
        add_test(b, n);
        return;
    }
    buf_addz(b, n->negated ? "not " : "");
    buf_addz(b, n->negated && joint ? "(" : "");
    if (n->kind == NODE_ASK)
        buf_addz(b, filter_ask_word((enum filter_ask)n->which));
    if (n->kind == NODE_ANY) {
        buf_addz(b, "foranyaddress ");
        buf_adds(b, n->left.text);
        buf_addz(b, " (");
        add_text(b, n->a);
        buf_addz(b, ")");
    }
    if (joint) {
        add_part(b, n->a);
        buf_addz(b, n->kind == NODE_AND ? " and " : " or ");
        add_part(b, n->b);
    }
    buf_addz(b, n->negated && joint ? ")" : "");
}

static void
emit_trace(struct filter_parse *f, const struct node *n, bool whole)
{
    struct arena *a = f->expand.emit.arena;
    struct buf b = buf_in(a, 0);
    emit_const(&f->expand.emit, OP_CONST,
               str_printf(a, "%*s%s", (int)f->depth * 2 + 1, "",
                          whole ? "Condition" : "Sub-condition"));
    add_text(&b, n);
    emit_const(&f->expand.emit, OP_CONST, buf_str(&b));
    filter_emit_action(f, FILTER_TRACE, 0);
}

/* --- code --- */

static void emit_node(struct filter_parse *f, const struct node *n, bool whole);

/* Leaves as soon as an address makes the condition true. */
static void
emit_any(struct filter_parse *f, const struct node *n)
{
    struct emit *e = &f->expand.emit;
    label_id next = emit_label(e);
    label_id end = emit_label(e);
    filter_emit_string(f, &n->left);
    emit_a(e, OP_LOOP, 3);
    emit_op(e, OP_FALSE);
    emit_place(e, next);
    emit_jump(e, OP_NEXT, end);
    emit_node(f, n->a, false);
    emit_jump(e, OP_JUMPT, end);
    emit_jump(e, OP_JUMP, next);
    emit_place(e, end);
    emit_op(e, OP_LEAVE);
}

static void
emit_joint(struct filter_parse *f, const struct node *n)
{
    struct emit *e = &f->expand.emit;
    label_id end = emit_label(e);
    emit_node(f, n->a, false);
    emit_jump(e, n->kind == NODE_AND ? OP_JUMPF : OP_JUMPT, end);
    emit_node(f, n->b, false);
    emit_place(e, end);
}

static void
emit_ask(struct filter_parse *f, const struct node *n)
{
    for (unsigned i = 0; i < n->aliases_n; i++)
        emit_const(&f->expand.emit, OP_CONST, n->aliases[i].text); /* never expanded */
    emit_ab(&f->expand.emit, OP_ASK, n->which, n->aliases_n);
}

static void
emit_node(struct filter_parse *f, const struct node *n, bool whole)
{
    struct emit *e = &f->expand.emit;
    switch (n->kind) {
    case NODE_TEST:
        filter_emit_match(
            f, &(struct filter_test_node){&n->left, &n->right, n->which, n->at, n->phrase});
        break;
    case NODE_ASK:
        emit_ask(f, n);
        break;
    case NODE_ANY:
        emit_any(f, n);
        break;
    case NODE_AND:
    case NODE_OR:
        emit_joint(f, n);
        break;
    }
    if (n->negated)
        emit_op(e, OP_NOT);
    if ((f->flags & FILTER_TRACE_CONDITIONS) != 0)
        emit_trace(f, n, whole);
}

bool
filter_parse_condition(struct filter_parse *f, bool *loops)
{
    struct condition c = {.f = f};
    struct node *n = parse_group(&c, false);
    if (n == NULL)
        return false;
    *loops = n->loops && f->this_address != NULL;
    if (*loops)
        emit_a(&f->expand.emit, OP_VAR, (uint32_t)(f->this_address - f->expand.host->vars));
    f->command = STR_NULL;
    emit_node(f, n, true);
    return true;
}
