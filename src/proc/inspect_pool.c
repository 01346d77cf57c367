/* The process that has loaded a library; see inspect_pool.h. */
#include "proc/inspect_pool.h"

#include "base/arena.h"
#include "base/vec.h"
#include "sys/await.h"
#include "sys/jail.h"
#include "sys/limits.h"
#include "sys/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORKERS_MAX = 256,
    WAITING_MAX = 512,
    LOOK_MS = 5000, /* between two looks whether what was loaded is old */
};

struct worker {
    pid_t pid;
    int control;
    int job; /* -1: it has none */
    int64_t end_ms;
    unsigned jobs;
    bool late; /* killed by us */
};

/* A job that waits for a worker. */
struct waiting {
    int socket;
    int64_t end_ms;
};

struct pool {
    const struct inspect_pool_setup *setup;
    const struct inspect_library_row *library;
    struct inspect_loaded *loaded;
    int up; /* -1: closed */
    struct worker workers[WORKERS_MAX];
    size_t n;
    struct waiting waiting[WAITING_MAX];
    size_t waiting_n;
    uint64_t ended;  /* jobs that had no result */
    uint64_t memory; /* bytes of our own, with what was loaded */
    int64_t look_ms;
};

/* --- a worker --- */

static void
limit_memory(const struct pool *p)
{
    (void)limits_set(LIMIT_MEMORY, p->memory + p->library->memory_of_job, LIMIT_FOR_GOOD);
}

static _Noreturn void
work(const struct pool *p, int control)
{
    struct ipc_message msg;
    process_die_with_parent();
    process_keep_memory();
    limit_memory(p);
    if (!jail_refuse() && !jail_is_unable())
        _exit(1);
    while (ipc_receive(&inspect_protocol, control, INSPECT_POOL, INSPECT_WORKER, &msg) ==
           IPC_OK) {
        p->library->work(p->loaded, msg.fd);
        close(msg.fd);
        if (ipc_send(&inspect_protocol, control, INSPECT_FREE, NULL, -1) != IPC_OK)
            break;
    }
    _exit(0);
}

/* In the copy: nothing stays open but its own socket. */
static void
close_for_worker(const struct pool *p)
{
    for (size_t i = 0; i < p->n; i++) {
        close(p->workers[i].control);
        if (p->workers[i].job >= 0)
            close(p->workers[i].job);
    }
    for (size_t i = 0; i < p->waiting_n; i++)
        close(p->waiting[i].socket);
    if (p->up >= 0)
        close(p->up);
}

static struct worker *
start_worker(struct pool *p)
{
    int fds[2];
    if (p->n == p->loaded->workers || !ipc_pair(fds))
        return NULL;
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        close_for_worker(p);
        work(p, fds[1]);
    }
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return NULL;
    }
    struct worker *w = &p->workers[p->n++];
    *w = (struct worker){.pid = pid, .control = fds[0], .job = -1};
    return w;
}

/* --- jobs --- */

static void
tell_end(struct pool *p, int socket, enum inspect_end end, int number)
{
    const struct ipc_field f[] = {{.number = end},
                                  {.number = (uint64_t)number},
                                  {.number = ++p->ended},
                                  {.text = STR_EMPTY}};
    (void)ipc_offer(&inspect_protocol, socket, INSPECT_ENDED, f, -1);
    close(socket);
}

static struct worker *
idle_worker(struct pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->workers[i].job < 0 && p->workers[i].jobs < p->loaded->jobs)
            return &p->workers[i];
    return NULL;
}

static void
give(struct worker *w, const struct waiting *j)
{
    int64_t left = j->end_ms - await_now_ms();
    const struct ipc_field f[] = {{.number = left > 0 ? (uint64_t)left : 0}};
    w->job = j->socket;
    w->end_ms = j->end_ms;
    w->jobs++;
    (void)ipc_offer(&inspect_protocol, w->control, INSPECT_WORK, f, j->socket);
}

/* Those that wait, in the order in which they came. */
static void
give_out(struct pool *p)
{
    size_t taken = 0;
    while (taken < p->waiting_n) {
        if (p->waiting[taken].end_ms <= await_now_ms()) {
            tell_end(p, p->waiting[taken++].socket, INSPECT_CROWDED, 0);
            continue;
        }
        struct worker *w = idle_worker(p);
        if (w == NULL)
            w = start_worker(p);
        if (w == NULL)
            break;
        give(w, &p->waiting[taken++]);
    }
    p->waiting_n -= taken;
    memmove(p->waiting, p->waiting + taken, p->waiting_n * sizeof p->waiting[0]);
}

/* False: nothing more for now. */
static bool
take_job(struct pool *p)
{
    struct ipc_message msg;
    switch (ipc_receive_now(&inspect_protocol, p->up, INSPECT_DOOR, INSPECT_POOL, &msg)) {
    case IPC_OK:
        break;
    case IPC_AGAIN:
        return false;
    case IPC_CLOSED:
    case IPC_FORGED:
        close(p->up);
        p->up = -1;
        return false;
    }
    uint64_t limit = msg.f[1].number;
    if (limit > INSPECT_LIMIT_MAX_MS)
        limit = INSPECT_LIMIT_MAX_MS;
    const struct waiting j = {.socket = msg.fd, .end_ms = await_now_ms() + (int64_t)limit};
    if (p->waiting_n < WAITING_MAX)
        p->waiting[p->waiting_n++] = j;
    else
        tell_end(p, j.socket, INSPECT_CROWDED, 0);
    return true;
}

