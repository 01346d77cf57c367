/* Figures about the machine: load, free space. */
#ifndef REMEX_SYS_MACHINE_H
#define REMEX_SYS_MACHINE_H

#include <stdint.h>

struct machine_free {
    int64_t kib;    /* free for ordinary users; -1: unknown */
    int64_t inodes; /* -1: unknown */
};

/* Load average of the last minute times 1000, or -1. */
int64_t machine_load_average(void);
/* Free space of the file system of a path. */
struct machine_free machine_free_at(const char *path);

#endif
