/* The full name of a user, from the gecos field of the password file. Source: specification, section "Constructed addresses". */
#ifndef REMEX_ENGINE_GECOS_H
#define REMEX_ENGINE_GECOS_H

#include "base/str.h"

#include <sys/types.h>

struct arena;
struct conf_main;
struct vm;

/* In the arena; empty when there is no such user or no name. gecos_pattern and gecos_name have their say, an ampersand stands for
 * the login. Resets the captures of the machine when a pattern is used. */
struct str gecos_full_name(struct arena *a, struct vm *vm, const struct conf_main *c,
                           uid_t uid);

#endif
