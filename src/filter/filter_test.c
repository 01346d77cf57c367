/* Tests of two texts; see filter_test.h. */
#include "filter/filter_test.h"

#include "base/num.h"
#include "base/wide.h"
#include "filter/filter_match.h"
#include "filter/host.h"
#include "filter/vm_state.h"

static const char *const tests[] = {
#define FILTER_TEST(name, word, short_form, doc) word,
#include "filter/filter_test.def"
#undef FILTER_TEST
};

const char *
filter_test_word(unsigned test)
{
    return tests[test & (FILTER_TEST_CASE - 1)];
}

/* --- values --- */

static enum vm_status
find_header(struct vm *vm, const struct filter_operand *o, struct filter_value *v)
{
    v->text = STR_EMPTY;
    enum vm_status st = VM_NO;
    if (vm->host->header != NULL)
        st = vm->host->header(vm->env, vm, (enum header_form)o->number, o->text, &v->text);
    if (v->text.p == NULL)
        v->text = STR_EMPTY;
    v->known = st <= VM_NO;
    return v->known ? VM_OK : st;
}

static enum vm_status
get_variable(struct vm *vm, const struct filter_operand *o, struct str *out)
{
    *out = STR_EMPTY;
    enum vm_status st = vm->host->vars[o->number].get(vm->env, vm, STR_EMPTY, out);
    if (out->p == NULL)
        *out = STR_EMPTY;
    return st == VM_NO ? VM_OK : st;
}

static void
fold(struct vm *vm, struct filter_value *v)
{
    char *lower = arena_alloc(vm->scratch, (size_t)v->text.n + WIDE_BYTES);
    wide_lower_all(lower, v->text.p, v->text.n);
    v->lower = lower;
}

/* The first value; `own` is room for what is not kept. */
static inline enum vm_status
take_left(struct vm *vm, uint32_t number, const struct filter_operand *o,
          struct filter_value *own, struct filter_value **out)
{
    *out = own;
    own->lower = NULL;
    if (o->kind == FILTER_OPERAND_HEADER) {
        *out = &vm->filter->values[number];
        return (*out)->known ? VM_OK : find_header(vm, o, *out);
    }
    if (o->kind == FILTER_OPERAND_VARIABLE)
        return get_variable(vm, o, &own->text);
    return vm_expand(vm, o->text, &own->text);
}

void
filter_test_forget(struct filter_run *run)
{
    for (uint32_t i = 0; i < run->values_n; i++)
        run->values[i] = (struct filter_value){.known = false};
}

/* --- tests --- */

/* A number of "above" and "below": as in C, perhaps with K or M, then white space. */
static bool
read_size(struct str s, int64_t *out)
{
    size_t at = 0;
    s = str_trim(s);
    if (num_scan(s, &at, NUM_OCTAL_HEX, out) != NUM_OK)
        return false;
    char c = at < s.n ? ascii_lower(s.p[at]) : '\0';
    int shift = c == 'k' ? 10 : c == 'm' ? 20 : 0;
    if (at + (shift > 0) != s.n)
        return false;
    *out = (int64_t)((uint64_t)*out << shift);
    return true;
}

static enum vm_status
compare_numbers(struct vm *vm, bool above, struct str left, struct str right)
{
    int64_t a, b;
    if (!read_size(left, &a))
        return FILTER_OWN_FAIL(vm, "malformed numerical string \"%.*s\"", STR_ARG(left));
    if (!read_size(right, &b))
        return FILTER_OWN_FAIL(vm, "malformed numerical string \"%.*s\"", STR_ARG(right));
    return (above ? a > b : a < b) ? VM_OK : VM_NO;
}

static bool
same(struct str a, struct str b, bool heed_case)
{
    return a.n == b.n && (heed_case ? str_eq(a, b) : str_ieq(a, b));
}

static bool
ends(struct str a, struct str b, bool heed_case)
{
    return b.n <= a.n && same(str_sub(a, a.n - b.n, b.n), b, heed_case);
}

/* Where b occurs, or STR_NPOS; b is not empty. */
static inline size_t
find(struct vm *vm, struct filter_value *a, struct str b, bool heed_case)
{
    if (heed_case)
        return filter_match_find(a->text, b, true);
    if (a->lower == NULL)
        fold(vm, a);
    return wide_find_lower((struct str){a->lower, a->text.n, STR_CLEAN}, b);
}

/* Without case, nothing contains the empty text: so Exim has it. */
static inline bool
contains(struct vm *vm, struct filter_value *a, struct str b, bool heed_case)
{
    return b.n == 0 ? heed_case : find(vm, a, b, heed_case) != STR_NPOS;
}

static void
note_match(struct filter_run *run, struct str subject, struct str pattern)
{
    struct str note = str_printf(
        run->arena, " Match expanded arguments:\n   Subject = %.*s\n   Pattern = %.*s\n",
        STR_ARG(subject), STR_ARG(pattern));
    vec_push(run->arena, &run->notes, note);
}

static enum vm_status
match(struct vm *vm, struct str subject, struct str pattern, bool heed_case)
{
    if (vm->filter->trace)
        note_match(vm->filter, subject, pattern);
    enum vm_status st = filter_match_pattern(vm, subject, pattern, heed_case);
    if (st > VM_NO)
        vm->filter->own_error = true;
    return st;
}

/* A pattern that is a text: only a match costs more than finding it. */
static enum vm_status
match_plain(struct vm *vm, struct filter_value *a, struct str text, bool heed_case)
{
    if (text.n > 0 && find(vm, a, text, heed_case) == STR_NPOS)
        return VM_NO;
    return filter_match_text(vm, a->text, text, heed_case);
}

static inline enum vm_status
answer(bool yes)
{
    return yes ? VM_OK : VM_NO;
}

static inline enum vm_status
compare(struct vm *vm, const struct filter_test_row *t, struct filter_value *a, struct str b)
{
    bool heed_case = (t->test & FILTER_TEST_CASE) != 0;
    switch ((enum filter_test)(t->test & (FILTER_TEST_CASE - 1))) {
    case FILTER_TEST_IS:
        return answer(same(a->text, b, heed_case));
    case FILTER_TEST_CONTAINS:
        return answer(contains(vm, a, b, heed_case));
    case FILTER_TEST_BEGINS:
        return answer(same(str_sub(a->text, 0, b.n), b, heed_case));
    case FILTER_TEST_ENDS:
        return answer(ends(a->text, b, heed_case));
    case FILTER_TEST_MATCHES:
        return t->plain ? match_plain(vm, a, b, heed_case) : match(vm, a->text, b, heed_case);
    case FILTER_TEST_ABOVE:
        return compare_numbers(vm, true, a->text, b);
    case FILTER_TEST_BELOW:
        return compare_numbers(vm, false, a->text, b);
    case FILTER_TESTS:
        break;
    }
    return FILTER_OWN_FAIL(vm, "bad test");
}

enum vm_status
filter_test_run(struct vm *vm, const struct filter_test_row *t, const struct filter_operand *o,
                struct str right, enum filter_test_part *part)
{
    struct filter_value own, *left;
    *part = FILTER_PART_OWN;
    enum vm_status st = take_left(vm, t->operand, o, &own, &left);
    if (st != VM_OK) {
        *part = FILTER_PART_LEFT;
        return st;
    }
    if (t->expands && (st = vm_expand(vm, right, &right)) != VM_OK) {
        *part = FILTER_PART_RIGHT;
        return st;
    }
    st = compare(vm, t, left, right);
    if (st > VM_NO)
        return st;
    vm->flag = (st == VM_OK) != t->negated;
    return VM_OK;
}
