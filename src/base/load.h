/* Bytes of a text as one number, wherever it stands; in the machine's byte order, so only for comparing and hashing. */
#ifndef REMEX_BASE_LOAD_H
#define REMEX_BASE_LOAD_H

#include <stdint.h>
#include <string.h>

static inline uint64_t
load8(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static inline uint32_t
load4(const char *p)
{
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

#endif
