/* Built-in macros: features of the request, and one for every option and driver.
 *
 * There are some 1,500 of them and most configurations use none, so no table is made: a name is looked
 * for in the option tables when a line has an underscore, a class of names and a further underscore.
 */
#ifndef REMEX_CONF_MACRO_BUILTIN_H
#define REMEX_CONF_MACRO_BUILTIN_H

#include "conf/conf.h"

struct macro_builtins;

struct macro_builtins *macro_builtins_new(struct arena *a, const struct conf_request *rq);

/* Length of the longest built-in macro that s begins with, or 0. s begins with an underscore. text may be
 * NULL. */
size_t macro_builtin_at(const struct macro_builtins *b, struct str s, struct str *text);

#endif
