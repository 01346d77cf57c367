/* Moves a message from one named queue to another (-MG). */
#ifndef REMEX_ENGINE_QUEUE_MOVE_H
#define REMEX_ENGINE_QUEUE_MOVE_H

#include "engine/engine.h"

/* From the engine's queue to the named one ("": the default queue). At any moment the message is in one of them, whole. False:
 * not moved, which was said on stdout. */
bool queue_move(struct engine *e, struct str id, struct str to);

/* Moves the files of a frozen message, and its log, out of the way: to Finput and Fmsglog (move_frozen_messages). The caller holds the
 * lock. False with errno. */
bool queue_move_frozen(struct engine *e, const struct spool_entry *entry);

#endif
