/* The service manager; see service_notify.h. */
#include "sys/service_notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKETS_MAX = 256 };

static int
count_sockets(void)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    if (pid == NULL || fds == NULL || strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    long n = strtol(fds, NULL, 10);
    return n > 0 && n <= SOCKETS_MAX ? (int)n : 0;
}

void
service_take(struct service *s)
{
    static const char *const names[] = {"NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS",
                                        "LISTEN_FDNAMES"};
    const char *path = getenv(names[0]);
    size_t n = path != NULL ? strlen(path) : 0;
    *s = (struct service){.sockets = count_sockets()};
    if (n > 0 && n < sizeof s->path && (path[0] == '/' || path[0] == '@'))
        memcpy(s->path, path, n);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unsetenv(names[i]);
}

void
service_notify(const struct service *s, const char *state)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(s->path);
    if (n == 0)
        return;
    memcpy(to.sun_path, s->path, n);
    if (s->path[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, size);
    close(fd);
}
