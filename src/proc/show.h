/* -bP: prints what a configuration says, in all forms of the option.
 *
 * Source: specification, chapter "The Exim command line", -bP. Answers and errors alike go to
 * the standard output, as scripts expect; only a refusal goes to the standard error.
 */
#ifndef REMEX_PROC_SHOW_H
#define REMEX_PROC_SHOW_H

#include "conf/conf.h"

struct buf;
struct mode;

struct show_request {
    const struct conf *conf;
    const struct str *args; /* what follows -bP */
    size_t n;
    bool admin;                     /* sees what is hidden, and macros */
    bool values_only;               /* -n */
    const char *const *environment; /* NAME=value, NULL at the end; may be NULL */
};

enum show_result {
    SHOW_OK,
    SHOW_NOT_FOUND, /* the last thing asked for does not exist */
    SHOW_DENIED,    /* macros, for somebody who is not admin; nothing after it was printed */
};

/* Appends the answers. */
enum show_result show_print(struct buf *out, const struct show_request *rq);

/* The mode of the program. Returns the exit status. */
int show_run(struct mode *m);

#endif
