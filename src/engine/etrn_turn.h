/* smtp_etrn_serialize: what ETRN started runs once at a time for the same key.
 *
 * A turn is a lock on a file in the spool that whoever runs keeps open, so that it ends with the run, however that ends.
 */
#ifndef REMEX_ENGINE_ETRN_TURN_H
#define REMEX_ENGINE_ETRN_TURN_H

#include "engine/engine.h"

/* True with a descriptor that the run has to keep, or -1 when any number may run. False: one for that key is under way. */
bool etrn_turn_take(struct engine *e, struct arena *a, struct str key, int *turn);

#endif
