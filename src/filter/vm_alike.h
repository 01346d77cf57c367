/* Texts that are alike share their code.
 *
 * Lists of texts that a program made (lines of a test, values from a table) differ in a word here and there. Where such
 * words are literal text that no decision of the compiler depended on, the code of one is the code of all but for its
 * constants: instructions, which the verifier has passed, ranges and, if no word is longer, positions are shared.
 */
#ifndef REMEX_FILTER_VM_ALIKE_H
#define REMEX_FILTER_VM_ALIKE_H

#include "filter/code.h"
#include "filter/vm.h"

/* Code for the text from that of one that is alike, in a, which is the cache's arena; NULL: none is known. text lives as
 * long as the code. */
struct code *alike_find(struct vm *vm, struct arena *a, struct str text);
/* Code of the cache that others may come to be like. */
void alike_note(struct vm *vm, const struct code *c);

#endif
