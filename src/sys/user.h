/* Users and groups by name or number, from the name service of the system.
 *
 * A name of digits alone (a sign may stand in front) is the number itself and is not looked up.
 * Nothing here changes an identity. Single-threaded start-up only: the C library's calls share a buffer.
 */
#ifndef REMEX_SYS_USER_H
#define REMEX_SYS_USER_H

#include "base/str.h"

/* Answers that were given, so that a configuration with fifty "user =" asks once a name. */
struct user_cache;
struct account_rules; /* sys/account.h */

struct user_cache *user_cache_new(struct arena *a);
/* The number of a user or group. False: there is none. c may be NULL. */
bool user_find(struct user_cache *c, struct str name, int64_t *uid);
bool user_find_group(struct user_cache *c, struct str name, int64_t *gid);
/* The same by rules, and without a cache. */
bool user_find_by(const struct account_rules *r, struct str name, int64_t *uid);
bool user_find_group_by(const struct account_rules *r, struct str name, int64_t *gid);
/* The name for a number, copied into a; STR_NULL when there is none. */
struct str user_name(struct arena *a, int64_t uid);
struct str user_group_name(struct arena *a, int64_t gid);

#endif
