/* Shared by the files of the expansion front end (expand*.c). */
#ifndef REMEX_FILTER_EXPAND_PARSE_H
#define REMEX_FILTER_EXPAND_PARSE_H

#include "base/diag.h"
#include "filter/emit.h"
#include "filter/fn.h"
#include "filter/vm.h"

/* A text being compiled. A parse function returns false after it has raised a syntax error (and emitted the
 * instruction that raises it at run time); its callers then only unwind. */
struct parse {
    struct emit emit;
    struct vm *vm;
    const struct host *host;
    struct str text;
    size_t at; /* next byte */
    const struct textmap *map;
    struct diags *diags;
    unsigned depth;
    size_t item_at;   /* offset of the `$` of the item being compiled */
    unsigned items;   /* compiled so far, a cap on what two readings of a text can cost */
    unsigned *work;   /* the same, of the outermost reading */
    bool folds;       /* what functions make of constants is computed now */
    bool open_header; /* a header name had a brace in it: said in errors about brackets */
    struct parse_frame *frame;
};

/* Constructs whose name is added to the errors inside them, innermost first. */
struct parse_frame {
    struct parse_frame *up;
    const char *before; /* ` inside "` */
    struct str name;
    const char *after; /* `" item` */
};

enum parse_stop { STOP_AT_END, STOP_AT_BRACE };

