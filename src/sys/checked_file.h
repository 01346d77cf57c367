/* Reads a whole file that belongs to a user, by a process that is the user: opened without the magic links of /proc, checked on
 * the descriptor, the same before and after it was read.
 */
#ifndef REMEX_SYS_CHECKED_FILE_H
#define REMEX_SYS_CHECKED_FILE_H

#include "base/str.h"

struct arena;

enum checked_file_end {
    CHECKED_FILE_OK,
    CHECKED_FILE_NO_OPEN, /* errno */
    CHECKED_FILE_NO_READ, /* errno */
    CHECKED_FILE_NOT_REGULAR,
    CHECKED_FILE_BAD_MODE, /* *mode has it */
    CHECKED_FILE_BAD_OWNER,
    CHECKED_FILE_BAD_GROUP,
    CHECKED_FILE_TOO_BIG,
    CHECKED_FILE_CHANGED, /* again and again while it was read */
};

/* What a file must be. */
struct checked_file_rules {
    size_t max; /* bytes */
    unsigned forbidden_mode;
    bool check_owner, check_group;
    const int64_t *owners, *groups;
    size_t owners_n, groups_n;
    const char *
        beneath; /* a folder that the path must not leave, not even by a link; NULL: anywhere */
};

/* *text is tainted and in a; of CHECKED_FILE_OK only. *mode (may be NULL) is the file's, with its type, once it is open. */
enum checked_file_end checked_file_read(struct arena *a, const char *path,
                                        const struct checked_file_rules *rules,
                                        struct str *text, unsigned *mode);

#endif
