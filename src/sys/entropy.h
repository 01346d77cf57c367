/* Random numbers from the kernel. */
#ifndef REMEX_SYS_ENTROPY_H
#define REMEX_SYS_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

/* Fills n bytes. */
void entropy_fill(void *p, size_t n);
/* Evenly distributed in [0, bound); 0 for a bound of 0. */
uint64_t entropy_below(uint64_t bound);

#endif
