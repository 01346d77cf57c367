/* Users and groups of the system database, asked so that threads do not share an answer. */
#ifndef REMEX_SYS_ACCOUNT_H
#define REMEX_SYS_ACCOUNT_H

#include "base/arena.h"

#include <grp.h>
#include <pwd.h>

/* The entry, in the arena, or NULL: there is none, or it is larger than a megabyte. */
const struct passwd *account_user(struct arena *a, const char *name);
const struct passwd *account_user_of_id(struct arena *a, uid_t uid);
const struct group *account_group(struct arena *a, const char *name);
const struct group *account_group_of_id(struct arena *a, gid_t gid);

#endif