/* --- workers that end --- */

static void
bury(struct pool *p, size_t i)
{
    struct worker *w = &p->workers[i];
    int status = 0;
    (void)kill(w->pid, SIGKILL); /* who has ended already keeps its own status */
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (w->job >= 0) {
        enum inspect_end end = w->late               ? INSPECT_TIMED_OUT
                               : WIFSIGNALED(status) ? INSPECT_KILLED
                                                     : INSPECT_EXITED;
        tell_end(p, w->job, end, WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    close(w->control);
    *w = p->workers[--p->n];
}

/* True: the place holds another worker now, or none. */
static bool
hear_worker(struct pool *p, size_t i)
{
    struct worker *w = &p->workers[i];
    struct ipc_message msg;
    switch (
        ipc_receive_now(&inspect_protocol, w->control, INSPECT_WORKER, INSPECT_POOL, &msg)) {
    case IPC_AGAIN:
        return false;
    case IPC_OK:
        if (w->job >= 0) {
            close(w->job);
            w->job = -1;
            if (w->jobs < p->loaded->jobs)
                return false;
        }
        break; /* worn out; or it speaks without having been asked */
    case IPC_CLOSED:
    case IPC_FORGED:
        break;
    }
    bury(p, i);
    return true;
}

static void
kill_late(struct pool *p)
{
    int64_t now = await_now_ms();
    for (size_t i = 0; i < p->n; i++) {
        struct worker *w = &p->workers[i];
        if (w->job < 0 || w->late || w->end_ms > now)
            continue;
        w->late = true;
        (void)kill(w->pid, SIGKILL); /* its end closes its socket */
    }
}

/* --- the loop --- */

static int
wait_ms(const struct pool *p)
{
    int64_t now = await_now_ms(), next = now + LOOK_MS;
    for (size_t i = 0; i < p->n; i++)
        if (p->workers[i].job >= 0 && !p->workers[i].late && p->workers[i].end_ms < next)
            next = p->workers[i].end_ms;
    return next <= now ? 0 : (int)(next - now) + 1;
}

static void
look(struct pool *p)
{
    int64_t now = await_now_ms();
    if (p->library->changed == NULL || now < p->look_ms || p->up < 0)
        return;
    p->look_ms = now + LOOK_MS;
    if (p->library->changed(p->loaded))
        (void)ipc_offer(&inspect_protocol, p->up, INSPECT_CHANGED, NULL, -1);
}

static void
turn(struct pool *p)
{
    struct pollfd v[1 + WORKERS_MAX];
    size_t n = p->n;
    v[0] = (struct pollfd){.fd = p->up, .events = POLLIN};
    for (size_t i = 0; i < n; i++)
        v[1 + i] = (struct pollfd){.fd = p->workers[i].control, .events = POLLIN};
    if (poll(v, 1 + n, wait_ms(p)) > 0) {
        /* from the end: what takes the place of one that is gone was looked at */
        for (size_t i = n; i-- > 0;)
            if (v[1 + i].revents != 0)
                (void)hear_worker(p, i);
        while (v[0].revents != 0 && p->up >= 0 && take_job(p))
            continue;
    }
    kill_late(p);
    give_out(p);
    look(p);
}

static bool
is_at_work(const struct pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->workers[i].job >= 0)
            return true;
    return p->waiting_n > 0;
}

static void
say(int up, enum inspect_type type, const struct ipc_field *f)
{
    (void)ipc_send(&inspect_protocol, up, type, f, -1);
}

_Noreturn void
inspect_pool_live(const struct inspect_pool_setup *s)
{
    struct inspect_loaded *l = s->loaded;
    struct pool *p = ARENA_NEW(l->arena, struct pool);
    process_name(s->library->process);
    l->why = STR_LIT("it cannot be shut in");
    (void)limits_set(LIMIT_MEMORY, s->library->memory, LIMIT_FOR_GOOD);
    if (!s->library->load(l, s->text)) {
        struct str why = str_sub(l->why, 0, l->why.n < IPC_TEXT_MAX ? l->why.n : IPC_TEXT_MAX);
        const struct ipc_field f[] = {{.text = why}};
        say(s->up, INSPECT_BROKEN, f);
        _exit(1);
    }
    *p = (struct pool){.setup = s, .library = s->library, .loaded = l, .up = s->up};
    if (l->workers > WORKERS_MAX)
        l->workers = WORKERS_MAX;
    p->memory = limits_memory_used();
    const struct ipc_field f[] = {{.number = l->amount}};
    say(s->up, INSPECT_LOADED, f);
    p->look_ms = await_now_ms() + LOOK_MS;
    while (p->up >= 0 || is_at_work(p))
        turn(p);
    _exit(0);
}
