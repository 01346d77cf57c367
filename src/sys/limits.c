/* Resource limits; see limits.h. */
#include "sys/limits.h"

#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMITS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LIMITS_SANITIZED 1
#endif
#endif
#ifndef LIMITS_SANITIZED
#define LIMITS_SANITIZED 0
#endif

bool
limits_set(enum limit_kind kind, uint64_t value, enum limit_how how)
{
    static const unsigned resources[] = {[LIMIT_FILES] = RLIMIT_NOFILE,
                                         [LIMIT_CORE] = RLIMIT_CORE,
                                         [LIMIT_MEMORY] = RLIMIT_DATA};
    struct rlimit now;
    if (LIMITS_SANITIZED != 0 && kind == LIMIT_MEMORY)
        return true;
    if (getrlimit(resources[kind], &now) != 0)
        return false;
    now.rlim_cur = value < now.rlim_max ? (rlim_t)value : now.rlim_max;
    if (how == LIMIT_FOR_GOOD)
        now.rlim_max = now.rlim_cur;
    return setrlimit(resources[kind], &now) == 0;
}

uint64_t
limits_memory_used(void)
{
    struct rusage used;
    return getrusage(RUSAGE_SELF, &used) == 0 && used.ru_maxrss > 0
               ? (uint64_t)used.ru_maxrss * 1024
               : 0;
}

unsigned
limits_files(void)
{
    struct rlimit now;
    return getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur < (rlim_t)1 << 30
               ? (unsigned)now.rlim_cur
               : 1u << 30;
}
