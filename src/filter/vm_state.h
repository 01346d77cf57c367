/* The inside of struct vm: for the files of the machine only (vm*.c, expand*.c). */
#ifndef REMEX_FILTER_VM_STATE_H
#define REMEX_FILTER_VM_STATE_H

#include "base/map.h"
#include "filter/code.h"
#include "filter/vm.h"

struct regex;
struct regex_ctx;
struct loop;
struct filter_run;
struct vm_address;
struct memo_trace;

/* What SAVE keeps: captures are never changed in place, so a pointer is enough. */
struct vm_saved {
    struct vm_saved *prev;
    const struct str *caps;
    unsigned caps_n;
    struct str value;
};

/* An answer of host->setting; names are literals, so the pointer tells them apart. */
struct vm_setting {
    const char *name;
    struct str value;
};
enum { VM_SETTINGS = 32 /* a power of two */ };

/* What a name in a text stood for the last time: a row of fn.def or a variable. */
enum { VM_NAMES = 256, VM_NAME_MAX = 22 };
enum {
    VM_NAME_VAR = 14,
    VM_NAME_ITEM = 15
}; /* a variable, an item of either kind; or an fn_kind */
struct vm_name {
    uint64_t key; /* made of the name */
    unsigned char kind;
    unsigned char n; /* 0: nothing */
    char name[VM_NAME_MAX];
    const void *row; /* NULL: there is none of that name */
};

/* A pattern of the cache that was used lately. */
struct vm_pattern {
    struct str pattern;
    unsigned flags;
    const struct regex *re; /* NULL: nothing */
};
enum { VM_PATTERNS = 8 /* a power of two */ };

/* The last match of a pattern of the cache, unless it was long or had many captures. */
enum { VM_MATCHED_MAX = 128, VM_MATCHED_CAPS = 8 };
struct vm_matched {
    const struct regex *re; /* NULL: nothing */
    uint32_t n;             /* bytes of the subject */
    uint32_t taint;
    unsigned caps_n; /* 0: it did not match */
    struct vm_matched_part {
        uint32_t from, n;
    } caps[VM_MATCHED_CAPS];
    char subject[VM_MATCHED_MAX];
};

/* Where and how a run ended that failed. */
enum { VM_NO_RULE = UINT32_MAX >> 1 };
struct vm_failure {
    uint32_t pc;
    uint32_t rule; /* the RULE of a filter that the word was run for, or VM_NO_RULE */
    bool in_text;  /* in a text of its own: the machine's error offset is one in that */
    bool thrown;   /* the error text was completed when it was compiled */
};

/* Compiled texts of one kind by hash: open addressing, a power of two of slots. */
struct code_slot {
    uint32_t hash;
    const struct code *code; /* NULL: free */
};
struct code_table {
    struct code_slot *slots; /* in the cache's arena */
    uint32_t mask;           /* slots - 1 */
    uint32_t n;
};
enum code_kind {
    CODE_TEXT,
    CODE_CONDITION,
    CODE_AGAIN, /* texts of vm_expand_again, which the caller has looked at */
    CODE_KINDS,
};

enum { VM_ALIKE = 64, VM_ALIKE_SHIFT = 64 - 6 };

struct vm {
    const struct host *host;
    void *env;
    const struct fn *functions; /* all rows of fn.def */
    unsigned char
        *forms; /* by row: form of the front end + 1, or 0; expand_item.c, expand_cond.c */
    unsigned char
        *checks; /* by row: which constant arguments are checked + 1, or 0; expand_check.c */
    struct arena *own; /* the machine itself */
    struct arena *scratch;
    struct arena *cache; /* compiled strings and patterns; emptied as a whole when full */
    struct arena *cache_before; /* what was in it before that: results may lie there */
    struct code_table codes[CODE_KINDS];
    struct str missed; /* what vm_expand_again did not find, and its hash */
    uint32_t missed_hash;
    const struct code *alike[VM_ALIKE]; /* by beginning and end of their texts; vm_alike.h */
    struct map *patterns[2];            /* caseful, caseless */
    struct vm_pattern recent[VM_PATTERNS];
    const struct regex *cached_re; /* what vm_regex gave out last, if it is kept */
    struct vm_matched match;
    struct regex_ctx *regex;
    struct vm_budget budget;

    struct str *stack;
    uint32_t stack_cap;
    uint32_t sp;
    uint32_t depth;
    uint64_t steps_left;
    size_t memory_start;
    uint64_t deadline_ms; /* 0: none */

    const struct str *caps;
    unsigned caps_n;
    struct str value;
    struct str item;
    int runrc;
    struct vm_checked checked;
    struct vm_setting
        settings[VM_SETTINGS]; /* answers of host->setting, by the address of the name */
    uint32_t settings_turn;    /* goes up when they may have changed */
    struct vm_name names[VM_NAMES];
    struct vm_address *address; /* of fn_mail.c; NULL until needed */
    struct arena *kept;         /* $value across vm_release; NULL until needed */
    struct str kept_value;
    bool flag;
    bool read_unset; /* $value, $item or $1... was read while it was not set */
    struct vm_saved *saves;
    struct loop *loops;
    struct filter_run *filter; /* while a filter runs; filter_run.h */
    struct memo_trace *trace;  /* of a run that is being remembered; vm_memo.h */

    struct str error;
    size_t error_offset;
    struct vm_failure failure; /* of the run that just ended */
};

/* Runs verified code; the answer of a condition is VM_OK or VM_NO. */
enum vm_status vm_run(struct vm *vm, const struct code *c, struct str *out);
/* The same without a look at what is known of earlier runs. */
enum vm_status vm_run_code(struct vm *vm, const struct code *c, struct str *out);
void vm_start_clock(struct vm *vm);

/* At the beginning of an evaluation inside no other. */
static inline void
vm_start_budget(struct vm *vm)
{
    vm->steps_left = vm->budget.steps;
    vm->memory_start = arena_used(vm->scratch);
    vm->deadline_ms = 0;
    if (vm->budget.time_ms != 0)
        vm_start_clock(vm);
}
/* The place where a name is remembered; *known: it is. NULL: the name is too long for that. */
struct vm_name *vm_name_slot(struct vm *vm, unsigned kind, struct str name, bool *known);
/* VM_OK, or VM_ERROR when the budget of memory or time is used up. */
enum vm_status vm_check_budget(struct vm *vm);
/* OP_HOST: vm_host_call.c. VM_OK and VM_NO set the condition. */
enum vm_status vm_host_call(struct vm *vm, enum host_call call, const struct str *argv,
                            unsigned argc, struct str *out);

/* Loops: vm_loop.c. */
enum vm_status vm_loop_start(struct vm *vm, struct str list, unsigned mode);
/* VM_OK: $item is the next one; VM_NO: no more. */
enum vm_status vm_loop_next(struct vm *vm);
void vm_loop_gather(struct vm *vm, struct str value);
/* Notes $item; an empty key is an error. */
enum vm_status vm_loop_key(struct vm *vm, struct str key);
/* The condition that orders by that name; NULL and the error text when it cannot. */
const struct fn *vm_loop_comparator(struct vm *vm, struct str name);
enum vm_status vm_loop_sort(struct vm *vm, struct str comparator);
struct str vm_loop_end(struct vm *vm);

#endif
