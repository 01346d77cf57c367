/* Asking the inspect process; see inspect.h. */
#include "sys/inspect.h"

#include "base/arena.h"
#include "sys/await.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { GRACE_MS = 2000 /* beyond the limit, so that who counts can say what happened */ };

static bool
fail(struct inspect_job *j, struct str why)
{
    j->why = why;
    return false;
}

bool
inspect_open(const struct inspect_service *s, enum inspect_library library, struct str setup,
             int64_t limit_ms, struct inspect_job *j)
{
    int fds[2];
    j->socket = -1;
    limit_ms = limit_ms < 0                      ? 0
               : limit_ms > INSPECT_LIMIT_MAX_MS ? INSPECT_LIMIT_MAX_MS
                                                 : limit_ms;
    if (s == NULL)
        return fail(j, STR_LIT("there is no inspect process"));
    if (setup.n > IPC_TEXT_MAX || str_has_nul(setup))
        return fail(j, STR_LIT("too long a setup of the library"));
    if (!ipc_pair(fds))
        return fail(j, str_printf(j->arena, "no socket: %s", strerror(errno)));
    const struct ipc_field job[] = {
        {.number = library}, {.number = (uint64_t)limit_ms}, {.text = setup}};
    bool ok = s->hand(s->ctx, job, fds[1], &j->why);
    close(fds[1]);
    if (!ok) {
        close(fds[0]);
        return false;
    }
    j->socket = fds[0];
    j->end_ms = await_now_ms() + limit_ms + GRACE_MS;
    return true;
}

/* Waits until the socket is ready. False: the time is up. */
static bool
wait_for(const struct inspect_job *j, short events)
{
    struct pollfd p = {.fd = j->socket, .events = events};
    int64_t left;
    while ((left = j->end_ms - await_now_ms()) > 0) {
        int n = poll(&p, 1, (int)left);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
    }
    return false;
}

bool
inspect_say(struct inspect_job *j, enum inspect_type type, const struct ipc_field *f, int fd)
{
    for (;;) {
        switch (ipc_offer(&inspect_protocol, j->socket, type, f, fd)) {
        case IPC_OK:
            return true;
        case IPC_AGAIN:
            if (wait_for(j, POLLOUT))
                continue;
            return fail(j, STR_LIT("the inspect process does not listen"));
        case IPC_CLOSED:
        case IPC_FORGED:
            if (errno == EMSGSIZE)
                return fail(j, STR_LIT("too long a text for the inspect process"));
            return true; /* what is to be heard says why it is closed */
        }
    }
}

/* "12 jobs since the start" */
static struct str
ended(struct arena *a, const struct ipc_message *msg)
{
    unsigned long long n = msg->f[1].number, times = msg->f[2].number;
    switch (msg->f[0].number) {
    case INSPECT_KILLED:
        return str_printf(a, "inspect process ended by signal %llu (%llu since the start)", n,
                          times);
    case INSPECT_EXITED:
        return str_printf(a, "inspect process ended with status %llu (%llu since the start)", n,
                          times);
    case INSPECT_TIMED_OUT:
        return str_printf(a, "inspect process took too long: killed (%llu since the start)",
                          times);
    case INSPECT_UNLOADED:
        return str_printf(a, "%.*s", STR_ARG(msg->f[3].text));
    case INSPECT_CROWDED:
        return str_printf(a, "too many jobs wait for the inspect process");
    default:
        return STR_LIT("inspect process ended");
    }
}

bool
inspect_hear(struct inspect_job *j, struct ipc_message *msg)
{
    bool reset = false;
    for (;;) {
        if (!wait_for(j, POLLIN))
            return fail(j, STR_LIT("no answer from the inspect process in time"));
        switch (ipc_receive_now(&inspect_protocol, j->socket,
                                INSPECT_WORKER | INSPECT_POOL | INSPECT_DOOR, INSPECT_CLIENT,
                                msg)) {
        case IPC_OK:
            if (msg->type != INSPECT_ENDED)
                return true;
            return fail(j, ended(j->arena, msg));
        case IPC_AGAIN:
            continue;
        case IPC_CLOSED:
            /* The kernel tells once that something of ours was not read; what was said before that comes behind it. */
            if (errno == ECONNRESET && !reset) {
                reset = true;
                continue;
            }
            return fail(j, STR_LIT("inspect process is gone"));
        case IPC_FORGED:
            return fail(j, STR_LIT("inspect process sent what is no message"));
        }
    }
}

void
inspect_close(struct inspect_job *j)
{
    if (j->socket >= 0)
        close(j->socket);
    j->socket = -1;
}
