/* Deliveries to a folder: a new file a message. What all formats have in common, and the plain one. */
#ifndef REMEX_TRANSPORTS_APPEND_NEW_H
#define REMEX_TRANSPORTS_APPEND_NEW_H

#include "transports/appendfile.h"

/* Delivers in the format that the options name. False: the answer says why; nothing of the message is left then. */
bool append_new(struct append *d);

/* True if the message would fit into the folder. Else the answer says why. A folder that is not there is empty. */
bool append_new_room(struct append *d);

/* A new file, with d->mode. -1: the answer says why ("while creating file NAME"). */
int append_new_open(struct append *d, const char *name);
/* Writes the message to it and syncs; closes it in any case. False: the file is gone and the answer says why. */
bool append_new_write(struct append *d, int fd, const char *name);
/* Gives a whole file its last name, which nobody may have yet, and syncs the folder. False: neither name is left, and
 * the answer says why. */
bool append_new_rename(struct append *d, const char *from, const char *to);
#endif
