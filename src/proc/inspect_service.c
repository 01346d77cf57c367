/* How processes reach the inspect process; see inspect_service.h. */
#include "proc/inspect_service.h"

#include "base/arena.h"
#include "proc/bundle.h"
#include "proc/ipc.h"
#include "sys/await.h"
#include "sys/process.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { ROOM_MS = 5000 /* how long a job waits for room at the door */ };

struct asking {
    int door;
    struct mode *m; /* of a process that starts its own; NULL otherwise */
    int control;    /* to that: it ends when this is closed */
    pid_t owner;    /* who started it: a copy of that process starts another one */
};

static bool
wait_for_room(int door)
{
    struct pollfd p = {.fd = door, .events = POLLOUT};
    int n;
    do {
        n = poll(&p, 1, ROOM_MS);
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

static bool
hand(void *ctx, const struct ipc_field job[3], int socket, struct str *why)
{
    const struct asking *k = ctx;
    for (;;) {
        switch (ipc_offer(&inspect_protocol, k->door, INSPECT_JOB, job, socket)) {
        case IPC_OK:
            return true;
        case IPC_AGAIN:
            if (wait_for_room(k->door))
                continue;
            *why = STR_LIT("too many jobs wait for the inspect process");
            return false;
        case IPC_CLOSED:
        case IPC_FORGED:
            *why = STR_LIT("inspect process is gone");
            return false;
        }
    }
}

const struct inspect_service *
inspect_service_of_door(struct arena *a, int door)
{
    struct inspect_service *s = ARENA_NEW(a, struct inspect_service);
    struct asking *k = ARENA_NEW(a, struct asking);
    *k = (struct asking){.door = door, .control = -1};
    *s = (struct inspect_service){.hand = hand, .ctx = k};
    return s;
}

/* --- one of their own --- */

static void
forget(struct asking *k)
{
    if (k->control >= 0)
        close(k->control);
    if (k->door >= 0)
        close(k->door);
    k->control = k->door = -1;
}

/* Says to the process what the master of a daemon would say. */
static bool
introduce(int control, int conf, int door)
{
    const struct ipc_field hello[] = {
        {.number = IPC_KIND_INSPECT}, {.number = 0}, {.number = 1}, {.number = 0}};
    const struct ipc_field peer[] = {{.number = IPC_KIND_INSPECT}};
    return ipc_send(&ipc_protocol, control, IPC_HELLO, hello, conf) == IPC_OK &&
           ipc_send(&ipc_protocol, control, IPC_PEER, peer, door) == IPC_OK;
}

static bool
start_with(struct asking *k, const int control[2], const int door[2])
{
    char *argv[] = {k->m->argv[0], (char[]){"-bI:role"}, (char[]){"inspect"}, NULL};
    int conf = bundle_write(k->m->argc, k->m->argv, k->m->conf, IPC_KIND_INSPECT);
    if (conf < 0)
        return false;
    bool ok = process_start_self(argv, control[1]) > 0 && introduce(control[0], conf, door[1]);
    close(conf);
    return ok;
}

static bool
start(struct asking *k)
{
    int control[2], door[2];
    if (!ipc_pair(control))
        return false;
    if (!ipc_pair(door)) {
        close(control[0]);
        close(control[1]);
        return false;
    }
    bool ok = start_with(k, control, door);
    close(control[1]);
    close(door[1]);
    k->control = control[0];
    k->door = door[0];
    k->owner = getpid();
    if (!ok)
        forget(k);
    return ok;
}

static bool
hand_to_own(void *ctx, const struct ipc_field job[3], int socket, struct str *why)
{
    struct asking *k = ctx;
    if (k->owner != getpid())
        forget(k);
    if (k->door < 0 && !start(k)) {
        *why = STR_LIT("the inspect process cannot be started");
        return false;
    }
    if (hand(k, job, socket, why))
        return true;
    forget(k); /* another one next time */
    return false;
}

static void
end_own(void *ctx)
{
    forget(ctx);
}

const struct inspect_service *
inspect_service_of_own(struct mode *m)
{
    struct inspect_service *s = ARENA_NEW(m->arena, struct inspect_service);
    struct asking *k = ARENA_NEW(m->arena, struct asking);
    *k = (struct asking){.door = -1, .m = m, .control = -1};
    *s = (struct inspect_service){.hand = hand_to_own, .ctx = k};
    arena_on_free(m->arena, end_own, k);
    return s;
}
