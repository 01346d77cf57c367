/* Messages to comsat; see biff.h. */
#include "sys/biff.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIFF_PORT = 512 };

void
biff_notify(struct str text)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(BIFF_PORT),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    ssize_t n =
        sendto(fd, text.p, text.n, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof to);
    (void)n; /* who is not there is not told */
    close(fd);
}
