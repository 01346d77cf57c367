/* The language machine: the loop that runs instructions, and the entries to it.
 *
 * Values live in the scratch arena or in what the host owns; the stack holds struct str only. An
 * error leaves through one place, which adds the suffixes of the ranges that it happened in and puts
 * back the state of the evaluation outside. Never runs code that the verifier did not pass.
 */
#include "filter/vm.h"

#include "base/num.h"
#include "filter/expand.h"
#include "filter/expand_parse.h"
#include "filter/filter_test.h"
#include "filter/fn.h"
#include "filter/host.h"
#include "filter/vm_cache.h"
#include "filter/vm_memo.h"
#include "filter/vm_state.h"
#include "sys/regex.h"

#include <string.h>
#include <time.h>

enum {
    STACK_CAP = 4096,
    DEFAULT_STEPS = 10000000,
    DEFAULT_DEPTH = 40,
    DEFAULT_MEMORY = 64 * 1024 * 1024,
    BUDGET_EVERY = 256, /* a power of two */
    RESULT_CHECKED = 16 * 1024,
};

static uint64_t
now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- budgets --- */

void
vm_set_budget(struct vm *vm, struct vm_budget budget)
{
    vm->budget = budget;
    if (budget.steps == 0)
        vm->budget.steps = DEFAULT_STEPS;
    if (budget.depth == 0)
        vm->budget.depth = DEFAULT_DEPTH;
    if (budget.memory == 0)
        vm->budget.memory = DEFAULT_MEMORY;
}

enum vm_status
vm_check_budget(struct vm *vm)
{
    size_t used = arena_used(vm->scratch);
    if (used > vm->memory_start && used - vm->memory_start > vm->budget.memory)
        return vm_fail(vm, "the expansion needs more than %zu bytes of memory",
                       vm->budget.memory);
    if (vm->deadline_ms != 0 && now_ms() > vm->deadline_ms)
        return vm_fail(vm, "the expansion takes longer than %u ms", vm->budget.time_ms);
    return VM_OK;
}

void
vm_start_clock(struct vm *vm)
{
    vm->deadline_ms = now_ms() + vm->budget.time_ms;
}

/* --- instructions that are more than a line --- */

/* A turn of a loop or a call of a function: what makes running longer than the code is. */
static inline enum vm_status
count_step(struct vm *vm)
{
    if ((vm->steps_left-- & (BUDGET_EVERY - 1)) != 0)
        return VM_OK;
    if (vm->steps_left == UINT64_MAX)
        return vm_fail(vm, "the expansion takes more than %llu steps",
                       (unsigned long long)vm->budget.steps);
    return vm_check_budget(vm);
}

/* Results longer than RESULT_CHECKED are held against the memory budget at once; the sum of shorter ones is looked at
 * every BUDGET_EVERY steps. */
static inline enum vm_status
check_result(struct vm *vm, const struct str *s)
{
    return s->n < RESULT_CHECKED ? VM_OK : vm_check_budget(vm);
}

/* Sixteen bytes at once. */
static inline void
copy_16(char *to, const char *from)
{
    uint64_t a, b;
    memcpy(&a, from, sizeof a);
    memcpy(&b, from + sizeof a, sizeof b);
    memcpy(to, &a, sizeof a);
    memcpy(to + sizeof a, &b, sizeof b);
}

enum { PIECE_MAX = 96 };

/* Copies a value of at most PIECE_MAX bytes and steps behind it: pieces that overlap hold it. */
static inline char *
copy_piece(char *to, const char *from, size_t n)
{
    uint64_t head, tail;
    uint32_t first, last;
    if (n <= 1) {
        if (n > 0)
            to[0] = from[0];
    } else if (n < sizeof first) {
        to[0] = from[0];
        to[1] = from[1];
        to[n - 1] = from[n - 1];
    } else if (n <= sizeof head) {
        memcpy(&first, from, sizeof first);
        memcpy(&last, from + n - sizeof last, sizeof last);
        memcpy(to, &first, sizeof first);
        memcpy(to + n - sizeof last, &last, sizeof last);
    } else if (n <= 2 * sizeof head) {
        memcpy(&head, from, sizeof head);
        memcpy(&tail, from + n - sizeof tail, sizeof tail);
        memcpy(to, &head, sizeof head);
        memcpy(to + n - sizeof tail, &tail, sizeof tail);
    } else {
        for (size_t i = 0; i + 16 < n; i += 16)
            copy_16(to + i, from + i);
        copy_16(to + n - 16, from + n - 16);
    }
    return to + n;
}

