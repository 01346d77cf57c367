/* Loads shared objects of the plugin folder: drivers whose libraries only some sites need.
 *
 * A plugin exports one constant, `remex_plugin`. A process with privilege loads only what root owns and nobody
 * else may write, the folder as well. What was loaded stays loaded until the process ends.
 */
#ifndef REMEX_SYS_PLUGIN_H
#define REMEX_SYS_PLUGIN_H

#include "base/str.h"

struct arena;

/* Raised whenever a structure that plugins share with the program changes. */
enum { PLUGIN_ABI = 2 };

enum plugin_kind {
    PLUGIN_KIND_LOOKUP = 1, /* objects: const struct lookup_driver */
    PLUGIN_KIND_OTHER,      /* objects: as the loader and the plugin agree */
};

struct plugin {
    uint32_t abi; /* PLUGIN_ABI; stays the first member */
    uint32_t kind;
    const char *name; /* of the file, without .so */
    const void *const *objects;
    size_t n;
};

/* The one symbol that a plugin exports. */
#define PLUGIN_SYMBOL "remex_plugin"

/* Loads NAME.so of directory (absolute; unset: plugin_directory_default). NULL with *why (in a) when it is not
 * there, not ours, or made for another program. name is letters, digits and underscores.
 * Loading it again gives the same object. */
const struct plugin *plugin_load(struct arena *a, struct str directory, const char *name,
                                 enum plugin_kind kind, struct str *why);

/* "plugins" beside the running program if that is a directory, else the installed folder. */
struct str plugin_directory_default(struct arena *a);

#endif
