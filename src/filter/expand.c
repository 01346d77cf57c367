/* The front end for expansion strings: text, escapes, variables, operators.
 *
 * One pass, straight to code. What stands before a syntax error runs before the error is raised, as with
 * a program that reads while it expands: the error is an instruction, and every branch that would jump
 * over it jumps to it (emit_throw). Items with braces are in expand_item.c, conditions in expand_cond.c.
 */
#include "filter/expand.h"

#include "base/buf.h"
#include "base/scan.h"
#include "filter/expand_parse.h"
#include "filter/host.h"
#include "filter/verify.h"
#include "filter/vm_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    NEST_MAX = 100,    /* expansions inside expansions in one text */
    WORK_MAX = 100000, /* items of one text */
    JOIN_MAX = 32,     /* values joined by one instruction */
    ERROR_TEXT_MAX = 2048,
};

/* --- errors --- */

static struct str
with_frames(struct parse *p, struct str text)
{
    struct buf b = buf_in(p->emit.arena, 0);
    buf_adds(&b, text);
    for (const struct parse_frame *f = p->frame; f != NULL; f = f->up) {
        buf_addz(&b, f->before);
        buf_adds(&b, f->name);
        buf_addz(&b, f->after);
    }
    return buf_str(&b);
}

static bool
raise(struct parse *p, struct str text)
{
    text = with_frames(p, text);
    emit_at(&p->emit, p->at);
    emit_throw(&p->emit, text);
    if (p->diags != NULL) {
        struct span at = textmap_span(p->map, p->at, 1);
        struct diag d = {.level = DIAG_ERROR, .at = at, .text = text, .exim = text};
        if (at.source == NULL) {
            d.code = p->text;
            d.at.line = 1;
            d.at.col = (uint32_t)p->at + 1;
        }
        diags_add(p->diags, &d);
    }
    return false;
}

static bool __attribute__((format(printf, 2, 0)))
raise_formatted(struct parse *p, const char *fmt, va_list ap)
{
    char text[ERROR_TEXT_MAX];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    return raise(p, str_from(text, len));
}

bool
parse_error(struct parse *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)raise_formatted(p, fmt, ap);
    va_end(ap);
    return false;
}

bool
parse_curly_error(struct parse *p, const char *fmt, ...)
{
    va_list ap;
    if (p->open_header)
        return parse_bracket_error(p, "missing or misplaced { or }");
    va_start(ap, fmt);
    (void)raise_formatted(p, fmt, ap);
    va_end(ap);
    return false;
}

bool
parse_bracket_error(struct parse *p, const char *text)
{
    return parse_error(p, "%s%s", text,
                       p->open_header ? " - could be header name not terminated by colon" : "");
}

/* --- the cursor --- */

/* Letters, digits, underscore. */
#define SIX(a)                                                                                 \
    [a] = 1, [(a) + 1] = 1, [(a) + 2] = 1, [(a) + 3] = 1, [(a) + 4] = 1, [(a) + 5] = 1
#define TEN(a) SIX(a), [(a) + 6] = 1, [(a) + 7] = 1, [(a) + 8] = 1, [(a) + 9] = 1
static const unsigned char is_name[256] = {
    TEN('0'), TEN('A'), TEN('K'), SIX('U'), TEN('a'), TEN('k'), SIX('u'), ['_'] = 1,
};
#undef SIX
#undef TEN

struct str
parse_name(struct parse *p)
{
    const char *from = p->text.p + p->at;
    const char *end = p->text.p + p->text.n;
    const char *at = from;
    while (at < end && is_name[(unsigned char)*at])
        at++;
    p->at = (size_t)(at - p->text.p);
    return (struct str){from, (uint32_t)(at - from), p->text.taint};
}

/* --- escapes --- */

static unsigned
take_digits(struct parse *p, unsigned base, unsigned most)
{
    unsigned value = 0;
    for (unsigned i = 0; i < most && p->at < p->text.n; i++) {
        int d = ascii_hex(p->text.p[p->at]);
        if (d < 0 || (unsigned)d >= base)
            break;
        value = value * base + (unsigned)d;
        p->at++;
    }
    return value;
}

