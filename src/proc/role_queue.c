/* The queue role: what is to be delivered when, and by which process.
 *
 * Messages that have arrived wait here, in memory, for a free worker; queue runs start in intervals and on request (ETRN). What
 * this process forgets, when it dies, is in the spool: the one that takes its place looks for messages that were never tried, and what
 * an earlier daemon left in the fast lane waits here again as it moves to the standing lane, a part at a time. No
 * message and no user's file is opened here.
 */
#include "proc/role.h"

#include "base/arena.h"
#include "base/num.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "engine/delivery.h"
#include "engine/lane_keep.h"
#include "engine/maillog.h"
#include "engine/message_id.h"
#include "engine/turned.h"
#include "proc/job_list.h"
#include "proc/reception.h"
#include "proc/role_jail.h"
#include "scanners/scan_message.h"
#include "sys/await.h"
#include "sys/signals.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PEERS_MAX = 1024,
    WORKERS_MAX = 1024,
    LANE_KEEP_MS = 5000,
    LANE_KEEP_FIRST_MS = 1000,
    /* So much is moved before others are heard, who then have as long. */
    LANE_KEEP_MOST = 1000,
    LANE_KEEP_TIME_MS = 200,
    WORKER_END_MS = 5000,
    WORKERS_FEW = 2,  /* that many are asked for as soon as there is work */
    PATIENCE_MS = 40, /* how long work waits before there are more, where workers are held up */
    PATIENCE_MOVING_MS = 150, /* where they are not */
    NAP_MS = 1,
    NAP_LOST_MS = 10,
    HELD_MS =
        500, /* a worker that is at one message for so long is held up by what is far away */
    HELD_TIMES = 4, /* those count no more in the limit, so many times the limit at most */
    HELD_MAX = 256, /* connections of callouts */
    HELD_FOR_MS =
        20000, /* a message whose turn has not come by then is not delivered quickly */
    WORKER_IDLE_MS = 30000, /* a worker that has nothing to do for so long ends */
    WORKER_JOBS_MAX = 5000, /* and after so many attempts, another one goes on */
};

struct peer {
    int fd;
    enum ipc_kind kind;
};

struct worker {
    int fd;
    pid_t pid;
    bool busy;
    bool running; /* a queue run */
    unsigned jobs;
    struct job job;
    int64_t since_ms; /* when it became idle, or busy */
};

/* A connection for a message that is to come, or waits. */
struct held {
    struct held_connection *connection;
    int64_t since_ms;
};

struct runner {
    int64_t every_ms, next_ms;
    struct str queue; /* may be empty */
};

struct queue {
    struct role *role;
    struct peer peers[PEERS_MAX];
    size_t peers_n;
    struct worker workers[WORKERS_MAX];
    size_t workers_n;
    size_t wanted;         /* workers asked for that have not come */
    size_t most;           /* workers at most */
    int64_t woken_ms;      /* when something came in */
    int64_t grown_ms;      /* when more were asked for because work had waited */
    size_t ended;          /* jobs since then */
    struct lane_keep keep; /* of the fast lane: what is to be moved */
    int64_t began_ms;      /* when this process did */
    time_t began;          /* the same, seconds since 1970 */
    bool recovers;         /* what was in the lane by then is moved whatever its age */
    int64_t next_keep_ms;  /* when it is looked after again */
    struct held held[HELD_MAX];
    size_t held_n;
    struct runner *runners;
    size_t runners_n;
    bool waited;    /* for processes that have died, in this turn */
    bool forgotten; /* a worker died: messages that nobody has tried are to be looked for */
    /* The schedule. What was found has turns of its own, so that however much that is, what arrives does not wait for it. */
    struct job_list jobs, found;
    bool found_next;
};

/* --- peers --- */

static int
deliver_fd(const struct queue *q)
{
    for (size_t i = 0; i < q->peers_n; i++) {
        if (q->peers[i].kind == IPC_KIND_DELIVER)
            return q->peers[i].fd;
    }
    return -1;
}

