/* What the program and the plugin with the Perl interpreter agree on (plugins/perl.c).
 *
 * An interpreter belongs to one thread. Perl changes what the whole process shares (signals, the
 * environment), so a process with several threads asks another process.
 */
#ifndef REMEX_FILTER_PERL_PLUGIN_H
#define REMEX_FILTER_PERL_PLUGIN_H

#include "filter/vm.h"

struct perl_start {
    struct str code; /* perl_startup */
    bool taint_mode; /* perl_taintmode */
    void *context;   /* of the two functions, which Perl code calls */
    void (*log)(void *context, struct vm *vm, struct str text);
    void (*debug)(void *context, struct vm *vm, struct str text);
};

/* The one object of the plugin. */
struct perl_plugin {
    /* Makes an interpreter and runs the code. NULL with *why (in a): there is none. When only the code failed,
     * *why is set as well; subroutines that were defined before can be called. s is copied. */
    void *(*start)(struct arena *a, struct vm *vm, const struct perl_start *s, struct str *why);
    /* argv[0] is the subroutine. VM_FORCED: it returned undef. */
    enum vm_status (*call)(void *interpreter, struct vm *vm, const struct str *argv,
                           unsigned argc, struct str *out);
    void (*stop)(void *interpreter);
};

#endif
