/* Regular expressions: ${if match and ${sg. */
#include "base/arena.h"
#include "base/buf.h"
#include "filter/fn.h"
#include "filter/fn_arg.h"
#include "filter/vm_state.h"
#include "sys/regex.h"

/* What ${sg may make. A short text with a long replacement grows by their product. */
enum { SG_MAX = 64 << 20 };

static const struct regex *
compile(struct vm *vm, struct str pattern)
{
    struct str why = STR_EMPTY;
    size_t at = 0;
    const struct regex *re = vm_regex(vm, pattern, 0, &why, &at);
    if (re == NULL)
        (void)vm_fail(vm, "regular expression error in \"%.*s\": %.*s at offset %zu",
                      STR_ARG(pattern), STR_ARG(why), at);
    return re;
}

enum vm_status
fn_cond_match(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    (void)out;
    const struct regex *re = compile(vm, argv[1]);
    return re == NULL ? VM_ERROR : vm_regex_match(vm, re, argv[0]);
}

/* --- ${sg --- */

/* The replacement, which is expanded at each match. Nearly all are text and captures: these are cut into
 * pieces once. */
struct piece {
    struct str text;
    int capture; /* or -1: the text */
};

enum { PIECES = 16 };

struct replacement {
    struct str whole;
    bool simple; /* pieces say it all */
    unsigned n;
    struct piece pieces[PIECES];
};

/* $N, or ${N}: the number, and *at behind it. -1: something else. */
static int
read_capture(struct str s, size_t *at)
{
    size_t i = *at + 1;
    bool braced = i < s.n && s.p[i] == '{';
    int n = 0;
    if (braced)
        i++;
    size_t from = i;
    for (; i < s.n && ascii_digit(s.p[i]); i++) {
        if (n < VM_CAPS)
            n = n * 10 + (s.p[i] - '0');
    }
    if (i == from || (braced && (i == s.n || s.p[i++] != '}')))
        return -1;
    *at = i;
    return n;
}

static bool
add_piece(struct replacement *r, struct str text, int capture)
{
    if (capture < 0 && text.n == 0)
        return true;
    if (r->n == PIECES)
        return false;
    r->pieces[r->n++] = (struct piece){text, capture};
    return true;
}

static void
cut(struct replacement *r, struct str s)
{
    size_t from = 0;
    r->whole = s;
    r->simple = false;
    r->n = 0;
    for (size_t at = 0; at < s.n;) {
        if (s.p[at] == '\\')
            return;
        if (s.p[at] != '$') {
            at++;
            continue;
        }
        struct str before = str_sub(s, from, at - from);
        /* a tainted text with a dollar in it is left for the machine to refuse */
        int n = str_is_tainted(s) ? -1 : read_capture(s, &at);
        if (n < 0 || !add_piece(r, before, -1) || !add_piece(r, STR_EMPTY, n))
            return;
        from = at;
    }
    r->simple = add_piece(r, str_sub(s, from, s.n), -1);
}

static enum vm_status
add_replacement(struct vm *vm, struct buf *b, const struct replacement *r,
                const struct str *caps, unsigned n)
{
    struct str text;
    if (!r->simple) {
        vm_set_captures(vm, caps, n);
        enum vm_status st = vm_expand(vm, r->whole, &text);
        if (st == VM_OK)
            buf_adds(b, text);
        return st;
    }
    for (unsigned i = 0; i < r->n; i++) {
        const struct piece *p = &r->pieces[i];
        if (p->capture < 0)
            buf_adds(b, p->text);
        else if ((unsigned)p->capture < n)
            buf_adds(b, caps[p->capture]);
    }
    return VM_OK;
}

/* Where a substitution stands. */
struct sg {
    struct vm *vm;
    const struct regex *re;
    struct str subject;
    struct replacement with;
    struct buf made;
    size_t copied; /* the subject is in made up to here */
    bool empty;    /* the last match was empty: not again at this place */
};

/* Copies the subject up to `to`. */
static void
copy_to(struct sg *g, size_t to)
{
    buf_adds(&g->made, str_sub(g->subject, g->copied, to - g->copied));
    g->copied = to;
}

/* One match and its replacement, or one byte that nothing matched at. VM_NO: no more. */
static enum vm_status
step(struct sg *g)
{
    struct str caps[VM_CAPS];
    int n =
        regex_match_from(g->re, g->vm->regex, g->subject, g->copied, g->empty, caps, VM_CAPS);
    if (n < 0)
        return vm_fail(g->vm, "a regular expression hit its limit");
    if (n == 0 && !g->empty)
        return VM_NO;
    if (n == 0) {
        if (g->copied == g->subject.n)
            return VM_NO;
        g->empty = false;
        copy_to(g, g->copied + 1);
        return VM_OK;
    }
    size_t at = caps[0].p == NULL ? g->copied : (size_t)(caps[0].p - g->subject.p);
    if (at > g->copied) /* a look-behind with \K can start earlier */
        copy_to(g, at);
    enum vm_status st = add_replacement(g->vm, &g->made, &g->with, caps, (unsigned)n);
    g->empty = caps[0].n == 0;
    if (at + caps[0].n > g->copied)
        g->copied = at + caps[0].n;
    else
        g->empty = true; /* no progress */
    return st;
}

static enum vm_status
substitute(struct vm *vm, const struct regex *re, const struct str *argv, struct str *out)
{
    struct sg g; /* not cleared as a whole: the pieces are many */
    enum vm_status st;
    g.vm = vm;
    g.re = re;
    g.subject = argv[0];
    g.copied = 0;
    g.empty = false;
    g.made = buf_in(vm_scratch(vm), SG_MAX);
    cut(&g.with, argv[2]);
    while ((st = step(&g)) == VM_OK) {
        if (g.made.overflow)
            return vm_fail(vm, "result of \"sg\" is too long");
        if (vm_check_budget(vm) != VM_OK)
            return VM_ERROR;
    }
    if (st != VM_NO)
        return st;
    *out = g.subject;
    if (g.made.n > 0 || g.copied > 0) {
        copy_to(&g, g.subject.n);
        *out = buf_str(&g.made);
    }
    return VM_OK;
}

enum vm_status
fn_item_sg(struct vm *vm, const struct str *argv, unsigned argc, struct str *out)
{
    (void)argc;
    const struct str *caps = vm->caps;
    unsigned caps_n = vm->caps_n;
    const struct regex *re = compile(vm, argv[1]);
    if (re == NULL)
        return VM_ERROR;
    enum vm_status st = substitute(vm, re, argv, out);
    vm->caps = caps;
    vm->caps_n = caps_n;
    return st;
}
