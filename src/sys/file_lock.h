/* Locks on a range of a file, as other programs take them with fcntl.
 *
 * The lock belongs to the open file description, not to the process: it excludes other threads too, is not
 * lost when an unrelated descriptor of the same file is closed, and still conflicts with the process-wide
 * fcntl locks that Exim takes. It ends when the last copy of the descriptor is closed.
 */
#ifndef REMEX_SYS_FILE_LOCK_H
#define REMEX_SYS_FILE_LOCK_H

#include <sys/types.h>

enum file_lock_result {
    FILE_LOCK_OK,
    FILE_LOCK_BUSY,  /* someone else has it */
    FILE_LOCK_ERROR, /* errno says why */
};

/* Takes a write lock on the first n bytes without waiting; fd must be open for writing. */
enum file_lock_result file_lock_head(int fd, off_t n);

#endif
