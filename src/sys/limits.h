/* Resource limits of the process. Called before there are threads. Source: setrlimit(2). */
#ifndef REMEX_SYS_LIMITS_H
#define REMEX_SYS_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

enum limit_kind {
    LIMIT_FILES, /* open descriptors */
    LIMIT_CORE,  /* bytes of a core file */
    LIMIT_MEMORY, /* bytes of memory of its own; no limit in programs with sanitizers, which need more */
};

enum limit_how {
    LIMIT_FOR_GOOD, /* what is executed has it too, and cannot raise it */
    LIMIT_FOR_NOW,  /* it can be raised again to what it was */
};

/* As near to the value as the present hard limit permits. False with errno. */
bool limits_set(enum limit_kind kind, uint64_t value, enum limit_how how);
/* Bytes of memory that the process has had at most so far. */
uint64_t limits_memory_used(void);
/* Descriptors that may be open. */
unsigned limits_files(void);

#endif
