/* The hints store of a runner, opened when a condition first needs it. For acl_*.c only. */
#ifndef REMEX_ACL_ACL_HINTS_H
#define REMEX_ACL_ACL_HINTS_H

#include "acl/acl_machine.h"
#include "sys/hints.h"

struct hints *acl_hints(struct acl_runner *r);

#endif
