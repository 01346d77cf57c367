/* Bounces that a journal speaks of: what an interrupted attempt left of them is brought to its end.
 *
 * Done by who has the lock of the original, before the journal goes and before anything else is done with the message: a
 * bounce that is still held is shown, one that was noted in part is dropped, so that each is sent exactly once.
 */
#ifndef REMEX_ENGINE_BOUNCE_SETTLE_H
#define REMEX_ENGINE_BOUNCE_SETTLE_H

#include "engine/engine.h"
#include "engine/spool_journal.h"

/* reference: the id of the original, for the line of the bounce's arrival. ERROR: the journal must stay. */
enum spool_result bounce_settle(struct engine *e, struct str reference,
                                const struct spool_journal_found *found, struct spool_fault *f);

#endif