/* The byte for what follows a backslash. */
static char
take_escape(struct parse *p)
{
    char c = p->text.p[p->at];
    if (c >= '0' && c <= '7')
        return (char)take_digits(p, 8, 3);
    p->at++;
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    case 'x':
        return (char)take_digits(p, 16, 2);
    default:
        return c;
    }
}

/* \N...\N: text without expansion; the opening \N was taken. */
static struct str
take_protected(struct parse *p)
{
    size_t from = p->at;
    size_t end = str_chr(p->text, '\\', from);
    while (end != STR_NPOS && (end + 1 >= p->text.n || p->text.p[end + 1] != 'N'))
        end = str_chr(p->text, '\\', end + 1);
    p->at = end == STR_NPOS ? p->text.n : end + 2;
    return str_sub(p->text, from, (end == STR_NPOS ? p->text.n : end) - from);
}

/* --- literal text --- */

struct pieces {
    unsigned n;       /* values on the stack */
    struct str span;  /* literal text not pushed yet that stands in the source as it is */
    struct buf *text; /* or: literal text put together, NULL until there is any */
};

static inline void
push_piece(struct parse *p, struct pieces *s)
{
    s->n++;
    if (s->n < JOIN_MAX)
        return;
    emit_a(&p->emit, OP_CONCAT, s->n);
    s->n = 1;
}

static inline __attribute__((always_inline)) void
flush_text(struct parse *p, struct pieces *s)
{
    if (s->text != NULL)
        emit_const(&p->emit, OP_CONST, buf_str(s->text));
    else if (s->span.n > 0)
        emit_literal(&p->emit, s->span);
    else
        return;
    push_piece(p, s);
    s->text = NULL;
    s->span.n = 0;
}

/* Literal text that has to be put together: what is there so far goes in front. */
static __attribute__((noinline)) struct buf *
assembled(struct parse *p, struct pieces *s)
{
    if (s->text == NULL) {
        s->text = arena_alloc(p->emit.work, sizeof *s->text);
        *s->text = buf_in(p->emit.arena, 0);
        buf_adds(s->text, s->span);
    }
    return s->text;
}

static inline void
add_text(struct parse *p, struct pieces *s, struct str t)
{
    if (s->text == NULL && s->span.n == 0)
        s->span = t;
    else if (t.n > 0)
        buf_adds(assembled(p, s), t);
}

static void
add_char(struct parse *p, struct pieces *s, char c)
{
    buf_addc(assembled(p, s), c);
}

static void
parse_backslash(struct parse *p, struct pieces *s)
{
    p->at++;
    if (parse_is_end(p)) {
        add_char(p, s, '\\');
    } else if (parse_peek(p) == 'N') {
        p->at++;
        add_text(p, s, take_protected(p));
    } else {
        add_char(p, s, take_escape(p));
    }
}

struct str
parse_unescape(struct parse *p, struct str text)
{
    char *to = arena_alloc(p->emit.arena, (size_t)text.n + 1);
    uint32_t n = 0;
    p->text = text;
    p->at = 0;
    while (!parse_is_end(p)) {
        char c = p->text.p[p->at++];
        if (c == '\\' && parse_peek(p) == 'N' && !parse_is_end(p)) {
            p->at++;
            struct str part = take_protected(p);
            memcpy(to + n, part.p, part.n);
            n += part.n;
        } else {
            to[n++] = c == '\\' && !parse_is_end(p) ? take_escape(p) : c;
        }
    }
    to[n] = '\0';
    return (struct str){to, n, text.taint};
}

/* --- variables --- */

/* h_, header_ and the two with r, b or l in front. */
bool
parse_is_header(struct str name, uint32_t *form, size_t *prefix)
{
    static const char word[] = "header_";
    uint32_t at = 1;
    *form = HEADER_COOKED;
    switch (name.n > 0 ? name.p[0] : '\0') {
    case 'h':
        at = 0;
        break;
    case 'r':
        *form = HEADER_RAW;
        break;
    case 'b':
        *form = HEADER_BYTES;
        break;
    case 'l':
        *form = HEADER_LIST;
        break;
    default:
        return false;
    }
    if (name.n < at + 2 || name.p[at] != 'h')
        return false;
    bool brief = name.p[at + 1] == '_';
    *prefix = at + (brief ? 2 : sizeof word - 1);
    return brief || (name.n >= *prefix && memcmp(name.p + at, word, sizeof word - 1) == 0);
}

