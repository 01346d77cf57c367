/* The master process of the daemon; see master.h. */
#include "proc/master.h"

#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "proc/bundle.h"
#include "proc/child_table.h"
#include "proc/config.h"
#include "proc/daemon_start.h"
#include "proc/engine_start.h"
#include "proc/inspect_library.h"
#include "proc/ipc.h"
#include "proc/pid_file.h"
#include "proc/process_log.h"
#include "sys/await.h"
#include "sys/child.h"
#include "sys/machine.h"
#include "sys/process.h"
#include "sys/seats.h"
#include "sys/signals.h"
#include "sys/tls_vault.h"
#include "transports/key_place.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SMTP_PROCESSES_MAX = 256,
    STEADY_MS = 10000, /* who lived as long as that is started again at once */
    RELINK_MS =
        500, /* before who was cut off is heard again; one that died is found out by then */
    RELINKS_MAX = 20,
    VAULT_DAYS = 30, /* what servers share of TLS is made anew by the next reload */
    CLOSE_MS = 3000, /* how long the end waits for sockets to be closed */
    OWNERS_MAX = SEATS_OWNERS_MAX,
    ROLES = 5,
};

static const enum ipc_kind roles[ROLES] = {IPC_KIND_SMTP, IPC_KIND_QUEUE, IPC_KIND_DELIVER,
                                           IPC_KIND_AGENT, IPC_KIND_INSPECT};

#define NO_GENERATION                                                                          \
    {                                                                                          \
        .bundles = {-1, -1, -1, -1, -1}, .door = {-1, -1}, .inspect = { -1, -1 }               \
    }

/* One configuration and the processes that work by it. */
struct generation {
    unsigned number;
    struct mode *mode;
    struct engine *engine;
    int bundles[ROLES]; /* what each kind of process is told of it */
    /* Between those who deliver and the agent, open here for as long as the generation lives, so that the next agent hears what the last one did
     * not: deliver's end, the agent's end. -1: there is no agent. */
    int door[2];
    /* The same between those who ask the inspect process and it. -1: there is none. */
    int inspect[2];
    bool own; /* the mode is ours to free: not the first one's, which has the command line */
};

struct master {
    struct master_setup *setup;
    struct arena *arena; /* of the master */
    struct child_table children;
    struct generation now, next;  /* next.mode NULL: no reload is under way */
    VEC(struct generation) old;   /* whose processes have not finished yet */
    struct interfaces interfaces; /* of the reload */
    unsigned generations;
    unsigned owners;
    int signals;
    int seats;
    int vault;        /* sys/tls_vault.h, for all generations; -1: each process has its own */
    int64_t vault_ms; /* when it was made */
    struct str vault_name; /* of the host in its certificate */
    bool ending;
    int64_t end_ms; /* when the end no longer waits */
    bool told_ready;
    int64_t called_ms; /* -bw: when somebody last connected, as far as is known */
};

/* To one that has just been started, and has heard of nobody but us: waits for room. */
static void
tell(struct role_child *c, enum ipc_type type, const struct ipc_field *f, int fd)
{
    if (c->fd >= 0)
        (void)ipc_send(&ipc_protocol, c->fd, type, f, fd);
}

/* Waits for nobody. False: it does not listen. */
static bool
say(struct role_child *c, enum ipc_type type, const struct ipc_field *f, int fd)
{
    return c->fd >= 0 && ipc_offer(&ipc_protocol, c->fd, type, f, fd) == IPC_OK;
}

/* --- starting --- */

/* NULL: it is no more. */
static struct generation *
generation_of(struct master *m, const struct role_child *c)
{
    if (m->next.mode != NULL && m->next.number == c->generation)
        return &m->next;
    for (size_t i = 0; i < m->old.n; i++) {
        if (m->old.v[i].number == c->generation)
            return &m->old.v[i];
    }
    return m->now.number == c->generation ? &m->now : NULL;
}

