/* The front end for Exim filter files: whole files, arguments, errors and their places. */
#include "filter/filter_compile.h"

#include "base/buf.h"
#include "filter/expand.h"
#include "filter/filter_match.h"
#include "filter/filter_parse.h"
#include "filter/filter_test.h"
#include "filter/host.h"
#include "filter/verify.h"
#include "filter/vm_state.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    ERROR_TEXT_MAX = 2048 + FILTER_WORD_MAX,
    BYTES_A_WORD = 12, /* about: of the file for a word of code */
    WORDS_FIRST = 8 * FILTER_RULE_CONSTS,
    OPERANDS_NEAR = 64,
};
static const uint32_t NO_WORD = UINT32_MAX;

struct filter_program {
    struct str name;
    struct str text;
    unsigned flags;
    const struct code *code; /* NULL after a syntax error */
    struct str error;
    size_t error_at;
};

/* --- the first line --- */

static bool
take_word(struct str *s, const char *word)
{
    if (!str_istarts(*s, word))
        return false;
    *s = str_sub(*s, strlen(word), s->n);
    return true;
}

enum filter_kind
filter_kind(struct str text)
{
    text = str_trim_left(text);
    if (!take_word(&text, "#"))
        return FILTER_KIND_NONE;
    while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t'))
        text = str_sub(text, 1, text.n);
    enum filter_kind kind = FILTER_KIND_NONE;
    if (take_word(&text, "exim"))
        kind = FILTER_KIND_EXIM;
    else if (take_word(&text, "sieve"))
        kind = FILTER_KIND_SIEVE;
    while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t'))
        text = str_sub(text, 1, text.n);
    return str_istarts(text, "filter") ? kind : FILTER_KIND_NONE;
}

/* --- errors and words --- */

bool
filter_parse_error(struct filter_parse *f, const char *at, const char *fmt, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list ap;
    if (!f->careful || str_is_set(f->error))
        return false;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    f->error = str_dup(f->expand.emit.arena, str_from(text, len));
    f->error_at = at;
    return false;
}

static bool
word_error(struct filter_parse *f, enum filter_word_status st)
{
    uint32_t line = filter_line(f);
    if (st == FILTER_STRING_OPEN)
        return filter_parse_error(f, f->words.at - 1,
                                  "quote missing at end of string in line %u", line);
    return filter_parse_error(
        f, f->words.at, "%s is too long in line %u of filter file (max = %d chars)",
        st == FILTER_WORD_TOO_LONG ? "word" : "string", line, (int)FILTER_WORD_MAX);
}

bool
filter_parse_word(struct filter_parse *f, bool brackets, struct filter_word *out)
{
    enum filter_word_status st = filter_words_next(&f->words, brackets, out);
    return st == FILTER_WORD_OK || word_error(f, st);
}

bool
filter_parse_item(struct filter_parse *f, bool brackets, struct filter_word *out)
{
    if (filter_words_peek(&f->words) != '"')
        return filter_parse_word(f, brackets, out);
    enum filter_word_status st = filter_words_string(&f->words, f->expand.emit.arena, out);
    return st == FILTER_WORD_OK || word_error(f, st);
}

/* --- arguments --- */

/* For a second reading: an error in the word that comes next is one of this text. */
static inline void
note_text(struct filter_parse *f, const struct filter_word *s)
{
    if (f->careful && emit_here(&f->expand.emit) == f->seek) {
        f->sought = *s;
        f->sought_command = f->command;
    }
}

/* The value of a text that is the same each time. */
static inline bool
constant(struct filter_parse *f, const struct filter_word *s, struct str *value)
{
    if ((s->special & FILTER_HAS_DOLLAR) != 0)
        return false;
    *value = s->special != 0 ? parse_unescape(&f->expand, s->text) : s->text;
    return true;
}

