/* The resource limits of each kind of process of the daemon. */
#ifndef REMEX_PROC_ROLE_LIMITS_H
#define REMEX_PROC_ROLE_LIMITS_H

#include "proc/role.h"

/* Sets those of this process. What cannot be set is logged, and is no reason not to work. */
void role_limits_set(const struct role *r);

#endif
