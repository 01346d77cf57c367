/* Runs another program: an argument vector, no shell, a rebuilt environment, a deadline, a cap.
 *
 * The child gets /dev/null (or a given descriptor) as input, one pipe as output and error output, and
 * nothing else: every other descriptor is closed in it. It leads a process group of its own, which is
 * killed as a whole when the deadline passes. It is always waited for.
 */
#ifndef REMEX_SYS_RUN_H
#define REMEX_SYS_RUN_H

#include "base/str.h"

struct run_request {
    char *const *argv;     /* argv[0] is the path; ends with NULL */
    char *const *environ;  /* ends with NULL; NULL: empty */
    const char *directory; /* NULL: stays where it is */
    int timeout_ms;        /* of the whole run; 0: none */
    size_t max_output;     /* what comes beyond is read and dropped */
    bool end_when_cut;     /* or ends the program: RUN_TOO_MUCH */
};

enum run_end {
    RUN_EXITED,    /* status: exit code; 127 when it could not be executed */
    RUN_SIGNALLED, /* status: signal number */
    RUN_TIMED_OUT,
    RUN_TOO_MUCH, /* output beyond the cap; killed */
    RUN_NO_PIPE,  /* errno */
    RUN_NO_FORK,
    RUN_NO_WAIT,
};

struct run_result {
    enum run_end end;
    int status;
    struct str output; /* tainted; in the arena given */
    bool cut;          /* output went beyond the cap */
};

void run_program(struct arena *a, const struct run_request *rq, struct run_result *out);

/* Splits a command line into words as Exim does for pipe commands and ${run: white space separates; a word in
 * double quotes keeps white space and knows backslash escapes of quote and backslash; one in single quotes is literal.
 * At most max words. Returns the count, or -1 and *error. Words keep the mark of the line. */
enum { RUN_WORDS_MAX = 1024 };
int run_split(struct arena *a, struct str line, struct str *words, int max, struct str *error);

#endif
