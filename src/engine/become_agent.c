/* Jobs for users, done by the agent; see become_agent.h. */
#include "engine/become_agent.h"

#include "sys/agent_wire.h"
#include "sys/await.h"
#include "sys/file.h"
#include "sys/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
    GRACE_MS = 30000, /* for the agent to end a process whose time is up, and to open a key */
    NEW_AGENT_S = 60, /* as long a job waits for an agent */
    NEW_AGENT_NAP_MS = 50, /* between two tries to find one */
    QUIET_MS = 20,         /* most jobs end within that time, and say little */
};

struct link {
    int door;
    int socket;  /* -1: none */
    bool closed; /* nobody holds the other end of the door: no agent comes any more */
};

struct by_agent {
    struct engine_become base;
    struct link *link;
};

/* One job on its way. Descriptors are -1 when they are closed. */
struct errand {
    struct link *link;
    const struct become_request *rq;
    struct arena *arena;
    int job;
    int answer[2], end[2]; /* pipes */
    bool begun;            /* the user's process is there */
};

static void
close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* --- the socket --- */

static bool
connect_link(struct link *l)
{
    int pair[2];
    struct agent_packet p = {.head = {.type = AGENT_CONNECT}, .fds = 1};
    close_one(&l->socket);
    if (!agent_wire_pair(pair))
        return false;
    p.fd[0] = pair[1];
    l->socket = agent_wire_send(l->door, &p) ? pair[0] : -1;
    l->closed = l->socket < 0 && (errno == EPIPE || errno == ECONNRESET);
    if (l->socket < 0)
        close(pair[0]);
    close(pair[1]);
    return l->socket >= 0;
}

static bool
send_packet(struct link *l, const struct agent_packet *p)
{
    return (l->socket >= 0 || connect_link(l)) && agent_wire_send(l->socket, p);
}

/* True when it is time for another try: another agent may be there. */
static bool
may_try_again(const struct link *l, int64_t until)
{
    if (l->closed || await_now_ms() >= until)
        return false;
    (void)poll(NULL, 0, NEW_AGENT_NAP_MS);
    return true;
}

/* Into a field of the form, where zeros are. False: it does not fit. */
static bool
set_text(char *to, size_t room, uint32_t *n, struct str text)
{
    if (text.n >= room || str_has_nul(text))
        return false;
    if (text.n > 0)
        memcpy(to, text.p, text.n);
    *n = text.n;
    return true;
}

/* False: it does not fit the form. */
static bool
set_packet(const struct errand *k, struct agent_packet *p)
{
    const struct become_request *rq = k->rq;
    struct agent_head *h = &p->head;
    *p = (struct agent_packet){
        .fd = {k->job, k->answer[1], k->end[1], rq->body_fd},
        .fds = rq->body_fd >= 0 ? AGENT_FDS : AGENT_FD_BODY,
    };
    *h = (struct agent_head){
        .type = AGENT_JOB,
        .flags = (rq->reads_all ? (unsigned)AGENT_READS_ALL : 0u) |
                 (rq->runs_programs ? (unsigned)AGENT_RUNS_PROGRAMS : 0u),
        .uid = rq->uid,
        .gid = rq->gid,
        .timeout_ms = rq->timeout_s * 1000,
    };
    return rq->timeout_s >= 0 && h->timeout_ms <= AGENT_TIMEOUT_MAX_MS &&
           set_text(h->name, sizeof h->name, &h->name_n, rq->login) &&
           set_text(h->path, sizeof h->path, &h->path_n, rq->directory);
}

/* --- one try --- */

static void
set_end(struct child_result *out, enum child_end end, int sys_errno)
{
    *out = (struct child_result){.end = end, .sys_errno = sys_errno, .answer = STR_EMPTY};
}

static bool
open_pipes(struct errand *k)
{
    k->answer[0] = k->answer[1] = k->end[0] = k->end[1] = -1;
    return pipe2(k->answer, O_CLOEXEC) == 0 && pipe2(k->end, O_CLOEXEC) == 0;
}

static void
close_pipes(struct errand *k)
{
    for (size_t i = 0; i < 2; i++) {
        close_one(&k->answer[i]);
        close_one(&k->end[i]);
    }
}

/* How it ended, as the agent says; false when the agent is gone. */
static bool
read_end(struct errand *k, int64_t deadline, struct child_result *out)
{
    struct agent_end e;
    if (!await_whole(k->end[0], deadline, &e, sizeof e))
        return false;
    out->status = e.status;
    out->sys_errno = e.sys_errno;
    out->end = e.end >= CHILD_EXITED && e.end <= CHILD_NO_DIRECTORY ? (enum child_end)e.end
                                                                    : CHILD_SIGNALLED;
    return true;
}

/* The agent is gone, the answer is there: all answers but a command's say themselves whether they are whole. */
static void
judge_alone(const struct errand *k, struct child_result *out)
{
    out->end = k->rq->job->call.kind == LOCAL_JOB_COMMAND || out->answer.n == 0
                   ? CHILD_SIGNALLED
                   : CHILD_EXITED;
}

/* Sleeps until the end is told, which is after all else: so a short answer is read at once, without being woken for its parts. A longer
 * one does not fit into the pipe, and is read as it comes. */
static void
await_quietly(struct errand *k)
{
    struct pollfd end = {.fd = k->end[0], .events = POLLIN};
    (void)poll(&end, 1, QUIET_MS);
}