static const struct interfaces *
interfaces_of(const struct master *m, const struct generation *g)
{
    return g == &m->next ? &m->interfaces : &m->setup->interfaces;
}

static int
bundle_of(const struct generation *g, enum ipc_kind kind)
{
    size_t i = 0;
    while (i + 1 < ROLES && roles[i] != kind)
        i++;
    return g->bundles[i];
}

/* To the agent, whose configuration does not say it. Before it hears of the door. */
static void
tell_keys(struct role_child *c, const struct generation *g)
{
    struct arena *a = arena_new();
    struct key_places places;
    key_places_find(a, g->mode->conf, &places);
    for (size_t i = 0; i < places.v.n; i++) {
        const struct key_place *p = &places.v.v[i];
        const struct ipc_field f[] = {
            {.text = p->transport}, {.text = p->path}, {.number = p->begins}};
        tell(c, IPC_KEY, f, -1);
    }
    arena_free(a);
}

static void
introduce(struct master *m, struct role_child *c, const struct generation *g)
{
    const bool asks = c->kind == IPC_KIND_SMTP || c->kind == IPC_KIND_DELIVER;
    const bool door = g->inspect[0] >= 0 && (asks || c->kind == IPC_KIND_INSPECT);
    const struct ipc_field peer[] = {{.number = IPC_KIND_INSPECT}};
    const struct ipc_field hello[] = {{.number = c->kind},
                                      {.number = c->number},
                                      {.number = c->generation},
                                      {.number = door && asks}};
    tell(c, IPC_HELLO, hello, bundle_of(g, c->kind));
    if (door)
        tell(c, IPC_PEER, peer, g->inspect[!asks]);
    if (c->kind == IPC_KIND_DELIVER && m->setup->submit >= 0)
        tell(c, IPC_SUBMIT, NULL, m->setup->submit);
    if (c->kind == IPC_KIND_AGENT)
        tell_keys(c, g);
    if (c->kind != IPC_KIND_SMTP)
        return;
    if (m->vault >= 0)
        tell(c, IPC_TLS_VAULT, NULL, m->vault);
    const struct ipc_field owner[] = {{.number = c->owner}};
    tell(c, IPC_SEATS, owner, m->seats);
    const struct interfaces *all = interfaces_of(m, g);
    for (size_t i = 0; i < all->v.n; i++) {
        const struct ipc_field tls[] = {{.number = all->v.v[i].tls}};
        tell(c, IPC_LISTEN, tls, all->v.v[i].fd);
    }
}

/* The second word is only for people who look at a list of processes. */
static pid_t
execute(const struct role_child *c, const struct generation *g, int fd)
{
    char *argv[] = {g->mode->argv[0], (char[]){"-bI:role"}, NULL, NULL};
    char name[16];
    size_t n = strlen(ipc_kind_name(c->kind));
    memcpy(name, ipc_kind_name(c->kind), n + 1);
    argv[2] = name;
    return process_start_self(argv, fd);
}

static void
start_child(struct master *m, struct role_child *c, const struct generation *g)
{
    int fds[2];
    c->again_ms = c->link_ms = 0;
    c->links = 0;
    c->ready = c->closed = false;
    c->since_ms = await_now_ms();
    if (!ipc_pair(fds)) {
        maillog(g->engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "failed to make a socket for the %s process: %s", ipc_kind_name(c->kind),
                strerror(errno));
        c->again_ms = c->since_ms + child_table_delay(++c->deaths);
        return;
    }
    c->pid = execute(c, g, fds[1]);
    close(fds[1]);
    c->fd = fds[0];
    if (c->pid > 0) {
        introduce(m, c, g);
        return;
    }
    maillog(g->engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
            "failed to start the %s process: %s", ipc_kind_name(c->kind), strerror(errno));
    close(c->fd);
    c->fd = -1;
    c->pid = 0;
    c->again_ms = c->since_ms + child_table_delay(++c->deaths);
}

