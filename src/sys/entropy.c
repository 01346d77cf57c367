/* Random numbers from the kernel. A machine that cannot give any is not one to run a mail system on: the
 * process ends. */
#include "sys/entropy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void
entropy_fill(void *p, size_t n)
{
    unsigned char *to = p;
    while (n > 0) {
        ssize_t got = getrandom(to, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        to += got;
        n -= (size_t)got;
    }
}

uint64_t
entropy_below(uint64_t bound)
{
    if (bound == 0)
        return 0;
    /* what lies above the largest multiple of the bound would favour small results */
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t r;
    do {
        entropy_fill(&r, sizeof r);
    } while (r >= limit);
    return r % bound;
}
