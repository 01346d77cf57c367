/* The machine's cache of compiled strings and patterns.
 *
 * Bounded by bytes; when it is full it is emptied as a whole, and only while nothing runs, since running
 * code lies in it. A string that comes while the cache is full and in use is compiled into scratch. Constants
 * are results, which callers at the top may hold: the memory goes when the cache has become full once more.
 */
#include "filter/vm_cache.h"

#include "base/diag.h"
#include "base/load.h"
#include "filter/expand.h"
#include "filter/vm_alike.h"
#include "filter/vm_memo.h"
#include "filter/vm_state.h"
#include "sys/regex.h"

#include <string.h>

enum {
    CACHE_BYTES = 8 * 1024 * 1024,
    TEXT_MAX = 256 * 1024, /* longer texts are not kept */
    SLOTS_FIRST = 64,
    FOLD_MAX = 4096, /* bytes of a value that is kept with its code */
};

static bool
has_room(struct vm *vm, struct str text)
{
    if (text.n > TEXT_MAX)
        return false;
    if (arena_used(vm->cache) < CACHE_BYTES)
        return true;
    if (vm->depth > 0)
        return false;
    vm_cache_clear(vm);
    return true;
}

void
vm_cache_clear(struct vm *vm)
{
    struct arena *full = vm->cache;
    vm->cache = vm->cache_before;
    vm->cache_before = full;
    arena_clear(vm->cache);
    memset(vm->codes, 0, sizeof vm->codes);
    memset(vm->alike, 0, sizeof vm->alike);
    vm->patterns[0] = NULL;
    vm->patterns[1] = NULL;
    memset(vm->recent, 0, sizeof vm->recent);
    vm->cached_re = NULL;
    vm->match.re = NULL;
}

/* Two words a round, each with a product of its own. Who finds a text compares it, so this may be worse than str_hash,
 * which others keep; it is much of what finding costs. */
static inline uint32_t
hash_of(struct str text)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    if (text.n < 16)
        return (uint32_t)str_hash(text);
    const char *p = text.p;
    const char *const last = p + text.n - 16;
    uint64_t g = text.n;
    uint64_t h = odd;
    for (; p < last; p += 16) {
        g = (g ^ load8(p)) * odd;
        h = (h ^ load8(p + 8)) * odd;
    }
    g = (g ^ load8(last)) * odd;
    h = (h ^ load8(last + 8)) * odd;
    h = (h ^ h >> 29 ^ g ^ g >> 32) * odd;
    return (uint32_t)(h >> 32);
}

static inline const struct code *
find(const struct code_table *t, struct str text, uint32_t hash)
{
    if (t->slots == NULL)
        return NULL;
    for (uint32_t i = hash & t->mask; t->slots[i].code != NULL; i = (i + 1) & t->mask) {
        const struct code *c = t->slots[i].code;
        if (t->slots[i].hash == hash && str_eq(c->text, text))
            return c;
    }
    return NULL;
}

static void
put(struct code_table *t, struct code_slot what)
{
    uint32_t i = what.hash & t->mask;
    while (t->slots[i].code != NULL)
        i = (i + 1) & t->mask;
    t->slots[i] = what;
}

static void
grow(struct code_table *t, struct arena *a)
{
    struct code_table old = *t;
    uint32_t slots = old.slots == NULL ? SLOTS_FIRST : (old.mask + 1) * 4;
    t->slots = ARENA_ARRAY(a, struct code_slot, slots);
    t->mask = slots - 1;
    for (uint32_t i = 0; old.slots != NULL && i <= old.mask; i++) {
        if (old.slots[i].code != NULL)
            put(t, old.slots[i]);
    }
}

static void
add(struct code_table *t, struct arena *a, uint32_t hash, const struct code *c)
{
    if (t->n * 2 >= t->mask)
        grow(t, a);
    put(t, (struct code_slot){hash, c});
    t->n++;
}

/* What comes of a text that depends on nothing outside it is found once and kept with the code. Errors are found again when the code runs. */
static void
fold(struct vm *vm, struct code *c)
{
    struct str value = vm->value;
    struct str item = vm->item;
    unsigned caps_n = vm->caps_n;
    bool before = vm->read_unset;
    struct arena_mark mark = arena_mark(vm->scratch);
    struct str out;
    vm->value = STR_NULL;
    vm->item = STR_NULL;
    vm->caps_n = 0;
    vm->read_unset = false;
    if (vm_run(vm, c, &out) == VM_OK && !vm->read_unset && out.n <= FOLD_MAX) {
        struct str *answer = arena_alloc(vm->cache, sizeof *answer);
        *answer = str_dup(vm->cache, out);
        c->answer = answer;
    }
    vm->read_unset = before;
    vm->value = value;
    vm->item = item;
    vm->caps_n = caps_n;
    arena_reset(vm->scratch, mark);
}

/* Compiles a text that is not in its table. */
static const struct code *
compile(struct vm *vm, enum code_kind kind, struct str text, uint32_t hash)
{
    bool keep = has_room(vm, text);
    struct arena *a = keep ? vm->cache : vm->scratch;
    text = str_dup(a, text);
    const struct code *c = keep && kind != CODE_CONDITION ? alike_find(vm, a, text) : NULL;
    if (c == NULL) {
        c = kind == CODE_CONDITION ? expand_compile_condition(a, vm, text, NULL, NULL)
                                   : expand_compile_fast(a, vm, text);
        if (!keep)
            return c;
        alike_note(vm, c);
    }
    add(&vm->codes[kind], a, hash, c);
    struct code *new = (struct code *)(uintptr_t)c; /* which nobody else has seen yet */
    if (c->closed && c->answer == NULL && kind != CODE_CONDITION)
        fold(vm, new);
    else if (c->steady && c->answer == NULL && kind != CODE_CONDITION)
        new->memo = memo_new(a);
    return c;
}

