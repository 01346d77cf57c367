/* Users and groups of the system database, asked so that threads do not share an answer. */
#ifndef REMEX_SYS_ACCOUNT_H
#define REMEX_SYS_ACCOUNT_H

#include "base/arena.h"

#include <grp.h>
#include <pwd.h>
#include <stdint.h>

/* How names are asked for: finduser_retries, max_username_length. */
struct account_rules {
    int64_t retries; /* how often a name that is not found is asked for again, a second later */
    int64_t longest; /* a user's name that is longer is not asked for; 0: any is */
};

/* The entry, in the arena, or NULL: there is none, or it is larger than a megabyte. */
const struct passwd *account_user(struct arena *a, const char *name);
/* The same by rules. */
const struct passwd *account_user_by(struct arena *a, const struct account_rules *r,
                                     const char *name);
const struct group *account_group_by(struct arena *a, const struct account_rules *r,
                                     const char *name);
const struct passwd *account_user_of_id(struct arena *a, uid_t uid);
const struct group *account_group(struct arena *a, const char *name);
const struct group *account_group_of_id(struct arena *a, gid_t gid);

#endif
