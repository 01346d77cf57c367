/* What the program and the plugin that knows public suffixes agree on.
 *
 * The plugin is plugins/suffixes.c, with libpsl: only sites that check DMARC need it.
 */
#ifndef REMEX_SYS_SUFFIX_PLUGIN_H
#define REMEX_SYS_SUFFIX_PLUGIN_H

struct suffix_list;

/* The one object of the plugin. */
struct suffix_plugin {
    /* Reads a file in the format of publicsuffix.org. NULL: that was not possible. */
    struct suffix_list *(*load)(const char *path);
    void (*unload)(struct suffix_list *l);
    /* The domain under which somebody has registered it: one label more than its public suffix. Points into domain (lower case, ASCII);
     * NULL: domain is itself a public suffix. **Thread**: any number at the same time. */
    const char *(*registered)(const struct suffix_list *l, const char *domain);
};

#endif
