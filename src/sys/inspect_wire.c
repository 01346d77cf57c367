/* The table of messages; see inspect_wire.h. */
#include "sys/inspect_wire.h"

enum {
    CLIENT = INSPECT_CLIENT,
    DOOR = INSPECT_DOOR,
    POOL = INSPECT_POOL,
    WORKER = INSPECT_WORKER,
};

enum { NO_FD = 0, WITH_FD = 1 };

static const struct ipc_row rows[INSPECT_TYPES] = {
#define INSPECT(NAME, from, to, shape, fd, doc) [INSPECT_##NAME] = {#NAME, from, to, shape, fd},
#include "sys/inspect_wire.def"
#undef INSPECT
};

const struct ipc_protocol inspect_protocol = {rows, INSPECT_TYPES};
