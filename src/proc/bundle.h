/* What the master hands to the processes of the daemon: its command line and every configuration file, as read, without what the kind of process
 * need not know (purge.h).
 *
 * Nobody reads a configuration file a second time: all processes of one generation work by the same text, whatever happens to the
 * files meanwhile, and may be unable to open them. It is a sealed file in memory; the reader still treats it as a
 * format with bounds.
 */
#ifndef REMEX_PROC_BUNDLE_H
#define REMEX_PROC_BUNDLE_H

#include "base/diag.h"
#include "base/vec.h"
#include "conf/source.h"
#include "proc/ipc.h"

#include <sys/types.h>

struct conf;

struct bundle {
    VEC(struct str) args;       /* argv of the daemon */
    VEC(struct source) sources; /* the main file first */
    struct source_set set;      /* the same */
};

enum { BUNDLE_BYTES_MAX = 80 * 1024 * 1024, BUNDLE_ARGS_MAX = 4096 };

/* A sealed memory file, for processes of that kind. -1 with errno. */
int bundle_write(int argc, char *const *argv, const struct conf *c, enum ipc_kind kind);
/* Reads it; false: it is none. */
bool bundle_read(struct arena *a, int fd, struct bundle *out);
/* The same from text (which is kept). */
bool bundle_parse(struct arena *a, struct str text, struct bundle *out);

#endif
