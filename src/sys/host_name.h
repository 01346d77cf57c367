/* The name of this machine as the kernel has it. */
#ifndef REMEX_SYS_HOST_NAME_H
#define REMEX_SYS_HOST_NAME_H

#include "base/str.h"

/* The node name, never empty ("localhost" when there is none); lower case is the caller's affair. */
struct str host_name_get(struct arena *a);
/* The name completed with its domain (through the resolver's address files) when it has no dot; the node
 * name where that gives nothing. May wait for the resolver. */
struct str host_name_full(struct arena *a);

#endif