static void
drop_peer(struct queue *q, size_t i)
{
    close(q->peers[i].fd);
    if (q->peers[i].kind == IPC_KIND_DELIVER)
        q->wanted = 0;
    q->peers[i] = q->peers[--q->peers_n];
}

static void
add_peer(struct queue *q, enum ipc_kind kind, int fd)
{
    if (q->peers_n == PEERS_MAX || (kind != IPC_KIND_SMTP && kind != IPC_KIND_DELIVER)) {
        close(fd);
        return;
    }
    q->peers[q->peers_n++] = (struct peer){.fd = fd, .kind = kind};
}

/* --- workers --- */

static void
drop_worker(struct queue *q, size_t i)
{
    close(q->workers[i].fd);
    job_free(&q->workers[i].job);
    q->workers[i] = q->workers[--q->workers_n];
}

static struct worker *
idle_worker(struct queue *q)
{
    for (size_t i = 0; i < q->workers_n; i++) {
        if (!q->workers[i].busy)
            return &q->workers[i];
    }
    return NULL;
}

/* --- connections of callouts --- */

static void
keep_held(struct queue *q, const struct ipc_message *msg)
{
    const struct held_connection h = role_held_of(msg);
    bool good = message_id_parse(h.id, NULL) || str_starts(h.id, TURNED_MARK);
    if (q->held_n == HELD_MAX || !good) {
        close(h.fd);
        return;
    }
    q->held[q->held_n++] = (struct held){held_connection_keep(&h), await_now_ms()};
}

static void
forget_held(struct queue *q, size_t i)
{
    held_connection_free(q->held[i].connection);
    q->held[i] = q->held[--q->held_n];
}

static void
pass_held(struct queue *q, const struct worker *w, struct str id)
{
    for (size_t i = 0; i < q->held_n; i++) {
        struct held_connection *h = q->held[i].connection;
        if (!str_eq(h->id, id))
            continue;
        role_pass_held(w->fd, IPC_HELD_FOR, h);
        h->fd = -1; /* closed there */
        forget_held(q, i);
        return;
    }
}

static void
expire_held(struct queue *q)
{
    int64_t now = await_now_ms();
    for (size_t i = q->held_n; i > 0; i--) {
        if (now - q->held[i - 1].since_ms > HELD_FOR_MS)
            forget_held(q, i - 1);
    }
}

/* --- work --- */

static bool
hand_over(struct queue *q, struct worker *w, const struct job *j)
{
    if (q->held_n > 0)
        pass_held(q, w, j->id);
    struct ipc_field attempt[] = {{.text = j->id}, {.text = j->queue}, {.number = j->when}};
    struct ipc_field run[] = {{.number = j->option}, {.text = j->id}};
    return j->kind == JOB_ATTEMPT ? role_offer(w->fd, IPC_ATTEMPT, attempt)
                                  : role_offer(w->fd, IPC_RUN, run);
}

static size_t
jobs_waiting(const struct queue *q)
{
    return q->jobs.n + q->found.n;
}

/* Of the two lists the one whose turn it is; one of them must have something. */
static struct job_list *
next_list(struct queue *q)
{
    bool found = q->found.n > 0 && (q->found_next || q->jobs.n == 0);
    return found ? &q->found : &q->jobs;
}

/* deliver_processes, and on top of it those that only wait for hosts that do not answer. */
static size_t
most_now(const struct queue *q)
{
    int64_t since = await_now_ms() - HELD_MS;
    size_t held = 0;
    for (size_t i = 0; i < q->workers_n && held < HELD_TIMES * q->most; i++)
        held += q->workers[i].busy && q->workers[i].since_ms <= since;
    size_t most = q->most + held;
    return most < WORKERS_MAX ? most : WORKERS_MAX;
}

