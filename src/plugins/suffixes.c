/* Public suffixes, in a plugin since only sites that check DMARC need them (libpsl).
 *
 * The list is the site's file, never the one that was compiled into the library: that ages with it.
 */
#include "sys/plugin.h"
#include "sys/suffix_plugin.h"

#include <libpsl.h>
#include <stdlib.h>

/* A handle of the library under our name. */
struct suffix_list {
    psl_ctx_t *psl;
};

static void
unload(struct suffix_list *l)
{
    psl_free(l->psl);
    free(l);
}

static struct suffix_list *
load(const char *path)
{
    struct suffix_list *l = malloc(sizeof *l);
    if (l == NULL)
        return NULL;
    l->psl = psl_load_file(path);
    if (l->psl != NULL)
        return l;
    free(l);
    return NULL;
}

static const char *
registered(const struct suffix_list *l, const char *domain)
{
    return psl_registrable_domain(l->psl, domain);
}

static const struct suffix_plugin psl = {
    .load = load, .unload = unload, .registered = registered};
static const void *const objects[] = {&psl};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_OTHER,
    .name = "suffixes",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
