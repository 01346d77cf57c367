/* Who got an automatic reply already, and when: the file that the once option names.
 *
 * A line a recipient, "000001795703768 a@b": times are changed in place, new lines come at the end, with a limit the oldest
 * ones go. The file is locked while it is looked at. A file of that name that is something else (a database of another
 * program) is left alone, and ours lies beside it, with ".list" behind the name. A list that was cut in the middle of a
 * line is mended.
 */
#ifndef REMEX_TRANSPORTS_ONCE_FILE_H
#define REMEX_TRANSPORTS_ONCE_FILE_H

#include "base/str.h"

#include <sys/types.h>

struct arena;

enum { ONCE_FILE_MAX = 64 * 1024 * 1024, ONCE_KEY_MAX = 1024 };

struct once_question {
    const char *path;
    mode_t mode;      /* of a file that is made */
    int64_t max_size; /* bytes; 0: none */
    struct str
        who; /* control characters are replaced, what is longer than ONCE_KEY_MAX is cut */
    int64_t now;
    int64_t repeat_s; /* 0: never again */
};

enum once_answer {
    ONCE_SEND,    /* and it is recorded now */
    ONCE_ALREADY, /* it had one */
    ONCE_ERROR,   /* errno says why */
};

enum once_answer once_file_ask(struct arena *a, const struct once_question *q);

#endif
