/* The agent; see agent.h. */
#include "proc/agent.h"

#include "base/strlist.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "sys/await.h"
#include "sys/caps.h"
#include "sys/child.h"
#include "sys/process_fd.h"
#include "sys/site.h"
#include "sys/user.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* --- who nobody may be --- */

static void
set_never(struct agent *g)
{
    const struct opt_ids *ids = &g->e->conf->main->never_users;
    VEC(uid_t) all = {NULL, 0, 0};
    struct str item;
    vec_push(g->arena, &all, 0);
    for (uint32_t i = 0; i < ids->n; i++)
        vec_push(g->arena, &all, (uid_t)ids->v[i]);
    struct strlist_split s =
        strlist_split_start(g->e->site == NULL ? STR_EMPTY : g->e->site->never_users, ':');
    while (strlist_split_next(&s, g->arena, &item)) {
        int64_t uid;
        if (item.n > 0 && user_find(NULL, item, &uid))
            vec_push(g->arena, &all, (uid_t)uid);
    }
    g->never = all.v;
    g->never_n = all.n;
}

/* By the fixed part alone. The groups are looked at in the process itself, which may have to ask somebody. */
static bool
may_become(const struct agent *g, const struct agent_head *h)
{
    if (h->uid == (uid_t)-1 || h->gid == (gid_t)-1)
        return false;
    for (size_t i = 0; i < g->never_n; i++)
        if (g->never[i] == h->uid)
            return false;
    bool reads_all = (h->flags & AGENT_READS_ALL) != 0;
    return !reads_all ||
           (h->uid == g->e->mail_uid && h->gid == g->e->mail_gid && h->name_n == 0);
}

/* --- the ends of jobs --- */

/* To a pipe, and without waiting: who asked cannot hold us. */
static void
tell_end(int fd, enum child_end end, int status, int sys_errno)
{
    const struct agent_end e = {.end = (int32_t)end, .status = status, .sys_errno = sys_errno};
    ssize_t n = fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? write(fd, &e, sizeof e) : 0;
    (void)n; /* who does not hear it sees that nothing came */
}

static void
end_job(struct agent_child *c, enum child_end end, int status)
{
    if (c->end >= 0)
        tell_end(c->end, end, status, 0);
    close_one(&c->end);
    c->busy = false;
}

static void
forget_child(struct agent *g, size_t i)
{
    struct agent_child *c = &g->children.v[i];
    close_one(&c->control);
    close_one(&c->pidfd);
    close_one(&c->end);
    g->children.v[i] = g->children.v[--g->children.n];
}

