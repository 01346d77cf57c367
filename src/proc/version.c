/* -bV; see version.h. Names of drivers come from their tables; what is only a name yet is not listed as a feature. */
#include "proc/version.h"

#include "auths/auth.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "lookups/lookup_driver.h"
#include "proc/check.h"
#include "proc/config.h"
#include "proc/notice.h"
#include "proc/report.h"
#include "routers/router.h"
#include "scanners/scanner.h"
#include "sys/plugin.h"
#include "transports/transport.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What this version can do, in Exim's words. */
static const struct {
    const char *name;
    const char *plugin; /* that must be there; NULL: built in */
} features[] = {
    {"crypteq", NULL},
    {"iconv()", NULL},
    {"IPv6", NULL},
    {"PAM", "pam"},
    {"Perl", "perl"},
    {"Expand_dlfunc", NULL},
    {"GnuTLS", "tls"},
    {"TLS_resume", "tls"},
    {"move_frozen_messages", NULL},
    {"Content_Scanning", NULL},
    {"DANE", "tls"},
    {"DKIM", "tls"},
    {"DMARC", "suffixes"},
    {"DNSSEC", NULL},
    {"ESMTP_Limits", NULL},
    {"Event", NULL},
    {"Exim_filter", NULL},
    {"I18N", NULL},
    {"OCSP", "tls"},
    {"PIPECONNECT", NULL},
    {"PRDR", NULL},
    {"PROXY", NULL},
    {"Queue_Ramp", NULL},
    {"SOCKS", NULL},
    {"SPF", "spf"},
    {"SRS", NULL},
    {"TCP_Fast_Open", NULL},
    {"Experimental_ARC", "tls"},
    {"Experimental_QUEUEFILE", NULL},
    {"Experimental_XCLIENT", NULL},
};

static const char *const built_in_lookups[] = {
#define LOOKUP(name, object) name,
#define LOOKUP_PLUGIN(name, plugin, flags, quote, doc)
#include "lookups/lookups.def"
#undef LOOKUP
#undef LOOKUP_PLUGIN
};

static const struct {
    const char *name;
    const char *plugin;
} plugin_lookups[] = {
#define LOOKUP(name, object)
#define LOOKUP_PLUGIN(name, plugin, flags, quote, doc) {name, plugin},
#include "lookups/lookups.def"
#undef LOOKUP
#undef LOOKUP_PLUGIN
};

static bool
plugin_is_there(struct mode *m, struct str directory, const char *name)
{
    const char *path =
        str_cstr(m->arena, str_printf(m->arena, "%.*s/%s.so", STR_ARG(directory), name));
    return path != NULL && access(path, R_OK) == 0;
}

static struct str
plugin_directory(struct mode *m)
{
    if (str_is_set(m->site->plugin_directory))
        return m->site->plugin_directory;
    return plugin_directory_default(m->arena);
}

static void
print_features(struct mode *m)
{
    struct str directory = plugin_directory(m);
    printf("Support for:");
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        const char *plugin = features[i].plugin;
        if (plugin == NULL || plugin_is_there(m, directory, plugin))
            printf(" %s", features[i].name);
    }
    printf("\n");
}

static void
print_lookups(struct mode *m)
{
    printf("Lookups (built-in):");
    for (size_t i = 0; i < sizeof built_in_lookups / sizeof *built_in_lookups; i++)
        printf(" %s", built_in_lookups[i]);
    struct str directory = plugin_directory(m);
    bool first = true;
    for (size_t i = 0; i < sizeof plugin_lookups / sizeof *plugin_lookups; i++) {
        if (!plugin_is_there(m, directory, plugin_lookups[i].plugin))
            continue;
        printf("%s %s", first ? "\nLookups (dynamic):" : "", plugin_lookups[i].name);
        first = false;
    }
    printf("\n");
}

static void
print_scanners(void)
{
    printf("Malware:");
    for (size_t i = 0; i < scanner_drivers_n; i++)
        printf(" %s", scanner_drivers[i]->name);
    printf("\n");
}

static void
print_class(const char *title, const struct driver_class *c)
{
    printf("%s (built-in):", title);
    for (size_t i = 0; i < c->n; i++)
        printf(" %.*s", STR_ARG(c->drivers[i]->shown != NULL
                                    ? str_from_cstr(c->drivers[i]->shown)
                                    : c->drivers[i]->name));
    printf("\n");
}

/* Options that the file sets although nothing uses them yet. */
static void
print_without_effect(const struct conf *c)
{
    if (c->no_effect.n == 0)
        return;
    printf("Set, but without effect in this version:\n");
    for (size_t i = 0; i < c->no_effect.n; i++) {
        struct span at = i < c->no_effect_where.n ? c->no_effect_where.v[i] : (struct span){0};
        printf("  %.*s", STR_ARG(c->no_effect.v[i]));
        if (at.source != NULL)
            printf(" (%.*s:%u)", STR_ARG(at.source->name), (unsigned)at.line);
        printf("\n");
    }
}

int
version_run(struct mode *m)
{
    printf("remex version %s\n", VERSION_REMEX);
    printf("Speaks the languages of Exim %s\n", VERSION_EXIM);
    print_features(m);
    print_lookups(m);
    print_class("Authenticators", &auth_class);
    print_class("Routers", &router_class);
    print_class("Transports", &transport_class);
    print_scanners();
    struct str never = m->site->never_users;
    printf("Fixed never_users: %.*s\n", STR_ARG(never.n > 0 ? never : STR_LIT("0")));
    printf("Size of off_t: %zu\n", sizeof(off_t));
    (void)fflush(stdout);
    if (!config_load(m))
        return 1;
    if (config_clean_environment(m))
        notice_main(STR_LIT("Warning: purging the environment.\n"
                            " Suggested action: use keep_environment."));
    check_strings(m->conf, m->vm, m->diags);
    report_diags(m->diags);
    print_without_effect(m->conf);
    printf("Configuration file is %.*s\n", STR_ARG(m->conf->file));
    return 0;
}
