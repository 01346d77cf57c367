/* Rows of the instruction set, and the listing that `remex -bD` prints. */
#include "filter/code.h"

#include "base/buf.h"
#include "filter/expand.h"
#include "filter/filter_code.h"
#include "filter/filter_run.h"
#include "filter/fn.h"
#include "filter/host.h"

enum { QUOTE_MAX = 60 };

const struct op_row op_rows[] = {
#define OP(name, shape, pops, pushes, effect, doc) {#name, SHAPE_##shape, pops, pushes, doc},
#include "filter/op.def"
#undef OP
};

static const char *const host_calls[] = {
#define HOST_CALL(name, text) #name,
#include "filter/host_call.def"
#undef HOST_CALL
};

const char *
host_call_name(unsigned call)
{
    return host_calls[call];
}

static void
quote(struct buf *out, struct str s)
{
    buf_addc(out, '"');
    for (size_t i = 0; i < s.n && i < QUOTE_MAX; i++) {
        char c = s.p[i];
        if (c == '\n')
            buf_addz(out, "\\n");
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (ascii_print(c))
            buf_addc(out, c);
        else
            buf_printf(out, "\\x%02x", (unsigned char)c);
    }
    buf_addz(out, s.n > QUOTE_MAX ? "...\"" : "\"");
}

static void
list_header(struct buf *out, uint32_t form, struct str name)
{
    static const char *const forms[] = {"header", "rheader", "bheader", "lheader"};
    buf_printf(out, "%s ", forms[form]);
    quote(out, name);
}

static void
list_action(struct buf *out, uint32_t a)
{
    buf_printf(out, "%s%s%s%s", (a >> 8 & FILTER_SEEN) != 0 ? "seen " : "",
               (a >> 8 & FILTER_UNSEEN) != 0 ? "unseen " : "",
               (a >> 8 & FILTER_NOERROR) != 0 ? "noerror " : "",
               filter_action_word((enum filter_action_id)(a & 0xff)));
}

static void
list_test(struct buf *out, const struct code *c, uint32_t i)
{
    const struct filter_test_row *t = &c->filter->tests[i];
    const struct filter_operand *o = &c->filter->operands[t->operand];
    if (o->kind == FILTER_OPERAND_HEADER)
        list_header(out, o->number, o->text);
    else if (o->kind == FILTER_OPERAND_VARIABLE)
        buf_adds(out, c->host->vars[o->number].name);
    else
        quote(out, o->text);
    buf_printf(out, " %s%s%s%s ", t->negated ? "not " : "", filter_test_word(t->test),
               (t->test & FILTER_TEST_CASE) != 0 ? ", case counts" : "",
               t->plain     ? " the text"
               : t->expands ? " the expansion of"
                            : "");
    quote(out, c->consts[t->constant]);
}

static void
list_filter(struct buf *out, const struct code *c, uint32_t at, enum op_shape shape)
{
    uint32_t a = ins_a(c->ins[at]);
    uint32_t b = c->ins[at + 1];
    if (ins_op(c->ins[at]) == OP_ASK)
        buf_addz(out, filter_ask_word((enum filter_ask)a));
    else
        list_action(out, a);
    if (shape == SHAPE_AN) {
        buf_printf(out, "/%u", b);
    } else {
        buf_addc(out, ' ');
        quote(out, c->consts[b]);
    }
}

static void
list_operands(struct buf *out, const struct code *c, uint32_t at, enum op_shape shape)
{
    uint32_t a = ins_a(c->ins[at]);
    uint32_t b = op_words(shape) == 2 ? c->ins[at + 1] : 0;
    size_t fn_n;
    switch (shape) {
    case SHAPE_NONE:
        break;
    case SHAPE_K:
        quote(out, c->consts[a]);
        break;
    case SHAPE_N:
        buf_printf(out, "%u", a);
        break;
    case SHAPE_L:
        buf_printf(out, "-> %04u", a);
        break;
    case SHAPE_LN:
        buf_printf(out, "-> %04u  constants +%u", a, b);
        break;
    case SHAPE_LT:
        buf_printf(out, "-> %04u  ", a);
        list_test(out, c, b);
        break;
    case SHAPE_V:
        buf_adds(out, c->host->vars[a].name);
        break;
    case SHAPE_VK:
        buf_adds(out, c->host->vars[a].name);
        buf_addc(out, ' ');
        quote(out, c->consts[b]);
        break;
    case SHAPE_HK:
        list_header(out, a, c->consts[b]);
        break;
    case SHAPE_FN:
        buf_printf(out, "%.*s/%u", STR_ARG(fn_all(&fn_n)[a].name), b);
        break;
    case SHAPE_AN:
    case SHAPE_AK:
        list_filter(out, c, at, shape);
        break;
    case SHAPES:
        break;
    case SHAPE_XN:
        buf_printf(out, "%s/%u", host_call_name(a), b);
        break;
    }
}

static void
list_place(struct buf *out, const struct code *c, uint32_t at)
{
    struct span s = textmap_span(c->map, code_offset(c, at), 0);
    if (s.source != NULL)
        buf_printf(out, "%u:%-5u", s.line, s.col);
    else
        buf_printf(out, "1:%-5u", code_offset(c, at) + 1);
}

void
code_list(struct buf *out, const struct code *c)
{
    buf_printf(out, "; %u words, %u constants, stack %u\n", c->n, c->consts_n, c->stack);
    for (uint32_t at = 0; at < c->n;) {
        const struct op_row *row = op_row(ins_op(c->ins[at]));
        buf_printf(out, "%04u  ", at);
        list_place(out, c, at);
        size_t before = out->n;
        buf_printf(out, " %-10s", row->name);
        list_operands(out, c, at, row->shape);
        while (out->n > before && out->p[out->n - 1] == ' ')
            out->n--;
        buf_addc(out, '\n');
        at += op_words(row->shape);
    }
}