struct str
parse_header_name(struct parse *p, size_t from)
{
    const char *const end = p->text.p + p->text.n;
    const char *at = p->text.p + from;
    bool brace = false;
    for (; at < end && *at != ':' && !ascii_space(*at); at++)
        brace |= *at == '}';
    p->at = (size_t)(at - p->text.p);
    struct str name = str_sub(p->text, from, p->at - from);
    (void)parse_take(p, ':');
    p->open_header |= brace;
    return name;
}

static const struct {
    struct str name;
    enum op op;
} machine_vars[] = {
    {STR_INIT("value"), OP_VALUE},
    {STR_INIT("item"), OP_ITEM},
    {STR_INIT("runrc"), OP_RUNRC},
};

static bool
emit_machine_variable(struct parse *p, struct str name)
{
    for (size_t i = 0; i < sizeof machine_vars / sizeof *machine_vars; i++) {
        if (str_eq(name, machine_vars[i].name)) {
            emit_op(&p->emit, machine_vars[i].op);
            return true;
        }
    }
    return false;
}

/* Variables of families are not remembered: their name is more than the row's. */
static const struct var *
find_variable(struct parse *p, struct str name, struct str *rest)
{
    bool known;
    struct vm_name *slot = vm_name_slot(p->vm, VM_NAME_VAR, name, &known);
    if (known)
        return slot->row;
    const struct var *v = host_var(p->host, name, rest);
    if (slot != NULL && v != NULL && (v->flags & VAR_FAMILY) == 0)
        slot->row = v;
    else if (slot != NULL)
        slot->n = 0;
    return v;
}

bool
parse_try_variable(struct parse *p, struct str name)
{
    struct str rest;
    if (emit_machine_variable(p, name))
        return true;
    const struct var *v = find_variable(p, name, &rest);
    if (v == NULL)
        return false;
    uint32_t index = (uint32_t)(v - p->host->vars);
    if ((v->flags & VAR_FAMILY) != 0)
        emit_ab(&p->emit, OP_FAMILY, index, emit_constant(&p->emit, rest));
    else
        emit_a(&p->emit, OP_VAR, index);
    return true;
}

bool
parse_certificate(struct parse *p, struct str name)
{
    return parse_try_variable(p, str_cat(vm_scratch(p->vm), name, STR_LIT(".pem")));
}

const char *
parse_variable_advice(struct str name)
{
    if (!str_starts(name, "acl_"))
        return "";
    if (!str_starts(name, "acl_c") && !str_starts(name, "acl_m"))
        return " (user-defined ACL variables must start acl_c or acl_m)";
    if (name.n > 5 && !ascii_digit(name.p[5]) && name.p[5] != '_')
        return " (6th character of a user-defined ACL variable must be a digit or underscore)";
    return "";
}

static bool
parse_variable(struct parse *p, struct str name)
{
    if (parse_try_variable(p, name))
        return true;
    p->at = (size_t)(name.p - p->text.p);
    return parse_error(p, "unknown variable name \"%.*s\"%s", STR_ARG(name),
                       parse_variable_advice(name));
}

/* $name and $h_name: */
static bool
parse_plain_variable(struct parse *p)
{
    uint32_t form;
    size_t prefix;
    size_t from = p->at;
    struct str name = parse_name(p);
    if (!parse_is_header(name, &form, &prefix))
        return parse_variable(p, name);
    struct str field = parse_header_name(p, from + prefix);
    emit_ab(&p->emit, OP_HEADER, form, emit_constant(&p->emit, field));
    return true;
}

static uint32_t
take_number(struct parse *p)
{
    uint32_t n = 0;
    while (ascii_digit(parse_peek(p))) {
        if (n < VM_CAPS)
            n = n * 10 + (uint32_t)(parse_peek(p) - '0');
        p->at++;
    }
    return n;
}

/* --- operators --- */

const struct fn *
parse_find_fn(struct parse *p, enum fn_kind kind, struct str name)
{
    bool known;
    struct vm_name *slot = vm_name_slot(p->vm, kind, name, &known);
    if (known)
        return slot->row;
    const struct fn *fn = fn_find(kind, name);
    if (slot != NULL)
        slot->row = fn;
    return fn;
}

