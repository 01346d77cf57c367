/* What the program and the plugin that finds viruses agree on.
 *
 * The plugin is plugins/clamav.c, on libclamav. It runs in the inspect process alone: loaded once with all signatures, by a process
 * whose copies (by fork) look through messages.
 */
#ifndef REMEX_SYS_CLAMAV_PLUGIN_H
#define REMEX_SYS_CLAMAV_PLUGIN_H

#include "sys/inspect_wire.h"

#include <stdint.h>

/* Where the signatures are unless something else is said. */
#define CLAMAV_DIRECTORY "/var/lib/clamav"

/* Limits; -1: as the library has it. */
struct clamav_setup {
    const char *directory;              /* of the signatures */
    const char *scratch;                /* where archives may be unpacked */
    int64_t max_scansize, max_filesize; /* bytes */
    int64_t max_files, max_recursion;
    int64_t max_scantime_ms;
    int64_t alert_exceeds_max; /* 1: what goes beyond the limits counts as found */
};

enum { CLAMAV_TEXT = 512 };

/* The one object of the plugin. */
struct clamav_plugin {
    /* Loads the signatures; *signatures: how many. NULL with why. */
    void *(*load)(const struct clamav_setup *s, unsigned *signatures, char why[CLAMAV_TEXT]);
    /* Something else lies in the directory than what was loaded. */
    bool (*changed)(void *loaded);
    /* Looks through the file, from its start; text: the name of what was found, or why it could not be looked through. */
    enum inspect_scan (*scan)(void *loaded, int fd, char text[CLAMAV_TEXT]);
    /* The same of n bytes of a mail that is nothing but text (mail/plain_mail.h), whose body is from there on: in memory alone. */
    enum inspect_scan (*scan_plain)(void *loaded, const char *p, size_t n, size_t body,
                                    char text[CLAMAV_TEXT]);
};

#endif