/* Raises a syntax error at the current place. Always false. */
bool parse_error(struct parse *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for a text that ends too early; an open header name is mentioned. */
bool parse_bracket_error(struct parse *p, const char *text);
/* The same for brackets that are not where they should be; an open header name is the likelier cause. */
bool parse_curly_error(struct parse *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The next byte, or '\0' at the end. */
static inline char
parse_peek(const struct parse *p)
{
    return p->at < p->text.n ? p->text.p[p->at] : '\0';
}

static inline bool
parse_is_end(const struct parse *p)
{
    return p->at >= p->text.n;
}

static inline void
parse_skip_space(struct parse *p)
{
    while (p->at < p->text.n && ascii_space(p->text.p[p->at]))
        p->at++;
}

/* Takes c if it comes next. */
static inline bool
parse_take(struct parse *p, char c)
{
    if (p->at >= p->text.n || p->text.p[p->at] != c)
        return false;
    p->at++;
    return true;
}

/* Everything not parsed yet. */
static inline struct str
parse_rest(const struct parse *p)
{
    return str_sub(p->text, p->at, p->text.n);
}

/* Takes the longest run of letters, digits and underscores. */
struct str parse_name(struct parse *p);

/* One value on the stack: the text up to the end, or up to the } that ends an argument (not taken). */
bool parse_text(struct parse *p, enum parse_stop stop);
/* `text}`: parse_text and the closing brace; the opening one was taken. */
bool parse_braced_rest(struct parse *p);
/* Fills in the forms of items and of conditions, by row of fn.def. */
void parse_note_item_forms(unsigned char *forms);
void parse_note_condition_forms(unsigned char *forms);
/* And which constant arguments are checked. */
void parse_note_checks(unsigned char *checks);
/* Text up to an unescaped } (not taken) without expansion: one constant. */
bool parse_plain_text(struct parse *p);
/* What a text without `$` stands for; only its escapes mean something. */
struct str parse_unescape(struct parse *p, struct str text);
/* One item, after "${" and its name were taken. */
bool parse_item(struct parse *p, const struct fn *fn);
/* A condition after "${if"; leaves the answer in the flag. */
bool parse_condition(struct parse *p);
/* A part that must start with a brace, which is taken: `what` (and the item, unless empty) name it in the
 * error. */
bool parse_need_brace(struct parse *p, const char *what, struct str item);
/* The same and the text up to the closing brace, evaluated. */
bool parse_part(struct parse *p, const char *what, struct str item);
/* Text up to the brace that closes it, as it stands; braces inside are counted. */
bool parse_raw_part(struct parse *p, struct str *raw);
/* A call of a function whose arguments are what was emitted from word `from` on: of constants, its value instead. */
/* False, and nothing was emitted, unless all are constants and there is a value. */
bool parse_fold_call(struct parse *p, const struct fn *fn, uint32_t from, uint32_t argc);
void parse_emit_call(struct parse *p, const struct fn *fn, uint32_t from, uint32_t argc);
void parse_emit_find(struct parse *p, const struct fn *fn, uint32_t from, uint32_t argc);
void parse_emit_test(struct parse *p, const struct fn *fn, uint32_t from, uint32_t argc);
/* The row of that kind and name, from the machine's memory of what was asked before. NULL: there is none. */
const struct fn *parse_find_fn(struct parse *p, enum fn_kind kind, struct str name);
/* The number of a row of fn.def. */
uint32_t parse_fn_number(const struct fn *fn);
/* The branches of an item that found a value or not, and the end of its SAVE. */
bool parse_found_branches(struct parse *p, struct str name);

/* Begins a loop over the list on the stack. A syntax error in its body comes before anything of the loop runs:
 * until parse_loop_good is called, the error takes the place of the loop. */
struct parse_loop {
    label_id next, end;
};
void parse_loop_begin(struct parse *p, struct parse_loop *l, uint32_t mode);
void parse_loop_good(struct parse *p);

/* Items with files of their own: expand_loop.c, expand_ask.c. */
bool parse_map_item(struct parse *p, const struct fn *fn);
bool parse_filter_item(struct parse *p, const struct fn *fn);
bool parse_reduce_item(struct parse *p, const struct fn *fn);
bool parse_sort_item(struct parse *p, const struct fn *fn);
bool parse_lookup_item(struct parse *p, const struct fn *fn);
bool parse_run_item(struct parse *p, const struct fn *fn);
bool parse_readsocket_item(struct parse *p, const struct fn *fn);

/* {yes}{no} of the item `name`; the flag says which. The value that {yes} sees as $value is on the stack. Leaves
 * one value. has_value false: for ${if, where nothing is on the stack. */
bool parse_branches(struct parse *p, struct str name, bool has_value);
/* Emits the variable; false, and nothing was emitted, when there is none of that name. */
bool parse_try_variable(struct parse *p, struct str name);
/* The certificate of a variable $tls_*cert, in PEM; false when name is no such variable. */
bool parse_certificate(struct parse *p, struct str name);
/* What is said besides "unknown variable", or "". */
const char *parse_variable_advice(struct str name);
/* True if the words [from, to) push one constant, which is *value. What the compiler does may depend on it then. */
static inline bool
parse_constant(struct parse *p, uint32_t from, uint32_t to, struct str *value)
{
    if (to != from + 1)
        return false;
    uint32_t word = p->emit.ins[from];
    if (ins_op(word) == OP_CONST) {
        emit_not_literal(&p->emit, ins_a(word));
        *value = p->emit.consts.v[ins_a(word)];
        return true;
    }
    *value = STR_EMPTY;
    return ins_op(word) == OP_EMPTY;
}

/* Raises the error that a function's constant arguments are bound to give. Argument i is words
 * [starts[i], starts[i + 1]). */
bool parse_check_constants(struct parse *p, const struct fn *fn, const uint32_t *starts,
                           uint32_t argc);
/* True for a whole number as ${extract takes it: digits, perhaps after a minus, which may stand alone. */
bool parse_is_number(struct str s);
/* What is emitted next stands at the beginning of the item. */
void parse_at_item(struct parse *p);
/* Calls form one level deeper; too deep a nesting is an error. */
bool parse_nested(struct parse *p, bool (*form)(struct parse *p, const struct fn *fn),
                  const struct fn *fn);
/* A header reference: prefix such as "rh_" in name; sets *form and *rest (start of the field's name). */
bool parse_is_header(struct str name, uint32_t *form, size_t *prefix);
/* Reads a field name that starts at offset `from` up to its colon. */
struct str parse_header_name(struct parse *p, size_t from);

#endif
