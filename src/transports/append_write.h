/* Writes the message of an appendfile delivery to an open file. */
#ifndef REMEX_TRANSPORTS_APPEND_WRITE_H
#define REMEX_TRANSPORTS_APPEND_WRITE_H

#include "transports/appendfile.h"

/* Expands what is written round the message. False: the answer says why. */
bool append_write_prepare(struct append *d);
/* Writes it all, with message_prefix and message_suffix; d->written counts the bytes. name: of the file, for the answer.
 * False: the answer says why. */
bool append_write(struct append *d, int fd, const char *name);
/* Writes bytes of our own. */
bool append_write_text(struct append *d, int fd, const char *name, struct str text);
/* The answer to a failed call while the file was written, from errno: a full file system, a quota of the system, others. */
bool append_write_failed(struct append *d, const char *name);

#endif