/* It has ended. */
static void
bury(struct agent *g, size_t i)
{
    struct agent_child *c = &g->children.v[i];
    int status = 0;
    if (waitpid(c->pid, &status, WNOHANG) == 0)
        return;
    enum child_end end = c->timed_out        ? CHILD_TIMED_OUT
                         : WIFEXITED(status) ? CHILD_EXITED
                                             : CHILD_SIGNALLED;
    end_job(c, end, WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    forget_child(g, i);
}

/* Kills it with all that it has started. Who it is can always do that. */
static void
kill_child(struct agent_child *c)
{
    const struct child_request rq = {.become = true, .uid = c->uid, .gid = c->gid};
    c->timed_out = c->timed_out || c->busy;
    c->deadline_ms = 0;
    child_kill(&rq, c->pid);
}

/* Done with a job: ready for the next one, or enough. */
static void
hear_child(struct agent_child *c)
{
    int32_t status;
    ssize_t n = recv(c->control, &status, sizeof status, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n != sizeof status || !c->busy) {
        close_one(&c->control); /* its end is seen by itself */
        return;
    }
    end_job(c, CHILD_EXITED, status);
    c->deadline_ms = await_now_ms() + AGENT_IDLE_MS;
    if (c->jobs >= AGENT_CHILD_JOBS_MAX)
        close_one(&c->control);
}

/* --- starting them --- */

static bool
is_same(const struct agent_child *c, const struct agent_head *h)
{
    return c->uid == h->uid && c->gid == h->gid && c->flags == h->flags &&
           strcmp(c->login, h->name) == 0;
}

static struct agent_child *
find_idle(struct agent *g, const struct agent_head *h)
{
    for (size_t i = 0; i < g->children.n; i++) {
        struct agent_child *c = &g->children.v[i];
        if (!c->busy && c->control >= 0 && is_same(c, h))
            return c;
    }
    return NULL;
}

/* Ends one that has nothing to do, so that there is room. */
static void
make_room(struct agent *g)
{
    for (size_t i = 0; i < g->children.n; i++)
        if (!g->children.v[i].busy && g->children.v[i].control >= 0) {
            close_one(&g->children.v[i].control);
            return;
        }
}

static bool
has_room(struct agent *g, const struct agent_head *h)
{
    size_t of_user = 0;
    for (size_t i = 0; i < g->children.n; i++)
        of_user += g->children.v[i].uid == h->uid;
    if (g->children.n >= AGENT_CHILDREN_MAX)
        make_room(g);
    return g->children.n < AGENT_CHILDREN_MAX && of_user < AGENT_USER_CHILDREN_MAX;
}

static void
leave_agent(struct agent *g)
{
    for (size_t i = 0; i < g->children.n; i++) {
        close_one(&g->children.v[i].control);
        close_one(&g->children.v[i].pidfd);
        close_one(&g->children.v[i].end);
    }
    for (size_t i = 0; i < g->peers.n; i++) {
        close_one(&g->peers.v[i].fd);
        if (g->peers.v[i].waits)
            agent_wire_close(&g->peers.v[i].waiting);
    }
    close_one(&g->door);
    if (g->leave != NULL)
        g->leave(g->leave_ctx);
}

/* NULL with errno. */
static struct agent_child *
start_child(struct agent *g, const struct agent_packet *job)
{
    const struct agent_head *h = &job->head;
    int control[2];
    if (!agent_wire_pair(control))
        return NULL;
    pid_t pid = fork();
    if (pid == 0) {
        struct agent_packet own = *job;
        leave_agent(g);
        close(control[0]);
        agent_wire_close(&own); /* it comes again, as every job */
        agent_child_live(g->e, h, control[1]);
    }
    close(control[1]);
    int pidfd = pid > 0 ? process_fd_open(pid) : -1;
    if (pid < 0 || pidfd < 0) {
        close(control[0]); /* which ends it */
        return NULL;
    }
    setpgid(pid, pid);
    struct agent_child c = {.pid = pid,
                            .pidfd = pidfd,
                            .control = control[0],
                            .flags = h->flags,
                            .uid = h->uid,
                            .gid = h->gid,
                            .end = -1};
    memcpy(c.login, h->name, sizeof c.login);
    vec_push(g->arena, &g->children, c);
    return &g->children.v[g->children.n - 1];
}

/* --- jobs --- */

/* False: there is no room for it now. */
static bool
take_job(struct agent *g, struct agent_packet *p)
{
    struct agent_child *c = find_idle(g, &p->head);
    if (c == NULL && !has_room(g, &p->head))
        return false;
    if (c == NULL)
        c = start_child(g, p);
    if (c == NULL || !agent_wire_send(c->control, p)) {
        tell_end(p->fd[AGENT_FD_END], CHILD_NO_START, 0, errno);
        agent_wire_close(p);
        return true;
    }
    c->busy = true;
    c->jobs++;
    c->timed_out = false;
    c->deadline_ms = p->head.timeout_ms > 0 ? await_now_ms() + p->head.timeout_ms : 0;
    c->end = p->fd[AGENT_FD_END];
    p->fd[AGENT_FD_END] = -1;
    agent_wire_close(p);
    return true;
}

static void
lose_peer(struct agent *g, size_t i)
{
    if (g->peers.v[i].waits)
        agent_wire_close(&g->peers.v[i].waiting);
    close_one(&g->peers.v[i].fd);
    g->peers.v[i] = g->peers.v[--g->peers.n];
}

static void
refuse(struct agent *g, const char *what, const struct agent_packet *p)
{
    maillog(g->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
            "agent: refused %s (uid=%lu gid=%lu): that process is not listened to any more",
            what, (unsigned long)p->head.uid, (unsigned long)p->head.gid);
}

static bool
is_pipe(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static bool
is_packet_socket(int fd)
{
    int type = 0;
    socklen_t n = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_SEQPACKET;
}

/* The answer goes over the socket that came along; who does not hear it asks again. */
static void
open_key(const struct agent *g, struct agent_packet *p)
{
    struct key_file_result why;
    int fd = key_places_open(&g->keys, p->head.name, p->head.path, &why);
    const struct agent_packet answer = {
        .head = {.type = AGENT_OPENED, .end = why.end, .sys_errno = (uint32_t)why.sys_errno},
        .fd = {fd},
        .fds = fd >= 0};
    (void)agent_wire_send(p->fd[0], &answer);
    if (fd >= 0)
        close(fd);
    agent_wire_close(p);
}

/* A packet of the right form. False: its peer is to be closed. */
static bool
take_packet(struct agent *g, struct agent_peer *peer)
{
    struct agent_packet *p = &peer->waiting;
    bool job = p->head.type == AGENT_JOB && is_pipe(p->fd[AGENT_FD_END]);
    if (p->head.type == AGENT_KEY && is_packet_socket(p->fd[0])) {
        open_key(g, p);
        return true;
    }
    if (job && may_become(g, &p->head)) {
        peer->waits = !take_job(g, p);
        return true;
    }
    refuse(g, job ? "to become that user" : "what is neither a job nor a question", p);
    if (job)
        tell_end(p->fd[AGENT_FD_END], CHILD_NOT_BECOME, 0, EPERM);
    agent_wire_close(p);
    return false;
}

/* What a peer sent. False: it is to be closed. */
static bool
hear_peer(struct agent *g, struct agent_peer *peer)
{
    struct agent_packet *p = &peer->waiting;
    switch (agent_wire_receive(peer->fd, p)) {
    case AGENT_WIRE_AGAIN:
        return true;
    case AGENT_WIRE_CLOSED:
        return false;
    case AGENT_WIRE_FORGED:
        refuse(g, "what is no job", p);
        return false;
    case AGENT_WIRE_OK:
        break;
    }
    return take_packet(g, peer);
}

/* A new peer. Anything else at the door is dropped: it is not one peer's. */
static void
hear_door(struct agent *g)
{
    struct agent_packet p;
    enum agent_wire_result r = agent_wire_receive(g->door, &p);
    if (r == AGENT_WIRE_CLOSED) {
        g->door = -1;
        return;
    }
    if (r == AGENT_WIRE_FORGED)
        refuse(g, "what is no new peer", &p);
    if (r != AGENT_WIRE_OK)
        return;
    if (p.head.type == AGENT_CONNECT && is_packet_socket(p.fd[0]) &&
        g->peers.n < AGENT_PEERS_MAX) {
        const struct agent_peer peer = {.fd = p.fd[0]};
        vec_push(g->arena, &g->peers, peer);
        return;
    }
    refuse(g, "a new peer", &p);
    agent_wire_close(&p);
}

/* --- the turn --- */

/* Jobs that wait are tried first; those who ask for one are not heard until it is begun. */
static void
start_waiting(struct agent *g)
{
    for (size_t i = 0; i < g->peers.n; i++)
        if (g->peers.v[i].waits)
            g->peers.v[i].waits = !take_job(g, &g->peers.v[i].waiting);
}

static void
end_late(struct agent *g)
{
    int64_t now = await_now_ms();
    for (size_t i = 0; i < g->children.n; i++) {
        struct agent_child *c = &g->children.v[i];
        if (c->deadline_ms == 0 || now < c->deadline_ms)
            continue;
        c->deadline_ms = 0;
        if (c->busy || c->control < 0) {
            kill_child(c);
        } else {
            close_one(&c->control); /* it ends, or is made to */
            c->deadline_ms = now + AGENT_IDLE_MS;
        }
    }
}

static int
wait_of(const struct agent *g, int wait_ms)
{
    int64_t now = await_now_ms(), left = wait_ms < 0 ? INT32_MAX : wait_ms;
    for (size_t i = 0; i < g->children.n; i++) {
        int64_t at = g->children.v[i].deadline_ms;
        if (at != 0 && at - now < left)
            left = at > now ? at - now : 0;
    }
    return left == INT32_MAX ? -1 : (int)left;
}

/* One for the door, the extra ones, one a peer, two a child. */
enum { FIXED = 1 + AGENT_EXTRA };

static size_t
list_fds(const struct agent *g, struct pollfd *p)
{
    size_t n = FIXED;
    p[0] = (struct pollfd){.fd = g->peers.n < AGENT_PEERS_MAX ? g->door : -1, .events = POLLIN};
    for (size_t i = 0; i < AGENT_EXTRA; i++)
        p[1 + i] = (struct pollfd){.fd = g->extra[i], .events = POLLIN};
    for (size_t i = 0; i < g->peers.n; i++)
        p[n++] = (struct pollfd){.fd = g->peers.v[i].waits ? -1 : g->peers.v[i].fd,
                                 .events = POLLIN};
    for (size_t i = 0; i < g->children.n; i++) {
        p[n++] = (struct pollfd){.fd = g->children.v[i].control, .events = POLLIN};
        p[n++] = (struct pollfd){.fd = g->children.v[i].pidfd, .events = POLLIN};
    }
    return n;
}

unsigned
agent_turn(struct agent *g, int wait_ms)
{
    struct pollfd p[FIXED + AGENT_PEERS_MAX + 2 * AGENT_CHILDREN_MAX];
    size_t peers = g->peers.n, children = g->children.n;
    if (poll(p, list_fds(g, p), wait_of(g, wait_ms)) < 0)
        return 0;
    /* From the last to the first: who goes is replaced by the last, which has been looked at. */
    const struct pollfd *of_children = p + FIXED + peers;
    for (size_t i = children; i > 0; i--) {
        if (of_children[2 * i - 2].revents != 0)
            hear_child(&g->children.v[i - 1]);
        if (of_children[2 * i - 1].revents != 0)
            bury(g, i - 1);
    }
    start_waiting(g);
    for (size_t i = peers; i > 0; i--)
        if (p[FIXED + i - 1].revents != 0 && !hear_peer(g, &g->peers.v[i - 1]))
            lose_peer(g, i - 1);
    if (p[0].revents != 0)
        hear_door(g);
    end_late(g);
    unsigned extra = 0;
    for (unsigned i = 0; i < AGENT_EXTRA; i++)
        extra |= p[1 + i].revents != 0 ? 1u << i : 0;
    return extra;
}

bool
agent_is_idle(const struct agent *g)
{
    for (size_t i = 0; i < g->children.n; i++)
        if (g->children.v[i].busy)
            return false;
    return g->peers.n == 0;
}

bool
agent_begin(struct agent *g, struct arena *a, struct engine *e, int door)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    *g = (struct agent){.arena = a, .e = e, .door = door, .extra = {-1, -1}};
    set_never(g);
    sigaction(SIGPIPE, &ignore, NULL);
    if (geteuid() == 0 && caps_keep_only(caps_of_agent()))
        return true;
    maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
            "agent: unable to set its capabilities: %s", strerror(errno));
    return false;
}
