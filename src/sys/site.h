/* The site file: what Exim fixes when it is built is a root-owned file here.
 *
 *     # /etc/remex/site
 *     user = mail
 *     trusted_config = /etc/remex/test.conf
 *
 * One `name = value` a line, all optional. The file decides who is trusted, so it is refused unless root owns
 * it and nobody else may write it. No file at all means the defaults.
 */
#ifndef REMEX_SYS_SITE_H
#define REMEX_SYS_SITE_H

#include "base/diag.h"
#include "base/vec.h"

#include <sys/types.h>

#define SITE_FILE "/etc/remex/site"
enum { SITE_MAX_BYTES = 64 * 1024 };

struct site {
    struct str user, group;     /* of the mail processes */
    struct str configure_file;  /* colon-separated candidates */
    struct str configure_owner; /* unset: nobody besides root and the user */
    struct str configure_group;
    struct str never_users; /* colon-separated; unset: none */
    struct str headers_charset;
    struct str plugin_directory;
    VEC(struct str) trusted_config; /* absolute paths */
    VEC(struct str) trusted_macro;  /* names */
};

/* Reads path (NULL: SITE_FILE). False when there was an error, which diags then has; a file that does not exist is
 * none. */
bool site_read(struct arena *a, const char *path, struct site *out, struct diags *diags);
/* The same from text that was read already; the owner is not looked at. */
bool site_parse(struct arena *a, const struct source *src, struct site *out,
                struct diags *diags);

bool site_trusts_config(const struct site *s, struct str path);
bool site_trusts_macro(const struct site *s, struct str name);

/* The mail user and group, or the user configure_owner names. False: no such user. */
bool site_find_user(struct arena *a, const struct site *s, uid_t *uid, gid_t *gid);
bool site_find_owner(struct arena *a, const struct site *s, uid_t *uid);

#endif
