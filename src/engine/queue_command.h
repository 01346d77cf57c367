/* What administrators do to messages in the queue: -M and its kind, on one message at a time.
 *
 * Everything that changes a message holds its lock, so that no delivery is disturbed. Source: specification, options -M….
 */
#ifndef REMEX_ENGINE_QUEUE_COMMAND_H
#define REMEX_ENGINE_QUEUE_COMMAND_H

#include "engine/engine.h"

/* One row a command: what it is called, how many further arguments it takes. */
struct queue_command {
    const char *option; /* "-Mf" */
    bool one_message;   /* the first argument is the message, the others are addresses */
    unsigned least;     /* further arguments that are needed */
    bool own_allowed;   /* the submitter may do it as well */
    /* False: not done, which was said on stdout or stderr. */
    bool (*run)(struct engine *e, struct str id, const struct str *args, size_t n);
};

/* NULL: no command of that name. */
const struct queue_command *queue_command_find(struct str option);

#endif
