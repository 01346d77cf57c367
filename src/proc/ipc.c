/* The table of messages; see ipc.h. */
#include "proc/ipc.h"

enum {
    MASTER = IPC_KIND_MASTER,
    SMTP = IPC_KIND_SMTP,
    QUEUE = IPC_KIND_QUEUE,
    DELIVER = IPC_KIND_DELIVER,
    WORKER = IPC_KIND_WORKER,
    SESSION = IPC_KIND_SESSION,
    AGENT = IPC_KIND_AGENT,
    INSPECT = IPC_KIND_INSPECT,
};

enum { NO_FD = 0, WITH_FD = 1 };

static const struct ipc_row rows[IPC_TYPES] = {
#define IPC(NAME, from, to, shape, fd, doc) [IPC_##NAME] = {#NAME, from, to, shape, fd},
#include "proc/ipc.def"
#undef IPC
};

const struct ipc_protocol ipc_protocol = {rows, IPC_TYPES};

const char *
ipc_kind_name(enum ipc_kind k)
{
    switch (k) {
    case IPC_KIND_MASTER:
        return "master";
    case IPC_KIND_SMTP:
        return "smtp";
    case IPC_KIND_QUEUE:
        return "queue";
    case IPC_KIND_DELIVER:
        return "deliver";
    case IPC_KIND_WORKER:
        return "worker";
    case IPC_KIND_SESSION:
        return "session";
    case IPC_KIND_AGENT:
        return "agent";
    case IPC_KIND_INSPECT:
        return "inspect";
    }
    return "unknown";
}