static unsigned
smtp_processes(const struct conf_main *c)
{
    int64_t n = c->smtp_processes;
    if (n <= 0) {
        n = sysconf(_SC_NPROCESSORS_ONLN);
        n = n < 2 ? 2 : n > 8 ? 8 : n;
    }
    return (unsigned)(n < SMTP_PROCESSES_MAX ? n : SMTP_PROCESSES_MAX);
}

/* Only with root is there anybody to become. */
static void
start_agent(struct master *m, struct generation *g)
{
    if (!g->engine->can_become || g->mode->conf->main->deliver_drop_privilege)
        return;
    if (!ipc_pair(g->door))
        maillog(g->engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "failed to make a socket for the agent: %s", strerror(errno));
    start_child(m, child_table_add(&m->children, m->arena, IPC_KIND_AGENT, 0, g->number), g);
}

/* Only where the configuration has something for it to do. */
static void
start_inspect(struct master *m, struct generation *g)
{
    if (!inspect_library_is_wanted(g->mode->conf))
        return;
    if (!ipc_pair(g->inspect))
        maillog(g->engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "failed to make a socket for the inspect process: %s", strerror(errno));
    else
        start_child(m, child_table_add(&m->children, m->arena, IPC_KIND_INSPECT, 0, g->number),
                    g);
}

/* Before who delivers hears of anybody who wants that. */
static void
show_door(struct master *m, struct role_child *c)
{
    const struct generation *g = generation_of(m, c);
    bool agent = c->kind == IPC_KIND_AGENT;
    const struct ipc_field f[] = {{.number = agent ? IPC_KIND_DELIVER : IPC_KIND_AGENT}};
    if (g != NULL && g->door[0] >= 0 && (agent || c->kind == IPC_KIND_DELIVER))
        (void)say(c, IPC_PEER, f, g->door[agent]);
}

/* What servers share of TLS: made when the daemon starts, and again when it has become old or the host has another name. */
static void
keep_vault(struct master *m, const struct mode *mode)
{
    struct str name = mode->conf->main->primary_hostname;
    int64_t now = await_now_ms();
    if (m->vault >= 0 && str_eq(m->vault_name, name) &&
        now - m->vault_ms < VAULT_DAYS * INT64_C(86400000))
        return;
    if (m->vault >= 0)
        close(m->vault);
    m->vault = tls_vault_new();
    m->vault_ms = now;
    m->vault_name = str_dup(m->arena, name);
}

static void
start_generation(struct master *m, struct generation *g)
{
    keep_vault(m, g->mode);
    start_agent(m, g);
    start_inspect(m, g);
    unsigned n = m->setup->listens || m->setup->waits ? smtp_processes(g->mode->conf->main) : 0;
    start_child(m, child_table_add(&m->children, m->arena, IPC_KIND_DELIVER, 0, g->number), g);
    start_child(m, child_table_add(&m->children, m->arena, IPC_KIND_QUEUE, 0, g->number), g);
    for (unsigned i = 0; i < n; i++) {
        struct role_child *c =
            child_table_add(&m->children, m->arena, IPC_KIND_SMTP, i, g->number);
        c->owner = 1 + m->owners++ % (OWNERS_MAX - 1);
        start_child(m, c, g);
    }
}

/* --- connecting --- */

static void
link_two(struct role_child *x, struct role_child *y)
{
    int fds[2];
    if (!x->ready || !y->ready || x->pid == 0 || y->pid == 0 || !ipc_pair(fds))
        return;
    const struct ipc_field fx[] = {{.number = x->kind}}, fy[] = {{.number = y->kind}};
    (void)say(x, IPC_PEER, fy, fds[0]);
    (void)say(y, IPC_PEER, fx, fds[1]);
    x->link_ms = y->link_ms = 0;
    close(fds[0]);
    close(fds[1]);
}

