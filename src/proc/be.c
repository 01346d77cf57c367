/* Tries expansions out: -be, -bem and -bD; see be.h.
 *
 * The loop reads and writes in blocks. What was written goes out before the program waits for more
 * input, so a peer on a pipe or a person sees every answer, and a file of lines costs one call a block. Lines
 * are as Exim takes them: white space at the end goes, a backslash there joins the next line.
 */
#include "proc/be.h"

#include "base/buf.h"
#include "base/map.h"
#include "conf/debug.h"
#include "conf/eval.h"
#include "filter/expand.h"
#include "proc/be_macros.h"
#include "proc/context.h"
#include "proc/notice.h"
#include "sys/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { IN_SIZE = 65536, OUT_SIZE = 32768, LINE_MAX_BYTES = 16 * 1024 * 1024 };

struct be {
    struct mode *mode;
    struct vm *vm;
    struct arena_mark mark; /* of the machine's scratch between two lines */
    struct be_macros *macros;
    struct arena *lines; /* the line at hand */
    char in[IN_SIZE];
    size_t in_at, in_n;
    bool in_ended;
    bool in_nul; /* a NUL was read: lines are searched for it from then on */
    char out[OUT_SIZE];
    size_t out_n;
    bool
        plain; /* no macro is defined and nothing is traced: a line that was answered before needs no look at it */
    bool fatal;   /* an evaluation ended the program */
    bool unusual; /* a line was put together in the arena, or we are debugging: see tidy */
};

/* --- output --- */

static void
flush_out(struct be *be)
{
    if (be->out_n > 0)
        file_write_all(STDOUT_FILENO, be->out, be->out_n);
    be->out_n = 0;
}

static void
put_large(struct be *be, const char *p, size_t n)
{
    flush_out(be);
    if (n > OUT_SIZE) {
        file_write_all(STDOUT_FILENO, p, n);
        return;
    }
    memcpy(be->out, p, n);
    be->out_n = n;
}

static inline void
put(struct be *be, const char *p, size_t n)
{
    if (n > OUT_SIZE - be->out_n) {
        put_large(be, p, n);
    } else if (n > 0) {
        memcpy(be->out + be->out_n, p, n);
        be->out_n += n;
    }
}

static void
put_str(struct be *be, struct str s)
{
    put(be, s.p, s.n);
}

static inline void
put_line(struct be *be, struct str s)
{
    put(be, s.p, s.n);
    if (be->out_n == OUT_SIZE)
        flush_out(be);
    be->out[be->out_n++] = '\n';
}

/* --- input --- */

static bool
refill(struct be *be)
{
    if (be->in_ended)
        return false;
    flush_out(be);
    ssize_t n;
    do {
        n = read(STDIN_FILENO, be->in, IN_SIZE);
    } while (n < 0 && errno == EINTR);
    be->in_at = 0;
    be->in_n = n > 0 ? (size_t)n : 0;
    be->in_ended = n <= 0;
    be->in_nul = be->in_nul || memchr(be->in, '\0', be->in_n) != NULL;
    return n > 0;
}

