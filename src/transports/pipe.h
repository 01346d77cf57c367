/* What the files of the pipe transport share: its options, and one delivery under way.
 *
 * pipe.c: options and their check; pipe_command.c: which command, and whether it may run; pipe_environ.c: its
 * environment; pipe_run.c: runs it, and says what its end means.
 */
#ifndef REMEX_TRANSPORTS_PIPE_H
#define REMEX_TRANSPORTS_PIPE_H

#include "base/vec.h"
#include "transports/transport.h"

struct transport_pipe {
    struct xstr allow_commands, batch_id;
    int64_t batch_max;
    struct str check_string;
    struct xstr command, environment;
    struct str escape_string;
    bool force_command, freeze_exec_fail, freeze_signal, ignore_status, log_defer_output,
        log_fail_output, log_output;
    int64_t max_output;
    struct xstr message_prefix, message_suffix, path;
    bool permit_coredump, pipe_as_creator, restrict_to_path, return_fail_output, return_output;
    struct xstr temp_errors;
    int64_t timeout;
    bool timeout_defer;
    int64_t umask;
    bool use_bsmtp, use_classresources, use_crlf, use_shell;
};

/* One delivery. */
struct pipe_delivery {
    const struct transport_job *job;
    const struct transport_pipe *opt;
    struct arena *arena;
    struct transport_answer *answer; /* of all addresses alike */
    struct str what;                 /* "NAME transport" */
    struct str command;              /* as it was given */
    char **argv, **environ;
    struct str path; /* of the path option, expanded */
};

/* The deliver function of the driver. */
void pipe_deliver(const struct transport_job *job, struct transport_answer *answers);

/* argv of the command, with an absolute path in front. False: the answer says why. */
bool pipe_command_make(struct pipe_delivery *p);
/* The environment. False: the answer says why. */
bool pipe_environ_make(struct pipe_delivery *p);

/* Puts an outcome into the answer: number for the log line, text for the log; what the sender is told is a matter of the
 * caller. Always false. */
bool pipe_say(struct pipe_delivery *p, enum outcome outcome, int number, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
