/* A mailbox that is one file: opened or made, checked, locked. */
#ifndef REMEX_TRANSPORTS_APPEND_FILE_H
#define REMEX_TRANSPORTS_APPEND_FILE_H

#include "transports/appendfile.h"

#include <sys/stat.h>

struct append_file {
    int fd;  /* -1: not open */
    int mbx; /* of the MBX lock file, or -1 */
    char *lock;
    bool fifo;
    bool created;
    struct stat before; /* of the open file, once it is locked */
};

/* Takes the lock file, opens or makes the mailbox and locks it. False: the answer says why; append_file_close is due all the
 * same. Source: specification, "Operational details for appending". */
bool append_file_open(struct append *d, struct append_file *f);
/* Unlocks and closes. */
void append_file_close(struct append *d, struct append_file *f);
/* Gives the mailbox the length and the time of modification that it had. */
void append_file_undo(struct append *d, const struct append_file *f);

#endif