bool
filter_is_header(struct str text, uint32_t *form, struct str *name)
{
    size_t prefix;
    if (text.n < 4 || text.p[0] != '$' ||
        !parse_is_header(str_sub(text, 1, text.n), form, &prefix))
        return false;
    *name = str_sub(text, prefix + 1, text.n);
    uint32_t n = 0;
    while (n < name->n && name->p[n] != ':' && !ascii_space(name->p[n]))
        n++;
    bool whole = n == name->n || (n + 1 == name->n && name->p[n] == ':');
    name->n = n;
    return whole && n > 0;
}

/* An expansion is compiled when it is first needed: most commands of a filter are not reached by most messages. A syntax
 * error in it is raised then, as everywhere. */
void
filter_emit_string(struct filter_parse *f, const struct filter_word *s)
{
    struct str value;
    bool same = constant(f, s, &value);
    f->rules.fits = false;
    note_text(f, s);
    filter_at(f, s->from);
    emit_const(&f->expand.emit, same ? OP_CONST : OP_TEXT, same ? value : s->text);
}

void
filter_emit_action_of(struct filter_parse *f, enum filter_action_id id, unsigned flags,
                      const struct filter_word *text)
{
    struct emit *e = &f->expand.emit;
    if ((f->flags & FILTER_TRACE_CONDITIONS) != 0)
        flags |= f->depth << FILTER_DEPTH;
    filter_at(f, f->command_at);
    emit_a(e, OP_ACTIONT, (uint32_t)id | flags << 8);
    note_text(f, text);
    filter_at(f, text->from);
    if (text->to > text->from)
        filter_repeat_note(f, text, (uint32_t)e->consts.n, FILTER_NO_TEST);
    emit_second(e, emit_constant(e, text->text));
}

void
filter_emit_unset(struct filter_parse *f)
{
    emit_const(&f->expand.emit, OP_CONST, STR_NULL);
}

void
filter_emit_action(struct filter_parse *f, enum filter_action_id id, unsigned flags)
{
    if ((f->flags & FILTER_TRACE_CONDITIONS) != 0)
        flags |= f->depth << FILTER_DEPTH;
    filter_at(f, f->command_at);
    emit_ab(&f->expand.emit, OP_ACTION, (uint32_t)id | flags << 8, filter_action_args(id));
}

/* --- tests --- */

/* A lone $name of a variable that is a row of the host's. */
static bool
is_variable(struct filter_parse *f, struct str text, uint32_t *number)
{
    struct str rest;
    uint32_t n = 1;
    while (n < text.n && (ascii_alnum(text.p[n]) || text.p[n] == '_'))
        n++;
    if (n != text.n || n < 2 || !ascii_alpha(text.p[1]))
        return false;
    const struct var *v = host_var(f->expand.host, str_sub(text, 1, n), &rest);
    if (v == NULL || (v->flags & (VAR_FAMILY | VAR_RUNTIME | VAR_HIDDEN)) != 0)
        return false;
    *number = (uint32_t)(v - f->expand.host->vars);
    return true;
}

static bool
same_operand(const struct filter_operand *a, const struct filter_operand *b)
{
    return a->kind == b->kind && a->number == b->number && str_eq(a->text, b->text);
}

uint32_t
filter_operand(struct filter_parse *f, const struct filter_word *left)
{
    struct filter_operand o = {.kind = FILTER_OPERAND_HEADER};
    if ((left->special & FILTER_HAS_DOLLAR) == 0 ||
        !filter_is_header(left->text, &o.number, &o.text)) {
        bool variable = is_variable(f, left->text, &o.number);
        o.kind = variable ? FILTER_OPERAND_VARIABLE : FILTER_OPERAND_TEXT;
        o.text = variable ? STR_EMPTY : left->text;
    }
    size_t n = f->operands.n;
    for (size_t i = n; i > 0 && n - i < OPERANDS_NEAR; i--) {
        if (same_operand(&f->operands.v[i - 1], &o))
            return (uint32_t)i - 1;
    }
    vec_push(f->work, &f->operands, o);
    return (uint32_t)n;
}

