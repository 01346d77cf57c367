/* What the functions of the language share: numbers among the arguments, results that are numbers.
 * For the files fn_*.c and vm_loop.c only. */
#ifndef REMEX_FILTER_FN_ARG_H
#define REMEX_FILTER_FN_ARG_H

#include "filter/fn.h"
#include "filter/json.h"

struct buf;

/* The leading numbers of length, substr, hash and nhash. */
struct fn_numbers {
    int64_t n[2];
    unsigned count; /* numbers given */
};

/* One of them: as an item it has the numbers first, as an operator after its underscores. */
struct fn_numeric {
    const char *name;
    unsigned max;         /* numbers */
    bool negative_first;  /* of the item the first may be negative; the second never is */
    bool negative_suffix; /* likewise of the operator */
    enum vm_status (*apply)(struct vm *vm, struct str s, const struct fn_numbers *v,
                            struct str *out);
};

enum vm_status fn_numeric_item(struct vm *vm, const struct fn_numeric *f,
                               const struct str *argv, unsigned argc, struct str *out);
/* name: as written, for the error text. */
enum vm_status fn_numeric_operator(struct vm *vm, const struct fn_numeric *f, const char *name,
                                   const struct str *argv, unsigned argc, struct str *out);

/* A number in decimal digits, in scratch. */
struct str fn_number(struct vm *vm, int64_t n);
/* The underscore arguments of an operator as they were written. */
struct str fn_join_parts(struct vm *vm, const struct str *parts, unsigned n);
/* Appends with non-printing bytes as escape sequences: log lines, ${escape:}, error texts. */
void fn_add_escaped(struct buf *b, struct str s, bool top_bit_prints);
/* What is wrong with a JSON text, in Exim's words; kind: "json" or "jsons". */
enum vm_status fn_json_error(struct vm *vm, enum json_status st, struct str kind, bool array);
/* A setting of the configuration, STR_NULL when it is unknown; the truth of one: said to be on, said to be off. */
struct str fn_setting(struct vm *vm, const char *name);
bool fn_setting_on(struct vm *vm, const char *name);
bool fn_setting_off(struct vm *vm, const char *name);
/* A refused capability of the host. */
enum vm_status fn_refused(struct vm *vm, const char *what);

#endif
