/* Wiring: what the language machine may ask for, by kind of process.
 *
 * The one place where the layers meet: a struct host is filled in with the functions of lists, lookups,
 * variables and the system. A null entry is a refused capability.
 */
#ifndef REMEX_PROC_WIRE_H
#define REMEX_PROC_WIRE_H

#include "conf/eval.h"
#include "filter/vm.h"

/* A machine with its context. */
struct wiring {
    struct eval *eval;
    struct vm *vm;
};

/* For a process of the command line, which may do all that its caller may. conf may be NULL (while the
 * configuration is being read) and set in eval later. Freed with the arena. */
struct wiring wire_command_line(struct arena *a, const struct conf *conf);
/* The same, and tells of the topics of -d that are selected. */
struct wiring wire_command_line_debug(struct arena *a, const struct conf *conf,
                                      uint64_t topics);

#endif