/* An item of either kind. */
static const struct fn *
find_item(struct parse *p, struct str name)
{
    bool known;
    struct vm_name *slot = vm_name_slot(p->vm, VM_NAME_ITEM, name, &known);
    if (known)
        return slot->row;
    const struct fn *fn = fn_find(FN_ITEM, name);
    if (fn == NULL)
        fn = fn_find(FN_ITEM_YN, name);
    if (slot != NULL)
        slot->row = fn;
    return fn;
}

static const struct fn *
find_operator(struct parse *p, struct str name, struct str *suffix)
{
    const struct fn *fn = parse_find_fn(p, FN_OPER, name);
    *suffix = STR_NULL;
    for (size_t i = name.n; fn == NULL && i > 0; i--) {
        if (name.p[i - 1] != '_')
            continue;
        fn = fn_find(FN_OPER, str_sub(name, 0, i - 1));
        *suffix = str_sub(name, i, name.n);
    }
    return fn;
}

static uint32_t
emit_suffix(struct parse *p, struct str suffix)
{
    uint32_t n = 0;
    while (str_is_set(suffix) && n + 1 < FN_ARGS_MAX) {
        size_t end = str_chr(suffix, '_', 0);
        emit_const(&p->emit, OP_CONST, str_sub(suffix, 0, end == STR_NPOS ? suffix.n : end));
        n++;
        suffix = end == STR_NPOS ? STR_NULL : str_sub(suffix, end + 1, suffix.n);
    }
    return n;
}

/* A text that is nothing but one certificate variable, for functions that take the certificate itself. */
static bool
parse_lone_certificate(struct parse *p, const struct fn *fn)
{
    size_t from = p->at + 1, end = str_chr(p->text, '}', p->at);
    if (fn == NULL || (fn->flags & FN_CERTIFICATE) == 0 || parse_peek(p) != '$' ||
        end == STR_NPOS || !parse_certificate(p, str_sub(p->text, from, end - from)))
        return false;
    p->at = end;
    return true;
}

/* ${name:text}, after the colon. */
static inline bool
parse_operator(struct parse *p, struct str name)
{
    struct str suffix;
    const struct fn *fn = find_operator(p, name, &suffix);
    uint32_t from = emit_here(&p->emit);
    if (!parse_lone_certificate(p, fn) && !parse_text(p, STOP_AT_BRACE))
        return false;
    if (!parse_take(p, '}'))
        return parse_bracket_error(p, "missing } at end of string");
    parse_at_item(p);
    if (fn == NULL) {
        p->at = (size_t)(name.p - p->text.p); /* where the caret goes */
        return parse_error(p, "unknown expansion operator \"%.*s\"", STR_ARG(name));
    }
    if (fn->call == NULL) {
        emit_op(&p->emit, OP_EXPAND);
        return true;
    }
    uint32_t argc = 1 + emit_suffix(p, suffix);
    parse_emit_call(p, fn, from, argc);
    return true;
}

/* --- ${...} --- */

/* As parse_name, with the minus of numbers in ${substr_-2_1:. */
static struct str
parse_braced_name(struct parse *p)
{
    size_t from = p->at;
    do {
        (void)parse_name(p);
    } while (parse_take(p, '-'));
    return str_sub(p->text, from, p->at - from);
}

static bool
parse_braced_number(struct parse *p)
{
    emit_a(&p->emit, OP_CAPTURE, take_number(p));
    return parse_take(p, '}') || parse_error(p, "} expected after number");
}

static bool
parse_braced(struct parse *p, const struct fn *unused)
{
    (void)unused;
    if (ascii_digit(parse_peek(p)))
        return parse_braced_number(p);
    if (!ascii_alpha(parse_peek(p)))
        return parse_error(p, "letter or digit expected after ${");
    struct str name = parse_braced_name(p);
    const struct fn *fn = find_item(p, name);
    if (fn != NULL)
        return parse_item(p, fn);
    if (parse_take(p, ':'))
        return parse_operator(p, name);
    if (!parse_take(p, '}'))
        return parse_error(p,
                           "\"${%.*s\" is not a known operator (or a } is missing in a "
                           "variable reference)",
                           STR_ARG(name));
    if (parse_try_variable(p, name))
        return true;
    p->at = (size_t)(name.p - p->text.p);
    return parse_error(p, "unknown variable in \"${%.*s}\"%s", STR_ARG(name),
                       parse_variable_advice(name));
}

