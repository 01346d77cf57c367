/* What a process of the daemon may know of the configuration: the text that the master read, without what is somebody else's secret.
 *
 * A line that sets something which the kind of process has no use for becomes a comment, so that all others stay where they are; so do comments, and
 * macros that no line uses any more lose their text. Secrets are passwords of authenticators, of databases, where keys lie, and what `hide`
 * stands before.
 * The rules are rows of purge.c. Source: architecture, section 6.
 */
#ifndef REMEX_PROC_PURGE_H
#define REMEX_PROC_PURGE_H

#include "proc/ipc.h"

struct arena;
struct conf;
struct purge;

/* For processes of that kind; lives in a, as do the texts. */
struct purge *purge_new(struct arena *a, const struct conf *c, enum ipc_kind kind);
/* The text of the i-th file of the configuration. */
struct str purge_text(struct purge *p, size_t i);
/* A word of the daemon's command line: a macro of -D may lose its text. */
struct str purge_argument(struct purge *p, struct str word);

#endif