/* Who talks to the queue process. */
static bool
is_linked(const struct role_child *c)
{
    return c->kind == IPC_KIND_SMTP || c->kind == IPC_KIND_DELIVER || c->kind == IPC_KIND_QUEUE;
}

/* The queue process talks to all others of its generation but agent and inspect, and nobody else to anybody, save at the doors. */
static void
link_child(struct master *m, struct role_child *c)
{
    for (size_t i = 0; i < m->children.v.n; i++) {
        struct role_child *o = m->children.v.v[i];
        bool pair = (c->kind == IPC_KIND_QUEUE) != (o->kind == IPC_KIND_QUEUE) &&
                    is_linked(c) && is_linked(o);
        if (pair && o->generation == c->generation)
            link_two(c, o);
    }
}

static bool
is_complete(const struct master *m, unsigned generation)
{
    for (size_t i = 0; i < m->children.v.n; i++) {
        const struct role_child *c = m->children.v.v[i];
        if (c->generation == generation && !c->ready)
            return false;
    }
    return true;
}

static void
say_retire(const struct master *m, struct role_child *c)
{
    const struct ipc_field f[] = {{.number = m->ending}};
    (void)say(c, IPC_RETIRE, f, -1);
}

static void
retire(const struct master *m, struct role_child *c)
{
    c->retired = true;
    c->again_ms = 0;
    say_retire(m, c);
}

/* --- a new configuration --- */

/* False with errno. */
static bool
write_bundles(struct generation *g)
{
    const struct mode *mode = g->mode;
    bool ok = true;
    for (size_t i = 0; i < ROLES; i++) {
        g->bundles[i] = bundle_write(mode->argc, mode->argv, mode->conf, roles[i]);
        ok &= g->bundles[i] >= 0;
    }
    return ok;
}

static void
close_interfaces(struct interfaces *all)
{
    for (size_t i = 0; i < all->v.n; i++) {
        if (all->v.v[i].fd >= 0)
            close(all->v.v[i].fd);
        all->v.v[i].fd = -1;
    }
}

static void
forget_generation(struct generation *g)
{
    for (size_t i = 0; i < ROLES; i++)
        if (g->bundles[i] >= 0)
            close(g->bundles[i]);
    for (size_t i = 0; i < 2; i++) {
        if (g->door[i] >= 0)
            close(g->door[i]);
        if (g->inspect[i] >= 0)
            close(g->inspect[i]);
    }
    if (g->own)
        arena_free(g->mode->arena);
    *g = (struct generation)NO_GENERATION;
}

/* Somebody of the generation may still ask the inspect process. */
static bool
is_asked(const struct master *m, const struct generation *g)
{
    return g->inspect[0] >= 0 &&
           child_table_find(&m->children, IPC_KIND_SMTP, g->number) != NULL;
}

/* Old generations go when nobody of theirs delivers any more: their doors are closed, which ends their agents. */
static void
forget_finished(struct master *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->old.n; i++) {
        struct generation *g = &m->old.v[i];
        if (child_table_find(&m->children, IPC_KIND_QUEUE, g->number) != NULL ||
            child_table_find(&m->children, IPC_KIND_DELIVER, g->number) != NULL ||
            is_asked(m, g))
            m->old.v[kept++] = *g;
        else
            forget_generation(g);
    }
    m->old.n = kept;
}

/* To the service manager, with the time on the clock that it asks for. Source: sd_notify(3). */
static void
tell_reload(const struct master *m)
{
    char text[64];
    (void)snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
                   (long long)await_now_ms() * 1000);
    service_notify(&m->setup->first->service, text);
}

static void
tell_reloaded(const struct master *m)
{
    if (!m->ending)
        service_notify(&m->setup->first->service, "READY=1");
}

