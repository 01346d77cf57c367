/* The front end for Exim filter files: text to bytecode.
 *
 * A file is read as a whole before anything is run, so a syntax error means that no command is obeyed. The compiled
 * program is read-only and may be run any number of times, by one machine after the other; whoever keeps it can tell by
 * the file's identity whether it still fits.
 */
#ifndef REMEX_FILTER_FILTER_COMPILE_H
#define REMEX_FILTER_FILTER_COMPILE_H

#include "base/diag.h"
#include "filter/filter_run.h"
#include "filter/vm.h"

enum filter_kind { FILTER_KIND_NONE, FILTER_KIND_EXIM, FILTER_KIND_SIEVE };

/* What the first line says a text is; NONE: a traditional forward list. */
enum filter_kind filter_kind(struct str text);

/* What a compilation allows. */
enum {
    FILTER_SYSTEM = 1u << 0, /* all commands; headers may be added and removed */
    FILTER_ALLOW_DEFER = 1u << 1,
    FILTER_ALLOW_FAIL = 1u << 2,
    FILTER_ALLOW_FREEZE = 1u << 3,
    FILTER_TRACE_CONDITIONS = 1u << 4, /* the run notes each condition (-v) */
};

/* Of a file, bytes: its words, constants and tests can be numbered. */
enum { FILTER_TEXT_MAX = (1 << 24) - 1 };

struct filter_program;

/* Never fails: a syntax error is kept and raised by filter_run. name is for messages. A NUL must stand behind
 * the text, as str_dup and file_read leave one. Text and name must live as long as the program, which is made in a. */
const struct filter_program *filter_compile(struct arena *a, struct vm *vm, struct str name,
                                            struct str text, unsigned flags);

/* The syntax error in Exim's words, or STR_NULL. */
struct str filter_syntax_error(const struct filter_program *p);

/* Runs it. VM_OK: to the end, or ended by a command; run has the results. VM_DEFER or VM_ERROR: vm_error has the text in
 * Exim's words, and if diag is not NULL it is filled in with the place (its texts are in scratch). */
enum vm_status filter_run(struct vm *vm, const struct filter_program *p, struct filter_run *run,
                          struct diag *diag);

/* The listing of `remex -bD -bf FILE`. vm: as filter_compile had it, or one with the same variables. */
void filter_list(struct buf *out, struct arena *a, struct vm *vm,
                 const struct filter_program *p);

#endif
