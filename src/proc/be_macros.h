/* Macros in the lines of expansion tests, as Exim has them: replaced before the line is expanded, and new
 * ones may be defined. Those of the configuration are for admin users, since they often hold secrets.
 */
#ifndef REMEX_PROC_BE_MACROS_H
#define REMEX_PROC_BE_MACROS_H

#include "proc/mode.h"

struct be_macros;

struct be_macros *be_macros_new(struct mode *m);

enum be_line {
    BE_LINE_TEXT,    /* *text is the line with macros replaced; it may live in scratch */
    BE_LINE_DEFINED, /* it defined a macro, *text is what to tell */
    BE_LINE_FAULT,   /* *text is Exim's words for the log, of two lines */
};

/* True if no macro is defined: a line in which be_macros_take found nothing to do stays so. */
bool be_macros_none(const struct be_macros *b);

/* Looks at one line. */
enum be_line be_macros_take(struct be_macros *b, struct arena *scratch, struct str line,
                            struct str *text);

#endif
