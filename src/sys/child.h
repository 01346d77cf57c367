/* A child process of our own code that becomes a user for good, does one thing and answers over a pipe.
 *
 * What users own (their .forward, their mailbox, their pipe commands) is only touched by such a child. It shares nothing
 * with us but what it inherited: memory as it was, and the descriptors that the caller leaves open. Its answer is bytes
 * that the caller treats as hostile. Never called while other threads run.
 */
#ifndef REMEX_SYS_CHILD_H
#define REMEX_SYS_CHILD_H

#include "base/buf.h"

#include <sys/types.h>

struct child_request {
    bool become; /* become uid and gid; else stay who we are */
    uid_t uid;
    gid_t gid;
    bool reads_all;        /* keeps the power to read every file, if uid is not root */
    const char *login;     /* initgroups() for this name; NULL: no further groups */
    const char *directory; /* where it works; NULL: stays where it is */
    int64_t timeout_s;     /* 0: none */
    bool lingers;          /* it may live on when it has closed its answer: child_await */
    size_t max_answer;     /* bytes; more is a fault (CHILD_TOO_MUCH) */
    /* What it does; writes its answer to out. The return value is its exit status. */
    int (*run)(void *ctx, int out);
    void *ctx;
};

enum child_end {
    CHILD_EXITED, /* status: what run returned */
    CHILD_SIGNALLED,
    CHILD_TIMED_OUT,
    CHILD_TOO_MUCH,
    CHILD_NO_START,     /* no pipe or no process: sys_errno */
    CHILD_NOT_BECOME,   /* could not become the user: sys_errno */
    CHILD_NO_DIRECTORY, /* could not enter the directory: sys_errno */
};

struct child_result {
    enum child_end end;
    int status;
    int sys_errno;
    struct str answer; /* tainted; in the arena given */
};

/* For the run function of a child that only runs another program: becomes it, with nothing as input, its output and error
 * output in out, our environment. Returns the exit status when it cannot be executed. */
int child_exec(char *const *argv, int out);

/* What the child does first in its own life: a process group and usual signals of its own; becomes who it is to be and goes where it
 * works. 'k', or the step that failed ('u': the user, 'd': the directory) with errno. */
char child_settle(const struct child_request *rq);
/* Tells the step to who waits for the answer; and takes it off the front of the answer: it ended in that step, or never came so
 * far. */
void child_say(int out, char step);
void child_take_word(struct child_result *out);
enum { CHILD_WORD_MAX = 16 }; /* bytes that it takes, at most */
/* Kills its process group. What we may not kill ourselves a process that becomes the same user kills. */
void child_kill(const struct child_request *rq, pid_t pid);

/* One that runs. */
struct child_process {
    pid_t pid;
    int fd; /* its answer comes here; readable when it begins */
    int64_t deadline_ms;
    struct buf text;
    struct child_request rq; /* what it was started for */
};

/* Starts it. False: *out says why. */
bool child_start(struct arena *a, const struct child_request *rq, struct child_process *p,
                 struct child_result *out);
/* Waits for its whole answer and its end. */
void child_collect(struct child_process *p, struct child_result *out);

/* Waits for the end of one that lingers. */
void child_await(pid_t pid);

/* Both. */
void child_run(struct arena *a, const struct child_request *rq, struct child_result *out);

#endif
