/* Which transport knows the format of an existing mailbox: the option file_format. */
#ifndef REMEX_TRANSPORTS_APPEND_FORMAT_H
#define REMEX_TRANSPORTS_APPEND_FORMAT_H

#include "transports/appendfile.h"

/* *other: the transport that the mailbox is for, NULL: this one. False: the answer says why. */
bool append_format_find(struct append *d, const struct driver_instance **other);

#endif
