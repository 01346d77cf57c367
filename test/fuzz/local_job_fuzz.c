/* Jobs for users: what is read is written again without complaint and reads back as the same bytes. */
#include "engine/local_job.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct arena *a = arena_new();
    struct local_job one, two;
    struct buf first = buf_in(a, 0), second = buf_in(a, 0);
    const char *fault;
    if (local_job_read(a, str_from((const char *)data, size), &one, &fault)) {
        one.with_recipients = true;
        if (!local_job_write(&first, &one) || !local_job_read(a, buf_str(&first), &two, &fault))
            abort();
        two.with_recipients = true;
        if (!local_job_write(&second, &two) || !str_eq(buf_str(&first), buf_str(&second)))
            abort();
    } else if (fault == NULL || one.message != NULL || one.n != 0) {
        abort();
    }
    arena_free(a);
    return 0;
}
