/* The agent role: the agent of agent.h, between the master and those who deliver.
 *
 * Its door comes from the master, which keeps it open, and so does what it has to know of keys: its configuration is without that. When the agent retires it serves those who are there until they are gone.
 */
#include "proc/agent.h"
#include "proc/role.h"

#include "sys/signals.h"

#include <signal.h>
#include <unistd.h>

enum { EXTRA_CONTROL, EXTRA_SIGNALS };

/* In a child. */
static void
leave(void *ctx)
{
    struct role *r = ctx;
    if (r->control >= 0)
        close(r->control);
    signals_release(r->signals);
}

/* Where a key may lie. */
static void
take_key(struct agent *g, const struct ipc_message *msg)
{
    const struct key_place one = {.transport = str_dup(g->arena, msg->f[0].text),
                                  .path = str_dup(g->arena, msg->f[1].text),
                                  .begins = msg->f[2].number != 0};
    key_places_add(g->arena, &g->keys, &one);
}

static void
hear_master(struct role *r, struct agent *g)
{
    struct ipc_message msg;
    if (!role_hear(r, &msg))
        return;
    if (msg.type == IPC_KEY)
        take_key(g, &msg);
    else if (msg.type == IPC_PEER && msg.f[0].number == IPC_KIND_DELIVER && g->door < 0)
        g->door = msg.fd;
    else if (msg.fd >= 0)
        close(msg.fd);
}

static void
take_signals(struct role *r, const struct agent *g)
{
    int sig;
    while ((sig = signals_next(r->signals)) != 0) {
        if (sig == SIGTERM)
            r->retiring = true;
        else if (sig == SIGUSR1)
            role_tell_state(r, getpid(), "the agent: %zu processes of users", g->children.n);
    }
}

int
role_agent(struct role *r)
{
    struct agent *g = ARENA_NEW(r->m->arena, struct agent);
    if (!agent_begin(g, r->m->arena, r->e, -1))
        return 1;
    g->leave = leave;
    g->leave_ctx = r;
    role_say_ready(r);
    while (!r->retiring || g->door >= 0 || !agent_is_idle(g)) {
        g->extra[EXTRA_CONTROL] = r->control;
        g->extra[EXTRA_SIGNALS] = r->signals;
        unsigned ready = agent_turn(g, -1);
        if ((ready & 1u << EXTRA_CONTROL) != 0)
            hear_master(r, g);
        if ((ready & 1u << EXTRA_SIGNALS) != 0)
            take_signals(r, g);
    }
    return 0;
}
