/* The inspect role: foreign parsers, each in processes of its own that can reach nothing.
 *
 * Jobs come through a door, a socket that the master keeps open, so that the next inspect process hears what the last one did not. A job
 * names a library and how it is set up, and goes to the process that has loaded it (inspect_pool.h), which is started when the first one
 * comes, or at once where the configuration names it. What was loaded and has become old is replaced while it works on. This process looks at
 * nothing else, opens no file itself, and tells the master what belongs in the log.
 */
#include "proc/role.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "conf/main_options.h"
#include "proc/inspect_pool.h"
#include "proc/role_jail.h"
#include "sys/await.h"
#include "sys/plugin.h"
#include "sys/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    POOLS_MAX = 8,
    AGAIN_MS = 10000,         /* before a library that cannot be used is tried again */
    CHANGED_AGAIN_MS = 60000, /* before a replacement that failed is tried again */
};

/* A library that is set up in one way. */
struct place {
    enum inspect_library library;
    struct str text; /* of the setup */
    pid_t pid;       /* 0: nothing runs */
    int fd;
    bool loaded;
    pid_t next_pid; /* of the replacement; 0: there is none */
    int next_fd;
    int64_t again_ms; /* not started, or not replaced, before that */
    struct str why;   /* why it cannot be used */
};

struct inspect {
    struct role *role;
    int door; /* -1: closed, or not there yet */
    struct place places[POOLS_MAX];
    size_t n;
    const char *scratch;
};

/* --- what belongs in the log --- */

static void
tell(const struct inspect *x, bool panic, struct str text)
{
    text = str_sub(text, 0, text.n < IPC_TEXT_MAX ? text.n : IPC_TEXT_MAX);
    const struct ipc_field f[] = {{.number = panic}, {.text = text}};
    if (x->role->control >= 0)
        (void)role_offer(x->role->control, IPC_NOTE, f);
}

static const char *
name_of(const struct place *p)
{
    return inspect_library(p->library)->name;
}

/* --- starting --- */

static void
close_for_pool(struct inspect *x, int own)
{
    for (size_t i = 0; i < x->n; i++) {
        struct place *p = &x->places[i];
        if (p->fd >= 0 && p->fd != own)
            close(p->fd);
        if (p->next_fd >= 0 && p->next_fd != own)
            close(p->next_fd);
    }
    if (x->door >= 0)
        close(x->door);
    if (x->role->control >= 0)
        close(x->role->control);
}

static _Noreturn void
live(struct inspect *x, const struct place *p, int up)
{
    struct arena *a = arena_new();
    struct str directory = x->role->m->site->plugin_directory;
    struct inspect_loaded l = {
        .arena = a, .plugin_directory = directory, .scratch = x->scratch, .why = STR_EMPTY};
    const struct inspect_pool_setup s = {
        .library = inspect_library(p->library), .loaded = &l, .text = p->text, .up = up};
    signals_release(x->role->signals);
    close_for_pool(x, up);
    inspect_pool_live(&s);
}

/* Its process id, with *fd; 0: it cannot be started. */
static pid_t
start(struct inspect *x, const struct place *p, int *fd)
{
    int fds[2];
    *fd = -1;
    if (!ipc_pair(fds))
        return 0;
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        live(x, p, fds[1]);
    }
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return 0;
    }
    *fd = fds[0];
    return pid;
}

static void
begin(struct inspect *x, struct place *p)
{
    if (p->pid != 0 || await_now_ms() < p->again_ms)
        return;
    p->loaded = false;
    p->pid = start(x, p, &p->fd);
    if (p->pid == 0)
        p->why = STR_LIT("no process for it can be started");
}

/* NULL: there are too many. */
static struct place *
place_of(struct inspect *x, enum inspect_library library, struct str text)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->places[i].library == library && str_eq(x->places[i].text, text))
            return &x->places[i];
    if (x->n == POOLS_MAX)
        return NULL;
    struct place *p = &x->places[x->n++];
    *p = (struct place){.library = library,
                        .text = str_dup(x->role->m->arena, text),
                        .fd = -1,
                        .next_fd = -1,
                        .why = STR_EMPTY};
    return p;
}

/* --- jobs --- */

/* There will be no result. Closes the socket. */
static void
refuse(int socket, enum inspect_end end, struct str why)
{
    const struct ipc_field f[] = {{.number = end}, {.number = 0}, {.number = 0}, {.text = why}};
    (void)ipc_offer(&inspect_protocol, socket, INSPECT_ENDED, f, -1);
    close(socket);
}

static void
hand_on(struct inspect *x, const struct ipc_message *msg)
{
    struct place *p = msg->f[0].number < INSPECT_LIBRARIES
                          ? place_of(x, (enum inspect_library)msg->f[0].number, msg->f[2].text)
                          : NULL;
    if (p == NULL) {
        refuse(msg->fd, INSPECT_CROWDED, STR_EMPTY);
        return;
    }
    begin(x, p);
    if (p->pid == 0) {
        refuse(msg->fd, INSPECT_UNLOADED, p->why);
        return;
    }
    if (ipc_offer(&inspect_protocol, p->fd, INSPECT_JOB, msg->f, msg->fd) == IPC_OK)
        close(msg->fd);
    else
        refuse(msg->fd, INSPECT_CROWDED, STR_EMPTY);
}

static void
hear_door(struct inspect *x)
{
    struct ipc_message msg;
    switch (ipc_receive_now(&inspect_protocol, x->door, INSPECT_CLIENT, INSPECT_DOOR, &msg)) {
    case IPC_OK:
        hand_on(x, &msg);
        return;
    case IPC_AGAIN:
        return;
    case IPC_FORGED:
        tell(x, true, STR_LIT("somebody sent what is no message"));
        return;
    case IPC_CLOSED:
        close(x->door);
        x->door = -1;
        return;
    }
}

