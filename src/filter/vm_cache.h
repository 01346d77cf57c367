/* The machine's cache of compiled strings (and, through vm.h, patterns). */
#ifndef REMEX_FILTER_VM_CACHE_H
#define REMEX_FILTER_VM_CACHE_H

#include "filter/vm.h"

/* Code of a text as a string or as a condition, compiled if it is not there; valid while the evaluation
 * lasts. */
const struct code *expand_cached(struct vm *vm, struct str text, bool condition);
/* Forgets everything; only while no code runs. Results that are constants stay where they are until the next time. */
void vm_cache_clear(struct vm *vm);

#endif
