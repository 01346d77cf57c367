/* Loops of the language machine: over the items of a list or the elements of a JSON array.
 *
 * A loop remembers $item as it was outside, and gathers the list that map, filter and sort make; the list
 * is written with the separator of the list that was read. Loops live in scratch.
 */
#include "base/buf.h"
#include "base/strlist.h"
#include "base/vec.h"
#include "filter/filter_run.h"
#include "filter/fn_arg.h"
#include "filter/vm_state.h"
#include "mail/address.h"

#include <string.h>

enum loop_mode { LOOP_LIST, LOOP_JSON, LOOP_JSONS, LOOP_ADDRESSES };

struct sort_entry {
    struct str item;
    struct str key;
};

struct loop {
    struct loop *outer;
    enum loop_mode mode;
    struct strlist_split list;
    struct str json; /* what is left of the array */
    struct address_list addresses;
    struct str outer_item;
    struct buf made;
    bool first;
    VEC(struct sort_entry) entries;
};

static struct str
mode_name(enum loop_mode mode)
{
    return mode == LOOP_JSONS ? STR_LIT("jsons") : STR_LIT("json");
}

enum vm_status
vm_loop_start(struct vm *vm, struct str list, unsigned mode)
{
    struct loop *l = ARENA_NEW(vm->scratch, struct loop);
    l->outer = vm->loops;
    l->mode = (enum loop_mode)mode;
    l->outer_item = vm->item;
    l->made = buf_in(vm->scratch, vm->budget.memory);
    l->first = true;
    l->list = strlist_split_start(list, ':');
    vm->loops = l;
    if (mode == LOOP_ADDRESSES)
        l->addresses = address_list_start(list, ADDRESS_GROUP | ADDRESS_LITERAL);
    if (mode == LOOP_LIST || mode == LOOP_ADDRESSES)
        return VM_OK;
    enum json_status st = json_open(list, '[', &l->json);
    return st == JSON_OK ? VM_OK : fn_json_error(vm, st, mode_name(l->mode), true);
}

/* Items that are no addresses are passed over. */
static enum vm_status
next_address(struct vm *vm, struct loop *l)
{
    enum address_status st;
    struct address_parts p;
    while (address_list_next(&l->addresses, vm->scratch, &st, &p, NULL)) {
        if (st != ADDRESS_OK)
            continue;
        filter_run_this_address(vm, p.text);
        return vm_check_budget(vm);
    }
    return VM_NO;
}

static __attribute__((noinline)) enum vm_status
next_other(struct vm *vm, struct loop *l)
{
    struct str element;
    if (l->mode == LOOP_ADDRESSES)
        return next_address(vm, l);
    if (!json_next(&l->json, &element))
        return VM_NO;
    vm->item = element;
    if (l->mode == LOOP_JSON)
        return VM_OK;
    enum json_status st = json_unquote(element, &vm->item);
    return st == JSON_OK ? VM_OK : fn_json_error(vm, st, mode_name(l->mode), true);
}

/* VM_OK the next item is there, VM_NO there is none. */
enum vm_status
vm_loop_next(struct vm *vm)
{
    struct loop *l = vm->loops;
    if (l->mode != LOOP_LIST)
        return next_other(vm, l);
    return strlist_split_next(&l->list, vm->scratch, &vm->item) ? VM_OK : VM_NO;
}

void
vm_loop_gather(struct vm *vm, struct str value)
{
    struct loop *l = vm->loops;
    strlist_append(&l->made, value, l->list.sep, l->first);
    l->first = false;
}

enum vm_status
vm_loop_key(struct vm *vm, struct str key)
{
    struct loop *l = vm->loops;
    if (key.n == 0)
        return vm_fail(vm, "the sort key is empty");
    struct sort_entry e = {vm->item, key};
    vec_push(vm->scratch, &l->entries, e);
    return VM_OK;
}

/* Conditions that order two values; anything else cannot sort. */
static const char *const comparators[] = {
    "<", "<=", ">", ">=", "ge", "gei", "gt", "gti", "le", "lei", "lt", "lti",
};

const struct fn *
vm_loop_comparator(struct vm *vm, struct str name)
{
    uint32_t letters = 0;
    while (letters < name.n && (ascii_alnum(name.p[letters]) || name.p[letters] == '_'))
        letters++;
    if (letters == 0 && name.n > 0 &&
        (name.p[0] == '<' || name.p[0] == '>' || name.p[0] == '='))
        letters = name.n > 1 && name.p[1] == '=' ? 2 : 1;
    if (letters > 0) /* what follows a name is not looked at */
        name.n = letters;
    const struct fn *fn = fn_find(FN_COND, name);
    if (name.n == 0 || (!ascii_alpha(name.p[0]) && fn == NULL)) {
        (void)vm_fail(vm, "condition name expected, but found \"%.*s\"",
                      STR_ARG(str_sub(name, 0, 16)));
        return NULL;
    }
    if (fn == NULL) {
        (void)vm_fail(vm, "unknown condition \"%.*s\"", STR_ARG(name));
        return NULL;
    }
    for (size_t i = 0; i < sizeof comparators / sizeof *comparators; i++) {
        if (str_eqz(name, comparators[i]))
            return fn;
    }
    (void)vm_fail(vm, "comparator not handled for sort");
    return NULL;
}

/* True if `a`, which came later, belongs before b. What cannot be compared stays where it is. */
static bool
before(struct vm *vm, const struct fn *fn, struct str a, struct str b)
{
    struct str unused;
    struct str argv[2] = {a, b};
    return fn->call(vm, argv, 2, &unused) == VM_OK;
}

/* Merges from[lo..mid) and from[mid..hi) into to. */
static void
merge(struct vm *vm, const struct fn *fn, const struct sort_entry *from, struct sort_entry *to,
      const size_t bounds[3])
{
    size_t left = bounds[0];
    size_t right = bounds[1];
    for (size_t k = bounds[0]; k < bounds[2]; k++) {
        bool take_right =
            left == bounds[1] ||
            (right < bounds[2] && before(vm, fn, from[right].key, from[left].key));
        to[k] = take_right ? from[right++] : from[left++];
    }
}

static const struct sort_entry *
merge_sort(struct vm *vm, const struct fn *fn, struct sort_entry *v, size_t n)
{
    struct sort_entry *from = v;
    struct sort_entry *to = ARENA_ARRAY(vm->scratch, struct sort_entry, n);
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = lo + width < n ? lo + width : n;
            size_t hi = lo + 2 * width < n ? lo + 2 * width : n;
            merge(vm, fn, from, to, (const size_t[3]){lo, mid, hi});
        }
        struct sort_entry *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

enum vm_status
vm_loop_sort(struct vm *vm, struct str comparator)
{
    struct loop *l = vm->loops;
    const struct fn *fn = vm_loop_comparator(vm, comparator);
    if (fn == NULL)
        return VM_ERROR;
    if (l->entries.n == 0)
        return VM_OK;
    const struct sort_entry *sorted = merge_sort(vm, fn, l->entries.v, l->entries.n);
    for (size_t i = 0; i < l->entries.n; i++)
        vm_loop_gather(vm, sorted[i].item);
    return vm_check_budget(vm);
}

struct str
vm_loop_end(struct vm *vm)
{
    struct loop *l = vm->loops;
    vm->loops = l->outer;
    vm->item = l->outer_item;
    return buf_str(&l->made);
}