bool
parse_nested(struct parse *p, bool (*form)(struct parse *p, const struct fn *fn),
             const struct fn *fn)
{
    if (p->depth >= NEST_MAX)
        return parse_error(p, "expansions are nested too deeply");
    if (++*p->work > WORK_MAX)
        return parse_error(p, "the expansion is too complicated");
    p->depth++;
    size_t outer = p->item_at;
    p->item_at = p->emit.at - p->emit.base;
    bool good = form(p, fn);
    p->item_at = outer;
    p->depth--;
    return good;
}

void
parse_at_item(struct parse *p)
{
    emit_at(&p->emit, p->item_at);
}

static bool
parse_dollar(struct parse *p)
{
    emit_at(&p->emit, p->at);
    p->at++;
    char c = parse_peek(p);
    if (ascii_alpha(c))
        return parse_plain_variable(p);
    if (ascii_digit(c)) {
        emit_a(&p->emit, OP_CAPTURE, take_number(p));
        return true;
    }
    if (!parse_take(p, '{'))
        return parse_error(p, "$ not followed by letter, digit, or {");
    return parse_nested(p, parse_braced, NULL);
}

/* --- whole texts --- */

static inline size_t
literal_end(const struct parse *p, enum parse_stop stop)
{
    return stop == STOP_AT_BRACE ? scan_any(p->text, p->at, (struct scan_set){'$', '\\', '}'})
                                 : scan_any(p->text, p->at, (struct scan_set){'$', '\\', '$'});
}

/* An item at word item_at that was folded to a constant becomes part of the text, with the text at text_at in front of
 * it, if there was any. */
static inline bool
take_constant(struct parse *p, struct pieces *s, uint32_t text_at, uint32_t item_at)
{
    struct str value;
    if (!parse_constant(p, item_at, emit_here(&p->emit), &value) || item_at > text_at + 1)
        return false;
    if (item_at > text_at) {
        s->n--;
        (void)parse_constant(p, text_at, item_at, &s->span);
    }
    emit_cut(&p->emit, text_at);
    add_text(p, s, value);
    return true;
}

bool
parse_text(struct parse *p, enum parse_stop stop)
{
    struct pieces s = {.span = STR_EMPTY};
    size_t begin = p->at;
    while (!parse_is_end(p)) {
        size_t end = literal_end(p, stop);
        if (end > p->at) {
            add_text(p, &s, str_sub(p->text, p->at, end - p->at));
            p->at = end;
        }
        if (parse_is_end(p) || (parse_peek(p) == '}' && stop == STOP_AT_BRACE))
            break;
        if (parse_peek(p) == '\\') {
            parse_backslash(p, &s);
            continue;
        }
        emit_at(&p->emit, begin);
        uint32_t text_at = emit_here(&p->emit);
        flush_text(p, &s);
        uint32_t item_at = emit_here(&p->emit);
        if (!parse_dollar(p))
            return false;
        if (take_constant(p, &s, text_at, item_at))
            continue;
        push_piece(p, &s);
        begin = p->at;
    }
    emit_at(&p->emit, begin);
    flush_text(p, &s);
    if (s.n == 0)
        emit_op(&p->emit, OP_EMPTY);
    else if (s.n > 1)
        emit_a(&p->emit, OP_CONCAT, s.n);
    return true;
}

/* Most arguments are text alone. False: this one is not, and nothing was emitted. */
static inline bool
take_literal(struct parse *p)
{
    size_t end = literal_end(p, STOP_AT_BRACE);
    if (end >= p->text.n || p->text.p[end] != '}')
        return false;
    emit_at(&p->emit, p->at);
    if (end > p->at)
        emit_literal(&p->emit, str_sub(p->text, p->at, end - p->at));
    else
        emit_op(&p->emit, OP_EMPTY);
    p->at = end + 1;
    return true;
}

bool
parse_braced_rest(struct parse *p)
{
    if (take_literal(p))
        return true;
    if (!parse_text(p, STOP_AT_BRACE))
        return false;
    return parse_take(p, '}') || parse_bracket_error(p, "missing } at end of string");
}

