/* Messages between processes: the bytes of a packet, for every sender and receiver. */
#include "proc/ipc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct ipc_message m;
    if (n < 2 || n - 2 > IPC_PACKET_MAX)
        return 0;
    memcpy(m.bytes, p + 2, n - 2);
    if (!ipc_parse(&ipc_protocol, p[0], p[1], n - 2, false, &m) &&
        !ipc_parse(&ipc_protocol, p[0], p[1], n - 2, true, &m))
        return 0;
    for (size_t i = 0; i < m.n; i++) {
        if (m.f[i].text.n > IPC_TEXT_MAX || str_has_nul(m.f[i].text))
            abort();
    }
    return 0;
}