/* What a line of text ends with for its reader: nothing after a NUL, no white space. */
static inline struct str
cut_line(const struct be *be, struct str s)
{
    size_t nul = be->in_nul ? str_chr(s, '\0', 0) : STR_NPOS;
    if (nul != STR_NPOS)
        s = str_sub(s, 0, nul);
    while (s.n > 0 && ascii_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* A line that goes on in the next block. */
static __attribute__((noinline)) bool
next_raw_of_blocks(struct be *be, struct str *line)
{
    struct buf b = buf_in(be->lines, LINE_MAX_BYTES);
    be->unusual = true;
    for (;;) {
        const char *from = be->in + be->in_at;
        size_t left = be->in_n - be->in_at;
        const char *nl = memchr(from, '\n', left);
        size_t n = nl != NULL ? (size_t)(nl - from) : left;
        buf_add(&b, from, n);
        be->in_at += nl != NULL ? n + 1 : n;
        if (nl != NULL || !refill(be))
            break;
    }
    *line = buf_str(&b);
    if (line->p == NULL)
        *line = STR_EMPTY;
    return true;
}

/* One physical line, without its newline; it may lie in the input buffer, so it is good only until the next
 * call. False at the end of input. */
static inline bool
next_raw(struct be *be, struct str *line)
{
    if (be->in_at == be->in_n && !refill(be))
        return false;
    const char *from = be->in + be->in_at;
    const char *nl = memchr(from, '\n', be->in_n - be->in_at);
    if (nl == NULL)
        return next_raw_of_blocks(be, line);
    *line = (struct str){from, (uint32_t)(nl - from), STR_CLEAN};
    be->in_at += line->n + (size_t)1;
    return true;
}

/* A logical line of which the first physical one ends with a backslash. */
static __attribute__((noinline)) struct str
join_lines(struct be *be, struct str part)
{
    struct str raw;
    struct buf b = buf_in(be->lines, LINE_MAX_BYTES);
    be->unusual = true;
    while (part.n > 0 && part.p[part.n - 1] == '\\') {
        buf_add(&b, part.p, part.n - 1);
        if (!next_raw(be, &raw)) {
            part = STR_EMPTY;
            break;
        }
        part = str_trim_left(cut_line(be, raw));
    }
    buf_add(&b, part.p, part.n);
    return buf_str(&b);
}

/* One logical line. */
static inline bool
next_line(struct be *be, struct str *line)
{
    struct str raw;
    if (!next_raw(be, &raw))
        return false;
    *line = cut_line(be, raw);
    if (line->n > 0 && line->p[line->n - 1] == '\\')
        *line = join_lines(be, *line);
    return true;
}

/* --- `set acl_m_x = text` --- */

/* Cuts "set[,t] acl_c_x = text"; false when the line is something else. */
static bool
cut_setting(struct str line, struct str *name, struct str *text, bool *taint)
{
    if (!str_starts(line, "set"))
        return false;
    struct str rest = str_sub(line, 3, line.n);
    *taint = str_starts(rest, ",t");
    if (*taint)
        rest = str_sub(rest, 2, rest.n);
    if (rest.n == 0 || !ascii_space(rest.p[0]))
        return false;
    rest = str_trim_left(rest);
    uint32_t n = 0;
    while (n < rest.n && (ascii_alnum(rest.p[n]) || rest.p[n] == '_'))
        n++;
    *name = str_sub(rest, 0, n);
    rest = str_trim_left(str_sub(rest, n, rest.n));
    if (rest.n == 0 || rest.p[0] != '=')
        return false;
    *text = str_trim_left(str_sub(rest, 1, rest.n));
    return str_starts(*name, "acl_c") || str_starts(*name, "acl_m");
}

static struct map *
variables(struct mode *m, char which)
{
    struct map **map = which == 'c' ? &m->eval->acl_c : &m->eval->acl_m;
    if (*map == NULL)
        *map = map_new(m->arena, MAP_CASEFUL);
    return *map;
}

/* The value outlives the line, so it goes into the arena of the evaluation. */
static bool
take_setting(struct be *be, struct str line)
{
    struct mode *m = be->mode;
    struct str name, text;
    bool taint;
    if (!cut_setting(line, &name, &text, &taint))
        return false;
    struct str *value = ARENA_NEW(m->arena, struct str);
    *value = str_dup(m->arena, text);
    if (taint)
        *value = str_tainted(*value);
    name = str_dup(m->arena, str_sub(name, strlen("acl_"), name.n));
    map_set(variables(m, name.p[0]), name, value);
    put(be, "variable ", 9);
    put_str(be, name);
    put(be, " set\n", 5);
    return true;
}

/* --- answers --- */

/* -d: what was expanded, and what came of it. */
static void
trace(struct be *be, const char *what, struct str text)
{
    flush_out(be);
    debug_line(be->mode->cli->debug_selector, what, text);
}

static __attribute__((noinline)) void
put_failure(struct be *be)
{
    if (str_is_set(be->mode->eval->fatal)) {
        flush_out(be);
        notice_panic(vm_scratch(be->vm), be->mode->conf, be->mode->eval->fatal);
        be->fatal = true;
    } else {
        put(be, "Failed: ", 8);
        put_line(be, vm_error(be->vm));
    }
}

static inline void
put_result(struct be *be, enum vm_status st, struct str value)
{
    if (st == VM_OK)
        put_line(be, value);
    else
        put_failure(be);
}

static void
expand_line(struct be *be, struct str line)
{
    struct str value;
    bool debug = be->mode->cli->debug;
    if (debug)
        trace(be, "expanding", line);
    enum vm_status st = vm_expand(be->vm, line, &value);
    if (debug)
        trace(be, st == VM_OK ? "result" : "failed", st == VM_OK ? value : vm_error(be->vm));
    put_result(be, st, value);
}

static inline bool
has_item(struct str line)
{
    return line.n > 0 && (line.p[0] == '$' || memchr(line.p, '$', line.n) != NULL);
}

/* A line that was answered before is not looked at again, but for what it stands for. False: it was not. */
static inline bool
answer_again(struct be *be, struct str line)
{
    struct str text;
    enum vm_status st;
    if (!be->plain || !has_item(line) || !vm_expand_again(be->vm, line, &st, &text))
        return false;
    put_result(be, st, text);
    vm_release(be->vm, be->mark);
    return true;
}

static __attribute__((noinline)) void
answer_new(struct be *be, struct str line)
{
    struct str text;
    switch (be_macros_take(be->macros, vm_scratch(be->vm), line, &text)) {
    case BE_LINE_TEXT:
        expand_line(be, text);
        break;
    case BE_LINE_DEFINED:
        be->plain = false;
        put_line(be, text);
        break;
    case BE_LINE_FAULT:
        flush_out(be);
        notice_main(text);
        break;
    }
    vm_release(be->vm, be->mark);
}

static inline void
answer_value(struct be *be, struct str line)
{
    if (!answer_again(be, line))
        answer_new(be, line);
}

static inline void
answer_line(struct be *be, struct str line)
{
    if (line.n > 4 && line.p[0] == 's' && take_setting(be, line))
        return;
    answer_value(be, line);
}

static void
answer_listing(struct be *be, struct str line)
{
    struct arena *a = arena_new();
    struct diags *diags = diags_new(a, 0);
    const struct code *code = expand_compile(a, be->mode->vm, line, NULL, diags);
    struct buf out = buf_in(a, 0);
    code_list(&out, code);
    for (size_t i = 0; i < diags_total(diags); i++)
        diag_render(&out, diags_at(diags, i));
    put_str(be, buf_str(&out));
    arena_free(a);
}

static void
answer_arguments(struct be *be, void (*answer)(struct be *be, struct str line))
{
    const struct cli *cli = be->mode->cli;
    for (size_t i = 0; i < cli->args.n && !be->fatal; i++) {
        /* The caller is the one whose privilege is used, so what is typed here is program text. */
        answer(be, str_untaint_by_rule(cli->args.v[i], "expansion test of the caller"));
        if (cli->debug)
            flush_out(be);
    }
}

/* What only some lines leave behind, and what is written at once when debugging. */
static __attribute__((noinline)) void
tidy(struct be *be)
{
    arena_clear(be->lines);
    if (be->mode->cli->debug)
        flush_out(be);
    be->unusual = be->mode->cli->debug;
}

/* A prompt before each line and one before the end of input. */
static inline void
put_prompt(struct be *be)
{
    if (be->unusual)
        tidy(be);
    if (OUT_SIZE - be->out_n < 2)
        flush_out(be);
    be->out[be->out_n++] = '>';
    be->out[be->out_n++] = ' ';
}

static void
answer_lines(struct be *be)
{
    struct str line;
    for (put_prompt(be); next_line(be, &line); put_prompt(be)) {
        answer_line(be, line);
        if (be->fatal)
            return;
    }
    put(be, "\n", 1);
}

static void
list_lines(struct be *be)
{
    struct str line;
    for (put_prompt(be); next_line(be, &line); put_prompt(be))
        answer_listing(be, line);
    put(be, "\n", 1);
}

static int
run_answers(struct mode *m, void (*of_argument)(struct be *, struct str),
            void (*of_input)(struct be *))
{
    struct be *be = ARENA_NEW(m->arena, struct be);
    be->mode = m;
    be->vm = m->vm;
    (void)arena_alloc(vm_scratch(m->vm), 1); /* a block that all lines use again */
    be->mark = arena_mark(vm_scratch(m->vm));
    be->macros = be_macros_new(m);
    be->plain = be_macros_none(be->macros) && !m->cli->debug;
    be->unusual = m->cli->debug;
    be->lines = arena_new();
    if (m->cli->args.n > 0)
        answer_arguments(be, of_argument);
    else
        of_input(be);
    flush_out(be);
    arena_free(be->lines);
    return be->fatal ? 1 : 0;
}

int
be_run(struct mode *m)
{
    if (!context_fill(m))
        return 1;
    return run_answers(m, answer_value, answer_lines);
}

int
be_list(struct mode *m)
{
    return run_answers(m, answer_listing, list_lines);
}
