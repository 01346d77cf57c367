/* The command line of an option: split into arguments first, then each expanded, so that no value can add an argument.
 *
 * Used for the commands of pipe and lmtp transports and for transport filters. No shell sees it. Source: specification,
 * section "How the command is run".
 */
#ifndef REMEX_TRANSPORTS_COMMAND_H
#define REMEX_TRANSPORTS_COMMAND_H

#include "base/outcome.h"
#include "base/vec.h"
#include "conf/model.h"

struct vm;

struct command_request {
    struct arena *arena;
    struct vm *vm;
    struct str text;
    struct str what; /* for messages: "transport filter", "NAME transport" */
    bool expand;
    bool tainted_arguments;           /* those behind the name may be tainted */
    struct address *const *addresses; /* stand for the argument $pipe_addresses */
    size_t n;
    struct str
        address_pipe; /* its words stand for the argument $address_pipe; unset: no such rule */
};

struct command {
    VEC(struct str) words;
    char **argv; /* the same, ending with NULL */
    struct str error;
    int sys_errno;
};

/* OUT_OK, or with c->error in Exim's words: OUT_ERROR (an expansion, a tainted name; -1 in sys_errno for some), OUT_FAIL (a
 * tainted argument, too many arguments). */
enum outcome command_make(const struct command_request *rq, struct command *c);

#endif
