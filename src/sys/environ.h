/* The environment: rebuilt from what keep_environment names and add_environment gives.
 *
 * Single-threaded start-up only: the environment belongs to the whole process.
 */
#ifndef REMEX_SYS_ENVIRON_H
#define REMEX_SYS_ENVIRON_H

#include "base/str.h"

/* One answer of the caller's matching: keep this name? ctx is the caller's. */
typedef bool environ_keeps(void *ctx, struct str name);

/* Removes every variable that keeps() does not want; NULL removes all. Malformed entries (without '=') go. */
void environ_purge(environ_keeps *keeps, void *ctx);
/* Sets one variable from "NAME=value"; false when there is no '=' or no name, or a NUL. */
bool environ_add(struct arena *a, struct str setting);
/* True if nothing is set. */
bool environ_is_empty(void);
/* The value of a variable, not copied, or STR_NULL. */
struct str environ_get(struct arena *a, struct str name);
/* "NAME=value" of entry i in the environment's order, or STR_NULL past the end. */
struct str environ_at(size_t i);

#endif
