/* Waiting for children; see await.h. */
#include "sys/await.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t
await_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until there is something to read, or the end. False: the time is up, or errno. */
static bool
await_input(int fd, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (;;) {
        int wait_ms = -1;
        if (deadline != 0) {
            int64_t left = deadline - await_now_ms();
            if (left <= 0)
                return false;
            wait_ms = left > 0x7fffffff ? 0x7fffffff : (int)left;
        }
        int ready = poll(&p, 1, wait_ms);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return true; /* reading says what is wrong */
    }
}

bool
await_collect(int fd, int64_t deadline, bool end_when_cut, struct buf *out)
{
    char chunk[8192];
    while (await_input(fd, deadline)) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return true;
        buf_add(out, chunk, (size_t)n);
        if (end_when_cut && out->overflow)
            return false;
    }
    return false;
}

bool
await_whole(int fd, int64_t deadline, void *out, size_t n)
{
    while (await_input(fd, deadline)) {
        ssize_t got = read(fd, out, n);
        if (got >= 0 || errno != EINTR)
            return got == (ssize_t)n;
    }
    return false;
}

enum await_end
await_end(pid_t pid, int64_t deadline, int *status)
{
    for (unsigned nap_us = 200;;) {
        pid_t r = waitpid(pid, status, deadline != 0 ? WNOHANG : 0);
        if (r == pid)
            return AWAIT_ENDED;
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return AWAIT_NO_WAIT;
        if (await_now_ms() >= deadline) {
            kill(-pid, SIGKILL);
            while (waitpid(pid, status, 0) < 0 && errno == EINTR)
                continue;
            return AWAIT_TIMED_OUT;
        }
        usleep(nap_us);
        nap_us = nap_us < 20000 ? nap_us * 2 : nap_us;
    }
}
