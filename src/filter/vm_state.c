/* The state of the language machine that items and their callers see: captures, $value, $item, $runrc,
 * settings, and the text of the last error.
 *
 * Values lie in scratch; vm_release keeps what is shown beyond an evaluation.
 */
#include "filter/vm_state.h"
#include "filter/host.h"

#include "base/load.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    ERROR_MAX = 8192,
    KEPT_VALUE_MAX = 64 * 1024,
};

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

struct str
vm_setting(struct vm *vm, const char *name)
{
    uintptr_t at = (uintptr_t)name;
    struct vm_setting *known = &vm->settings[(at >> 3 ^ at >> 7) & (VM_SETTINGS - 1)];
    if (known->name == name)
        return known->value;
    if (vm->host->setting == NULL)
        return STR_NULL;
    struct str value = vm->host->setting(vm->env, name);
    *known = (struct vm_setting){name, value};
    return value;
}

/* All bytes of a name of up to 7, of a longer one a number that depends on its ends. n is not 0. */
static inline uint64_t
name_key(const char *p, size_t n)
{
    if (n >= 8)
        return load8(p) ^ load8(p + n - 8) << 1;
    if (n >= 4)
        return load4(p) | (uint64_t)load4(p + n - 4) << 32;
    return (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[n / 2] << 8 |
           (uint64_t)(unsigned char)p[n - 1] << 16;
}

/* Names of the same length, 8 to VM_NAME_MAX. */
static inline bool
same_long_name(const char *a, const char *b, size_t n)
{
    return load8(a) == load8(b) && load8(a + n - 8) == load8(b + n - 8) &&
           (n <= 16 || load8(a + 8) == load8(b + 8));
}

_Static_assert(VM_NAME_MAX <= 24, "three words hold a name");

struct vm_name *
vm_name_slot(struct vm *vm, unsigned kind, struct str name, bool *known)
{
    *known = false;
    if (name.n == 0 || name.n > VM_NAME_MAX)
        return NULL;
    uint64_t key = name_key(name.p, name.n);
    uint64_t mixed =
        (key ^ (uint64_t)(name.n << 4 | kind) << 40) * UINT64_C(0x9e3779b97f4a7c15);
    struct vm_name *v = &vm->names[mixed >> 56];
    if (v->key == key && v->n == name.n && v->kind == kind &&
        (name.n < 8 || same_long_name(v->name, name.p, name.n))) {
        *known = true;
        return v;
    }
    v->key = key;
    v->kind = (unsigned char)kind;
    v->n = (unsigned char)name.n;
    memcpy(v->name, name.p, name.n);
    return v;
}

void
vm_forget_settings(struct vm *vm)
{
    memset(vm->settings, 0, sizeof vm->settings);
    vm->settings_turn++;
}

/* What is shown beyond an evaluation goes where the next one does not write. */
static __attribute__((noinline)) void
keep_value(struct vm *vm)
{
    if (!str_is_set(vm->value) || vm->value.n > KEPT_VALUE_MAX) {
        vm->value = STR_NULL;
    } else {
        if (vm->kept == NULL)
            vm->kept = arena_new();
        arena_clear(vm->kept);
        vm->value = str_dup(vm->kept, vm->value);
    }
    vm->kept_value = vm->value;
}

/* All but $value and $runrc. */
static inline void
reset_rest(struct vm *vm)
{
    vm->checked = (struct vm_checked){STR_NULL, STR_NULL, STR_NULL, STR_NULL};
    vm->caps = NULL;
    vm->caps_n = 0;
    vm->item = STR_NULL;
}

void
vm_release(struct vm *vm, struct arena_mark mark)
{
    if (vm->value.p != vm->kept_value.p)
        keep_value(vm);
    reset_rest(vm);
    vm->error = STR_EMPTY;
    arena_reset(vm->scratch, mark);
}

void
vm_reset_state(struct vm *vm)
{
    reset_rest(vm);
    vm->value = STR_NULL;
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

const struct host *
vm_set_host(struct vm *vm, const struct host *host)
{
    const struct host *before = vm->host;
    vm->host = host;
    return before;
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
