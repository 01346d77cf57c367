/* Fuzz target: any text as an expansion string and as a condition. Nothing outside the machine is
 * reached: lists and variables are there, files, commands and sockets are not. What comes of a text does not depend on
 * whether it is run, found again, or compiled with what functions make of constants; and texts that are alike get the code
 * that compiling them makes. */
#include "base/arena.h"
#include "base/buf.h"
#include "conf/eval.h"
#include "conf/list.h"
#include "conf/vars.h"
#include "filter/expand.h"
#include "filter/vm_alike.h"
#include "filter/vm_cache.h"
#include "filter/vm_state.h"

#include "../unit/filter_code_same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 16384 };

/* Variables that say something else each time. */
static bool
changes_by_itself(struct str text)
{
    static const char *const words[] = {"tod", "load", "spool", "log", "pid"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (text.n > 0 && memmem(text.p, text.n, words[i], strlen(words[i])) != NULL)
            return true;
    }
    return false;
}

struct outcome_of {
    enum vm_status st;
    struct str text; /* value or error */
    size_t at;       /* of an error */
};

static struct outcome_of
outcome_of(struct vm *vm, struct arena *a, enum vm_status st, struct str value)
{
    return (struct outcome_of){st, str_dup(a, st <= VM_NO ? value : vm_error(vm)),
                               st <= VM_NO ? 0 : vm_error_offset(vm)};
}

static struct outcome_of
expand(struct vm *vm, struct arena *a, struct str text)
{
    struct str value = STR_EMPTY;
    vm_reset_state(vm);
    enum vm_status st = vm_expand(vm, text, &value);
    if (st == VM_OK && value.n > 0 && value.p == NULL)
        __builtin_trap();
    return outcome_of(vm, a, st, value);
}

static bool
is_same(struct outcome_of x, struct outcome_of y)
{
    return x.st == y.st && x.at == y.at && x.text.taint == y.text.taint &&
           str_eq(x.text, y.text);
}

/* Twice as others do it, once with the code that is shown; budgets may end the one and not the other. */
static void
check_ways(struct vm *vm, struct arena *a, struct str text, const struct code *shown)
{
    struct outcome_of first = expand(vm, a, text);
    if (!shown->steady || changes_by_itself(text))
        return;
    struct outcome_of second = expand(vm, a, text);
    struct str value = STR_EMPTY;
    vm_reset_state(vm);
    enum vm_status st = vm_expand_code(vm, shown, &value);
    struct outcome_of third = outcome_of(vm, a, st, value);
    if (!is_same(first, second) && first.st <= VM_FORCED)
        __builtin_trap();
    if (!is_same(first, third) && first.st <= VM_FORCED && third.st <= VM_FORCED)
        __builtin_trap();
}

/* Changes letters and digits here and there, as the text itself says. */
static struct str
changed(struct arena *a, struct str text)
{
    struct buf b = buf_in(a, 0);
    unsigned state = text.n;
    for (uint32_t i = 0; i < text.n; i++) {
        state = state * 31 + (unsigned char)text.p[i];
        bool here = state % 64 == 0 && i > 0 && ascii_alnum(text.p[i]);
        if (here && (state >> 8) % 4 == 0)
            continue;
        buf_addc(&b, here ? "aN0x19Zb"[state >> 12 & 7] : text.p[i]);
        if (here && (state >> 8) % 4 == 1)
            buf_addc(&b, '7');
    }
    return buf_str(&b);
}

/* The text was compiled before. */
static void
check_alike(struct vm *vm, struct arena *a, struct str text)
{
    struct str other = changed(a, text);
    const struct code *c = alike_find(vm, a, other);
    if (c != NULL && !code_same(c, expand_compile_fast(a, vm, other)))
        __builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > TEXT_MAX)
        return 0;
    struct arena *a = arena_new();
    struct eval *e = ARENA_NEW(a, struct eval);
    struct host host = {
        .header = vars_header,
        .match = list_host_match,
        .named_list = list_host_named,
        .setting = vars_setting,
    };
    host.vars = vars_all(&host.vars_n);
    e->arena = a;
    e->lists = list_cache_new(a);
    struct vm *vm = vm_new(&host, e);
    vm_set_budget(vm, (struct vm_budget){.steps = 20000, .memory = 1024 * 1024});
    struct str text = str_dup(a, str_from((const char *)data, size));
    struct buf listing = buf_in(a, 0);
    const struct code *shown = expand_compile(a, vm, text, NULL, NULL);
    code_list(&listing, shown);
    check_ways(vm, a, text, shown);
    check_alike(vm, a, text);
    (void)vm_condition(vm, text);
    vm_free(vm);
    arena_free(a);
    return 0;
}
