/* The language machine as its functions and callers see it.
 *
 * One struct vm belongs to one thread. It has a scratch arena in which every intermediate and
 * result value lives, a bounded cache of compiled strings and regular expressions, the budgets,
 * and the state that items see ($1.., $value, $item, $runrc). What it knows of the world comes through
 * struct host (host.h); env is the host's own context and is only passed through.
 */
#ifndef REMEX_FILTER_VM_H
#define REMEX_FILTER_VM_H

#include "base/arena.h"
#include "base/plugin_export.h"
#include "base/str.h"

PLUGIN_API_BEGIN

struct host;
struct vm;
struct code;
struct textmap;

/* How an evaluation, or one function of it, ended. */
enum vm_status {
    VM_OK,     /* a value, or: condition true, key found */
    VM_NO,     /* condition false, key not found: not an error */
    VM_FORCED, /* forced failure ("fail" in place of a branch): a result, not an error */
    VM_DEFER,  /* temporary: a lookup or a list deferred; vm_error has the text */
    VM_ERROR,  /* vm_error has the text in Exim's words */
};

/* Budgets of one evaluation; 0 in a field takes the default. */
struct vm_budget {
    uint64_t steps;   /* turns of loops and calls of functions, default 10,000,000 */
    uint32_t depth;   /* nested evaluations (${expand:}, lists, ACLs), default 40 */
    size_t memory;    /* bytes of scratch, default 64 MiB */
    uint32_t time_ms; /* clock time, default 0: none */
};

struct vm *vm_new(const struct host *host, void *env);
void vm_free(struct vm *vm);
void vm_set_budget(struct vm *vm, struct vm_budget budget);

/* Expands text: compiles it (through the cache) and runs it. On VM_OK *out lives in vm_scratch(vm). A
 * tainted text is refused (VM_ERROR) unless it has no expansion item in it, as Exim does. */
enum vm_status vm_expand(struct vm *vm, struct str text, struct str *out);
/* The same for a text that was handed to vm_expand right after this function had said no, if its code is still there: so a
 * caller that looks at texts before it expands them does so once. False: *st and *out are not set. */
bool vm_expand_again(struct vm *vm, struct str text, enum vm_status *st, struct str *out);
/* The same for code that was compiled before (expand_compile in expand.h). */
enum vm_status vm_expand_code(struct vm *vm, const struct code *code, struct str *out);
/* Evaluates text as a condition of ${if (without the "${if"): VM_OK true, VM_NO false. */
enum vm_status vm_condition(struct vm *vm, struct str text);

/* After VM_ERROR, VM_DEFER or VM_FORCED: the text, in Exim's words, valid until the next evaluation. */
struct str vm_error(const struct vm *vm);
/* Where in the expanded text the failing instruction stands (offset), or STR_NPOS. */
size_t vm_error_offset(const struct vm *vm);

/* --- for functions (fn.h), hosts, lists and lookups --- */

/* The arena of intermediate values. A caller at the top marks it before an evaluation and calls
 * vm_release with the mark afterwards: what variables still show ($value, $runrc) is kept. */
struct arena *vm_scratch(struct vm *vm);
void vm_release(struct vm *vm, struct arena_mark mark);
const struct host *vm_host(const struct vm *vm);
/* Evaluates with another table from now on, one with the same variables that refuses more or less; returns the one before. */
const struct host *vm_set_host(struct vm *vm, const struct host *host);
void *vm_env(const struct vm *vm);

/* Sets the error text; returns VM_ERROR / VM_DEFER, so that functions can return the call. */
enum vm_status vm_fail(struct vm *vm, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum vm_status vm_defer(struct vm *vm, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Result of a regular expression or pattern: $0 = caps[0] and so on; n at most VM_CAPS. Copies. */
enum { VM_CAPS = 100 };
void vm_set_captures(struct vm *vm, const struct str *caps, unsigned n);
unsigned vm_captures(const struct vm *vm, const struct str **caps);
/* $value. */
void vm_set_value(struct vm *vm, struct str value);
struct str vm_value(const struct vm *vm);
/* $item ($thisaddress is the filter's own). */
void vm_set_item(struct vm *vm, struct str item);
struct str vm_item(const struct vm *vm);
/* $runrc. */
void vm_set_runrc(struct vm *vm, int rc);
int vm_runrc(const struct vm *vm);
/* $prvscheck_address, $prvscheck_keynum, $prvscheck_result and $srs_recipient: set by their functions, read by
 * the variables of those names. Values live in scratch. */
struct vm_checked {
    struct str prvs_address;
    struct str prvs_keynum;
    struct str prvs_result;
    struct str srs_recipient;
};
struct vm_checked *vm_checked(struct vm *vm);
/* A setting of the host, from the machine's memory of what it was; NULL host entry: unset. name: a literal. */
struct str vm_setting(struct vm *vm, const char *name);
/* After the configuration of the context has changed. */
void vm_forget_settings(struct vm *vm);
/* Clears captures, $value, $item and $runrc: a fresh evaluation at top level. */
void vm_reset_state(struct vm *vm);

/* The compiled form of a pattern, from the machine's cache. flags: REGEX_* of sys/regex.h. On a bad
 * pattern NULL, and *error_text / *error_at (offset) are set (text in scratch). */
struct regex;
const struct regex *vm_regex(struct vm *vm, struct str pattern, unsigned flags,
                             struct str *error_text, size_t *error_at);
/* Matches and, if it matches, sets the captures ($0..). VM_OK, VM_NO or VM_ERROR (limits). */
unsigned vm_patterns_cached(const struct vm *vm);
enum vm_status vm_regex_match(struct vm *vm, const struct regex *re, struct str subject);

PLUGIN_API_END

#endif
