/* Messages that are held: whole on disk, and not in the queue yet.
 *
 * A bounce and the note that its recipients are done belong together, and are two files. So the bounce is written under another
 * name (spool_commit_held), then one append to the journal of the original says both that the recipients are done and
 * which message tells of them, and then the bounce gets its name. Who finds such a note after a crash shows the message that is still
 * held; one that is not held any more was shown before. Other programs that read the spool see a file that is none of
 * theirs. Only who has the lock of the original works on what it holds.
 */
#ifndef REMEX_ENGINE_SPOOL_HELD_H
#define REMEX_ENGINE_SPOOL_HELD_H

#include "engine/spool.h"

/* Gives the held message of the entry its name and syncs the directory. ABSENT: it has it already, synced. */
enum spool_result spool_show(const struct spool_entry *e, struct spool_fault *f);
/* Removes the files of a message that is held and was never shown. */
void spool_drop(const struct spool_entry *e);

/* The same for a message known by its id, looked for in both places where its files can be. */
enum spool_result spool_show_id(const struct spool_place *place,
                                const struct durable_calls *calls, const struct message_id *id,
                                struct spool_fault *f);
void spool_drop_id(const struct spool_place *place, const struct durable_calls *calls,
                   const struct message_id *id);

#endif