/* Patterns are mostly plain words, and then nothing has to be compiled for them. A trace shows them as they are. */
static void
take_pattern(struct filter_parse *f, struct filter_right *right)
{
    struct str text;
    if ((f->flags & FILTER_TRACE_CONDITIONS) != 0 ||
        !filter_match_plain(f->expand.emit.arena, right->text, &text))
        return;
    right->text = text;
    right->plain = true;
}

struct filter_right
filter_take_right(struct filter_parse *f, unsigned test, const struct filter_word *s)
{
    struct filter_right right = {.text = s->text};
    right.expands = s->special != 0 && !constant(f, s, &right.text);
    if ((test & (FILTER_TEST_CASE - 1)) == FILTER_TEST_MATCHES && !right.expands)
        take_pattern(f, &right);
    return right;
}

static bool
is_quick(const struct filter_parse *f, const struct filter_test_node *t,
         const struct filter_right *right)
{
    return f->operands.v[t->operand].kind == FILTER_OPERAND_HEADER && !right->expands &&
           right->text.n > 0 &&
           (t->test == FILTER_TEST_CONTAINS ||
            (t->test == FILTER_TEST_MATCHES && right->plain));
}

uint32_t
filter_emit_test(struct filter_parse *f, const struct filter_test_node *t)
{
    struct emit *e = &f->expand.emit;
    struct filter_right right = filter_take_right(f, t->test, &t->right);
    uint32_t at = emit_here(e);
    uint32_t number = (uint32_t)f->tests.n;
    struct filter_test_row row = {.operand = t->operand,
                                  .constant = emit_constant(e, right.text),
                                  .test = t->test,
                                  .negated = t->negated,
                                  .expands = right.expands,
                                  .quick = is_quick(f, t, &right),
                                  .plain = right.plain};
    note_text(f, &t->left);
    filter_at(f, t->left.from - t->left.quoted);
    emit_a(e, OP_IF, 0);
    note_text(f, &t->right);
    filter_at(f, t->right.from);
    emit_second(e, number);
    vec_push(f->work, &f->tests, row);
    if (t->right.quoted)
        filter_repeat_note(f, &t->right, row.constant, number);
    return at;
}

/* --- whole files --- */

static bool
parse_file(struct filter_parse *f)
{
    enum filter_end end;
    filter_words_skip(&f->words);
    return filter_parse_commands(f, &end);
}

static void
start(struct filter_parse *f, struct arena *a, struct vm *vm, const struct filter_program *p)
{
    struct str rest;
    *f = (struct filter_parse){
        .expand = {.vm = vm, .host = vm_host(vm)},
        .work = vm_scratch(vm),
        .flags = p->flags,
        .seek = NO_WORD,
        .whole = NO_WORD,
        .repeats = (p->flags & FILTER_TRACE_CONDITIONS) == 0,
    };
    filter_words_start(&f->words, p->text);
    f->this_address = host_var(vm_host(vm), STR_LIT("thisaddress"), &rest);
    emit_start(&f->expand.emit, a, a);
    emit_reserve(&f->expand.emit, p->text.n / BYTES_A_WORD + WORDS_FIRST);
}

/* Room for the tables, which are kept in the arena of the code. */
static void *
keep(struct arena *a, const void *v, size_t bytes)
{
    return bytes == 0 ? NULL : memcpy(arena_alloc(a, bytes), v, bytes);
}

static struct code *
finish(struct filter_parse *f, const struct filter_program *p)
{
    struct arena *a = f->expand.emit.arena;
    struct filter_tables *t = ARENA_NEW(a, struct filter_tables);
    struct code *c = emit_finish(&f->expand.emit, true);
    t->operands_n = (uint32_t)f->operands.n;
    t->operands = keep(a, f->operands.v, f->operands.n * sizeof *f->operands.v);
    t->tests_n = (uint32_t)f->tests.n;
    t->tests = keep(a, f->tests.v, f->tests.n * sizeof *f->tests.v);
    c->text = p->text;
    c->host = vm_host(f->expand.vm);
    c->filter = t;
    return c;
}

