/* The program of transport_filter: what goes in on one side comes out on the other, changed, and on to the destination.
 *
 * One process feeds it and reads it, whichever is possible, so that neither side can wait for the other for ever. What it
 * does not read is dropped: a filter that ends early with success has seen enough. Source: specification, "transport_filter".
 */
#ifndef REMEX_TRANSPORTS_TRANSPORT_FILTER_H
#define REMEX_TRANSPORTS_TRANSPORT_FILTER_H

#include "transports/message_sink.h"

#include <sys/types.h>

struct transport_filter {
    /* Set by the caller. */
    struct message_sink *to; /* where its output goes */
    struct message_lines *lines;
    int64_t timeout_ms; /* for each read of its output; 0: none */

    /* Results. */
    bool timed_out;
    int status; /* as waitpid gives it */

    /* Its own. */
    pid_t pid;
    int in, out; /* -1: closed */
};

/* Starts it with our environment. False with errno. */
bool transport_filter_start(struct transport_filter *f, char *const *argv);
/* The put of a struct message_sink whose ctx is the filter. */
bool transport_filter_put(void *ctx, struct iovec *v, int n);
/* No more comes: reads to its end, and waits for it. After an abandoned write (whole false) it is killed. False: it timed out or its
 * output could not be passed on. */
bool transport_filter_finish(struct transport_filter *f, bool whole);

#endif
