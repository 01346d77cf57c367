/* Organisational domains; see organisation.h. */
#include "conf/organisation.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "sys/suffixes.h"

static void
free_suffixes(void *s)
{
    suffixes_free(s);
}

void
organisation_prepare(struct eval *e)
{
    if (e->suffixes != NULL || e->arena == NULL)
        return;
    e->suffixes = suffixes_new();
    if (e->suffixes != NULL)
        arena_on_free(e->arena, free_suffixes, e->suffixes);
}

bool
organisation_file(struct eval *e, struct vm *vm, struct str *file, struct str *why)
{
    *file = STR_EMPTY;
    if (e->conf == NULL || !str_is_set(e->conf->main->dmarc_tld_file.text))
        return true;
    enum vm_status st = vm_expand_x(vm, &e->conf->main->dmarc_tld_file, file);
    if (st == VM_OK)
        return true;
    *file = STR_EMPTY;
    *why = vm_error(vm);
    return st == VM_FORCED;
}

bool
organisation_find(struct eval *e, struct arena *a, struct str file, struct str domain,
                  struct str *out, struct str *why)
{
    if (str_is_tainted(file)) {
        *why = str_printf(a, "the file name \"%.*s\" is tainted", STR_ARG(file));
        return false;
    }
    organisation_prepare(e);
    return suffixes_organisation(e->suffixes, a, e->process.plugin_directory, file, domain, out,
                                 why);
}
