/* Moves a message from one named queue to another (-MG). */
#ifndef REMEX_ENGINE_QUEUE_MOVE_H
#define REMEX_ENGINE_QUEUE_MOVE_H

#include "engine/engine.h"

/* From the engine's queue to the named one ("": the default queue). At any moment the message is in one of them, whole. False:
 * not moved, which was said on stdout. */
bool queue_move(struct engine *e, struct str id, struct str to);

#endif