/* What the loop calls is kept out of it on purpose: its variables then stay in registers. */
#define APART __attribute__((noinline))

/* Joins v[0..n) into v[0]. */
static APART enum vm_status
concat_long(struct vm *vm, struct str *v, uint32_t n)
{
    size_t total = 0;
    uint32_t taint = v[0].taint;
    for (uint32_t i = 0; i < n; i++) {
        total += v[i].n;
        taint = v[i].taint == taint ? taint : str_taint_join(taint, v[i].taint);
    }
    if (total > vm->budget.memory)
        return vm_fail(vm, "the expansion needs more than %zu bytes of memory",
                       vm->budget.memory);
    char *p = arena_alloc(vm->scratch, total + 1);
    char *to = p;
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].n > 0)
            memcpy(to, v[i].p, v[i].n);
        to += v[i].n;
    }
    *to = '\0';
    v[0] = (struct str){p, (uint32_t)total, taint};
    return check_result(vm, v);
}

/* The same in one pass, for short values and while there is room; calls nothing, so it saves nothing. */
static APART enum vm_status
concat(struct vm *vm, struct str *v, uint32_t n)
{
    const struct str *const end = v + n;
    size_t room;
    char *const p = arena_room(vm->scratch, &room);
    char *to = p;
    uint32_t taint = v[0].taint;
    if (room <= (size_t)n * PIECE_MAX || n > RESULT_CHECKED / PIECE_MAX)
        return concat_long(vm, v, n);
    for (const struct str *s = v; s < end; s++) {
        if (s->n > PIECE_MAX)
            return concat_long(vm, v, n);
        if (s->taint != taint)
            taint = str_taint_join(taint, s->taint);
        to = copy_piece(to, s->p, s->n);
    }
    *to = '\0';
    size_t total = (size_t)(to - p);
    if (total > vm->budget.memory)
        return concat_long(vm, v, n);
    arena_take(vm->scratch, total + 1);
    v[0] = (struct str){p, (uint32_t)total, taint};
    return VM_OK;
}

static inline void
set_if_unset(struct str *s)
{
    if (s->p == NULL)
        *s = STR_EMPTY;
}

/* Asks for a variable or a header field; VM_NO: there is no such field. */
static APART enum vm_status
ask(struct vm *vm, enum op op, uint32_t number, struct str name, struct str *out)
{
    const struct memo_question q = {op, number, name};
    return vm->trace != NULL ? memo_ask_noted(vm, &q, out) : memo_ask(vm, &q, out);
}

static void
save(struct vm *vm)
{
    struct vm_saved *s = arena_alloc(vm->scratch, sizeof *s);
    *s = (struct vm_saved){vm->saves, vm->caps, vm->caps_n, vm->value};
    vm->saves = s;
}

static void
restore(struct vm *vm)
{
    const struct vm_saved *s = vm->saves;
    vm->caps = s->caps;
    vm->caps_n = s->caps_n;
    vm->value = s->value;
    vm->saves = s->prev;
}

/* Calls a function on argv; the value goes to argv[0], the answer to the flag. The function writes its value behind the
 * arguments, into the one place more that each frame has. */
static inline enum vm_status
call(struct vm *vm, uint32_t fn, struct str *argv, uint32_t argc)
{
    struct str *out = argv + argc;
    if (count_step(vm) != VM_OK)
        return VM_ERROR;
    *out = STR_EMPTY;
    enum vm_status st = vm->functions[fn].call(vm, argv, argc, out);
    if (st > VM_NO)
        return st;
    vm->flag = st == VM_OK;
    set_if_unset(out);
    argv[0] = *out;
    return check_result(vm, argv);
}

static APART enum vm_status
ask_host(struct vm *vm, uint32_t what, struct str *argv, uint32_t argc)
{
    struct str out = STR_EMPTY;
    if (count_step(vm) != VM_OK)
        return VM_ERROR;
    enum vm_status st = vm_host_call(vm, (enum host_call)what, argv, argc, &out);
    if (st > VM_NO)
        return st;
    vm->flag = st == VM_OK;
    set_if_unset(&out);
    argv[0] = out;
    return check_result(vm, argv);
}

