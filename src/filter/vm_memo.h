/* Runs that are remembered together with what they read.
 *
 * Code that asks for variables and header fields, and whose functions depend on their arguments and the settings
 * only (the verifier says so: `steady`), comes to the same value each time it reads the same. So the texts that a run
 * read are kept with its value; the next run reads them again, one by one in the same order, and if all are what they
 * were, that value is the answer. Nothing has to tell the machine of a change.
 */
#ifndef REMEX_FILTER_VM_MEMO_H
#define REMEX_FILTER_VM_MEMO_H

#include "filter/code.h"
#include "filter/vm.h"

/* What a run asked its surroundings. */
struct memo_question {
    enum op op;      /* VAR, FAMILY, HEADER, HASHEADER */
    uint32_t number; /* variable, or form of a header field */
    struct str name; /* rest of the variable's name, or the field's */
};

struct memo;

/* Nothing is remembered yet. In the arena of the code. */
struct memo *memo_new(struct arena *a);
/* Runs steady code that has a memo, or finds that it need not run; as vm_run. */
enum vm_status memo_run(struct vm *vm, const struct code *c, struct str *out);
/* What runs now reads more than can be noted: the run is not to be remembered (vm->trace is not NULL). */
void memo_spoil(struct vm *vm);
/* Asks; VM_OK or VM_NO, or an error. */
enum vm_status memo_ask(struct vm *vm, const struct memo_question *q, struct str *out);
/* The same, and notes the answer for the run that is being remembered (vm->trace is not NULL). */
enum vm_status memo_ask_noted(struct vm *vm, const struct memo_question *q, struct str *out);

#endif
