/* The form of a request to the agent: what is taken is within its bounds. */
#include "sys/agent_wire.h"
#include "sys/key_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_taken(const struct agent_packet *p)
{
    const struct agent_head *h = &p->head;
    if (strlen(h->name) != h->name_n || strlen(h->path) != h->path_n)
        abort();
    if (h->type < AGENT_JOB || h->type > AGENT_OPENED)
        abort();
    if (h->path_n > 0 && h->path[0] != '/')
        abort();
    if (h->type == AGENT_KEY && (h->name_n == 0 || h->path_n == 0 || p->fds != 1))
        abort();
    if (h->type == AGENT_OPENED ? h->end >= KEY_FILE_ENDS || p->fds != (h->end == KEY_FILE_OK)
                                : h->end != 0 || h->sys_errno != 0)
        abort();
}

/* With any number of descriptors. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct agent_packet p = {.fds = 0};
    if (size > sizeof p.head)
        return 0;
    memcpy(&p.head, data, size);
    for (p.fds = 0; p.fds <= AGENT_FDS; p.fds++)
        if (agent_wire_check(&p, size))
            check_taken(&p);
    return 0;
}
