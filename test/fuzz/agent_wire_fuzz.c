/* The form of a request to the agent: what is taken is within its bounds. */
#include "sys/agent_wire.h"
#include "sys/key_file.h"

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
    if (strlen(p.head.name) != p.head.name_n || strlen(p.head.path) != p.head.path_n)
        abort();
    if (p.head.type < AGENT_JOB || p.head.type > AGENT_OPENED)
        abort();
    if (p.head.type == AGENT_KEY && (p.head.name_n == 0 || p.head.path[0] != '/' || p.fds != 1))
        abort();
    if (p.head.type == AGENT_OPENED
            ? p.head.end >= KEY_FILE_ENDS || p.fds != (p.head.end == KEY_FILE_OK)
            : p.head.end != 0 || p.head.sys_errno != 0)
        abort();
    if (p.head.path_n > 0 && p.head.path[0] != '/')
        abort();
    return 0;
}
