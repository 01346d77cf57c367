/* The messages of ipc.def and the kinds of process that exchange them. */
#ifndef REMEX_PROC_IPC_H
#define REMEX_PROC_IPC_H

#include "sys/ipc.h"

/* Kinds of process; bits, so that a row can name several. */
enum ipc_kind {
    IPC_KIND_MASTER = 1u << 0,
    IPC_KIND_SMTP = 1u << 1,
    IPC_KIND_QUEUE = 1u << 2,
    IPC_KIND_DELIVER = 1u << 3, /* starts the workers */
    IPC_KIND_WORKER = 1u << 4,
    IPC_KIND_SESSION = 1u << 5, /* a process that serves one connection */
    IPC_KIND_AGENT = 1u << 6,   /* starts the processes that become users */
    IPC_KIND_INSPECT = 1u << 7, /* starts the processes that parse what nobody trusts */
};

enum ipc_type {
#define IPC(NAME, from, to, shape, fd, doc) IPC_##NAME,
#include "proc/ipc.def"
#undef IPC
    IPC_TYPES,
};

extern const struct ipc_protocol ipc_protocol;

/* "smtp", "queue" and so on. */
const char *ipc_kind_name(enum ipc_kind k);

#endif
