/* The jail of a role: what the configuration makes it need, and nothing else. */
#ifndef REMEX_PROC_ROLE_JAIL_H
#define REMEX_PROC_ROLE_JAIL_H

#include "proc/role.h"

/* Shuts this process in, for good: it has become the mail user already. network: it may speak to other hosts, and start processes. What the kernel cannot
 * do is logged and left out; false when it can, and did not. */
bool role_jail(const struct role *r, bool network);
/* The path lies where every role may read, as far as modes let it. */
bool role_jail_is_open(const char *path);

/* The same for the inspect role: it can read the system's libraries, the plugins and the signatures, and write *scratch alone (made here, in
 * the spool; NULL: there is none). */
bool role_jail_inspect(const struct role *r, const char **scratch);

#endif