static enum vm_status
refuse_tainted(struct vm *vm, struct str text)
{
    return vm_fail(vm, "attempt to expand tainted string '%.*s'", STR_ARG(text));
}

static APART enum vm_status
expand_again(struct vm *vm, struct str *text)
{
    struct str out = STR_EMPTY;
    enum vm_status st =
        str_is_tainted(*text) ? refuse_tainted(vm, *text) : vm_expand(vm, *text, &out);
    if (st == VM_OK) {
        *text = out;
        return VM_OK;
    }
    struct str inner = vm->error;
    (void)vm_fail(vm, "internal expansion of \"%.*s\" failed: %.*s", STR_ARG(*text),
                  STR_ARG(inner));
    return st;
}

static struct str
capture(struct vm *vm, uint32_t n)
{
    if (n < vm->caps_n)
        return vm->caps[n];
    vm->read_unset = true;
    return STR_EMPTY;
}

/* $value or $item. */
static inline struct str
or_empty(struct vm *vm, struct str s)
{
    if (s.p != NULL)
        return s;
    vm->read_unset = true;
    return STR_EMPTY;
}

static APART enum vm_status
need_integer(struct vm *vm, struct str s)
{
    int64_t n;
    enum num_status st = num_parse_int(s, &n);
    if (st == NUM_OK)
        return VM_OK;
    return vm_fail(vm, "%.*s", STR_ARG(num_int_error(vm->scratch, st, s)));
}

/* The expansion of a text that was not compiled with the rest. */
static APART enum vm_status
expand_text(struct vm *vm, struct str text, struct str *out)
{
    *out = STR_EMPTY;
    return vm_expand(vm, text, out);
}

static void
swap(struct str *two)
{
    struct str first = two[0];
    two[0] = two[1];
    two[1] = first;
}

/* --- the loop --- */

/* A constant of a rule of a filter, whose numbers are higher by `shift` now. The verifier knows only the lowest ones; no
 * compiler goes beyond the others. */
static inline const struct str *
rule_constant(const struct code *c, uint32_t number)
{
    static const struct str none = STR_INIT("");
    return number < c->consts_n ? &c->consts[number] : &none;
}

enum { TEST_RIGHT = FILTER_PART_RIGHT };

/* A test of a filter. The texts have a word each. */
static inline enum vm_status
test_filter(struct vm *vm, const struct code *c, uint32_t test, uint32_t shift,
            unsigned *in_text)
{
    enum filter_test_part part = FILTER_PART_OWN;
    const struct filter_test_row *t = &c->filter->tests[test];
    const struct str *right = rule_constant(c, t->constant + shift);
    if (filter_test_misses(vm->filter, t, *right)) {
        vm->flag = t->negated;
        return VM_OK;
    }
    enum vm_status st = filter_test_run(vm, t, &c->filter->operands[t->operand], *right, &part);
    *in_text = part; /* FILTER_PART_OWN is 0 */
    return st;
}

/* Labels as values, which gcc and clang know: each instruction goes straight to the next. The verifier let no word through
 * that has no label. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#define NEXT_WORD                                                                              \
    do {                                                                                       \
        word = *pc++;                                                                          \
        a = ins_a(word);                                                                       \
        goto *labels[word & 0xff];                                                             \
    } while (0)

#define NEXT_IF_GOOD                                                                           \
    do {                                                                                       \
        if (st > VM_NO)                                                                        \
            goto failed;                                                                       \
        NEXT_WORD;                                                                             \
    } while (0)

/* Runs from the first word to RETURN or ANSWER; vm->failure tells of a failure. The one long function: a row
 * of op.def is a case here. sp points behind the newest value; what may run other code is told of it
 * through vm->sp. */