/* The reload is given up: what is there goes on. */
static void
abandon(struct master *m, const char *why)
{
    maillog(m->now.engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
            "the new configuration is not used: %s", why);
    for (size_t i = 0; i < m->children.v.n; i++) {
        if (m->next.mode != NULL && m->children.v.v[i]->generation == m->next.number)
            retire(m, m->children.v.v[i]);
    }
    for (size_t i = 0; i < m->interfaces.v.n; i++) {
        if (m->interfaces.v.v[i].keep)
            m->interfaces.v.v[i].fd = -1; /* the old generation's */
    }
    close_interfaces(&m->interfaces);
    for (size_t i = 0; i < m->setup->interfaces.v.n; i++)
        m->setup->interfaces.v.v[i].keep = false;
    m->interfaces = (struct interfaces){.v = {0}};
    forget_generation(&m->next);
    tell_reloaded(m);
}

/* The new generation works: the old one finishes what it has. */
static void
take_over(struct master *m)
{
    unsigned old = m->now.number;
    struct interfaces *before = &m->setup->interfaces;
    for (size_t i = 0; i < before->v.n; i++) {
        if (before->v.v[i].keep)
            before->v.v[i].fd = -1; /* goes on in the new list */
    }
    close_interfaces(before);
    m->setup->interfaces = m->interfaces;
    for (size_t i = 0; i < m->interfaces.v.n; i++)
        m->setup->interfaces.v.v[i].keep = false;
    m->interfaces =
        (struct interfaces){.v = {0}}; /* nothing that a later reload could give up */
    for (size_t i = 0; i < m->children.v.n; i++) {
        if (m->children.v.v[i]->generation == old)
            retire(m, m->children.v.v[i]);
    }
    vec_push(m->arena, &m->old, m->now);
    m->now = m->next;
    m->next = (struct generation)NO_GENERATION;
    m->setup->mode = m->now.mode;
    m->setup->engine = m->now.engine;
    forget_finished(m);
    daemon_start_log(m->setup);
    tell_reloaded(m);
}

/* The sockets of the new configuration: those that are open already, and new ones. */
static bool
open_interfaces(struct master *m, struct mode *mode, struct str *error)
{
    m->interfaces = (struct interfaces){.v = {0}};
    if (m->setup->given) {
        struct interfaces *before = &m->setup->interfaces;
        for (size_t i = 0; i < before->v.n; i++) {
            before->v.v[i].keep = true;
            vec_push(m->arena, &m->interfaces.v, before->v.v[i]);
        }
        return true;
    }
    if (!m->setup->listens)
        return true;
    return daemon_start_find(mode, &m->interfaces, error) &&
           daemon_start_open(mode, m->now.engine, &m->interfaces, &m->setup->interfaces, error);
}

static void
reload(struct master *m)
{
    struct arena *a = arena_new();
    struct mode *mode = ARENA_NEW(a, struct mode);
    struct str error = STR_NULL;
    maillog(m->now.engine, MAILLOG_MAIN, STR_NULL, "pid %d: SIGHUP received: re-exec daemon",
            (int)getpid());
    if (m->next.mode != NULL)
        abandon(m, "another one is to be read");
    tell_reload(m);
    *mode = (struct mode){.arena = a,
                          .argc = m->now.mode->argc,
                          .argv = m->now.mode->argv,
                          .cli = m->now.mode->cli,
                          .site = m->now.mode->site,
                          .caller = m->now.mode->caller,
                          .diags = diags_new(a, 0)};
    if (!config_load(mode)) {
        abandon(m, "it has errors");
        arena_free(a);
        return;
    }
    m->next = (struct generation){.number = ++m->generations,
                                  .door = {-1, -1},
                                  .inspect = {-1, -1},
                                  .own = true,
                                  .mode = mode,
                                  .engine = engine_make(mode)};
    if (!write_bundles(&m->next) || m->next.engine == NULL)
        abandon(m, "it cannot be handed on");
    else if (!open_interfaces(m, mode, &error))
        abandon(m, str_cstr(m->arena, error));
    else
        start_generation(m, &m->next);
}

/* --- what the processes say --- */

