/* Makes the engine of a process of the command line from what was found out at start. */
#ifndef REMEX_PROC_ENGINE_START_H
#define REMEX_PROC_ENGINE_START_H

#include "engine/engine.h"
#include "proc/mode.h"

/* An engine for this process, in the mode's arena, which stays who it is. NULL: told on stderr. */
struct engine *engine_make(struct mode *m);

/* An engine for this process, in the mode's arena. With root it works as the mail user from now on, with root in reserve (unless
 * deliver_drop_privilege forbids it). NULL: told on stderr. */
struct engine *engine_start(struct mode *m);

/* Opens what the threads of a process share (the hints); before there are any. */
void engine_start_shared(struct engine *e);
/* An engine for a further thread, in a: it shares with e what does not change (configuration, site, hints) and has a language machine
 * and caches of its own. e must live longer. **thread**: any, while nobody changes e. */
struct engine *engine_start_thread(const struct engine *e, struct arena *a);

#endif
