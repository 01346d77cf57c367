/* Locks on a range of a file, as other programs take them with fcntl.
 *
 * The lock belongs to the open file description, not to the process: it excludes other threads too, is not
 * lost when an unrelated descriptor of the same file is closed, and still conflicts with the process-wide
 * fcntl locks that Exim takes. It ends when the last copy of the descriptor is closed.
 */
#ifndef REMEX_SYS_FILE_LOCK_H
#define REMEX_SYS_FILE_LOCK_H

#include <stdint.h>
#include <sys/types.h>

enum file_lock_result {
    FILE_LOCK_OK,
    FILE_LOCK_BUSY,  /* someone else has it */
    FILE_LOCK_ERROR, /* errno says why */
};

enum file_lock_kind { FILE_LOCK_SHARED, FILE_LOCK_EXCLUSIVE };
enum file_lock_by { FILE_LOCK_BY_FCNTL, FILE_LOCK_BY_FLOCK };

/* Locks a whole file; tries for up to timeout_ms (0: once). fd must be open for reading (shared, fcntl) or writing
 * (exclusive, fcntl). BUSY: the time was up. */
enum file_lock_result file_lock_all(int fd, enum file_lock_by by, enum file_lock_kind kind,
                                    int64_t timeout_ms);

/* Takes a write lock on the first n bytes without waiting; fd must be open for writing. */
enum file_lock_result file_lock_head(int fd, off_t n);
/* The same for n bytes from `from` on, and the end of it. */
enum file_lock_result file_lock_range(int fd, off_t from, off_t n);
void file_unlock_range(int fd, off_t from, off_t n);

#endif
