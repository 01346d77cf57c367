/* The queue as people see it: -bp and its kind. Nothing is locked; what disappears meanwhile is passed over. */
#ifndef REMEX_ENGINE_QUEUE_SHOW_H
#define REMEX_ENGINE_QUEUE_SHOW_H

#include "engine/engine.h"
#include "engine/queue_list.h"

#include <stdio.h>

enum queue_show_what {
    QUEUE_SHOW_ALL,         /* -bp: original addresses, delivered ones marked D */
    QUEUE_SHOW_GENERATED,   /* -bpa: also those that were generated, +D */
    QUEUE_SHOW_UNDELIVERED, /* -bpu */
    QUEUE_SHOW_IDS,         /* -bpi: message ids alone */
};

/* Lists the queue in that order, one message at a time. */
void queue_show(struct engine *e, enum queue_list_order order, enum queue_show_what what,
                FILE *out);
/* How many messages there are, in both lanes. */
size_t queue_show_count(struct engine *e);
/* Lists just these. */
void queue_show_some(struct engine *e, const struct str *ids, size_t n,
                     enum queue_show_what what, FILE *out);

#endif
