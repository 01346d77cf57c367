/* -d of lists and lookups; see debug_host.h. Only tells: never changes an answer. */
#include "proc/debug_host.h"

#include "conf/debug.h"
#include "conf/eval.h"
#include "conf/list.h"
#include "lookups/lookup.h"

#include <stdio.h>

enum { SHOWN_MAX = 200 }; /* bytes of a value, so that a line stays a line */

static struct str
shown(struct str s)
{
    return str_sub(s, 0, SHOWN_MAX);
}

/* What comes of an answer that is no value. */
static struct str
verdict(const struct vm *vm, enum vm_status st, const char *yes, const char *no)
{
    switch (st) {
    case VM_OK:
        return str_from_cstr(yes);
    case VM_NO:
        return str_from_cstr(no);
    case VM_FORCED:
    case VM_DEFER:
    case VM_ERROR:
        break;
    }
    return vm_error(vm);
}

enum vm_status
debug_host_match(void *env, struct vm *vm, const struct host_match *q)
{
    static const char *const kinds[] = {"domain", "host", "address", "local part"};
    const struct eval *e = env;
    enum vm_status st = list_host_match(env, vm, q);
    if ((e->debug & DEBUG_BIT(DEBUG_LISTS)) == 0)
        return st;
    struct str text = str_printf(
        vm_scratch(vm), "\"%.*s\" in %s list \"%.*s\": %.*s", STR_ARG(shown(q->subject)),
        kinds[q->kind], STR_ARG(shown(q->list)), STR_ARG(verdict(vm, st, "yes", "no")));
    (void)fflush(stdout);
    debug_line(e->debug, "lists", text);
    return st;
}

enum vm_status
debug_host_lookup(void *env, struct vm *vm, const struct host_lookup *q, struct str *out)
{
    const struct eval *e = env;
    enum vm_status st = lookup_host_find(env, vm, q, out);
    if ((e->debug & DEBUG_BIT(DEBUG_LOOKUP)) == 0)
        return st;
    struct arena *a = vm_scratch(vm);
    struct str what =
        q->query_style
            ? str_printf(a, "%.*s \"%.*s\"", STR_ARG(q->type), STR_ARG(shown(q->file)))
            : str_printf(a, "\"%.*s\" %.*s \"%.*s\"", STR_ARG(shown(q->key)), STR_ARG(q->type),
                         STR_ARG(shown(q->file)));
    struct str text =
        st == VM_OK ? str_printf(a, "%.*s: found \"%.*s\"", STR_ARG(what), STR_ARG(shown(*out)))
                    : str_printf(a, "%.*s: %.*s", STR_ARG(what),
                                 STR_ARG(verdict(vm, st, "found", "not found")));
    (void)fflush(stdout);
    debug_line(e->debug, "lookup", text);
    return st;
}
