/* Messages from ordinary users; see submit_server.h. */
#include "proc/submit_server.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "proc/config.h"
#include "proc/engine_start.h"
#include "proc/reception.h"
#include "proc/submit.h"
#include "sys/listen.h"
#include "sys/signals.h"
#include "sys/submit_wire.h"

#include <stdio.h>
#include <unistd.h>

struct call {
    struct role *role;
    int arrivals;
};

static void
tell(void *ctx, struct str id, struct str queue, enum reception_delivery when)
{
    const struct call *c = ctx;
    struct ipc_field f[] = {
        {.text = id}, {.text = queue.n > 0 ? queue : STR_EMPTY}, {.number = when}};
    (void)role_send(c->arrivals, IPC_ARRIVED, f, -1);
}

/* Nothing that names another configuration, needs a rank, or is another mode. */
static bool
is_allowed(const struct cli *cli, const struct cli *ours)
{
    bool other = str_is_set(cli->config_list) && !str_eq(cli->config_list, ours->config_list);
    if (cli->mode != CLI_RECEIVE || other || cli->macros.n > 0 || cli->debug)
        return false;
    for (size_t i = 0; i < cli->settings.n; i++) {
        if (cli->settings.v[i].row->privilege != CLI_ANYBODY)
            return false;
    }
    return true;
}

/* The call itself, as the program would make it for that user. */
static int
make_call(struct call *c, const struct priv_caller *who, struct submit_request *rq)
{
    struct mode *m = c->role->m;
    struct cli *cli = ARENA_NEW(m->arena, struct cli);
    if (!cli_parse(m->arena, (int)rq->args.n, rq->args.v, cli)) {
        (void)fprintf(stderr, "%.*s\n", STR_ARG(cli->error));
        return 1;
    }
    if (!is_allowed(cli, m->cli)) {
        (void)fprintf(stderr, "%s: the daemon takes messages, and no other options\n",
                      cli->program);
        return 1;
    }
    m->cli = cli;
    m->caller = *who;
    m->eval->process.caller_uid = who->uid;
    m->eval->process.caller_gid = who->gid;
    config_find_rank(m);
    struct engine *e = engine_make(m);
    if (e == NULL)
        return 1;
    struct reception r = {.engine = e, .parent = -1, .tell = tell, .tell_ctx = c};
    return submit_with(m, &r);
}

static _Noreturn void
live(struct call *c, int socket)
{
    struct priv_caller who;
    struct submit_request rq;
    int status = 1;
    signals_release(c->role->signals);
    c->role->m->eval->process.pid = getpid();
    if (!submit_wire_peer(socket, &who) || !submit_wire_receive(c->role->m->arena, socket, &rq))
        _exit(1);
    bool ours = true;
    for (int i = 0; i < 3; i++) {
        ours = ours && dup2(rq.fds[i], i) == i;
        close(rq.fds[i]);
    }
    if (ours)
        status = make_call(c, &who, &rq);
    (void)fflush(NULL);
    submit_wire_answer(socket, status);
    _exit(0);
}

pid_t
submit_server_take(struct role *r, int listener, int arrivals)
{
    int socket = listen_accept(listener, false);
    if (socket < 0)
        return 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct call c = {.role = r, .arrivals = arrivals};
        close(listener);
        if (r->control >= 0)
            close(r->control);
        live(&c, socket);
    }
    close(socket);
    return pid > 0 ? pid : 0;
}
