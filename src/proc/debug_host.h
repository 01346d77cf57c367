/* -d: what lists and lookups were asked, and what they answered. Host functions that call the real ones; wire.c
 * puts them in when somebody wants to see. */
#ifndef REMEX_PROC_DEBUG_HOST_H
#define REMEX_PROC_DEBUG_HOST_H

#include "filter/host.h"
#include "filter/vm.h"

enum vm_status debug_host_match(void *env, struct vm *vm, const struct host_match *q);
enum vm_status debug_host_lookup(void *env, struct vm *vm, const struct host_lookup *q,
                                 struct str *out);

#endif
