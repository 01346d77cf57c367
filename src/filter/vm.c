/* The language machine: the loop that runs instructions, and the entries to it.
 *
 * Values live in the scratch arena or in what the host owns; the stack holds struct str only. An
 * error leaves through one place, which adds the suffixes of the ranges that it happened in and puts
 * back the state of the evaluation outside. Never runs code that the verifier did not pass.
 */
#include "filter/vm.h"

#include "base/buf.h"
#include "filter/expand.h"
#include "filter/fn.h"
#include "filter/host.h"
#include "filter/vm_cache.h"
#include "filter/vm_state.h"
#include "sys/regex.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    STACK_CAP = 4096,
    DEFAULT_STEPS = 10000000,
    DEFAULT_DEPTH = 40,
    DEFAULT_MEMORY = 64 * 1024 * 1024,
    ERROR_MAX = 8192,
    KEPT_VALUE_MAX = 64 * 1024,
    TIME_EVERY = 0x3ff,
};

static uint64_t
now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- state that items see --- */

void
vm_set_captures(struct vm *vm, const struct str *caps, unsigned n)
{
    if (n > VM_CAPS)
        n = VM_CAPS;
    struct str *copy = arena_alloc(vm->scratch, n * sizeof *copy);
    if (n > 0)
        memcpy(copy, caps, n * sizeof *copy);
    vm->caps = copy;
    vm->caps_n = n;
}

unsigned
vm_captures(const struct vm *vm, const struct str **caps)
{
    *caps = vm->caps;
    return vm->caps_n;
}

void
vm_set_value(struct vm *vm, struct str value)
{
    vm->value = value;
}

struct str
vm_value(const struct vm *vm)
{
    return vm->value;
}

void
vm_set_item(struct vm *vm, struct str item)
{
    vm->item = item;
}

struct str
vm_item(const struct vm *vm)
{
    return vm->item;
}

void
vm_set_runrc(struct vm *vm, int rc)
{
    vm->runrc = rc;
}

int
vm_runrc(const struct vm *vm)
{
    return vm->runrc;
}

struct vm_checked *
vm_checked(struct vm *vm)
{
    return &vm->checked;
}

void
vm_release(struct vm *vm, struct arena_mark mark)
{
    struct str value = vm->value;
    if (!str_is_set(value) || value.n > KEPT_VALUE_MAX) {
        value = STR_NULL;
    } else if (value.p != vm->kept_value.p) {
        if (vm->kept == NULL)
            vm->kept = arena_new();
        arena_clear(vm->kept);
        value = str_dup(vm->kept, value);
    }
    vm->kept_value = value;
    int runrc = vm->runrc;
    vm_reset_state(vm);
    vm->value = value;
    vm->runrc = runrc;
    vm->error = STR_EMPTY;
    arena_reset(vm->scratch, mark);
}

void
vm_reset_state(struct vm *vm)
{
    vm->checked = (struct vm_checked){STR_NULL, STR_NULL, STR_NULL, STR_NULL};
    vm->caps = NULL;
    vm->caps_n = 0;
    vm->value = STR_NULL;
    vm->item = STR_NULL;
    vm->runrc = 0;
}

struct arena *
vm_scratch(struct vm *vm)
{
    return vm->scratch;
}

const struct host *
vm_host(const struct vm *vm)
{
    return vm->host;
}

void *
vm_env(const struct vm *vm)
{
    return vm->env;
}

/* --- errors --- */

static void __attribute__((format(printf, 2, 0)))
set_error(struct vm *vm, const char *fmt, va_list ap)
{
    char text[ERROR_MAX];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    vm->error = str_dup(vm->scratch, str_from(text, len));
    vm->error_offset = STR_NPOS;
}

enum vm_status
vm_fail(struct vm *vm, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_error(vm, fmt, ap);
    va_end(ap);
    return VM_ERROR;
}

enum vm_status
vm_defer(struct vm *vm, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_error(vm, fmt, ap);
    va_end(ap);
    return VM_DEFER;
}

struct str
vm_error(const struct vm *vm)
{
    return vm->error;
}