static APART enum vm_status
run_words(struct vm *vm, const struct code *c, struct str *out)
{
    const uint32_t *const ins = c->ins;
    const struct str *const consts = c->consts;
    const uint32_t *pc = ins; /* behind the first word of the instruction that runs */
    struct str *sp = vm->stack + vm->sp;
    enum vm_status st = VM_OK;
    uint32_t shift = 0; /* of constants, inside a rule of a filter */
    uint32_t rule = VM_NO_RULE;
    unsigned in_text = 0; /* the failure is one of a text of its own */
    bool thrown = false;
    static const void *const labels[] = {
#define OP(name, shape, pops, pushes, effect, doc) &&op_##name,
#include "filter/op.def"
#undef OP
    };
    uint32_t word;
    uint32_t a;
    vm->sp += c->stack + 1; /* values of inner evaluations lie above ours */
    NEXT_WORD;
op_CONST:
    *sp++ = consts[a];
    NEXT_WORD;
op_EMPTY:
    *sp++ = STR_EMPTY;
    NEXT_WORD;
op_TEXT:
    st = expand_text(vm, consts[a], sp++);
    in_text = st > VM_NO;
    NEXT_IF_GOOD;
op_CONCAT:
    sp -= a - 1;
    st = concat(vm, sp - 1, a);
    NEXT_IF_GOOD;
op_POP:
    sp--;
    NEXT_WORD;
op_DUP:
    sp[0] = sp[-1];
    sp++;
    NEXT_WORD;
op_SWAP:
    swap(sp - 2);
    NEXT_WORD;
op_ISNUMBER:
    vm->flag = parse_is_number(sp[-1]);
    NEXT_WORD;
op_NEEDINT:
    st = need_integer(vm, sp[-1]);
    NEXT_IF_GOOD;
op_NEEDTEXT:
    sp[-1] = str_trim(sp[-1]);
    if (sp[-1].n > 0)
        NEXT_WORD;
    st = vm_fail(vm, "%.*s", STR_ARG(consts[a]));
    goto failed;
op_VAR:
    st = ask(vm, OP_VAR, a, STR_EMPTY, sp);
    set_if_unset(sp++);
    NEXT_IF_GOOD;
op_FAMILY:
    st = ask(vm, OP_FAMILY, a, consts[*pc++], sp);
    set_if_unset(sp++);
    NEXT_IF_GOOD;
op_HEADER:
    st = ask(vm, OP_HEADER, a, consts[*pc++], sp);
    set_if_unset(sp++);
    NEXT_IF_GOOD;
op_CAPTURE:
    *sp++ = capture(vm, a);
    NEXT_WORD;
op_VALUE:
    *sp++ = or_empty(vm, vm->value);
    NEXT_WORD;
op_ITEM:
    *sp++ = or_empty(vm, vm->item);
    NEXT_WORD;
op_RUNRC:
    *sp++ = str_printf(vm->scratch, "%d", vm->runrc);
    NEXT_WORD;
op_NONEMPTY:
    vm->flag = (--sp)->n > 0;
    NEXT_WORD;
op_HASHEADER : {
    struct str unused;
    st = ask(vm, OP_HASHEADER, a, consts[*pc++], &unused);
    vm->flag = st == VM_OK;
    NEXT_IF_GOOD;
}
op_TRUE:
    vm->flag = true;
    NEXT_WORD;
op_FALSE:
    vm->flag = false;
    NEXT_WORD;
op_NOT:
    vm->flag = !vm->flag;
    NEXT_WORD;
op_JUMP:
    if (ins + a < pc && (st = count_step(vm)) != VM_OK)
        goto failed;
    pc = ins + a;
    NEXT_WORD;
op_JUMPF:
    if (!vm->flag)
        pc = ins + a;
    NEXT_WORD;
op_JUMPT:
    if (vm->flag)
        pc = ins + a;
    NEXT_WORD;
op_CALL:
op_FIND : {
    uint32_t argc = *pc++;
    sp -= argc;
    st = call(vm, a, sp++, argc);
    NEXT_IF_GOOD;
}
op_TEST : {
    uint32_t argc = *pc++;
    sp -= argc;
    st = call(vm, a, sp, argc);
    NEXT_IF_GOOD;
}
op_HOST : {
    uint32_t argc = *pc++;
    sp -= argc;
    st = ask_host(vm, a, sp++, argc);
    NEXT_IF_GOOD;
}
op_EXPAND:
    st = expand_again(vm, sp - 1);
    NEXT_IF_GOOD;
op_SAVE:
    save(vm);
    NEXT_WORD;
op_RESTORE:
    restore(vm);
    NEXT_WORD;
op_SETVALUE:
    vm->value = *--sp;
    NEXT_WORD;
op_LOOP:
    st = vm_loop_start(vm, *--sp, a);
    NEXT_IF_GOOD;
op_NEXT:
    st = vm_loop_next(vm);
    if (st > VM_NO)
        goto failed;
    if (st == VM_NO)
        pc = ins + a;
    NEXT_WORD;
op_GATHER:
    vm_loop_gather(vm, *--sp);
    NEXT_WORD;
op_KEEP:
    if (vm->flag)
        vm_loop_gather(vm, vm->item);
    NEXT_WORD;
op_KEY:
    st = vm_loop_key(vm, *--sp);
    NEXT_IF_GOOD;
op_SORTED:
    st = vm_loop_sort(vm, *--sp);
    NEXT_IF_GOOD;
op_ENDLOOP:
    *sp++ = vm_loop_end(vm);
    NEXT_WORD;
op_LEAVE:
    (void)vm_loop_end(vm);
    NEXT_WORD;
op_IF:
    st = test_filter(vm, c, *pc++, shift, &in_text);
    if (st > VM_NO)
        goto failed_test;
    if (vm->flag)
        pc = ins + a;
    NEXT_WORD;
op_IFNOT:
    st = test_filter(vm, c, *pc++, shift, &in_text);
    if (st > VM_NO)
        goto failed_test;
    if (!vm->flag)
        pc = ins + a;
    NEXT_WORD;
op_RULE:
    shift = *pc++;
    rule = (uint32_t)(pc - ins) - 2;
    pc = ins + a;
    st = count_step(vm);
    NEXT_IF_GOOD;
op_RULEEND:
    if (rule != VM_NO_RULE)
        pc = ins + rule + 2;
    rule = VM_NO_RULE;
    shift = 0;
    NEXT_WORD;
op_ASK : {
    uint32_t argc = *pc++;
    sp -= argc;
    st = filter_run_ask(vm, a, sp, argc);
    NEXT_IF_GOOD;
}
op_ACTION : {
    uint32_t argc = *pc++;
    sp -= argc;
    st = filter_run_action(vm, a, sp, argc);
    NEXT_IF_GOOD;
}
op_ACTIONT : {
    struct str text;
    st = expand_text(vm, *rule_constant(c, *pc++ + shift), &text);
    in_text = st > VM_NO;
    if (st <= VM_NO) {
        st = filter_run_action(vm, a, &text, 1);
        pc -= st > VM_NO; /* the text has a place of its own */
    }
    NEXT_IF_GOOD;
}
op_FINISH:
    st = filter_run_action(vm, FILTER_FINISH, NULL, 0);
    if (st > VM_NO)
        goto failed;
    return VM_OK;
op_THROW:
    st = vm_fail(vm, "%.*s", STR_ARG(consts[a]));
    thrown = true;
    NEXT_IF_GOOD;
op_THROWERR:
    st = VM_ERROR;
    NEXT_IF_GOOD;
op_FORCE:
    (void)vm_fail(vm, "%.*s", STR_ARG(consts[a]));
    st = VM_FORCED;
    NEXT_IF_GOOD;
op_RETURN:
    *out = *--sp;
    return VM_OK;
op_ANSWER:
    return vm->flag ? VM_OK : VM_NO;
failed_test:
    pc -= in_text == TEST_RIGHT ? 0 : 1;
failed:
    vm->failure = (struct vm_failure){(uint32_t)(pc - ins) - 1, rule, in_text != 0, thrown};
    return st;
}

