/* Tests of two texts while a filter runs; the tables are those of filter_code.h. For the machine and the files filter_*.c. */
#ifndef REMEX_FILTER_FILTER_TEST_H
#define REMEX_FILTER_FILTER_TEST_H

#include "base/wide.h"
#include "filter/filter_code.h"
#include "filter/filter_run.h"

/* The value of an operand that stays the same in a run: of a header field. */
struct filter_value {
    struct str text;
    const char
        *lower; /* with letters in lower case and WIDE_BYTES bytes behind it; NULL: not yet */
    bool known;
};

/* The rows whose answer is mostly no: texts that occur, of a header field that was looked up and folded. */
static inline bool
filter_test_misses(const struct filter_run *run, const struct filter_test_row *t,
                   struct str right)
{
    if (!t->quick)
        return false;
    const struct filter_value *v = &run->values[t->operand];
    return v->lower != NULL &&
           wide_find_lower((struct str){v->lower, v->text.n, STR_CLEAN}, right) == STR_NPOS;
}

/* What an error is one of. */
enum filter_test_part { FILTER_PART_OWN, FILTER_PART_LEFT, FILTER_PART_RIGHT };

/* Leaves the answer in the flag: VM_OK. Else *part says where it failed. */
enum vm_status filter_test_run(struct vm *vm, const struct filter_test_row *t,
                               const struct filter_operand *o, struct str right,
                               enum filter_test_part *part);
/* Header lines were changed. */
void filter_test_forget(struct filter_run *run);

/* An error that is not one of an expansion: its text is not framed by what was expanded. */
#define FILTER_OWN_FAIL(vm, ...) ((vm)->filter->own_error = true, vm_fail((vm), __VA_ARGS__))

#endif