static void
tell_ready(struct master *m)
{
    if (!m->told_ready && !m->ending)
        service_notify(&m->setup->first->service, "READY=1");
    m->told_ready = true;
}

static void
take_ready(struct master *m, struct role_child *c)
{
    c->ready = true;
    show_door(m, c);
    link_child(m, c);
    if (c->retired)
        say_retire(m, c);
    if (m->next.mode != NULL && c->generation == m->next.number &&
        is_complete(m, m->next.number))
        take_over(m);
    else if (c->generation == m->now.number && is_complete(m, m->now.number))
        tell_ready(m);
}

/* The master need not have the power to kill the processes of other users: a process of that user does it then. */
static void
end_child(const struct master *m, const struct role_child *c)
{
    const struct engine *e = m->now.engine;
    const struct child_request rq = {
        .become = geteuid() == 0, .uid = e->mail_uid, .gid = e->mail_gid};
    child_kill(&rq, c->pid);
}

/* What the inspect process, which has no log, has to say. */
static void
note(const struct master *m, const struct ipc_message *msg)
{
    unsigned panic = msg->f[0].number != 0 ? (unsigned)MAILLOG_PANIC : 0u;
    maillog(m->now.engine, MAILLOG_MAIN | panic, STR_NULL, "inspect process: %.*s",
            STR_ARG(msg->f[1].text));
}

static void
hear(struct master *m, struct role_child *c)
{
    struct ipc_message msg;
    switch (ipc_receive_now(&ipc_protocol, c->fd, c->kind, IPC_KIND_MASTER, &msg)) {
    case IPC_OK:
        if (msg.type == IPC_READY && !c->ready)
            take_ready(m, c);
        else if (msg.type == IPC_DEAF)
            c->closed = true;
        else if (msg.type == IPC_CALLED)
            m->called_ms = await_now_ms();
        else if (msg.type == IPC_NOTE)
            note(m, &msg);
        else if (msg.type == IPC_LOST && c->ready && c->link_ms == 0)
            c->link_ms = await_now_ms() + RELINK_MS;
        return;
    case IPC_AGAIN:
        return;
    case IPC_FORGED:
        maillog(m->now.engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "%s process %d sent what is no message: it is closed", ipc_kind_name(c->kind),
                (int)c->pid);
        end_child(m, c);
        break;
    case IPC_CLOSED:
        break;
    }
    close(c->fd);
    c->fd = -1;
}

/* --- processes that end --- */

static void
log_death(struct master *m, const struct role_child *c, pid_t pid, int status)
{
    const char *more = c->again_ms == 0 ? "" : ": another one is started";
    if (WIFSIGNALED(status))
        maillog(m->now.engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "%s process %d ended by signal %d%s", ipc_kind_name(c->kind), (int)pid,
                WTERMSIG(status), more);
    else if (!c->retired || WEXITSTATUS(status) != 0)
        maillog(m->now.engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "%s process %d ended with status %d%s", ipc_kind_name(c->kind), (int)pid,
                WEXITSTATUS(status), more);
}

/* The connections of a process that is gone are given back by another one: the master does not touch their table. */
static void
free_seats(struct master *m, const struct role_child *gone)
{
    const struct ipc_field f[] = {{.number = gone->owner}};
    for (size_t i = 0; i < m->children.v.n && gone->owner != 0; i++) {
        struct role_child *c = m->children.v.v[i];
        if (c != gone && c->kind == IPC_KIND_SMTP && c->pid > 0 && !c->retired &&
            say(c, IPC_GONE, f, -1))
            return;
    }
}

/* True if the rest of an old generation cannot finish without a process that is gone: sessions and those who deliver need the
 * queue process, that needs who starts workers, and all workers need the agent. */