/* --- the processes that have loaded something --- */

static void
note_loaded(struct inspect *x, const struct place *p, uint64_t amount, bool again)
{
    if (amount > 0)
        tell(x, false,
             str_printf(x->role->m->arena, "%s: %llu signatures %s", name_of(p),
                        (unsigned long long)amount, again ? "loaded anew" : "loaded"));
}

/* The replacement takes the place; the old one finishes what it has. */
static void
replace(struct place *p)
{
    close(p->fd);
    p->fd = p->next_fd;
    p->pid = p->next_pid;
    p->loaded = true;
    p->next_fd = -1;
    p->next_pid = 0;
}

static void
note_broken(struct inspect *x, struct place *p, struct str why)
{
    p->why = str_printf(x->role->m->arena, "%s: %.*s", name_of(p), STR_ARG(why));
    tell(x, true, p->why);
}

static void
lose(struct inspect *x, struct place *p, bool next)
{
    int *fd = next ? &p->next_fd : &p->fd;
    pid_t *pid = next ? &p->next_pid : &p->pid;
    close(*fd);
    *fd = -1;
    (void)kill(*pid, SIGKILL);
    *pid = 0;
    p->again_ms = await_now_ms() + (next ? CHANGED_AGAIN_MS : p->loaded ? 0 : AGAIN_MS);
    if (!next && p->loaded)
        tell(x, true, str_printf(x->role->m->arena, "the process of %s has ended", name_of(p)));
}

static void
hear_pool(struct inspect *x, struct place *p, bool next)
{
    struct ipc_message msg;
    int fd = next ? p->next_fd : p->fd;
    switch (ipc_receive_now(&inspect_protocol, fd, INSPECT_POOL, INSPECT_DOOR, &msg)) {
    case IPC_AGAIN:
        return;
    case IPC_OK:
        break;
    case IPC_CLOSED:
    case IPC_FORGED:
        lose(x, p, next);
        return;
    }
    if (msg.type == INSPECT_LOADED) {
        note_loaded(x, p, msg.f[0].number, next);
        p->loaded = true;
        if (next)
            replace(p);
    } else if (msg.type == INSPECT_BROKEN) {
        note_broken(x, p, msg.f[0].text);
    } else if (msg.type == INSPECT_CHANGED && !next && p->next_pid == 0 &&
               await_now_ms() >= p->again_ms) {
        p->next_pid = start(x, p, &p->next_fd);
    }
}

/* --- the role --- */

static void
hear_master(struct inspect *x)
{
    struct ipc_message msg;
    if (!role_hear(x->role, &msg))
        return;
    if (msg.type == IPC_PEER && msg.f[0].number == IPC_KIND_INSPECT && x->door < 0)
        x->door = msg.fd;
    else if (msg.fd >= 0)
        close(msg.fd);
}

static void
take_signals(struct inspect *x)
{
    int sig;
    while ((sig = signals_next(x->role->signals)) != 0) {
        if (sig == SIGCHLD)
            while (waitpid(-1, NULL, WNOHANG) > 0)
                continue;
        else if (sig == SIGTERM)
            x->role->retiring = true;
        else if (sig == SIGUSR1)
            role_tell_state(x->role, getpid(), "inspect: %zu libraries", x->n);
    }
}

static void
turn(struct inspect *x)
{
    struct pollfd v[3 + 2 * POOLS_MAX];
    size_t n = x->n;
    v[0] = (struct pollfd){.fd = x->role->signals, .events = POLLIN};
    v[1] = (struct pollfd){.fd = x->role->control, .events = POLLIN};
    v[2] = (struct pollfd){.fd = x->door, .events = POLLIN};
    for (size_t i = 0; i < n; i++) {
        v[3 + 2 * i] = (struct pollfd){.fd = x->places[i].fd, .events = POLLIN};
        v[4 + 2 * i] = (struct pollfd){.fd = x->places[i].next_fd, .events = POLLIN};
    }
    if (poll(v, 3 + 2 * n, -1) <= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        if (v[4 + 2 * i].revents != 0)
            hear_pool(x, &x->places[i], true);
        if (v[3 + 2 * i].revents != 0 && v[3 + 2 * i].fd == x->places[i].fd)
            hear_pool(x, &x->places[i], false);
    }
    if (v[2].revents != 0 && x->door >= 0)
        hear_door(x);
    if (v[0].revents != 0)
        take_signals(x);
    if (v[1].revents != 0)
        hear_master(x);
}

/* The scanner that every message goes to: its signatures are loaded before the first one comes. */
static void
begin_scanner(struct inspect *x)
{
    struct str text = x->role->m->conf->main->av_scanner, name;
    struct strlist_split s = strlist_split_start(text, ':');
    if (!str_is_set(text) || str_chr(text, '$', 0) != STR_NPOS ||
        !strlist_split_next(&s, x->role->m->arena, &name) || !str_eqz(name, "libclamav"))
        return;
    struct place *p = place_of(x, INSPECT_LIBRARY_CLAMAV, str_trim(s.rest));
    if (p != NULL)
        begin(x, p);
}

int
role_inspect(struct role *r)
{
    struct inspect *x = ARENA_NEW(r->m->arena, struct inspect);
    *x = (struct inspect){.role = r, .door = -1};
    if (!role_become_mail_user(r) || !role_jail_inspect(r, &x->scratch))
        return 1;
    begin_scanner(x);
    role_say_ready(r);
    while (!r->retiring || x->door >= 0)
        turn(x);
    return 0;
}
