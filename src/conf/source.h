/* Configuration files as sources: opened, checked, read once, their text kept for messages. */
#ifndef REMEX_CONF_SOURCE_H
#define REMEX_CONF_SOURCE_H

#include "base/diag.h"

/* Who may own the main file, and whether that is asked at all (not with -C as an ordinary user). */
struct source_owner {
    bool check;
    bool has_uid;
    int64_t uid; /* allowed besides root */
    bool has_gid;
    int64_t gid; /* group that may write, besides root's */
};

enum source_result {
    SOURCE_OK,
    SOURCE_NONE,      /* no such file */
    SOURCE_NO_OPEN,   /* errno says why */
    SOURCE_NO_WRITER, /* a FIFO, or a socket, that nobody writes to */
    SOURCE_DIRECTORY,
    SOURCE_OWNER,   /* wrong owner, group or mode */
    SOURCE_TOO_BIG, /* more than max bytes */
};

/* Reads path, at most max bytes. owner may be NULL. The name is kept, not copied. */
enum source_result source_read(struct arena *a, struct str path, size_t max,
                               const struct source_owner *owner, struct source **out);

/* Texts that were read before, by another process. */
struct source_set {
    const struct source *v;
    size_t n;
};

/* The same as source_read, from such texts: SOURCE_OK or SOURCE_NONE, or SOURCE_TOO_BIG. */
enum source_result source_find(struct arena *a, const struct source_set *set, struct str path,
                               size_t max, struct source **out);

#endif
