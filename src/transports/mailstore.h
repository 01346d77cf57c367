/* Mailstore format: two files a message, BASE.env with the envelope and BASE.msg with the message. */
#ifndef REMEX_TRANSPORTS_MAILSTORE_H
#define REMEX_TRANSPORTS_MAILSTORE_H

#include "transports/appendfile.h"

/* False: the answer says why; neither file is left then. Source: specification, "Mailstore delivery". */
bool mailstore_deliver(struct append *d);

#endif
