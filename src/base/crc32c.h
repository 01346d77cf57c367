/* CRC-32C (Castagnoli), with the processor's own instruction where it has one. */
#ifndef REMEX_BASE_CRC32C_H
#define REMEX_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The sum of what was summed to crc (0: nothing yet) and n more bytes. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
/* The same without the instruction: what other processors do. */
uint32_t crc32c_portable(uint32_t crc, const void *p, size_t n);

#endif