/* What comes of a job that was sent. */
static void
collect(struct errand *k, struct child_result *out)
{
    int64_t deadline =
        k->rq->timeout_s > 0 ? await_now_ms() + k->rq->timeout_s * 1000 + GRACE_MS : 0;
    struct buf text = buf_in(k->arena, k->rq->max_answer + CHILD_WORD_MAX);
    await_quietly(k);
    bool whole = await_collect(k->answer[0], deadline, true, &text);
    close_one(&k->answer[0]); /* who still writes is stopped by that */
    set_end(out, CHILD_SIGNALLED, 0);
    bool told = text.overflow || read_end(k, deadline, out);
    out->answer = str_tainted(buf_str(&text));
    k->begun = out->answer.n > 0 || told;
    if (!told)
        judge_alone(k, out);
    if (!whole)
        out->end = text.overflow ? CHILD_TOO_MUCH : CHILD_TIMED_OUT;
    if (out->end != CHILD_NO_START)
        child_take_word(out);
}

/* True when something came of it; false: there was no agent, or it died before the user's process began. */
static bool
try_once(struct errand *k, struct child_result *out)
{
    struct agent_packet p;
    k->begun = false;
    if (!open_pipes(k)) {
        set_end(out, CHILD_NO_START, errno);
        close_pipes(k);
        return true;
    }
    if (!set_packet(k, &p)) {
        set_end(out, CHILD_NO_START, EMSGSIZE);
        close_pipes(k);
        return true;
    }
    bool sent = send_packet(k->link, &p);
    close_one(&k->answer[1]);
    close_one(&k->end[1]);
    if (sent)
        collect(k, out);
    close_pipes(k);
    if (!k->begun)
        close_one(&k->link->socket);
    return k->begun;
}

static int
job_file(struct str bytes)
{
    int fd = memory_file_new("job");
    if (fd >= 0 && file_write_all(fd, bytes.p, bytes.n))
        return fd;
    close_one(&fd);
    return -1;
}

static void
by_agent(const struct engine_become *self, struct engine *e, struct arena *a,
         const struct become_request *rq, struct str bytes, struct child_result *out)
{
    /* base is the first member */
    const struct by_agent *own = (const struct by_agent *)(const void *)self;
    struct errand k = {.link = own->link, .rq = rq, .arena = a, .job = job_file(bytes)};
    int64_t until = await_now_ms() + NEW_AGENT_S * 1000LL;
    (void)e;
    if (k.job < 0) {
        set_end(out, CHILD_NO_START, errno);
        return;
    }
    bool done = try_once(&k, out);
    while (!done && may_try_again(k.link, until))
        done = try_once(&k, out);
    if (!done)
        set_end(out, CHILD_NO_START, ECONNREFUSED);
    close(k.job);
}

/* --- keys --- */

/* False: it does not fit the form. */
static bool
set_key_packet(const struct become_key *key, struct agent_packet *p)
{
    struct agent_head *h = &p->head;
    *p = (struct agent_packet){.head = {.type = AGENT_KEY}};
    return set_text(h->name, sizeof h->name, &h->name_n, key->transport) &&
           set_text(h->path, sizeof h->path, &h->path_n, key->path);
}

/* What the agent says to it. False: it is gone, or says nothing. */
static bool
hear_answer(int socket, struct agent_packet *answer)
{
    struct pollfd p = {.fd = socket, .events = POLLIN};
    int64_t until = await_now_ms() + GRACE_MS, left;
    enum agent_wire_result r = AGENT_WIRE_AGAIN;
    while (r == AGENT_WIRE_AGAIN && (left = until - await_now_ms()) > 0) {
        (void)poll(&p, 1, (int)left);
        r = agent_wire_receive(socket, answer);
    }
    if (r == AGENT_WIRE_OK && answer->head.type == AGENT_OPENED)
        return true;
    if (r == AGENT_WIRE_OK)
        agent_wire_close(answer);
    return false;
}

/* True when there is an answer: *fd, or -1 with *why. */
static bool
ask_once(struct link *l, const struct agent_packet *question, int *fd,
         struct key_file_result *why)
{
    struct agent_packet p = *question, answer;
    int pair[2];
    if (!agent_wire_pair(pair))
        return false;
    p.fd[0] = pair[1];
    p.fds = 1;
    bool sent = send_packet(l, &p);
    close(pair[1]);
    bool heard = sent && hear_answer(pair[0], &answer);
    close(pair[0]);
    if (!heard) {
        close_one(&l->socket);
        return false;
    }
    *why = (struct key_file_result){.end = (enum key_file_end)answer.head.end,
                                    .sys_errno = (int)answer.head.sys_errno};
    *fd = answer.fds > 0 ? answer.fd[0] : -1;
    return true;
}

static int
open_key(const struct engine_become *self, struct engine *e, const struct become_key *key,
         struct key_file_result *why)
{
    struct link *l = ((const struct by_agent *)(const void *)self)->link;
    int64_t until = await_now_ms() + NEW_AGENT_S * 1000LL;
    struct agent_packet question;
    int fd = -1;
    (void)e;
    *why = (struct key_file_result){.end = KEY_FILE_BAD_PATH};
    if (!set_key_packet(key, &question))
        return -1;
    bool done = ask_once(l, &question, &fd, why);
    while (!done && may_try_again(l, until))
        done = ask_once(l, &question, &fd, why);
    if (!done)
        why->end = KEY_FILE_NO_ANSWER;
    return fd;
}

const struct engine_become *
become_agent_new(struct arena *a, int door)
{
    struct by_agent *b = ARENA_NEW(a, struct by_agent);
    b->base = (struct engine_become){.run = by_agent, .open_key = open_key};
    b->link = ARENA_NEW(a, struct link);
    b->link->door = door;
    b->link->socket = -1;
    return &b->base;
}
