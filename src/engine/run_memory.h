/* What one queue run knows in memory, so that the next message need not find it out again.
 *
 * A host that could not be connected to is not called again for every message that waits for it: for a while those that follow get
 * its answer. That holds for forced runs too, where retry times do not count. Which messages wait for which host is written to the
 * hints in large transactions. All of it may be lost: then a host is called once more, or a message goes with a later run.
 */
#ifndef REMEX_ENGINE_RUN_MEMORY_H
#define REMEX_ENGINE_RUN_MEMORY_H

#include "engine/engine.h"

struct smtp_end; /* transports/smtp_client.h */

enum {
    RUN_MEMORY_S = 60,            /* how long a failure holds */
    RUN_MEMORY_HOSTS_MAX = 10000, /* more are not remembered */
    RUN_MEMORY_WAITS_MAX = 1000,  /* notes of a transaction */
};

struct run_memory;

/* Remembers nothing; in a. */
struct run_memory *run_memory_new(struct arena *a);

/* A host, under the key of its retry record, that could not be connected to from the transport. end: copied; other ends than that
 * one are not remembered. m may be NULL: outside of queue runs nothing is remembered. */
void run_memory_failed(struct run_memory *m, struct str transport, struct str key,
                       const struct smtp_end *end);
/* How it failed, if that is not long ago; NULL: nobody knows. */
const struct smtp_end *run_memory_find(const struct run_memory *m, struct str transport,
                                       struct str key);

/* Takes a note of a message that waits (the key of its hint); false: it is for the caller to write. */
bool run_memory_wait(struct run_memory *m, struct engine *e, struct str key);
/* Writes what has been noted. */
void run_memory_flush(struct run_memory *m, struct engine *e);

#endif
