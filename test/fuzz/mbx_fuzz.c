/* Lines in front of messages in MBX mailboxes: what is read of one is within bounds; what we write reads back. */
#include "transports/mbx.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    struct str in = str_from((const char *)data, size);
    struct mbx_entry e;
    int64_t v[2] = {0, 0};
    char line[MBX_LINE_MAX];
    (void)mbx_is_header(in);
    if (mbx_line_parse(in, &e) && e.size < 0)
        abort();
    memcpy(v, data, size < sizeof v ? size : sizeof v);
    int64_t length = v[0] & INT64_C(0xffffffffff);
    size_t n = mbx_line(v[1] % INT64_C(100000000000), (int32_t)(v[0] % 50000), length, line);
    if (n >= MBX_LINE_MAX)
        abort();
    if (v[1] >= 0 && (!mbx_line_parse(str_from(line, n), &e) || e.size != length))
        abort();
    return 0;
}