size_t
vm_error_offset(const struct vm *vm)
{
    return vm->error_offset;
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

static void
start_budget(struct vm *vm)
{
    vm->steps_left = vm->budget.steps;
    vm->memory_start = arena_used(vm->scratch);
    vm->deadline_ms = vm->budget.time_ms == 0 ? 0 : now_ms() + vm->budget.time_ms;
}

/* --- instructions that are more than a line --- */

static enum vm_status
concat(struct vm *vm, uint32_t n)
{
    struct str *v = vm->stack + vm->sp - n;
    size_t total = 0;
    uint32_t taint = STR_CLEAN;
    for (uint32_t i = 0; i < n; i++) {
        total += v[i].n;
        taint = str_taint_join(taint, v[i].taint);
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
    vm->sp -= n - 1;
    return vm_check_budget(vm);
}

static enum vm_status
get_variable(struct vm *vm, uint32_t index, struct str rest)
{
    struct str s = STR_EMPTY;
    enum vm_status st = vm->host->vars[index].get(vm->env, vm, rest, &s);
    vm->stack[vm->sp++] = str_is_set(s) ? s : STR_EMPTY;
    return st == VM_NO ? VM_OK : st;
}

static enum vm_status
get_header(struct vm *vm, uint32_t form, struct str name, bool only_ask)
{
    struct str s = STR_EMPTY;
    enum vm_status st = VM_NO;
    if (vm->host->header != NULL)
        st = vm->host->header(vm->env, vm, (enum header_form)form, name, &s);
    if (st != VM_OK && st != VM_NO)
        return st;
    if (only_ask)
        vm->flag = st == VM_OK;
    else
        vm->stack[vm->sp++] = st == VM_OK ? s : STR_EMPTY;
    return VM_OK;
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

/* A function that pushes a value and, with `find`, sets the condition. */
static enum vm_status
call(struct vm *vm, uint32_t fn, uint32_t argc, bool find)
{
    size_t n;
    struct str out = STR_EMPTY;
    struct str *argv = vm->stack + vm->sp - argc;
    enum vm_status st = fn_all(&n)[fn].call(vm, argv, argc, &out);
    if (st != VM_OK && st != VM_NO)
        return st;
    vm->sp -= argc;
    if (find)
        vm->flag = st == VM_OK;
    vm->stack[vm->sp++] = str_is_set(out) ? out : STR_EMPTY;
    return vm_check_budget(vm);
}

static enum vm_status
test(struct vm *vm, uint32_t fn, uint32_t argc)
{
    size_t n;
    struct str out = STR_EMPTY;
    struct str *argv = vm->stack + vm->sp - argc;
    enum vm_status st = fn_all(&n)[fn].call(vm, argv, argc, &out);
    if (st != VM_OK && st != VM_NO)
        return st;
    vm->sp -= argc;
    vm->flag = st == VM_OK;
    return vm_check_budget(vm);
}

static enum vm_status
ask_host(struct vm *vm, uint32_t what, uint32_t argc)
{
    struct str out = STR_EMPTY;
    struct str *argv = vm->stack + vm->sp - argc;
    enum vm_status st = vm_host_call(vm, (enum host_call)what, argv, argc, &out);
    if (st != VM_OK && st != VM_NO)
        return st;
    vm->sp -= argc;
    vm->flag = st == VM_OK;
    vm->stack[vm->sp++] = str_is_set(out) ? out : STR_EMPTY;
    return vm_check_budget(vm);
}

static enum vm_status
expand_again(struct vm *vm)
{
    struct str text = vm->stack[vm->sp - 1];
    struct str out = STR_EMPTY;
    enum vm_status st = vm_expand(vm, text, &out);
    if (st == VM_OK) {
        vm->stack[vm->sp - 1] = out;
        return VM_OK;
    }
    struct str inner = vm->error;
    (void)vm_fail(vm, "internal expansion of \"%.*s\" failed: %.*s", STR_ARG(text),
                  STR_ARG(inner));
    return st;
}

static struct str
capture(const struct vm *vm, uint32_t n)
{
    return n < vm->caps_n ? vm->caps[n] : STR_EMPTY;
}

static void
push_runrc(struct vm *vm)
{
    vm->stack[vm->sp++] = str_printf(vm->scratch, "%d", vm->runrc);
}

static void
chomp(struct str *s)
{
    if (s->n > 0 && s->p[s->n - 1] == '\n')
        s->n--;
}

static void
swap(struct str *two)
{
    struct str first = two[0];
    two[0] = two[1];
    two[1] = first;
}

static bool
is_number(struct str s)
{
    size_t i = s.n > 0 && s.p[0] == '-' ? 1 : 0;
    if (i == s.n)
        return false;
    while (i < s.n && ascii_digit(s.p[i]))
        i++;
    return i == s.n;
}

/* --- the loop --- */

/* Runs from the first word to RETURN or ANSWER; *pc is where it ended. The one long function: a row
 * of op.def is a case here. */
static enum vm_status
run_words(struct vm *vm, const struct code *c, uint32_t *pc, struct str *out)
{
    const uint32_t *ins = c->ins;
    enum vm_status st = VM_OK;
    uint32_t i = 0;
    for (;;) {
        *pc = i;
        uint32_t a = ins_a(ins[i]);
        if (vm->steps_left-- == 0) {
            vm->steps_left = 0;
            return vm_fail(vm, "the expansion takes more than %llu steps",
                           (unsigned long long)vm->budget.steps);
        }
        if (vm->deadline_ms != 0 && (vm->steps_left & TIME_EVERY) == 0 &&
            vm_check_budget(vm) != VM_OK)
            return VM_ERROR;
        switch (ins_op(ins[i])) {
        case OP_CONST:
            vm->stack[vm->sp++] = c->consts[a];
            break;
        case OP_EMPTY:
            vm->stack[vm->sp++] = STR_EMPTY;
            break;
        case OP_CONCAT:
            st = concat(vm, a);
            break;
        case OP_POP:
            vm->sp--;
            break;
        case OP_CHOMP:
            chomp(&vm->stack[vm->sp - 1]);
            break;
        case OP_DUP:
            vm->stack[vm->sp] = vm->stack[vm->sp - 1];
            vm->sp++;
            break;
        case OP_SWAP:
            swap(&vm->stack[vm->sp - 2]);
            break;
        case OP_ISNUMBER:
            vm->flag = is_number(vm->stack[vm->sp - 1]);
            break;
        case OP_NEEDTEXT:
            vm->stack[vm->sp - 1] = str_trim(vm->stack[vm->sp - 1]);
            if (vm->stack[vm->sp - 1].n == 0)
                return vm_fail(vm, "%.*s", STR_ARG(c->consts[a]));
            break;
        case OP_VAR:
            st = get_variable(vm, a, STR_EMPTY);
            break;
        case OP_FAMILY:
            st = get_variable(vm, a, c->consts[ins[++i]]);
            break;
        case OP_HEADER:
            st = get_header(vm, a, c->consts[ins[++i]], false);
            break;
        case OP_CAPTURE:
            vm->stack[vm->sp++] = capture(vm, a);
            break;
        case OP_VALUE:
            vm->stack[vm->sp++] = str_is_set(vm->value) ? vm->value : STR_EMPTY;
            break;
        case OP_ITEM:
            vm->stack[vm->sp++] = str_is_set(vm->item) ? vm->item : STR_EMPTY;
            break;
        case OP_RUNRC:
            push_runrc(vm);
            break;
        case OP_NONEMPTY:
            vm->flag = vm->stack[--vm->sp].n > 0;
            break;
        case OP_HASHEADER:
            st = get_header(vm, a, c->consts[ins[++i]], true);
            break;
        case OP_TRUE:
            vm->flag = true;
            break;
        case OP_FALSE:
            vm->flag = false;
            break;
        case OP_NOT:
            vm->flag = !vm->flag;
            break;
        case OP_JUMP:
            i = a;
            continue;
        case OP_JUMPF:
            if (!vm->flag) {
                i = a;
                continue;
            }
            break;
        case OP_JUMPT:
            if (vm->flag) {
                i = a;
                continue;
            }
            break;
        case OP_CALL:
            st = call(vm, a, ins[++i], false);
            break;
        case OP_FIND:
            st = call(vm, a, ins[++i], true);
            break;
        case OP_TEST:
            st = test(vm, a, ins[++i]);
            break;
        case OP_HOST:
            st = ask_host(vm, a, ins[++i]);
            break;
        case OP_EXPAND:
            st = expand_again(vm);
            break;
        case OP_SAVE:
            save(vm);
            break;
        case OP_RESTORE:
            restore(vm);
            break;
        case OP_SETVALUE:
            vm->value = vm->stack[--vm->sp];
            break;
        case OP_LOOP:
            st = vm_loop_start(vm, vm->stack[--vm->sp], a);
            break;
        case OP_NEXT:
            st = vm_loop_next(vm);
            if (st == VM_NO) {
                st = VM_OK;
                i = a;
                continue;
            }
            break;
        case OP_GATHER:
            vm_loop_gather(vm, vm->stack[--vm->sp]);
            st = vm_check_budget(vm);
            break;
        case OP_KEEP:
            if (vm->flag)
                vm_loop_gather(vm, vm->item);
            break;
        case OP_KEY:
            vm_loop_key(vm, vm->stack[--vm->sp]);
            break;
        case OP_SORTED:
            st = vm_loop_sort(vm, vm->stack[--vm->sp]);
            break;
        case OP_ENDLOOP:
            vm->stack[vm->sp] = vm_loop_end(vm);
            vm->sp++;
            break;
        case OP_LEAVE:
            (void)vm_loop_end(vm);
            break;
        case OP_THROW:
            return vm_fail(vm, "%.*s", STR_ARG(c->consts[a]));
        case OP_THROWERR:
            return VM_ERROR;
        case OP_FORCE:
            (void)vm_fail(vm, "%.*s", STR_ARG(c->consts[a]));
            return VM_FORCED;
        case OP_RETURN:
            *out = vm->stack[--vm->sp];
            return VM_OK;
        case OP_ANSWER:
            return vm->flag ? VM_OK : VM_NO;
        case OP_COUNT:
            return vm_fail(vm, "bad instruction");
        }
        if (st != VM_OK)
            return st;
        i++;
    }
}

static void
add_suffixes(struct vm *vm, const struct code *c, uint32_t pc)
{
    if (ins_op(c->ins[pc]) == OP_THROW) /* its text was completed when it was compiled */
        return;
    for (uint32_t i = 0; i < c->ranges_n; i++) {
        const struct code_range *r = &c->ranges[i];
        if (pc < r->from || pc >= r->to)
            continue;
        vm->error = r->replaces ? r->suffix : str_cat(vm->scratch, vm->error, r->suffix);
    }
}

enum vm_status
vm_run(struct vm *vm, const struct code *c, struct str *out)
{
    if (c->stack > vm->stack_cap - vm->sp || vm->depth >= vm->budget.depth)
        return vm_fail(vm, "expansions are nested too deeply");
    if (vm->depth == 0)
        start_budget(vm);
    uint32_t sp = vm->sp;
    struct vm_saved *saves = vm->saves;
    struct loop *loops = vm->loops;
    struct str item = vm->item;
    uint32_t pc = 0;
    vm->depth++;
    enum vm_status st = run_words(vm, c, &pc, out);
    vm->depth--;
    if (st != VM_OK && st != VM_NO) {
        vm->error_offset = c->pos[pc];
        add_suffixes(vm, c, pc);
        vm->sp = sp;
        vm->saves = saves;
        vm->loops = loops;
        vm->item = item;
    }
    return st;
}

/* --- entries --- */

static enum vm_status
refuse_tainted(struct vm *vm, struct str text)
{
    return vm_fail(vm, "attempt to expand tainted string '%.*s'", STR_ARG(text));
}

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
    vm->stack = arena_alloc(own, STACK_CAP * sizeof *vm->stack);
    vm->stack_cap = STACK_CAP;
    vm->error = STR_EMPTY;
    vm->error_offset = STR_NPOS;
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
    arena_free(vm->scratch);
    arena_free(vm->kept);
    arena_free(vm->own);
}