static bool
is_missed(struct master *m, const struct role_child *c, int status)
{
    bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    const struct role_child *queue =
        child_table_find(&m->children, IPC_KIND_QUEUE, c->generation);
    if (generation_of(m, c) == NULL)
        return false;
    if (c->kind == IPC_KIND_QUEUE)
        return failed;
    if (c->kind == IPC_KIND_DELIVER) /* it ends, too, when the queue process dies */
        return queue != NULL && (failed || queue->number > 0);
    return (c->kind == IPC_KIND_AGENT || c->kind == IPC_KIND_INSPECT) && failed;
}

/* One that starts workers, for a queue process that is to finish the work of another. */
static void
add_deliver(struct master *m, unsigned generation)
{
    if (child_table_find(&m->children, IPC_KIND_DELIVER, generation) != NULL)
        return;
    struct role_child *c =
        child_table_add(&m->children, m->arena, IPC_KIND_DELIVER, 0, generation);
    c->retired = true;
    c->again_ms = await_now_ms() + 1;
}

static void
start_later(struct master *m, struct role_child *c, int status)
{
    int64_t now = await_now_ms();
    c->number += c->kind == IPC_KIND_QUEUE; /* tells it to look for what was forgotten */
    /* who was killed has not failed by itself */
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    c->deaths = killed || now - c->since_ms > STEADY_MS ? 0 : c->deaths + 1;
    c->again_ms = now + (c->deaths > 1 ? child_table_delay(c->deaths) : 1);
    if (c->retired && c->kind == IPC_KIND_QUEUE)
        add_deliver(m, c->generation);
}

static void
bury(struct master *m, struct role_child *c, int status)
{
    bool failed_reload = !m->ending && m->next.mode != NULL && c->generation == m->next.number;
    const pid_t pid = c->pid;
    c->pid = 0;
    c->ready = false;
    c->link_ms = 0;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    free_seats(m, c);
    if (m->ending)
        return;
    if (!failed_reload && (!c->retired || is_missed(m, c, status)))
        start_later(m, c, status);
    log_death(m, c, pid, status);
    if (failed_reload) {
        c->retired = true;
        abandon(m, "a process could not work by it");
    }
}

static void
reap(struct master *m)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct role_child *c = child_table_of_pid(&m->children, pid);
        if (c != NULL)
            bury(m, c, status);
    }
    child_table_sweep(&m->children);
    forget_finished(m);
}

static void
start_again(struct master *m)
{
    int64_t now = await_now_ms();
    for (size_t i = 0; i < m->children.v.n && !m->ending; i++) {
        struct role_child *c = m->children.v.v[i];
        const struct generation *g = generation_of(m, c);
        if (c->again_ms > 0 && c->again_ms <= now && g != NULL)
            start_child(m, c, g);
    }
}

/* Its queue process has closed its socket, and is still there: another one. */
static void
link_again(struct master *m)
{
    int64_t now = await_now_ms();
    for (size_t i = 0; i < m->children.v.n; i++) {
        struct role_child *c = m->children.v.v[i];
        if (c->link_ms == 0 || c->link_ms > now || c->pid == 0)
            continue;
        c->link_ms = 0;
        if (++c->links <= RELINKS_MAX) {
            link_child(m, c);
            continue;
        }
        maillog(m->now.engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "%s process %d was cut off too often: it is ended", ipc_kind_name(c->kind),
                (int)c->pid);
        end_child(m, c);
    }
}

/* --- the end --- */

static void
begin_end(struct master *m)
{
    if (m->ending)
        return;
    m->ending = true;
    m->end_ms = await_now_ms() + CLOSE_MS;
    service_notify(&m->setup->first->service, "STOPPING=1");
    close_interfaces(&m->setup->interfaces);
    for (size_t i = 0; i < m->children.v.n; i++)
        retire(m, m->children.v.v[i]);
}

/* True when nobody listens any more. */
static bool
is_ended(const struct master *m)
{
    if (await_now_ms() >= m->end_ms)
        return true;
    for (size_t i = 0; i < m->children.v.n; i++) {
        const struct role_child *c = m->children.v.v[i];
        if (c->kind == IPC_KIND_SMTP && c->pid > 0 && !c->closed)
            return false;
    }
    return true;
}

