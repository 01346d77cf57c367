/* Built-in macros that are not made from option tables: features, log selectors, words of ACLs,
 * words of the expansion language.
 *
 * The reader knows those of options and drivers from the tables; this file adds what it cannot
 * know, from the rows of the layers above and below it, and lists all of them.
 */
#ifndef REMEX_PROC_BUILTIN_MACROS_H
#define REMEX_PROC_BUILTIN_MACROS_H

#include "conf/conf.h"

struct builtin_macros {
    const struct conf_builtin *v;
    size_t n;
    size_t early; /* so many come before the macros of options in the list of -bP */
};

/* All of them, in the order of -bP macros. Names live in a. */
struct builtin_macros builtin_macros_all(struct arena *a);

/* Puts the classes of drivers, the options, the ACL section and the built-in macros into a
 * request. */
void builtin_macros_request(struct arena *a, struct conf_request *rq);

/* Calls fn for every built-in macro, those of options and drivers included. */
void builtin_macros_each(struct arena *a,
                         void (*fn)(void *ctx, struct str name, struct str text), void *ctx);

#endif
