/* Tells about the program; see info.h. */
#include "proc/info.h"

#include "sys/plugin.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
info_usage(void)
{
    (void)fprintf(
        stderr,
        "remex is a mail transfer agent. Mail programs call it, seldom a person. Without\n"
        "recipients or options there is nothing to do; --help lists the options.\n");
    return 1;
}

int
info_help(struct mode *m)
{
    cli_print_help(m->cli);
    return 0;
}

static void
print_topics(FILE *to)
{
    (void)fprintf(to,
                  "-bI: takes the name of what is asked for; an unknown one gives this list.\n"
                  "\n"
                  "  exim -bI:help    this information\n"
                  "  exim -bI:dscp    list of known dscp value keywords\n"
                  "  exim -bI:modules list of plug-ins that are installed\n"
                  "  exim -bI:sieve   list of supported sieve extensions\n");
}

int
info_topics(struct mode *m)
{
    (void)m;
    print_topics(stdout);
    return 0;
}

int
info_unknown_topic(struct mode *m)
{
    (void)m;
    print_topics(stderr);
    return 1;
}

int
info_dscp(struct mode *m)
{
    /* RFC 2474 (class selectors), 2597 (assured), 3246 (expedited), and the older words of RFC 791. */
    static const char *const names[] = {
        "af11", "af12",    "af13",     "af21",    "af22",        "af23",
        "af31", "af32",    "af33",     "af41",    "af42",        "af43",
        "ef",   "lowcost", "lowdelay", "mincost", "reliability", "throughput",
    };
    (void)m;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        printf("%s\n", names[i]);
    return 0;
}

int
info_sieve(struct mode *m)
{
    static const char *const names[] = {
        "comparator-i;ascii-numeric",
        "copy",
        "encoded-character",
        "enotify",
        "envelope",
        "fileinto",
        "subaddress",
        "vacation",
    };
    (void)m;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        printf("%s\n", names[i]);
    return 0;
}

static int
is_plugin(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 3 && strcmp(d->d_name + n - 3, ".so") == 0;
}

int
info_modules(struct mode *m)
{
    struct str directory = str_is_set(m->site->plugin_directory)
                               ? m->site->plugin_directory
                               : plugin_directory_default(m->arena);
    const char *path = str_cstr(m->arena, directory);
    struct dirent **found = NULL;
    int n = path != NULL ? scandir(path, &found, is_plugin, alphasort) : 0;
    for (int i = 0; i < n; i++) {
        printf("%.*s\n", (int)(strlen(found[i]->d_name) - 3), found[i]->d_name);
        free(found[i]);
    }
    free(found);
    return 0;
}