/* There is more work than workers that were asked for, and there may be more workers. */
static bool
is_short(const struct queue *q)
{
    return jobs_waiting(q) > q->wanted && q->workers_n + q->wanted < most_now(q);
}

static int64_t
oldest_ms(const struct queue *q)
{
    int64_t a = q->jobs.n > 0 ? job_list_at(&q->jobs, 0)->since_ms : INT64_MAX;
    int64_t b = q->found.n > 0 ? job_list_at(&q->found, 0)->since_ms : INT64_MAX;
    return a < b ? a : b;
}

/* Whether each worker has ended a job since there were more. */
static bool
is_moving(const struct queue *q)
{
    return q->ended >= q->workers_n;
}

/* When the oldest job has waited so long that more workers are wanted. */
static int64_t
patience_ends_ms(const struct queue *q)
{
    int64_t since = oldest_ms(q);
    return (since > q->grown_ms ? since : q->grown_ms) +
           (is_moving(q) ? PATIENCE_MOVING_MS : PATIENCE_MS);
}

/* How many workers to ask for. A burst is done by few, one job after the other. Where work waits there are more, half as many each time
 * when workers are held up by what is far away or slow; more processes do not help a machine that is busy. */
static size_t
missing_workers(struct queue *q)
{
    size_t have = q->workers_n + q->wanted, more = 0;
    int64_t now = await_now_ms();
    if (!is_short(q))
        return 0;
    if (have < WORKERS_FEW) {
        more = WORKERS_FEW - have;
    } else if (now >= patience_ends_ms(q)) {
        more = is_moving(q) ? 1 : have / 2;
        q->grown_ms = now;
        q->ended = 0;
    }
    size_t useful = jobs_waiting(q) - q->wanted, room = most_now(q) - have;
    more = more < useful ? more : useful;
    return more < room ? more : room;
}

/* Gives work to who is free, and asks for more workers when there is more work. */
static void
dispatch(struct queue *q)
{
    struct worker *w;
    while (jobs_waiting(q) > 0 && (w = idle_worker(q)) != NULL) {
        struct job_list *l = next_list(q);
        if (!hand_over(q, w, job_list_at(l, 0))) {
            drop_worker(q, (size_t)(w - q->workers));
            continue;
        }
        w->busy = true;
        w->since_ms = await_now_ms();
        w->jobs++;
        w->job = job_list_take(l);
        q->found_next = l == &q->jobs;
    }
    for (size_t n = missing_workers(q); n > 0 && role_offer(deliver_fd(q), IPC_WANTED, NULL);
         n--)
        q->wanted++;
}

static void
add_worker(struct queue *q, const struct ipc_message *msg)
{
    q->wanted -= q->wanted > 0;
    if (q->workers_n == WORKERS_MAX) {
        close(msg->fd);
        return;
    }
    q->workers[q->workers_n++] = (struct worker){
        .fd = msg->fd, .pid = (pid_t)msg->f[0].number, .since_ms = await_now_ms()};
}

/* A message that nobody has at hand, and that is in the standing lane: it waits, or its turn, which it has already, is for it there. A
 * queue run looks for it where no more can wait here. */
static void
adopt(void *ctx, struct str id, struct str queue)
{
    struct queue *q = ctx;
    const struct job *old = job_list_find(&q->jobs, id);
    bool kept = old != NULL ? job_list_add(&q->jobs, id, queue, old->when)
                            : job_list_add(&q->found, id, queue, RECEPTION_BACKGROUND);
    q->forgotten = q->forgotten || !kept;
}

static struct job *
find_job(struct queue *q, struct str id)
{
    struct job *j = job_list_find(&q->jobs, id);
    return j != NULL ? j : job_list_find(&q->found, id);
}