/* Reads the file again, with places. NULL: a syntax error. */
static struct code *
read_again(struct filter_parse *f, const struct filter_program *p)
{
    f->careful = true;
    return parse_file(f) ? finish(f, p) : NULL;
}

static void
take_code(struct filter_program *p, struct arena *a, struct filter_parse *f)
{
    const char *why = "";
    uint32_t where;
    struct code *c = finish(f, p);
    if (code_verify(vm_scratch(f->expand.vm), c, &why, &where))
        p->code = c;
    else /* our own mistake: refuse to run it */
        p->error = str_printf(a, "internal error: bad code at %u: %s", where, why);
}

static void
take_error(struct filter_program *p, struct arena *a, struct vm *vm)
{
    struct filter_parse f;
    start(&f, vm_scratch(vm), vm, p);
    f.words.counts = true;
    f.repeats = false;
    (void)read_again(&f, p);
    p->error = str_dup(a, f.error);
    p->error_at = (size_t)(f.error_at - p->text.p);
}

/* Exim reads a file as far as the first NUL. There is one: the words need it. */
static struct str
readable(struct str text)
{
    size_t nul = str_chr(text, '\0', 0);
    text = str_untaint_by_rule(text, "a filter is the program of the user whose it is");
    if (text.n == 0)
        return STR_EMPTY;
    assert(nul != STR_NPOS || text.p[text.n] == '\0');
    return str_sub(text, 0, nul);
}

const struct filter_program *
filter_compile(struct arena *a, struct vm *vm, struct str name, struct str text, unsigned flags)
{
    struct filter_program *p = ARENA_NEW(a, struct filter_program);
    struct filter_parse f;
    struct arena_mark mark = arena_mark(vm_scratch(vm));
    p->name = name;
    p->text = readable(text);
    p->flags = flags;
    if (p->text.n > FILTER_TEXT_MAX) {
        p->error = str_printf(a, "filter file is too long (max = %d bytes)", FILTER_TEXT_MAX);
        return p;
    }
    start(&f, a, vm, p);
    if (parse_file(&f))
        take_code(p, a, &f);
    else
        take_error(p, a, vm);
    if (a != vm_scratch(vm))
        arena_reset(vm_scratch(vm), mark);
    return p;
}

struct str
filter_syntax_error(const struct filter_program *p)
{
    return p->error;
}

/* --- runs --- */

static struct span
place(struct arena *a, const struct filter_program *p, size_t at)
{
    struct source *source = ARENA_NEW(a, struct source);
    struct span s = {.source = source, .line = 1};
    size_t from = 0;
    source->name = p->name;
    source->text = p->text;
    if (at > p->text.n)
        at = p->text.n;
    for (size_t nl = str_chr(p->text, '\n', 0); nl < at; nl = str_chr(p->text, '\n', from)) {
        from = nl + 1;
        s.line++;
    }
    s.col = (uint32_t)(at - from) + 1;
    s.n = 1;
    return s;
}

static void
fill_diag(struct vm *vm, const struct filter_program *p, struct diag *diag, size_t at)
{
    if (diag == NULL)
        return;
    *diag = (struct diag){.level = DIAG_ERROR, .text = vm_error(vm), .exim = vm_error(vm)};
    diag->at = place(vm->scratch, p, at);
}

/* An error inside an expansion is framed by the whole text and the command. */
static size_t
frame_error(struct vm *vm, const struct filter_parse *f, size_t at)
{
    struct str inner = vm_error(vm);
    bool command = str_is_set(f->sought_command);
    (void)vm_fail(vm, "failed to expand \"%.*s\" in %.*s %s: %.*s", STR_ARG(f->sought.text),
                  STR_ARG(command ? f->sought_command : STR_LIT("filter")),
                  command ? "command" : "file", STR_ARG(inner));
    return (size_t)(filter_word_place(&f->words, &f->sought, at) - f->words.text);
}

