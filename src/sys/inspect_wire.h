/* The messages of inspect_wire.def. Each job has a socket of its own, so who forges a message loses one job. */
#ifndef REMEX_SYS_INSPECT_WIRE_H
#define REMEX_SYS_INSPECT_WIRE_H

#include "sys/ipc.h"

enum inspect_kind {
    INSPECT_CLIENT = 1u << 0,
    INSPECT_DOOR = 1u << 1,
    INSPECT_POOL = 1u << 2,
    INSPECT_WORKER = 1u << 3,
};

enum inspect_type {
#define INSPECT(NAME, from, to, shape, fd, doc) INSPECT_##NAME,
#include "sys/inspect_wire.def"
#undef INSPECT
    INSPECT_TYPES,
};

enum inspect_library { INSPECT_LIBRARY_SPF, INSPECT_LIBRARY_CLAMAV, INSPECT_LIBRARIES };

/* Why there is no result. */
enum inspect_end {
    INSPECT_KILLED,    /* by a signal */
    INSPECT_EXITED,    /* with a status */
    INSPECT_TIMED_OUT, /* it took too long, and was killed */
    INSPECT_UNLOADED,  /* the library cannot be used */
    INSPECT_CROWDED,   /* too many wait */
    INSPECT_ENDS,
};

enum inspect_scan { INSPECT_CLEAN, INSPECT_FOUND, INSPECT_UNSCANNED, INSPECT_SCANS };

enum {
    INSPECT_LIMIT_MAX_MS = 60 * 60 * 1000,
    INSPECT_GUESSED = 1 << 8,   /* beside the result of SPF */
    INSPECT_RECORDS_MAX = 256,  /* of an answer */
    INSPECT_ANSWER_MAX = 65536, /* bytes of all its records */
};

extern const struct ipc_protocol inspect_protocol;

#endif
