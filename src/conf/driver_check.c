/* Helpers for the check functions of drivers; see the header. */
#include "conf/driver_check.h"

#include "base/arena.h"
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

enum { FAULT_MAX = 1024 };

bool
driver_sets_generic(const struct driver_instance *d, const char *option)
{
    return opt_is_set(&d->generic, opt_find(d->generic.table, str_from_cstr(option)));
}

bool
driver_sets_own(const struct driver_instance *d, const char *option)
{
    return opt_is_set(&d->own, opt_find(d->own.table, str_from_cstr(option)));
}

static struct span
place_of(const struct driver_instance *d, const char *option)
{
    if (option == NULL)
        return d->where;
    struct str name = str_from_cstr(option);
    const struct opt_set *sets[] = {&d->generic, &d->own};
    for (size_t i = 0; i < 2; i++) {
        if (sets[i]->table == NULL)
            continue;
        int row = opt_find(sets[i]->table, name);
        if (opt_is_set(sets[i], row))
            return opt_where(sets[i], row);
    }
    return d->where;
}

bool
driver_fault(struct diags *diags, const struct driver_instance *d, const char *option,
             enum driver_words words, const char *fmt, ...)
{
    char text[FAULT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct arena *scratch = arena_new();
    struct str who = str_printf(scratch, "%.*s %s", STR_ARG(d->name), d->cls->what);
    struct diag one = {
        .level = DIAG_ERROR,
        .at = place_of(d, option),
        .text = words == DRIVER_WORDS_PLAIN
                    ? str_from_cstr(text)
                    : str_printf(scratch, "%.*s: %s", STR_ARG(who), text),
        .exim = words == DRIVER_WORDS_NAME
                    ? str_printf(scratch, "%.*s:\n  %s", STR_ARG(who), text)
                    : str_from_cstr(text),
        .exim_place = words == DRIVER_WORDS_FOR ? str_printf(scratch, " for %.*s", STR_ARG(who))
                                                : STR_EMPTY,
    };
    diags_add(diags, &one);
    arena_free(scratch);
    return false;
}

bool
driver_has(struct xstr x)
{
    return str_is_set(x.text) && x.text.n > 0;
}