/* Where a run failed, after its error text was completed. Errors are rare, and noting all places would cost every
 * filter. A rule that is a copy is compiled as a whole in its place. */
static size_t
find_error(struct vm *vm, const struct filter_program *p, bool own_error)
{
    struct filter_parse f;
    size_t inner = vm_error_offset(vm);
    uint32_t rule = vm->failure.rule;
    if (vm->failure.pc == NO_WORD)
        return 0;
    start(&f, vm->scratch, vm, p);
    f.seek = vm->failure.pc;
    if (rule != VM_NO_RULE) {
        f.whole = rule;
        f.seek += rule - ins_a(p->code->ins[rule]);
    }
    const struct code *c = read_again(&f, p);
    if (c == NULL)
        return 0;
    if (!own_error && str_is_set(f.sought.text))
        return frame_error(vm, &f, inner == STR_NPOS ? 0 : inner);
    return code_offset(c, f.seek);
}

enum vm_status
filter_run(struct vm *vm, const struct filter_program *p, struct filter_run *run,
           struct diag *diag)
{
    struct str unused;
    if (diag != NULL)
        *diag = (struct diag){.level = DIAG_ERROR};
    if (p->code == NULL) {
        (void)vm_fail(vm, "%.*s", STR_ARG(p->error));
        fill_diag(vm, p, diag, p->error_at);
        return VM_ERROR;
    }
    run->ended = FILTER_ACTIONS;
    run->own_error = false;
    run->trace = (p->flags & FILTER_TRACE_CONDITIONS) != 0;
    run->values = ARENA_ARRAY(vm->scratch, struct filter_value, p->code->filter->operands_n);
    run->values_n = p->code->filter->operands_n;
    struct filter_run *outer = vm->filter;
    vm->filter = run;
    vm->failure.pc = NO_WORD;
    vm->failure.rule = VM_NO_RULE;
    enum vm_status st = vm_run(vm, p->code, &unused);
    vm->filter = outer;
    if (st <= VM_NO)
        return VM_OK;
    fill_diag(vm, p, diag, find_error(vm, p, run->own_error));
    return st == VM_FORCED ? VM_ERROR : st;
}

/* --- the listing --- */

static const struct textmap *
line_map(struct arena *a, const struct filter_program *p)
{
    struct textmap *m = ARENA_NEW(a, struct textmap);
    struct source *source = ARENA_NEW(a, struct source);
    VEC(struct textmap_run) runs = {NULL, 0, 0};
    struct textmap_run r = {.line = 1, .col = 1};
    source->name = p->name;
    source->text = p->text;
    vec_push(a, &runs, r);
    for (size_t nl = str_chr(p->text, '\n', 0); nl != STR_NPOS;
         nl = str_chr(p->text, '\n', nl + 1)) {
        r.at = (uint32_t)nl + 1;
        r.line++;
        vec_push(a, &runs, r);
    }
    m->source = source;
    m->runs = runs.v;
    m->n = (uint32_t)runs.n;
    return m;
}

void
filter_list(struct buf *out, struct arena *a, struct vm *vm, const struct filter_program *p)
{
    struct filter_parse f;
    struct code *c = NULL;
    if (p->code != NULL) {
        start(&f, a, vm, p);
        c = read_again(&f, p);
    }
    if (c == NULL) {
        struct diag d = {.level = DIAG_ERROR, .text = p->error, .exim = p->error};
        d.at = place(a, p, p->error_at);
        diag_render(out, &d);
        return;
    }
    c->map = line_map(a, p);
    c->stack = p->code->stack;
    code_list(out, c);
}
