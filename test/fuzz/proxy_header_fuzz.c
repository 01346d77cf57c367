/* Headers of the PROXY protocol: a header ends within its caps and within the input, needs all of its bytes, and does not change with
 * what follows it. */
#include "mail/proxy_header.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header h, again;
    if (size > 4 * (size_t)PROXY_V2_MAX)
        return 0;
    struct str in = str_from((const char *)data, size);
    enum proxy_status st = proxy_header_parse(in, &h);
    if (st == PROXY_MORE && size >= PROXY_V2_MAX)
        abort();
    if (st != PROXY_DONE)
        return 0;
    if (h.n == 0 || h.n > size || h.n > PROXY_V2_MAX)
        abort();
    if (h.proxied && (h.from.n != h.to.n || (h.from.n != 4 && h.from.n != 16)))
        abort();
    if (proxy_header_parse(str_sub(in, 0, h.n - 1), &again) != PROXY_MORE ||
        proxy_header_parse(str_sub(in, 0, h.n), &again) != PROXY_DONE || again.n != h.n ||
        memcmp(again.from.b, h.from.b, h.from.n) != 0 || again.to_port != h.to_port)
        abort();
    return 0;
}