const struct code *
expand_cached(struct vm *vm, struct str text, bool condition)
{
    enum code_kind kind = condition ? CODE_CONDITION : CODE_TEXT;
    if (text.p == vm->missed.p && text.n == vm->missed.n && !condition) {
        vm->missed = STR_NULL;
        return compile(vm, CODE_AGAIN, text, vm->missed_hash);
    }
    uint32_t hash = hash_of(text);
    const struct code *c = find(&vm->codes[kind], text, hash);
    return c != NULL ? c : compile(vm, kind, text, hash);
}

bool
vm_expand_again(struct vm *vm, struct str text, enum vm_status *st, struct str *out)
{
    if (str_is_tainted(text))
        return false;
    uint32_t hash = hash_of(text);
    const struct code *c = find(&vm->codes[CODE_AGAIN], text, hash);
    if (c != NULL) {
        vm->missed.p = NULL;
        *st = vm_run(vm, c, out);
        return true;
    }
    vm->missed = text;
    vm->missed_hash = hash;
    return false;
}

static struct map *
ensure_map(struct vm *vm, struct map **m)
{
    if (*m == NULL)
        *m = map_new(vm->cache, MAP_CASEFUL);
    return *m;
}

/* A comparison is cheaper than a hash. */
static struct vm_pattern *
recent_pattern(struct vm *vm, struct str pattern)
{
    unsigned last = pattern.n > 0 ? (unsigned char)pattern.p[pattern.n - 1] : 0;
    return &vm->recent[(pattern.n + last) & (VM_PATTERNS - 1)];
}

const struct regex *
vm_regex(struct vm *vm, struct str pattern, unsigned flags, struct str *error_text,
         size_t *error_at)
{
    bool plain = (flags & ~(unsigned)REGEX_CASELESS) == 0;
    struct map **which = &vm->patterns[flags & REGEX_CASELESS ? 1 : 0];
    struct vm_pattern *recent = recent_pattern(vm, pattern);
    if (recent->re != NULL && recent->flags == flags && str_eq(recent->pattern, pattern))
        return vm->cached_re = recent->re;
    const struct regex *re = plain && *which != NULL ? map_get(*which, pattern) : NULL;
    vm->cached_re = re;
    if (re != NULL)
        return re;
    bool keep = plain && has_room(vm, pattern);
    struct arena *a = keep ? vm->cache : vm->scratch;
    re = regex_compile(a, pattern, flags, error_text, error_at);
    if (re != NULL && keep) {
        pattern = str_dup(a, pattern);
        map_set(ensure_map(vm, which), pattern, (void *)(uintptr_t)re);
        *recent = (struct vm_pattern){pattern, flags, re};
        vm->cached_re = re;
    }
    return re;
}

/* The same pattern on the same text again, as when several rules ask about one header: the captures are where they were.
 * Only patterns of the cache are remembered: at the address of another one something else may lie by now. */
static bool
match_again(struct vm *vm, const struct regex *re, struct str subject, enum vm_status *st)
{
    const struct vm_matched *m = &vm->match;
    if (m->re != re || m->n != subject.n || m->taint != subject.taint ||
        memcmp(m->subject, subject.p, subject.n) != 0)
        return false;
    *st = m->caps_n > 0 ? VM_OK : VM_NO;
    if (m->caps_n == 0)
        return true;
    struct str *caps = arena_alloc(vm->scratch, m->caps_n * sizeof *caps);
    for (unsigned i = 0; i < m->caps_n; i++)
        caps[i] = (struct str){subject.p + m->caps[i].from, m->caps[i].n, subject.taint};
    vm->caps = caps;
    vm->caps_n = m->caps_n;
    return true;
}

static void
note_match(struct vm *vm, const struct regex *re, struct str subject, const struct str *caps,
           unsigned n)
{
    struct vm_matched *m = &vm->match;
    if (re != vm->cached_re || subject.n == 0 || subject.n > VM_MATCHED_MAX ||
        n > VM_MATCHED_CAPS)
        return;
    m->re = re;
    m->n = subject.n;
    m->taint = subject.taint;
    m->caps_n = n;
    memcpy(m->subject, subject.p, subject.n);
    for (unsigned i = 0; i < n; i++) /* an empty one may lie elsewhere */
        m->caps[i] = (struct vm_matched_part){
            caps[i].n == 0 ? 0 : (uint32_t)(caps[i].p - subject.p), caps[i].n};
}

enum vm_status
vm_regex_match(struct vm *vm, const struct regex *re, struct str subject)
{
    struct str caps[VM_CAPS];
    enum vm_status st;
    if (match_again(vm, re, subject, &st))
        return st;
    int n = regex_match(re, vm->regex, subject, caps, VM_CAPS);
    if (n < 0)
        return vm_fail(vm, "a regular expression hit its limit");
    note_match(vm, re, subject, caps, (unsigned)n);
    if (n == 0)
        return VM_NO;
    vm_set_captures(vm, caps, (unsigned)n);
    return VM_OK;
}

unsigned
vm_patterns_cached(const struct vm *vm)
{
    size_t n = 0;
    for (size_t i = 0; i < 2; i++)
        n += vm->patterns[i] == NULL ? 0 : map_count(vm->patterns[i]);
    return (unsigned)n;
}
