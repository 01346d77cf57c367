/* Lock files beside mailboxes, and the lock files of MBX mailboxes in /tmp.
 *
 * A lock file is made in a way that works over NFS: a file of its own name is linked to the name of the lock. Source:
 * specification, "Operational details for appending".
 */
#ifndef REMEX_TRANSPORTS_MAILBOX_LOCK_H
#define REMEX_TRANSPORTS_MAILBOX_LOCK_H

#include "transports/appendfile.h"

/* Makes PATH.lock; *name is it, to be removed by mailbox_lock_release. False: the answer says why. */
bool mailbox_lock_take(struct append *d, char **name);
void mailbox_lock_release(struct append *d, const char *name);

enum mailbox_lock_result { MAILBOX_LOCK_OK, MAILBOX_LOCK_BUSY, MAILBOX_LOCK_FAULT };

/* The locks of an open mailbox that the options ask for: fcntl, flock; for use_mbx_lock a shared one on the mailbox and an
 * exclusive one on a file in /tmp, whose descriptor is *mbx (else -1; close it before the mailbox). FAULT: the answer says why. */
enum mailbox_lock_result mailbox_lock_open(struct append *d, int fd, int *mbx);
/* How often it is tried to open and lock, from the options. */
int64_t mailbox_lock_tries(const struct append *d);

/* Ends the use of the file in /tmp; it goes when nobody else has the mailbox open. mbx may be -1. */
void mailbox_lock_close(const struct append *d, int fd, int mbx);

#endif
