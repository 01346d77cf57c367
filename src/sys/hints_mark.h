/* The files by which administrators have hints forgotten: beside the store stands an empty file for each kind of hints, under the name that
 * the kind's own file has in Exim (db/retry, db/wait-TRANSPORT …). Who removes it means the records: the store has noted which file it was,
 * and forgets the kind when that one is gone or another stands in its place.
 *
 * Nothing here knows the store. Not for a directory that others than the mail system may write to.
 */
#ifndef REMEX_SYS_HINTS_MARK_H
#define REMEX_SYS_HINTS_MARK_H

#include "sys/hints.h"

enum {
    HINTS_MARK_NAME =
        96, /* bytes of a name with its NUL; a transport with a longer name has no mark */
    HINTS_MARK_KNOWN =
        32, /* marks that a process remembers; of more, each is looked at more often */
    HINTS_MARK_FRESH_MS = 500, /* how long a look at one is good */
};

/* Which file it was: a number of a file that is gone may come again, with a younger birth (by a tick of the kernel's clock, some
 * milliseconds). As the store has it. */
struct hints_stamp {
    uint64_t inode;
    int64_t born_s;
    uint32_t born_ns, zero;
};

struct hints_known {
    char name[HINTS_MARK_NAME];
    struct hints_stamp stamp;
    int64_t seen_ms; /* monotonic */
};

struct hints_marks {
    struct hints_known v[HINTS_MARK_KNOWN];
    size_t n, next; /* next: whose place another takes */
};

/* The name of the mark of a record; false: it has none. For waiting messages, whose keys begin with transport and slash, it is one a
 * transport. */
bool hints_mark_name(enum hints_kind k, struct str key, char name[HINTS_MARK_NAME]);

/* Looks at a file. False: it is not there, or cannot be looked at. */
bool hints_mark_look(const char *directory, const char *name, struct hints_stamp *out);
/* Makes it. False: it is there, or cannot be made. */
bool hints_mark_make(const char *directory, const char *name);
bool hints_mark_same(const struct hints_stamp *a, const struct hints_stamp *b);

/* What is remembered of a mark, whose record was as it should be when it was last looked at; NULL: nothing. */
struct hints_known *hints_mark_known(struct hints_marks *m, const char *name);
void hints_mark_note(struct hints_marks *m, const char *name, const struct hints_stamp *stamp,
                     int64_t now_ms);

#endif