/* When -bw<time> ends it; INT64_MAX: never. */
static int64_t
wait_end_ms(const struct master *m)
{
    bool waits = m->setup->waits && m->setup->wait_s > 0 && !m->ending;
    return waits ? m->called_ms + m->setup->wait_s * 1000 : INT64_MAX;
}

static void
end_waiting(struct master *m)
{
    if (await_now_ms() < wait_end_ms(m))
        return;
    daemon_start_log_wait(m->setup);
    begin_end(m);
}

/* --- the loop --- */

static void
take_signals(struct master *m)
{
    int sig;
    while ((sig = signals_next(m->signals)) != 0) {
        if (sig == SIGCHLD)
            reap(m);
        else if (sig == SIGTERM || sig == SIGINT)
            begin_end(m);
        else if (sig == SIGHUP && !m->ending)
            reload(m);
        else if (sig == SIGUSR1)
            process_log_write(m->now.engine, getpid(),
                              str_cstr(m->now.mode->arena, daemon_start_state(m->setup)));
    }
}

static int
wait_ms(const struct master *m)
{
    int64_t next = m->ending ? m->end_ms : wait_end_ms(m), now = await_now_ms();
    for (size_t i = 0; i < m->children.v.n; i++) {
        int64_t again = m->children.v.v[i]->again_ms, link = m->children.v.v[i]->link_ms;
        if (again > 0 && again < next)
            next = again;
        if (link > 0 && link < next)
            next = link;
    }
    if (next == INT64_MAX)
        return -1;
    return next <= now ? 0 : next - now > 60000 ? 60000 : (int)(next - now) + 1;
}

/* Waits for something and deals with it. */
static void
turn(struct master *m)
{
    size_t n = m->children.v.n;
    struct pollfd *p = calloc(n + 1, sizeof *p);
    struct role_child **who = calloc(n + 1, sizeof(struct role_child *));
    if (p == NULL || who == NULL)
        abort();
    p[0] = (struct pollfd){.fd = m->signals, .events = POLLIN};
    for (size_t i = 0; i < n; i++) {
        who[i + 1] = m->children.v.v[i]; /* in the master's arena: stays */
        p[i + 1] = (struct pollfd){.fd = who[i + 1]->fd, .events = POLLIN};
    }
    if (poll(p, n + 1, wait_ms(m)) > 0) {
        for (size_t i = 1; i <= n; i++) {
            if (p[i].revents != 0 && who[i]->fd == p[i].fd)
                hear(m, who[i]);
        }
        if (p[0].revents != 0)
            take_signals(m);
    }
    free(p);
    free(who);
    start_again(m);
    link_again(m);
    end_waiting(m);
}

int
master_run(struct master_setup *setup)
{
    setup->first = setup->mode;
    struct master m = {
        .setup = setup, .arena = arena_new(), .next = NO_GENERATION, .vault = -1};
    m.signals = setup->signals;
    m.called_ms = await_now_ms();
    m.seats = seats_new();
    m.now = (struct generation){.number = ++m.generations,
                                .door = {-1, -1},
                                .inspect = {-1, -1},
                                .mode = setup->mode,
                                .engine = setup->engine};
    if (!write_bundles(&m.now) || m.signals < 0 || m.seats < 0) {
        maillog(setup->engine, MAILLOG_MAIN | MAILLOG_PANIC, STR_NULL,
                "the daemon cannot start: %s", strerror(errno));
        return 1;
    }
    start_generation(&m, &m.now);
    while (!m.ending || !is_ended(&m))
        turn(&m);
    pid_file_remove(setup->pid_file);
    if (setup->submit >= 0)
        (void)unlink(str_cstr(m.arena, setup->first->conf->main->submit_socket));
    return 0;
}
