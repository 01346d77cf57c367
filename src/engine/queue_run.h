/* One pass over the queue. Source: specification, options -q, -R, -S. */
#ifndef REMEX_ENGINE_QUEUE_RUN_H
#define REMEX_ENGINE_QUEUE_RUN_H

#include "engine/engine.h"

struct queue_run {
    bool two_stage;      /* qq: everything is routed and delivered locally first */
    bool only_new;       /* i: messages that were not tried before */
    bool force;          /* f: retry times do not count */
    bool force_frozen;   /* ff: frozen messages too */
    bool local_only;     /* l */
    struct str from, to; /* ids between which messages are; unset: no bound */
    /* -R, -S: part of a recipient or of the sender; unset: all. Regular expressions with r. */
    struct str recipient, sender;
    bool recipient_regex, sender_regex;
    bool recipient_force, sender_force; /* force all that are selected, not only the first */
    struct str domains; /* unset: all; else only recipients of these, separated by commas */
    const char *title;  /* in front of "queue run" in the log; NULL: nothing */
    struct str words;   /* as it is logged: "-qf -R x" */
};

/* Those of the domains, separated by commas, for whose recipients a message waits. In a; looks through the queue once. */
struct str queue_run_waiting(struct engine *e, struct arena *a, struct str domains);
/* False: the run could not be made at all, which was logged. */
bool queue_run(struct engine *e, const struct queue_run *q);

#endif
