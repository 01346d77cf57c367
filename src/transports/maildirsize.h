/* The maildirsize file of Maildir++: a quota, and how much a maildir holds, as a sum of lines that deliveries add.
 *
 * Any program of the user may have written it: what is not understood is computed anew. Source: specification, "Using a
 * maildirsize file", and the description of Maildir++.
 */
#ifndef REMEX_TRANSPORTS_MAILDIRSIZE_H
#define REMEX_TRANSPORTS_MAILDIRSIZE_H

#include "transports/appendfile.h"

struct regex;

/* A longer file is computed anew. */
enum { MAILDIRSIZE_MAX = 5120 };

struct maildirsize {
    int64_t limit, limit_files; /* the quota that the first line gives; 0: none */
    int64_t size, files;        /* sums of the other lines */
    int lines;                  /* how many those are */
};

/* Reads the text of such a file. False: it is none. */
bool maildirsize_parse(struct str text, struct maildirsize *out);

/* Opens the file of the maildir at `folder`, or makes it by counting, and puts size and number of files into d->quota.
 * folders: which folders count. *fd is for maildirsize_add; -1: there is none, since the maildir changed meanwhile. False:
 * the answer says why. */
bool maildirsize_open(struct append *d, const char *folder, const struct regex *folders,
                      int *fd);
/* Adds one message. Faults do not matter: the next reader counts. */
void maildirsize_add(struct append *d, int fd, int64_t size);

#endif
