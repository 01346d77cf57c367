/* Runs that are remembered together with what they read; see vm_memo.h.
 *
 * What is remembered lies in the arena of the code and is written over in place, so values go out as copies. Code that
 * reads something else each time it runs is given up soon: remembering costs more than a run then.
 */
#include "filter/vm_memo.h"

#include "base/load.h"
#include "filter/host.h"
#include "filter/vm_state.h"

#include <string.h>

enum {
    ANSWERS_MAX = 8,  /* of a run that is remembered */
    BYTES_MAX = 1024, /* of all its texts */
    ROOM_MORE = 32,   /* bytes left for texts that are a bit longer the next time */
    CREDIT_FIRST = 6,
    CREDIT_MOST = 16,
    NOTING_COSTS = 2, /* what a value that was found again earns is 1 */
};

struct memo_answer {
    struct memo_question question;
    enum vm_status st;
    struct str text;
};

struct memo {
    int credit;       /* 0 or less: no further run is remembered */
    uint32_t n;       /* answers */
    uint32_t turn;    /* of the machine's settings */
    struct str value; /* of the code; p == NULL: nothing is remembered */
    struct memo_answer *answers;
    size_t room; /* bytes at answers, for them and the texts */
};

struct memo_trace {
    size_t bytes;
    uint32_t n; /* also counts what there was no room for */
    struct memo_answer answers[ANSWERS_MAX];
};

struct memo *
memo_new(struct arena *a)
{
    struct memo *m = arena_alloc(a, sizeof *m);
    *m = (struct memo){.credit = CREDIT_FIRST, .value = STR_NULL};
    return m;
}

/* --- questions --- */

static inline bool
is_same(const struct memo_answer *a, enum vm_status st, struct str text)
{
    return a->st == st && a->text.n == text.n && a->text.taint == text.taint &&
           (text.n > 32 ? memcmp(a->text.p, text.p, text.n) == 0
                        : load_same(a->text.p, text.p, text.n));
}

static inline enum vm_status
ask(struct vm *vm, const struct memo_question *q, struct str *out)
{
    *out = STR_EMPTY;
    if (q->op == OP_HEADER || q->op == OP_HASHEADER)
        return vm->host->header == NULL
                   ? VM_NO
                   : vm->host->header(vm->env, vm, (enum header_form)q->number, q->name, out);
    enum vm_status st = vm->host->vars[q->number].get(vm->env, vm, q->name, out);
    return st == VM_NO ? VM_OK : st;
}

enum vm_status
memo_ask(struct vm *vm, const struct memo_question *q, struct str *out)
{
    return ask(vm, q, out);
}

/* A question that was asked before, and answered alike, says nothing new. */
static bool
is_known(const struct memo_trace *t, const struct memo_answer *a)
{
    for (uint32_t i = 0; i < t->n && i < ANSWERS_MAX; i++) {
        const struct memo_answer *b = &t->answers[i];
        if (b->question.op == a->question.op && b->question.number == a->question.number &&
            str_eq(b->question.name, a->question.name) && is_same(b, a->st, a->text))
            return true;
    }
    return false;
}

/* The host may evaluate texts of its own meanwhile: what they read is not what the code reads. */
enum vm_status
memo_ask_noted(struct vm *vm, const struct memo_question *q, struct str *out)
{
    struct memo_trace *t = vm->trace;
    vm->trace = NULL;
    enum vm_status st = ask(vm, q, out);
    vm->trace = t;
    const struct memo_answer a = {*q, st, *out};
    if (is_known(t, &a))
        return st;
    if (t->n < ANSWERS_MAX)
        t->answers[t->n] = a;
    t->n++;
    t->bytes += out->n;
    return st;
}

void
memo_spoil(struct vm *vm)
{
    vm->trace->n = ANSWERS_MAX + 1;
}

/* --- remembering --- */

static struct str
keep(char **to, struct str s)
{
    char *p = *to;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    *to += s.n;
    return (struct str){p, s.n, s.taint};
}

static void
note(struct vm *vm, struct memo *m, const struct memo_trace *t, struct str value)
{
    size_t bytes = t->bytes + value.n;
    size_t need = t->n * sizeof *t->answers + bytes;
    m->credit -= NOTING_COSTS;
    if (t->n > ANSWERS_MAX || bytes > BYTES_MAX) {
        m->credit = 0;
        return;
    }
    if (need > m->room) {
        m->room = need + ROOM_MORE;
        m->answers = arena_alloc(vm->cache, m->room);
    }
    char *to = (char *)(m->answers + t->n);
    for (uint32_t i = 0; i < t->n; i++) {
        m->answers[i] = t->answers[i];
        m->answers[i].text = keep(&to, t->answers[i].text);
    }
    m->n = t->n;
    m->value = keep(&to, value);
    m->turn = vm->settings_turn;
}

/* Runs without what items see of the evaluation round the code. Code that looks at that is not remembered, and runs once
 * more with it. */
static enum vm_status
run_noted(struct vm *vm, const struct code *c, struct str *out)
{
    struct memo_trace t;
    struct str value = vm->value;
    struct str item = vm->item;
    const struct str *caps = vm->caps;
    unsigned caps_n = vm->caps_n;
    bool before = vm->read_unset;
    vm->value = STR_NULL;
    vm->item = STR_NULL;
    vm->caps_n = 0;
    vm->read_unset = false;
    t.n = 0;
    t.bytes = 0;
    vm->trace = &t;
    enum vm_status st = vm_run_code(vm, c, out);
    vm->trace = NULL;
    vm->value = value;
    vm->item = item;
    vm->caps = caps;
    vm->caps_n = caps_n;
    bool alone = !vm->read_unset;
    vm->read_unset = before;
    if (!alone) {
        c->memo->credit = 0;
        return vm_run_code(vm, c, out);
    }
    if (st == VM_OK)
        note(vm, c->memo, &t, *out);
    return st;
}

/* --- finding again --- */

/* Asking is as deep as running, and what the host evaluates for it has the same budget. */
static inline bool
holds(struct vm *vm, const struct memo *m)
{
    bool good = m->turn == vm->settings_turn && vm->depth < vm->budget.depth;
    if (vm->depth++ == 0)
        vm_start_budget(vm);
    for (uint32_t i = 0; good && i < m->n; i++) {
        struct str text;
        enum vm_status st = ask(vm, &m->answers[i].question, &text);
        good = is_same(&m->answers[i], st, text);
    }
    vm->depth--;
    return good;
}

enum vm_status
memo_run(struct vm *vm, const struct code *c, struct str *out)
{
    struct memo *m = c->memo;
    if (m->value.p != NULL && holds(vm, m)) {
        m->credit += m->credit < CREDIT_MOST;
        *out = str_dup(vm->scratch, m->value);
        return VM_OK;
    }
    m->value.p = NULL;
    return m->credit > 0 ? run_noted(vm, c, out) : vm_run_code(vm, c, out);
}
