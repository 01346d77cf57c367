/* What the program and the plugin that asks PAM agree on.
 *
 * The plugin is plugins/pam.c. Modules of PAM are foreign code of the site and may block: a process that
 * serves strangers has a thread to spare for them, or asks another process.
 */
#ifndef REMEX_SYS_PAM_PLUGIN_H
#define REMEX_SYS_PAM_PLUGIN_H

#include "base/str.h"

struct pam_request {
    const char *service;   /* "exim" */
    const char *directory; /* of the service files; NULL: the system's */
    struct str user;
    const struct str *answers; /* to the questions of the modules, in order */
    size_t n;
};

enum pam_verdict { PAM_VERDICT_YES, PAM_VERDICT_NO, PAM_VERDICT_ERROR };

/* The one object of the plugin. *why (in a) is the reason of PAM_VERDICT_ERROR. */
struct pam_plugin {
    enum pam_verdict (*check)(struct arena *a, const struct pam_request *rq, struct str *why);
};

#endif