#undef NEXT_WORD
#undef NEXT_IF_GOOD
#pragma GCC diagnostic pop

static void
add_suffixes(struct vm *vm, const struct code *c, uint32_t pc)
{
    for (uint32_t i = c->ranges_n; i-- > 0;) { /* from the inside out */
        const struct code_range *r = &c->ranges[i];
        if (pc < r->from || pc >= r->to)
            continue;
        vm->error = str_printf(vm->scratch, "%.*s%s%.*s%s", r->replaces ? 0 : (int)vm->error.n,
                               vm->error.p, r->before, STR_ARG(r->name), r->after);
    }
}

/* The place of a failure, and what it happened in. */
static APART void
describe_failure(struct vm *vm, const struct code *c)
{
    const struct vm_failure *f = &vm->failure;
    bool inner = f->in_text && vm->error_offset != STR_NPOS;
    vm->error_offset = code_offset(c, f->pc) + (inner ? vm->error_offset : 0);
    if (!f->thrown)
        add_suffixes(vm, c, f->pc);
}

APART enum vm_status
vm_run_code(struct vm *vm, const struct code *c, struct str *out)
{
    if (c->filter != NULL &&
        (vm->filter == NULL || vm->filter->values_n < c->filter->operands_n))
        return vm_fail(vm, "this is for filters only");
    if (c->stack + 1 + FN_ARGS_MAX > vm->stack_cap - vm->sp || vm->depth >= vm->budget.depth)
        return vm_fail(vm, "expansions are nested too deeply");
    if (vm->depth == 0)
        vm_start_budget(vm);
    if (vm->trace != NULL && !c->steady)
        memo_spoil(vm);
    uint32_t sp = vm->sp;
    struct vm_saved *saves = vm->saves;
    struct loop *loops = vm->loops;
    struct str item = vm->item;
    struct str value = vm->value;
    const struct str *caps = vm->caps;
    unsigned caps_n = vm->caps_n;
    vm->depth++;
    enum vm_status st = run_words(vm, c, out);
    vm->depth--;
    vm->sp = sp;
    if (st > VM_NO) {
        describe_failure(vm, c);
        vm->saves = saves;
        vm->loops = loops;
        vm->item = item;
        vm->value = value;
        vm->caps = caps;
        vm->caps_n = caps_n;
    }
    return st;
}

