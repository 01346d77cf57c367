/* Conditions in words, for a test of a filter with -v: whether each part holds, and its text in the form that Exim gives
 * it. */
#include "filter/filter_parse.h"

#include "base/buf.h"

static const struct {
    struct str word, upper;
    uint32_t short_n;
} tests[] = {
#define FILTER_TEST(name, word, short_form, doc)                                               \
    {STR_INIT(word), STR_INIT(#name), sizeof(short_form) - 1},
#include "filter/filter_test.def"
#undef FILTER_TEST
};

static void add_text(struct buf *b, const struct filter_trace *t);

static void
add_part(struct buf *b, const struct filter_trace *t)
{
    bool brackets = t->kind == FILTER_TRACE_OR && !t->negated;
    buf_addz(b, brackets ? "(" : "");
    add_text(b, t);
    buf_addz(b, brackets ? ")" : "");
}

static void
add_test(struct buf *b, const struct filter_trace *t)
{
    unsigned i = t->which & (FILTER_TEST_CASE - 1);
    bool upper = (t->which & FILTER_TEST_CASE) != 0;
    struct str word = upper ? tests[i].upper : tests[i].word;
    buf_adds(b, t->left);
    buf_addc(b, ' ');
    if (i >= FILTER_TEST_ABOVE) {
        buf_addz(b, t->negated ? "not " : "");
        buf_adds(b, word);
    } else if (i == FILTER_TEST_IS) {
        buf_adds(b, word);
        buf_addz(b, t->negated ? " not" : "");
    } else if (t->negated) {
        buf_addz(b, "does not ");
        buf_adds(b, str_sub(word, 0, tests[i].short_n));
    } else {
        buf_adds(b, word);
    }
    buf_addc(b, ' ');
    buf_adds(b, t->right);
}

/* As deep as the brackets and terms that the reading allows with a trace. */
static void
add_text(struct buf *b, const struct filter_trace *t)
{
    bool joint = t->kind == FILTER_TRACE_AND || t->kind == FILTER_TRACE_OR;
    if (t->kind == FILTER_TRACE_TEST) {
        add_test(b, t);
        return;
    }
    buf_addz(b, t->negated ? "not " : "");
    buf_addz(b, t->negated && joint ? "(" : "");
    if (t->kind == FILTER_TRACE_ASK)
        buf_addz(b, filter_ask_word((enum filter_ask)t->which));
    if (t->kind == FILTER_TRACE_ANY) {
        buf_addz(b, "foranyaddress ");
        buf_adds(b, t->left);
        buf_addz(b, " (");
        add_text(b, t->a);
        buf_addz(b, ")");
    }
    if (joint) {
        add_part(b, t->a);
        buf_addz(b, t->kind == FILTER_TRACE_AND ? " and " : " or ");
        add_part(b, t->b);
    }
    buf_addz(b, t->negated && joint ? ")" : "");
}

void
filter_trace_emit(struct filter_parse *f, const struct filter_trace *t, bool whole)
{
    struct arena *a = f->expand.emit.arena;
    struct buf b = buf_in(a, 0);
    emit_const(&f->expand.emit, OP_CONST,
               str_printf(a, "%*s%s", (int)f->depth * 2 + 1, "",
                          whole ? "Condition" : "Sub-condition"));
    add_text(&b, t);
    emit_const(&f->expand.emit, OP_CONST, buf_str(&b));
    filter_emit_action(f, FILTER_TRACE, 0);
}
