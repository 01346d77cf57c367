/* The process's environment; see environ.h. */
#include "sys/environ.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
entry_stays(const char *entry, environ_keeps *keeps, void *ctx)
{
    const char *eq = strchr(entry, '=');
    if (eq == NULL || eq == entry || keeps == NULL)
        return false;
    return keeps(ctx, str_from(entry, (size_t)(eq - entry)));
}

void
environ_purge(environ_keeps *keeps, void *ctx)
{
    if (environ == NULL)
        return;
    char **to = environ;
    for (char **from = environ; *from != NULL; from++) {
        if (entry_stays(*from, keeps, ctx))
            *to++ = *from;
    }
    *to = NULL;
}

bool
environ_add(struct arena *a, struct str setting)
{
    size_t eq = str_chr(setting, '=', 0);
    if (eq == STR_NPOS || eq == 0)
        return false;
    const char *name = str_cstr(a, str_trim(str_sub(setting, 0, eq)));
    const char *value = str_cstr(a, str_sub(setting, eq + 1, setting.n));
    return name != NULL && value != NULL && setenv(name, value, 1) == 0;
}

bool
environ_is_empty(void)
{
    return environ == NULL || environ[0] == NULL;
}

struct str
environ_get(struct arena *a, struct str name)
{
    const char *z = str_cstr(a, name);
    return z != NULL ? str_from_cstr(getenv(z)) : STR_NULL;
}

struct str
environ_at(size_t i)
{
    if (environ == NULL)
        return STR_NULL;
    for (size_t k = 0; environ[k] != NULL; k++) {
        if (k == i)
            return str_from_cstr(environ[k]);
    }
    return STR_NULL;
}
