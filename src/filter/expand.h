/* The front end for expansion strings: text to bytecode. */
#ifndef REMEX_FILTER_EXPAND_H
#define REMEX_FILTER_EXPAND_H

#include "base/diag.h"
#include "filter/vm.h"

/* An option value that is expanded when it is used. text.p == NULL: unset. code is made when the
 * configuration is checked or first needed by a long-lived process; vm_expand_x uses it, else the cache. */
struct xstr {
    struct str text;
    const struct textmap *map;
    const struct code *code;
};

/* Compiles text for a host (whose variables and lookup types are resolved here). Never fails: a syntax
 * error becomes an instruction that raises it when it is reached, as Exim does, and one diag in d
 * (d may be NULL). The code lives in a; text and map must live as long. Code that was already added is reused by nobody:
 * the caller keeps it. */
const struct code *expand_compile(struct arena *a, struct vm *vm, struct str text,
                                  const struct textmap *map, struct diags *d);
/* The same without a map and without computing what functions make of constants, for texts that may never come again: the
 * machine remembers what comes of them (vm_memo.h), and constants that are only that can be changed (vm_alike.h). */
const struct code *expand_compile_fast(struct arena *a, struct vm *vm, struct str text);
/* The same for a bare condition (as after "${if"), whose code answers true or false. */
const struct code *expand_compile_condition(struct arena *a, struct vm *vm, struct str text,
                                            const struct textmap *map, struct diags *d);
enum vm_status vm_expand_x(struct vm *vm, const struct xstr *x, struct str *out);

/* True if the text has nothing to expand (no $ and no \): it stands for itself. */
bool expand_is_literal(struct str text);

/* The listing of `remex -bD`. */
struct buf;
void code_list(struct buf *out, const struct code *code);

#endif
