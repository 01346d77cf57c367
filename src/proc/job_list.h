/* The schedule of the daemon: what waits for a delivery process, messages that have arrived and queue runs, in order. A message
 * is in it once. */
#ifndef REMEX_PROC_JOB_LIST_H
#define REMEX_PROC_JOB_LIST_H

#include "base/str.h"

enum {
    JOB_LIST_MAX = 200000,  /* messages; the spool has the others */
    JOB_LIST_RUNS_MAX = 64, /* queue runs that wait */
    JOB_NO_OPTION = 0xffff, /* a run that no -q option started */
};

enum job_kind { JOB_ATTEMPT, JOB_RUN };

struct job {
    enum job_kind kind;
    struct str id;    /* of the message; of a run, the argument of ETRN (may be empty) */
    struct str queue; /* may be empty */
    unsigned when;    /* enum reception_delivery */
    uint64_t option;  /* of a run: which -q option, or JOB_NO_OPTION */
    bool again;       /* a process that was at it has died */
    int64_t since_ms; /* when it came, on the monotonic clock */
    uint32_t chain;   /* of the list: the next one in its bucket */
};

/* All zero is an empty one. */
struct job_list {
    struct job *v; /* a ring */
    size_t cap, first, n;
    uint32_t *buckets; /* cap of them: places of messages in v, plus 1, by their ids */
};

/* False: no room. The texts are copied. Of one that is there already queue and when become these. */
bool job_list_add(struct job_list *l, struct str id, struct str queue, unsigned when);
bool job_list_add_run(struct job_list *l, uint64_t option, struct str argument);

/* The message of that id, or NULL. Valid until the list changes. */
struct job *job_list_find(const struct job_list *l, struct str id);

/* The one that i others are before; there must be one. */
const struct job *job_list_at(const struct job_list *l, size_t i);
/* Takes the oldest one out, which must be there; the caller frees it. */
struct job job_list_take(struct job_list *l);
void job_free(struct job *j);

size_t job_list_runs(const struct job_list *l);
/* True if a run without option for that argument waits. */
bool job_list_has_run(const struct job_list *l, struct str argument);

void job_list_free(struct job_list *l);

#endif
