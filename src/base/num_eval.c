/* The arithmetic of ${eval:} and ${eval10:}.
 *
 * Precedence climbing over one cursor; nesting is limited, so no input can exhaust the stack.
 * Values are 64 bits and wrap in unsigned arithmetic; sums and differences are refused by the
 * same tests as in the reference, which are stricter than need be on one side and laxer on the
 * other.
 */
#include "base/num.h"

enum { EVAL_DEPTH_MAX = 200 };

struct eval_cursor {
    struct str s;
    size_t at;
    enum num_eval_base base;
    unsigned depth;
    const char *error;
};

struct eval_op {
    const char *text;
    uint8_t n;
    uint8_t level; /* binds tighter the higher */
};

static const struct eval_op eval_ops[] = {
    {"|", 1, 1}, {"^", 1, 2}, {"&", 1, 3}, {"<<", 2, 4}, {">>", 2, 4},
    {"+", 1, 5}, {"-", 1, 5}, {"*", 1, 6}, {"/", 1, 6},  {"%", 1, 6},
};

static int64_t
fail(struct eval_cursor *c, const char *text)
{
    if (c->error == NULL)
        c->error = text;
    return 0;
}

static void
skip_space(struct eval_cursor *c)
{
    while (c->at < c->s.n && ascii_space(c->s.p[c->at]))
        c->at++;
}

static char
peek(const struct eval_cursor *c)
{
    return c->at < c->s.n ? c->s.p[c->at] : '\0';
}

/* Base of the number at the cursor; steps over "0x", after which no digit need follow. */
static unsigned
number_base(struct eval_cursor *c)
{
    if (c->base == NUM_EVAL_DECIMAL || peek(c) != '0')
        return 10;
    if (c->at + 1 < c->s.n && ascii_lower(c->s.p[c->at + 1]) == 'x') {
        c->at += 2;
        return 16;
    }
    return 8;
}

static int64_t
eval_number(struct eval_cursor *c)
{
    unsigned base = number_base(c);
    uint64_t n = 0;
    for (; c->at < c->s.n; c->at++) {
        int v = ascii_hex(c->s.p[c->at]);
        if (v < 0 || (unsigned)v >= base)
            break;
        if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, (unsigned)v, &n) ||
            n > INT64_MAX)
            n = INT64_MAX;
    }
    char suffix = ascii_lower(peek(c));
    unsigned bits = suffix == 'k' ? 10 : suffix == 'm' ? 20 : suffix == 'g' ? 30 : 0;
    if (bits != 0)
        c->at++;
    return (int64_t)(n << bits);
}

static int64_t eval_level(struct eval_cursor *c, unsigned level);

static int64_t
eval_parens(struct eval_cursor *c)
{
    c->at++;
    int64_t x = eval_level(c, 1);
    if (c->error != NULL)
        return 0;
    if (peek(c) != ')')
        return fail(c, "expecting closing parenthesis");
    c->at++;
    return x;
}

/* A number, a parenthesis, or a sign and what it applies to; then white space. */
static int64_t
eval_unary(struct eval_cursor *c)
{
    int64_t x;
    skip_space(c);
    char sign = peek(c);
    if (sign == '+' || sign == '-' || sign == '~') {
        if (++c->depth > EVAL_DEPTH_MAX)
            return fail(c, "expression nested too deeply");
        c->at++;
        x = eval_unary(c);
        c->depth--;
        return sign == '-' ? (int64_t)(0 - (uint64_t)x) : sign == '~' ? ~x : x;
    }
    if (ascii_digit(sign))
        x = eval_number(c);
    else if (sign == '(')
        x = eval_parens(c);
    else
        return fail(c, "expecting number or opening parenthesis");
    skip_space(c);
    return x;
}

static int64_t
divide(struct eval_cursor *c, char op, int64_t x, int64_t y)
{
    if (y == 0)
        return fail(c, op == '/' ? "divide by zero" : "modulo by zero");
    /* The one quotient that does not fit; the reference answers both with the largest number.
     */
    if (y == -1 && x == INT64_MIN)
        return INT64_MAX;
    return op == '/' ? x / y : x % y;
}

static int64_t
eval_add(struct eval_cursor *c, char op, int64_t x, int64_t y)
{
    const int64_t half = INT64_MAX / 2;
    if (x >= half || (x <= -half && y <= -half))
        return fail(c, op == '+' ? "overflow in sum" : "overflow in difference");
    return (int64_t)(op == '+' ? (uint64_t)x + (uint64_t)y : (uint64_t)x - (uint64_t)y);
}

static int64_t
apply(struct eval_cursor *c, char op, int64_t x, int64_t y)
{
    switch (op) {
    case '|':
        return x | y;
    case '^':
        return x ^ y;
    case '&':
        return x & y;
    case '<':
        return (int64_t)((uint64_t)x << ((uint64_t)y & 63));
    case '>':
        return x >> ((uint64_t)y & 63);
    case '*':
        return (int64_t)((uint64_t)x * (uint64_t)y);
    case '+':
    case '-':
        return eval_add(c, op, x, y);
    default:
        return divide(c, op, x, y);
    }
}

static const struct eval_op *
find_op(const struct eval_cursor *c)
{
    struct str rest = str_sub(c->s, c->at, 2);
    for (size_t i = 0; i < sizeof eval_ops / sizeof eval_ops[0]; i++)
        if (str_starts(rest, eval_ops[i].text))
            return &eval_ops[i];
    return NULL;
}

static int64_t
eval_level(struct eval_cursor *c, unsigned level)
{
    if (++c->depth > EVAL_DEPTH_MAX)
        return fail(c, "expression nested too deeply");
    int64_t x = eval_unary(c);
    while (c->error == NULL) {
        const struct eval_op *op = find_op(c);
        if (op == NULL || op->level < level)
            break;
        c->at += op->n;
        int64_t y = eval_level(c, op->level + 1u);
        if (c->error == NULL)
            x = apply(c, op->text[0], x, y);
    }
    c->depth--;
    return x;
}

bool
num_eval(struct str expr, enum num_eval_base base, int64_t *out, struct num_eval_error *e)
{
    struct eval_cursor c = {.s = expr, .base = base};
    *out = eval_level(&c, 1);
    if (c.error == NULL && c.at < expr.n)
        fail(&c, "expecting operator");
    *e = (struct num_eval_error){c.error, c.at};
    return c.error == NULL;
}
