/* Whole files and their state, within bounds. */
#ifndef REMEX_SYS_FILE_H
#define REMEX_SYS_FILE_H

#include "base/str.h"

enum { FILE_WRITER_MS = 1000 };

/* Opens path for reading. A FIFO is given FILE_WRITER_MS to have a writer, so that nobody waits for ever. -1 with
 * errno, ENXIO when nobody writes. */
int file_open(const char *path);

enum file_result {
    FILE_OK,
    FILE_NO_OPEN, /* errno says why */
    FILE_NO_READ,
    FILE_TOO_BIG,
};

/* Reads at most max bytes of path into a; a longer file gives FILE_TOO_BIG and the first max bytes. The value
 * is tainted: a file's content is not ours. path must be NUL-terminated. */
enum file_result file_read(struct arena *a, const char *path, size_t max, struct str *out);
/* The same from an open descriptor, which stays open. */
enum file_result file_read_fd(struct arena *a, int fd, size_t max, struct str *out);

/* The same from the file's beginning to its size, whatever the descriptor's position is: that is shared by all processes to which the
 * descriptor was handed. */
enum file_result file_read_whole(struct arena *a, int fd, size_t max, struct str *out);

/* The text that ${stat: gives for path ("mode=0644 smode=-rw-r--r-- inode=... "), or false with errno. */
bool file_stat_text(struct arena *a, const char *path, struct str *out);

/* Writes all n bytes, going on after short writes and interrupts. False with errno. */
bool file_write_all(int fd, const char *p, size_t n);

#endif
