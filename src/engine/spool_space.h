/* Whether there is room for another message: check_spool_space, check_log_space and their inodes. */
#ifndef REMEX_ENGINE_SPOOL_SPACE_H
#define REMEX_ENGINE_SPOOL_SPACE_H

#include "engine/engine.h"

/* size: bytes that the message announces, -1: unknown. False: logged. */
bool spool_space_is_enough(struct engine *e, int64_t size);

#endif