static void
nap(int ms)
{
    const struct timespec t = {.tv_nsec = (long)ms * 1000000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

/* A message of the fast lane whose worker has died moves. */
static void
adopt_from_lane(struct queue *q, const struct message_id *id)
{
    const struct lane_keep k = {.only = id, .moved = adopt, .ctx = q};
    struct str name = message_id_str(id);
    (void)lane_keep_run(q->role->e, &k);
    if (find_job(q, name) == NULL)
        adopt(q, name, STR_EMPTY); /* it had moved before, or is done, or locked */
}

/* It ended, or is believed no more, in the middle of its work. A message that it was at is tried again, when the process is gone altogether,
 * and one that it was just about to start: both have its lock. Should that be the end of another worker, too, or the lock be still
 * there, it is looked for by a queue run, with the next look at the lane. */
static void
lose_work(struct queue *q, const struct worker *w)
{
    struct message_id id;
    if (w->job.kind != JOB_ATTEMPT || w->job.again || !message_id_parse(w->job.id, &id)) {
        q->forgotten = true;
        return;
    }
    if (!q->waited)
        nap(NAP_LOST_MS);
    q->waited = true;
    if (w->job.queue.n > 0 && w->job.queue.p[0] == '@')
        adopt_from_lane(q, &id);
    else
        adopt(q, message_id_str(&id), w->job.queue);
    struct job *j = find_job(q, message_id_str(&id));
    if (j != NULL)
        j->again = true;
}

static void
hear_worker(struct queue *q, size_t i)
{
    struct ipc_message msg;
    struct worker *w = &q->workers[i];
    enum ipc_result r =
        ipc_receive_now(&ipc_protocol, w->fd, IPC_KIND_WORKER, IPC_KIND_QUEUE, &msg);
    if (r == IPC_AGAIN)
        return;
    if (r != IPC_OK || !w->busy) {
        bool forged = r == IPC_OK || r == IPC_FORGED;
        if (w->busy || forged)
            maillog(q->role->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                    forged ? "delivery process %d sent what is no message: it is closed"
                           : "delivery process %d ended in the middle of its work",
                    (int)w->pid);
        if (w->busy)
            lose_work(q, w);
        drop_worker(q, i);
        return;
    }
    if (w->job.again && msg.f[0].number == DELIVERY_BUSY)
        q->forgotten = true;
    job_free(&w->job);
    w->busy = false;
    q->ended++;
    w->since_ms = await_now_ms();
    if (w->jobs >= WORKER_JOBS_MAX)
        drop_worker(q, i);
}

/* --- queue runs --- */

/* Of the queue of that name: runs that no option started are of the one without. */
static bool
is_run_of(const struct queue *q, const struct job *j, struct str queue)
{
    return j->kind == JOB_RUN &&
           str_eq(j->option < q->runners_n ? q->runners[j->option].queue : STR_EMPTY, queue);
}

static size_t
runs_now(const struct queue *q, struct str queue)
{
    size_t n = 0;
    for (size_t i = 0; i < q->jobs.n; i++)
        n += is_run_of(q, job_list_at(&q->jobs, i), queue);
    for (size_t i = 0; i < q->workers_n; i++)
        n += q->workers[i].busy && is_run_of(q, &q->workers[i].job, queue);
    return n;
}

/* For the queue of that name, which $queue_name has. */
static int64_t
run_max(struct queue *q, struct str queue)
{
    const struct xstr *x = &q->role->m->conf->main->queue_run_max;
    struct message m = {.queue_name = queue};
    struct eval *ev = q->role->m->eval;
    struct message *outer = ev->message;
    struct str text;
    uint64_t n;
    ev->message = &m;
    bool ok = vm_expand_x(q->role->m->vm, x, &text) == VM_OK &&
              num_parse_digits(str_trim(text), &n) && n <= INT32_MAX;
    ev->message = outer;
    return ok ? (int64_t)n : 5;
}

static void
start_runs(struct queue *q)
{
    int64_t now = await_now_ms();
    for (size_t i = 0; i < q->runners_n && !q->role->retiring; i++) {
        struct runner *r = &q->runners[i];
        if (r->next_ms > now)
            continue;
        r->next_ms = now + r->every_ms;
        int64_t most = run_max(q, r->queue);
        if (most == 0 || (int64_t)runs_now(q, r->queue) < most)
            (void)job_list_add_run(&q->jobs, i, STR_EMPTY);
    }
}

/* True if a run for that argument is under way or waits. */
static bool
is_running(const struct queue *q, struct str what)
{
    if (job_list_has_run(&q->jobs, what))
        return true;
    for (size_t i = 0; i < q->workers_n; i++) {
        const struct worker *w = &q->workers[i];
        if (w->busy && w->job.kind == JOB_RUN && w->job.option == JOB_NO_OPTION &&
            str_eq(w->job.id, what))
            return true;
    }
    return false;
}

static void
answer_etrn(struct queue *q, int fd, const struct ipc_message *msg)
{
    struct str what = msg->f[1].text;
    bool once = q->role->m->conf->main->smtp_etrn_serialize;
    bool start = what.n > 0 && !(once && is_running(q, what));
    if (start)
        start = job_list_add_run(&q->jobs, JOB_NO_OPTION, what);
    struct ipc_field f[] = {{.number = msg->f[0].number}, {.number = start}};
    (void)role_offer(fd, IPC_ETRN_ANSWER, f); /* who does not read has no answer */
}

/* --- the fast lane --- */

/* What nobody works on moves to the standing lane, and waits for a worker. What came before our time needs no further age: nobody here
 * was told of it. It may be locked at first, by those who have just died. What came in the second in which we began may be either. */
static void
look_after_lane(struct queue *q)
{
    int64_t began_ms = await_now_ms(), our_s = (began_ms - q->began_ms) / 1000;
    bool first = q->recovers && our_s < LANE_KEEP_AGE_S;
    q->keep.age_s = LANE_KEEP_AGE_S;
    q->keep.before_s = first ? (int64_t)q->began : 0;
    bool more = lane_keep_run(q->role->e, &q->keep);
    int64_t now = await_now_ms();
    int64_t pause_ms = first ? LANE_KEEP_FIRST_MS : LANE_KEEP_MS;
    q->next_keep_ms = now + (more ? now - began_ms : pause_ms);
    if (more || !q->forgotten || q->role->retiring)
        return;
    q->forgotten = false;
    if (!job_list_has_run(&q->jobs, STR_EMPTY))
        (void)job_list_add_run(&q->jobs, JOB_NO_OPTION, STR_EMPTY);
}

/* --- what comes in --- */

static void
take_arrival(struct queue *q, const struct ipc_message *msg)
{
    struct str id = msg->f[0].text;
    if (!message_id_parse(id, NULL))
        return;
    if (!job_list_add(&q->jobs, id, msg->f[1].text, (unsigned)msg->f[2].number))
        maillog(q->role->e, MAILLOG_MAIN, id,
                "no immediate delivery: too many messages wait for one");
}

static void
hear_peer(struct queue *q, size_t i)
{
    struct ipc_message msg;
    struct peer *p = &q->peers[i];
    enum ipc_result r = ipc_receive_now(&ipc_protocol, p->fd, p->kind, IPC_KIND_QUEUE, &msg);
    if (r == IPC_AGAIN)
        return;
    if (r == IPC_FORGED)
        maillog(q->role->e, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "%s process sent what is no message: it is closed", ipc_kind_name(p->kind));
    if (r != IPC_OK)
        drop_peer(q, i);
    else if (msg.type == IPC_ARRIVED)
        take_arrival(q, &msg);
    else if (msg.type == IPC_HELD)
        keep_held(q, &msg);
    else if (msg.type == IPC_ETRN)
        answer_etrn(q, p->fd, &msg);
    else if (msg.type == IPC_WORKER)
        add_worker(q, &msg);
}

static void
hear_master(struct queue *q)
{
    struct ipc_message msg;
    if (!role_hear(q->role, &msg))
        return;
    if (msg.type == IPC_PEER)
        add_peer(q, (enum ipc_kind)msg.f[0].number, msg.fd);
    else if (msg.fd >= 0)
        close(msg.fd);
}

static void
tell_state(struct queue *q)
{
    role_tell_state(q->role, getpid(), "queue: %zu messages wait for delivery, %zu workers",
                    jobs_waiting(q), q->workers_n);
    for (size_t i = 0; i < q->workers_n; i++) {
        const struct worker *w = &q->workers[i];
        if (!w->busy)
            role_tell_state(q->role, w->pid, "waiting for a message to deliver");
        else if (w->job.kind == JOB_RUN)
            role_tell_state(q->role, w->pid, "running the queue");
        else
            role_tell_state(q->role, w->pid, "delivering %.*s", STR_ARG(w->job.id));
    }
}

static void
take_signals(struct queue *q)
{
    int sig;
    while ((sig = signals_next(q->role->signals)) != 0) {
        if (sig == SIGTERM)
            q->role->retiring = q->role->last = true;
        else if (sig == SIGUSR1)
            tell_state(q);
    }
}

/* --- the loop --- */

static void
drop_idle(struct queue *q)
{
    int64_t now = await_now_ms();
    for (size_t i = q->workers_n; i > 1; i--) { /* one stays at hand */
        const struct worker *w = &q->workers[i - 1];
        if (!w->busy && now - w->since_ms > WORKER_IDLE_MS)
            drop_worker(q, i - 1);
    }
}

static int
wait_ms(const struct queue *q)
{
    int64_t now = await_now_ms(), next = now + WORKER_IDLE_MS;
    if (q->next_keep_ms < next)
        next = q->next_keep_ms;
    if (is_short(q) && q->workers_n + q->wanted >= WORKERS_FEW && patience_ends_ms(q) < next)
        next = patience_ends_ms(q);
    if (q->jobs.n > q->wanted && !is_short(q) && now + HELD_MS < next)
        next = now + HELD_MS; /* there may be some by then that count no more */
    for (size_t i = 0; i < q->runners_n && !q->role->retiring; i++) {
        if (q->runners[i].next_ms < next)
            next = q->runners[i].next_ms;
    }
    return next <= now ? 0 : (int)(next - now);
}

/* Nothing is left to do, or nobody who would do it (it is in the spool), and nobody is left who could bring something. */
static bool
is_over(const struct queue *q)
{
    if (!q->role->retiring || (jobs_waiting(q) > 0 && (q->workers_n > 0 || deliver_fd(q) >= 0)))
        return false;
    for (size_t i = 0; i < q->peers_n; i++) {
        if (q->peers[i].kind == IPC_KIND_SMTP)
            return false;
    }
    for (size_t i = 0; i < q->workers_n; i++) {
        if (q->workers[i].busy)
            return false;
    }
    return true;
}

/* While words keep coming a nap makes one turn do for several of them; what has come is under way by then. */
static void
let_more_come(struct queue *q)
{
    int64_t now = await_now_ms();
    if (now - q->woken_ms <= 2 * NAP_MS)
        nap(NAP_MS);
    q->woken_ms = now;
}

static void
turn(struct queue *q)
{
    struct pollfd p[2 + PEERS_MAX + WORKERS_MAX];
    size_t peers = q->peers_n, workers = q->workers_n;
    bool woken = false;
    q->waited = false;
    p[0] = (struct pollfd){.fd = q->role->signals, .events = POLLIN};
    p[1] = (struct pollfd){.fd = q->role->control, .events = POLLIN};
    for (size_t i = 0; i < peers; i++)
        p[2 + i] = (struct pollfd){.fd = q->peers[i].fd, .events = POLLIN};
    for (size_t i = 0; i < workers; i++)
        p[2 + peers + i] = (struct pollfd){.fd = q->workers[i].fd, .events = POLLIN};
    if (poll(p, 2 + peers + workers, wait_ms(q)) > 0) {
        woken = true;
        /* From the end, since the last takes the place of one that goes. */
        for (size_t i = workers; i > 0; i--)
            if (p[2 + peers + i - 1].revents != 0)
                hear_worker(q, i - 1);
        for (size_t i = peers; i > 0; i--)
            if (p[2 + i - 1].revents != 0)
                hear_peer(q, i - 1);
        if (p[1].revents != 0)
            hear_master(q);
        if (p[0].revents != 0)
            take_signals(q);
    }
    if (q->next_keep_ms <= await_now_ms())
        look_after_lane(q);
    start_runs(q);
    drop_idle(q);
    expire_held(q);
    dispatch(q);
    if (woken && !q->role->retiring)
        let_more_come(q);
}

/* Sends the workers away and waits until they have closed their segments. */
static void
end_workers(struct queue *q)
{
    struct ipc_message msg;
    int64_t end_ms = await_now_ms() + WORKER_END_MS;
    for (size_t i = 0; i < q->workers_n; i++)
        (void)shutdown(q->workers[i].fd, SHUT_WR);
    while (q->workers_n > 0) {
        struct worker *w = &q->workers[q->workers_n - 1];
        struct pollfd p = {.fd = w->fd, .events = POLLIN};
        int64_t left_ms = end_ms - await_now_ms();
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0 ||
            ipc_receive_now(&ipc_protocol, w->fd, IPC_KIND_WORKER, IPC_KIND_QUEUE, &msg) !=
                IPC_AGAIN)
            drop_worker(q, q->workers_n - 1);
    }
}

static void
make_runners(struct queue *q)
{
    const struct cli *cli = q->role->m->cli;
    q->runners_n = cli->runners.n;
    q->runners = ARENA_ARRAY(q->role->m->arena, struct runner, q->runners_n);
    int64_t now = await_now_ms();
    for (size_t i = 0; i < q->runners_n; i++)
        q->runners[i] = (struct runner){
            .every_ms = cli->runners.v[i].every_s * 1000,
            .next_ms = now,
            .queue = str_is_set(cli->runners.v[i].name)
                         ? str_untaint_by_rule(cli->runners.v[i].name, "queue of an admin user")
                         : STR_EMPTY,
        };
}

/* The daemon's first one recovers what an earlier daemon left, and nobody waits for that. One that takes
 * the place of another looks for what that one knew of and nobody has tried; and when a reload started it, the old one is still at its
 * own messages. */
static void
begin(struct queue *q)
{
    bool again = q->role->number > 0;
    q->began_ms = await_now_ms();
    q->began = time(NULL);
    q->recovers = again || q->role->generation == 1;
    q->keep = (struct lane_keep){
        .most = LANE_KEEP_MOST, .time_ms = LANE_KEEP_TIME_MS, .moved = adopt, .ctx = q};
    role_say_ready(q->role);
    if (q->recovers)
        (void)scan_message_sweep(str_cstr(q->role->m->arena,
                                          q->role->m->conf->main->spool_directory.text));
    if (again)
        (void)job_list_add_run(&q->jobs, JOB_NO_OPTION, STR_EMPTY);
}

int
role_queue(struct role *r)
{
    struct queue *q = ARENA_NEW(r->m->arena, struct queue);
    int64_t most = r->m->conf->main->deliver_processes;
    q->role = r;
    q->most = most > 0 && most < WORKERS_MAX ? (size_t)most : WORKERS_MAX;
    if (!role_become_mail_user(r) || !role_jail(r, false))
        return 1;
    make_runners(q);
    begin(q);
    while (!is_over(q))
        turn(q);
    end_workers(q);
    /* A spool at rest has nothing but files. */
    (void)lane_keep_run(r->e, &(struct lane_keep){.age_s = r->last ? 0 : LANE_KEEP_AGE_S});
    return 0;
}
