/* Whether a message that has come in is delivered at once, and who waits for it. */
#ifndef REMEX_PROC_QUEUEING_H
#define REMEX_PROC_QUEUEING_H

#include "proc/mode.h"
#include "proc/reception.h"

enum queueing_origin { QUEUEING_LOCAL, QUEUEING_SMTP };

/* By -od…, queue_only and its kind. A session in which the load was too high once may stay so (queue_only_load_latch): eval->session
 * remembers it. */
enum reception_delivery queueing_choose(const struct mode *m, const struct engine *e,
                                        enum queueing_origin origin);

#endif
