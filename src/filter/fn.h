/* Functions of the language: everything with a name in the manual that is not control flow.
 *
 * A row in fn.def names a function from values to a value; it can be tested with a vm over an empty
 * host. Arguments are already expanded. A result may point into an argument (same lifetime:
 * scratch). Marks: a function joins the marks of the arguments that its result is made from (buf_adds does);
 * results of fixed form (digests, numbers, lengths) are clean.
 *
 *   FN_OPER   ${name:subject}, ${name_a_b:subject}: argv[0] is the subject, argv[1..] the parts after
 *             the underscores (clean). min/max count argv.
 *   FN_ITEM   ${name{..}{..}}: argv in order; min/max braces.
 *   FN_ITEM_YN ${name{..}..{yes}{no}}: as FN_ITEM, but then come the optional branches. VM_OK: found, *out is
 *             $value in {yes}; VM_NO: not found. min/max count only the arguments before the branches.
 *   FN_COND   name{..}{..}: VM_OK true, VM_NO false; *out unused.
 */
#ifndef REMEX_FILTER_FN_H
#define REMEX_FILTER_FN_H

#include "filter/vm.h"

typedef enum vm_status fn_call(struct vm *vm, const struct str *argv, unsigned argc,
                               struct str *out);

enum fn_kind { FN_OPER, FN_ITEM, FN_ITEM_YN, FN_COND };

/* Flags of a row. */
enum {
    FN_NO_FLAGS = 0,
    /* The front end compiles it with a form of its own (branches, loops, lazy parts); call is NULL or
     * a part of it. */
    FN_SPECIAL = 1u << 0,
    FN_PURE = 1u << 1,     /* same arguments, same result: constant arguments are folded */
    FN_REPLACES = 1u << 2, /* that holds only if the last argument uses nothing but captures */
    FN_CERTIFICATE =
        1u << 3, /* operator: a subject that is one certificate variable is the certificate */
    FN_STEADY = 1u << 4, /* same arguments and settings, same result; pure functions need not say so */
};

struct fn {
    struct str name;
    enum fn_kind kind;
    uint8_t min;
    uint8_t max;
    unsigned flags;
    fn_call *call;
    const char *doc; /* a sentence for the reference */
};

enum { FN_ARGS_MAX = 12 };

/* NULL when there is none of that kind and name. */
const struct fn *fn_find(enum fn_kind kind, struct str name);
/* All rows, in the order of fn.def. */
const struct fn *fn_all(size_t *n);

/* Every function of fn.def, declared from the rows. */
#define FN(kind, name, min, max, flags, function, doc) fn_call function;
#define FN_FORM(kind, name, min, max, flags, doc)
#include "filter/fn.def"
#undef FN
#undef FN_FORM

#endif
