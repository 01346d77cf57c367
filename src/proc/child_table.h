/* The processes that the master has started, and what they are for. */
#ifndef REMEX_PROC_CHILD_TABLE_H
#define REMEX_PROC_CHILD_TABLE_H

#include "base/vec.h"
#include "proc/ipc.h"

#include <sys/types.h>

/* One process, or the place of one that is to be started again. */
struct role_child {
    enum ipc_kind kind;
    unsigned number;
    unsigned generation;
    unsigned owner; /* of counted connections; 0: counts none */
    pid_t pid;      /* 0: not running */
    int fd;         /* -1: none */
    bool ready;
    bool closed;      /* no listening socket is open there any more */
    bool retired;     /* not started again */
    unsigned deaths;  /* one after the other, each soon after the start */
    int64_t since_ms; /* when it was started */
    int64_t again_ms; /* when it is started again; 0: not */
    unsigned links;   /* sockets that it got again since it was started */
    int64_t link_ms;  /* when it gets another socket to the queue process; 0: not */
};

struct child_table {
    VEC(struct role_child *) v;
};

struct role_child *child_table_of_pid(struct child_table *t, pid_t pid);
/* One of that kind that runs or is to be started; NULL: there is none. */
struct role_child *child_table_find(const struct child_table *t, enum ipc_kind kind,
                                    unsigned generation);
/* Takes out those that have ended and are not started again. */
void child_table_sweep(struct child_table *t);
struct role_child *child_table_add(struct child_table *t, struct arena *a, enum ipc_kind kind,
                                   unsigned number, unsigned generation);
/* When a process that has died (deaths times running) is started again: milliseconds from now. */
int64_t child_table_delay(unsigned deaths);

#endif
