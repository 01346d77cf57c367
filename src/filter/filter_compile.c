/* The front end for Exim filter files: whole files, arguments, errors and their places. */
#include "filter/filter_compile.h"

#include "base/buf.h"
#include "filter/expand.h"
#include "filter/filter_parse.h"
#include "filter/host.h"
#include "filter/verify.h"
#include "filter/vm_state.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { ERROR_TEXT_MAX = 2048 + FILTER_WORD_MAX };

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
filter_parse_error(struct filter_parse *f, size_t at, const char *fmt, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list ap;
    if (str_is_set(f->error))
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
    uint32_t line = f->words.line;
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

/* For a second reading; see frame_error. */
static inline void
note_text(struct filter_parse *f, const struct filter_word *s)
{
    if (f->seek >= s->from && f->seek <= s->to) {
        f->sought = *s;
        f->sought_command = f->command;
    }
}

static unsigned
special_bytes(struct str s)
{
    static const unsigned char special[256] = {
        ['$'] = FILTER_HAS_DOLLAR, ['\\'] = FILTER_HAS_BACKSLASH};
    unsigned found = 0;
    for (uint32_t i = 0; i < s.n; i++)
        found |= special[(unsigned char)s.p[i]];
    return found;
}

/* The value of a text that is the same each time. */
static bool
constant(struct filter_parse *f, const struct filter_word *s, struct str *value)
{
    unsigned found = s->special == FILTER_HAS_UNKNOWN ? special_bytes(s->text) : s->special;
    *value = found == FILTER_HAS_BACKSLASH ? parse_unescape(&f->expand, s->text) : s->text;
    return (found & FILTER_HAS_DOLLAR) == 0;
}

/* A lone $name, which most texts in conditions are. False: it is something else, and nothing was emitted. */
static bool
emit_variable(struct filter_parse *f, struct str text)
{
    uint32_t n = 1;
    while (n < text.n && (ascii_alnum(text.p[n]) || text.p[n] == '_'))
        n++;
    return n == text.n && n > 1 && ascii_alpha(text.p[1]) &&
           parse_try_variable(&f->expand, str_sub(text, 1, n));
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
    struct emit *e = &f->expand.emit;
    uint32_t form;
    struct str name;
    note_text(f, s);
    emit_at(e, s->from);
    if (s->text.n > 0 && s->text.p[0] == '$') {
        if (filter_is_header(s->text, &form, &name))
            emit_ab(e, OP_HEADER, form, emit_constant(e, name));
        else if (!emit_variable(f, s->text))
            emit_const(e, OP_TEXT, s->text);
    } else {
        bool same = constant(f, s, &name);
        emit_const(e, same ? OP_CONST : OP_TEXT, name);
    }
}

/* Where the operands allow it, a test is one instruction. */
void
filter_emit_match(struct filter_parse *f, const struct filter_test_node *t)
{
    struct emit *e = &f->expand.emit;
    const struct filter_phrase *known = t->phrase;
    uint32_t form = known != NULL ? known->form : 0;
    struct str name = known != NULL ? known->name : STR_EMPTY;
    struct str text;
    if (!constant(f, t->right, &text)) {
        filter_emit_string(f, t->left);
        filter_emit_string(f, t->right);
        emit_at(e, t->at);
        emit_a(e, OP_MATCH, t->test);
        return;
    }
    note_text(f, t->right);
    if (known != NULL ? known->header : filter_is_header(t->left->text, &form, &name)) {
        note_text(f, t->left);
        emit_at(e, t->at);
        emit_ab(e, OP_MATCHH, form | t->test << MATCHH_TEST, emit_constant(e, name));
        (void)emit_constant(e, text);
    } else {
        filter_emit_string(f, t->left);
        emit_at(e, t->at);
        emit_ab(e, OP_MATCHK, t->test, emit_constant(e, text));
    }
}

void
filter_emit_action_of(struct filter_parse *f, enum filter_action_id id, unsigned flags,
                      const struct filter_word *text)
{
    struct emit *e = &f->expand.emit;
    if ((f->flags & FILTER_TRACE_CONDITIONS) != 0)
        flags |= f->depth << FILTER_DEPTH;
    note_text(f, text);
    emit_at(e, f->command_at);
    emit_a(e, OP_ACTIONT, (uint32_t)id | flags << 8);
    emit_at(e, text->from);
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
    emit_at(&f->expand.emit, f->command_at);
    emit_ab(&f->expand.emit, OP_ACTION, (uint32_t)id | flags << 8, filter_action_args(id));
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
start(struct filter_parse *f, struct arena *a, struct vm *vm, struct str text, unsigned flags)
{
    struct str rest;
    *f = (struct filter_parse){
        .expand = {.vm = vm, .host = vm_host(vm)},
        .words = {.text = text, .line = 1},
        .work = vm_scratch(vm),
        .flags = flags,
        .seek = STR_NPOS,
    };
    f->this_address = host_var(vm_host(vm), STR_LIT("thisaddress"), &rest);
    emit_start(&f->expand.emit, a, a);
    emit_reserve(&f->expand.emit, text.n / 10);
}

static const struct code *
finish(struct filter_parse *f, struct filter_program *p)
{
    const char *why = "";
    uint32_t where;
    struct code *c = emit_finish(&f->expand.emit, true);
    c->text = p->text;
    c->host = vm_host(f->expand.vm);
    if (code_verify(vm_scratch(f->expand.vm), c, &why, &where))
        return c;
    /* our own mistake: refuse to run it */
    p->error =
        str_printf(f->expand.emit.arena, "internal error: bad code at %u: %s", where, why);
    return NULL;
}

/* Exim reads a file as far as the first NUL. There is one: the words need it. */
static struct str
readable(struct str text)
{
    size_t nul = str_chr(text, '\0', 0);
    text = str_untaint_by_rule(text, "a filter is the program of the user whose it is");
    assert(nul != STR_NPOS || (text.p != NULL && text.p[text.n] == '\0'));
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
    start(&f, a, vm, p->text, flags);
    if (parse_file(&f)) {
        p->code = finish(&f, p);
    } else {
        p->error = f.error;
        p->error_at = f.error_at;
    }
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

/* An error inside an expansion is framed by the whole text and the command. Which text it was is found by reading the
 * file again: errors are rare, and a list of all texts would cost every filter. */
static size_t
frame_error(struct vm *vm, const struct filter_program *p, size_t at)
{
    struct filter_parse f;
    struct str inner = vm_error(vm);
    start(&f, vm->scratch, vm, p->text, p->flags);
    f.seek = at;
    (void)parse_file(&f);
    if (!str_is_set(f.sought.text))
        return at;
    bool command = str_is_set(f.sought_command);
    (void)vm_fail(vm, "failed to expand \"%.*s\" in %.*s %s: %.*s", STR_ARG(f.sought.text),
                  STR_ARG(command ? f.sought_command : STR_LIT("filter")),
                  command ? "command" : "file", STR_ARG(inner));
    return filter_word_place(p->text, &f.sought, at - f.sought.from);
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
    struct filter_run *outer = vm->filter;
    vm->filter = run;
    enum vm_status st = vm_run(vm, p->code, &unused);
    vm->filter = outer;
    if (st <= VM_NO)
        return VM_OK;
    size_t at = vm_error_offset(vm);
    if (!run->own_error && at != STR_NPOS)
        at = frame_error(vm, p, at);
    fill_diag(vm, p, diag, at == STR_NPOS ? 0 : at);
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
filter_list(struct buf *out, struct arena *a, const struct filter_program *p)
{
    if (p->code == NULL) {
        struct diag d = {.level = DIAG_ERROR, .text = p->error, .exim = p->error};
        d.at = place(a, p, p->error_at);
        diag_render(out, &d);
        return;
    }
    struct code c = *p->code;
    c.map = line_map(a, p);
    code_list(out, &c);
}
