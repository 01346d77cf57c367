/* Has a job done by a process that is a user: the one way in which the engine touches what users own.
 *
 * How that process comes about is the engine's `become`: a child of our own (the command line as root, and whoever is nobody else), or one of
 * the agent's. Either way the job travels as bytes and is done by local_work.h, so there is one path only. Source: specification, chapters
 * "Environment for running local transports", "Security considerations".
 */
#ifndef REMEX_ENGINE_BECOME_H
#define REMEX_ENGINE_BECOME_H

#include "engine/engine.h"
#include "engine/local_job.h"
#include "sys/child.h"
#include "sys/key_file.h"

struct become_request {
    uid_t uid;
    gid_t gid;
    struct str login;     /* whose groups come with it; unset: gid alone */
    struct str directory; /* where it works; unset: anywhere */
    int64_t timeout_s;    /* 0: none */
    size_t max_answer;
    int body_fd;    /* of the message, or -1 */
    bool reads_all; /* nobody's user: as the mail user, with the power to read every file */
    bool
        runs_programs; /* ones that may be set-uid: the process must be able to gain by execution */
    const struct local_job *job;
};

/* The key of a transport that this process may not read. */
struct become_key {
    struct str transport, path;
};

/* A way to have it done. */
struct engine_become {
    /* bytes: the job of rq, written. Fills in *out as child_run does. */
    void (*run)(const struct engine_become *self, struct engine *e, struct arena *a,
                const struct become_request *rq, struct str bytes, struct child_result *out);
    /* Opens a key with root's power (transports/key_place.h). A descriptor, or -1 with *why. */
    int (*open_key)(const struct engine_become *self, struct engine *e,
                    const struct become_key *key, struct key_file_result *why);
};

/* In a child of this process, which becomes the user if e->can_become. */
extern const struct engine_become become_by_fork;

/* Fills in what variables show: the models of e->eval, its maps, captures. */
void become_set_context(const struct engine *e, struct local_job *job);
/* Never uid 0 and none of never_users for what reads users' lists: those are read by the mail user, who may read all. */
void become_set_reader(const struct engine *e, struct become_request *rq);
/* True if no delivery may run as this user: root, never_users of the configuration and of the site file. */
bool become_never(const struct engine *e, int64_t uid);
/* Runs it. The answer is in a, tainted. A job that is too large for its form is CHILD_NO_START with EMSGSIZE. */
void become_run(struct engine *e, struct arena *a, const struct become_request *rq,
                struct child_result *out);

#endif
