/* Maildirs: folders tmp, new and cur, a file a message; Maildir++ folders and their quota. */
#ifndef REMEX_TRANSPORTS_MAILDIR_H
#define REMEX_TRANSPORTS_MAILDIR_H

#include "transports/appendfile.h"

struct maildir {
    bool counted; /* d->quota has size and files, or nothing is to be limited here */
    int size_fd;  /* of maildirsize; -1: none */
};

/* "TIME.MUSECPPID.HOST", a name that no other file in any maildir has; NUL-terminated. */
struct str maildir_unique_name(struct append *d);
/* Makes the folders and maildirfolder, finds out where the quota counts, opens maildirsize. False: the answer says why. */
bool maildir_prepare(struct append *d, struct maildir *m);
bool maildir_deliver(struct append *d);
/* Closes; after a good delivery the message is added to maildirsize first. */
void maildir_finish(struct append *d, struct maildir *m, bool delivered);

#endif