bool
parse_plain_text(struct parse *p)
{
    struct pieces s = {.span = STR_EMPTY};
    emit_at(&p->emit, p->at);
    while (!parse_is_end(p) && parse_peek(p) != '}') {
        size_t from = p->at;
        if (parse_peek(p) == '\\') {
            parse_backslash(p, &s);
            continue;
        }
        while (!parse_is_end(p) && parse_peek(p) != '}' && parse_peek(p) != '\\')
            p->at++;
        add_text(p, &s, str_sub(p->text, from, p->at - from));
    }
    flush_text(p, &s);
    if (s.n == 0)
        emit_op(&p->emit, OP_EMPTY);
    return true;
}

bool
expand_is_literal(struct str text)
{
    return scan_any(text, 0, (struct scan_set){'$', '\\', '$'}) == text.n;
}

static const struct code *
finish(struct parse *p, bool condition)
{
    const char *why = "";
    uint32_t where;
    struct code *c = emit_finish(&p->emit, condition);
    c->text = p->text;
    c->map = p->map;
    c->host = p->host;
    if (code_verify(vm_scratch(p->vm), c, &why, &where)) {
        if (c->n == 2 && ins_op(c->ins[0]) == OP_CONST && !condition)
            c->answer = &c->consts[ins_a(c->ins[0])];
        return c;
    }
    /* our own mistake: refuse to run it, whatever it was */
    struct emit e;
    emit_start(&e, p->emit.arena, p->emit.work);
    emit_throw(&e, str_printf(p->emit.arena, "internal error: bad code at %u: %s", where, why));
    emit_op(&e, condition ? OP_FALSE : OP_EMPTY);
    c = emit_finish(&e, condition);
    c->text = p->text;
    c->host = p->host;
    return c;
}

/* What is compiled; the rest of *p is 0. */
static void
start(struct parse *p, struct arena *a, struct vm *vm, struct str text)
{
    p->vm = vm;
    p->host = vm->host;
    p->text = text;
    p->at = 0;
    p->map = NULL;
    p->diags = NULL;
    p->depth = 0;
    p->item_at = 0;
    p->items = 0;
    p->work = &p->items;
    p->folds = true;
    p->open_header = false;
    p->frame = NULL;
    emit_start(&p->emit, a, vm->scratch);
}

/* Gives the working memory back, unless the code itself was made in that arena. */
static void
release(const struct parse *p, struct arena_mark mark)
{
    if (p->emit.arena != p->emit.work)
        arena_reset(p->emit.work, mark);
}

/* The rest of *p is set. */
static const struct code *
compile_text(struct parse *p, struct arena_mark mark)
{
    if (!parse_text(p, STOP_AT_END))
        emit_op(&p->emit, OP_EMPTY);
    const struct code *c = finish(p, false);
    release(p, mark);
    return c;
}

const struct code *
expand_compile(struct arena *a, struct vm *vm, struct str text, const struct textmap *map,
               struct diags *d)
{
    struct parse p; /* start fills it in */
    struct arena_mark mark = arena_mark(vm_scratch(vm));
    start(&p, a, vm, text);
    p.map = map;
    p.diags = d;
    return compile_text(&p, mark);
}

const struct code *
expand_compile_fast(struct arena *a, struct vm *vm, struct str text)
{
    struct parse p; /* start fills it in */
    struct arena_mark mark = arena_mark(vm_scratch(vm));
    start(&p, a, vm, text);
    p.folds = false;
    return compile_text(&p, mark);
}

const struct code *
expand_compile_condition(struct arena *a, struct vm *vm, struct str text,
                         const struct textmap *map, struct diags *d)
{
    struct parse p; /* start fills it in */
    struct arena_mark mark = arena_mark(vm_scratch(vm));
    start(&p, a, vm, text);
    p.map = map;
    p.diags = d;
    if (parse_condition(&p)) {
        parse_skip_space(&p);
        if (!parse_is_end(&p))
            (void)parse_error(&p, "extra characters after the condition: \"%.*s\"",
                              STR_ARG(parse_rest(&p)));
    }
    const struct code *c = finish(&p, true);
    release(&p, mark);
    return c;
}
