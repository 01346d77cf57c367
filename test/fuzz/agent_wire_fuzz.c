/* The form of a request to the agent: what is taken is within its bounds. */
#include "sys/agent_wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct agent_packet p = {.fds = size % (AGENT_FDS + 1)};
    if (size > sizeof p.head)
        return 0;
    memcpy(&p.head, data, size);
    if (!agent_wire_check(&p, size))
        return 0;
    if (strlen(p.head.login) != p.head.login_n ||
        strlen(p.head.directory) != p.head.directory_n)
        abort();
    if (p.head.type != AGENT_JOB && p.head.type != AGENT_CONNECT)
        abort();
    if (p.head.directory_n > 0 && p.head.directory[0] != '/')
        abort();
    return 0;
}
