/* Times of files; see file_time.h. */
#include "sys/file_time.h"

#include <stdint.h>

enum { FRESH_MS = 50, FRESH_WHOLE_S = 2 };

struct timespec
file_time_now(void)
{
    struct timespec now = {.tv_sec = 0};
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now;
}

bool
file_time_is_settled(struct timespec changed, struct timespec now)
{
    int64_t age_s = (int64_t)now.tv_sec - changed.tv_sec;
    if (changed.tv_nsec == 0 || age_s > FRESH_WHOLE_S || age_s < 0)
        return age_s >= FRESH_WHOLE_S;
    return age_s * 1000 + ((int64_t)now.tv_nsec - changed.tv_nsec) / 1000000 >= FRESH_MS;
}