enum vm_status
vm_run(struct vm *vm, const struct code *c, struct str *out)
{
    if (c->answer != NULL) {
        *out = *c->answer;
        return VM_OK;
    }
    /* code inside a run that is being remembered: what it reads counts, so it must read it */
    bool plain = c->memo == NULL || vm->trace != NULL;
    return plain ? vm_run_code(vm, c, out) : memo_run(vm, c, out);
}

/* --- entries --- */

enum vm_status
vm_expand(struct vm *vm, struct str text, struct str *out)
{
    if (expand_is_literal(text)) {
        *out = str_is_set(text) ? text : STR_EMPTY;
        return VM_OK;
    }
    if (str_is_tainted(text))
        return refuse_tainted(vm, text);
    return vm_run(vm, expand_cached(vm, text, false), out);
}

enum vm_status
vm_expand_code(struct vm *vm, const struct code *code, struct str *out)
{
    return vm_run(vm, code, out);
}

enum vm_status
vm_expand_x(struct vm *vm, const struct xstr *x, struct str *out)
{
    return x->code != NULL ? vm_run(vm, x->code, out) : vm_expand(vm, x->text, out);
}

enum vm_status
vm_condition(struct vm *vm, struct str text)
{
    struct str unused;
    if (str_is_tainted(text))
        return refuse_tainted(vm, text);
    return vm_run(vm, expand_cached(vm, text, true), &unused);
}

/* --- making and ending a machine --- */

struct vm *
vm_new(const struct host *host, void *env)
{
    struct arena *own = arena_new();
    struct vm *vm = ARENA_NEW(own, struct vm);
    vm->own = own;
    vm->host = host;
    vm->env = env;
    vm->scratch = arena_new();
    vm->cache = arena_new();
    vm->cache_before = arena_new();
    vm->stack = arena_alloc(own, STACK_CAP * sizeof *vm->stack);
    vm->stack_cap = STACK_CAP;
    vm->error = STR_EMPTY;
    vm->error_offset = STR_NPOS;
    size_t functions;
    vm->functions = fn_all(&functions);
    vm->forms = ARENA_ARRAY(own, unsigned char, functions);
    parse_note_item_forms(vm->forms);
    parse_note_condition_forms(vm->forms);
    vm->checks = ARENA_ARRAY(own, unsigned char, functions);
    parse_note_checks(vm->checks);
    vm->regex = regex_ctx_new(own);
    vm_set_budget(vm, (struct vm_budget){.steps = 0});
    vm_reset_state(vm);
    return vm;
}

void
vm_free(struct vm *vm)
{
    if (vm == NULL)
        return;
    arena_free(vm->cache);
    arena_free(vm->cache_before);
    arena_free(vm->scratch);
    arena_free(vm->kept);
    arena_free(vm->own);
}
