/* What the inspect process does: a row a library. */
#ifndef REMEX_PROC_INSPECT_LIBRARY_H
#define REMEX_PROC_INSPECT_LIBRARY_H

#include "base/str.h"
#include "sys/inspect_wire.h"

struct arena;
struct conf;

/* A library in the process that has loaded it, and in the copies of that process that work with it. */
struct inspect_loaded {
    struct arena *arena;
    struct str plugin_directory;
    const char *scratch; /* where files may be made; NULL: nowhere */
    const void *plugin;  /* its one object */
    void *state;         /* what it has loaded */
    unsigned amount;     /* of signatures */
    unsigned workers;    /* processes at work at a time, at most */
    unsigned jobs;       /* of one process, before another takes its place */
    struct str why;      /* why it cannot be used */
};

struct inspect_library_row {
    const char *name;       /* for logs */
    const char *plugin;     /* its file in the plugin folder */
    const char *process;    /* name in lists of processes */
    uint64_t memory;        /* bytes that the loading process may have of its own */
    uint64_t memory_of_job; /* and a worker besides what was loaded */
    /* Reads the setup, closes the jail, loads. False with l->why. */
    bool (*load)(struct inspect_loaded *l, struct str setup);
    /* True: what was loaded is old. NULL: it does not grow old. */
    bool (*changed)(const struct inspect_loaded *l);
    /* A whole job in a worker, from the first word on its socket; the socket stays the caller's. */
    void (*work)(const struct inspect_loaded *l, int socket);
};

/* By enum inspect_library. */
const struct inspect_library_row *inspect_library(enum inspect_library id);

extern const struct inspect_library_row inspect_library_spf;    /* inspect_spf.c */
extern const struct inspect_library_row inspect_library_clamav; /* inspect_clamav.c */

/* Loads the plugin of the row into l->plugin. False with l->why. */
bool inspect_library_plugin(struct inspect_loaded *l, const struct inspect_library_row *row);

/* True if a configuration has something for the inspect process to do. */
bool inspect_library_is_wanted(const struct conf *c);

/* In a worker: the next word on a job's socket, or false: there will be none. */
bool inspect_library_hear(int socket, struct ipc_message *msg);

#endif
