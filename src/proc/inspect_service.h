/* How processes reach the inspect process: through the door that the master gave them, or, in programs without a daemon, one of their own, which
 * is started when it is first needed and ends with them.
 */
#ifndef REMEX_PROC_INSPECT_SERVICE_H
#define REMEX_PROC_INSPECT_SERVICE_H

#include "proc/mode.h"
#include "sys/inspect.h"

/* door: stays open here for good. */
const struct inspect_service *inspect_service_of_door(struct arena *a, int door);
/* m must live as long. **thread**: one alone. */
const struct inspect_service *inspect_service_of_own(struct mode *m);

#endif
