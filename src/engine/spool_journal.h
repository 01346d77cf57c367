/* The -J file of a message: addresses that are done, one a line, as they happen.
 *
 * Recipients that a bounce tells of stand between a line "*bounce ID" and a line "*bounced ID": both lines on disk say that they are done
 * and that message ID, which is held (spool_held.h), is to be shown; anything less says nothing. To Exim these lines are
 * addresses that nobody has.
 * A line counts when its newline is on disk. What a crash left of a last line without one is ignored: its
 * delivery was not yet recorded. The file is only touched by who holds the lock on the body.
 */
#ifndef REMEX_ENGINE_SPOOL_JOURNAL_H
#define REMEX_ENGINE_SPOOL_JOURNAL_H

#include "base/vec.h"
#include "engine/spool.h"

struct spool_journal {
    int fd;    /* -1: not open */
    off_t end; /* behind the last whole line */
};

/* Opens the journal for writing, making it (and syncing the directory) when there is none; a torn last
 * line is cut off. */
enum spool_result spool_journal_open(const struct spool_entry *e, struct spool_journal *j,
                                     struct spool_fault *f);
/* Appends the addresses with one write and syncs. On failure what was written of them is cut off again.
 * BAD: one of them has CR, LF or NUL, or none of its own. */
enum spool_result spool_journal_append(struct arena *scratch, const struct spool_entry *e,
                                       struct spool_journal *j, const struct str *done,
                                       size_t n, struct spool_fault *f);
/* The same for recipients that message `bounce`, which is held, tells of. */
enum spool_result spool_journal_append_bounce(struct arena *scratch,
                                              const struct spool_entry *e,
                                              struct spool_journal *j, struct str bounce,
                                              const struct str *done, size_t n,
                                              struct spool_fault *f);
void spool_journal_close(struct spool_journal *j);

struct spool_journal_found {
    bool any;                       /* there is a journal */
    VEC(struct message_id) bounces; /* to be shown, if they are not yet */
    VEC(struct message_id) torn;    /* noted in part: to be dropped */
};

/* Adds what the journal says to h->done. OK also when there is none: *found tells. */
enum spool_result spool_journal_read(struct arena *a, const struct spool_entry *e,
                                     struct spool_header *h, struct spool_journal_found *found,
                                     struct spool_fault *f);

#endif
