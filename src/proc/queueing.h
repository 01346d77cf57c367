/* Whether a message that has come in is delivered at once, and who waits for it. */
#ifndef REMEX_PROC_QUEUEING_H
#define REMEX_PROC_QUEUEING_H

#include "proc/mode.h"
#include "proc/reception.h"

/* By -od…, queue_only and its kind. A session in which the load was too high once may stay so (queue_only_load_latch): eval->session
 * remembers it. */
enum reception_delivery queueing_choose(const struct mode *m, const struct engine *e);
/* The same for a message that has arrived; the log says when it has to wait because of the load. */
enum reception_delivery queueing_choose_for(const struct mode *m, struct engine *e,
                                            struct str id);

#endif
