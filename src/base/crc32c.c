/* CRC-32C; see crc32c.h. The portable form takes four bits at a time: a table of sixteen numbers can be read by eye. */
#include "base/crc32c.h"

#include <string.h>

uint32_t
crc32c_portable(uint32_t crc, const void *p, size_t n)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    const unsigned char *at = p;
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= at[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t
with_instruction(uint32_t crc, const unsigned char *p, size_t n)
{
    uint64_t sum = (uint32_t)~crc;
    for (; n >= sizeof(uint64_t); p += sizeof(uint64_t), n -= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        sum = __builtin_ia32_crc32di(sum, word);
    }
    uint32_t rest = (uint32_t)sum;
    for (; n > 0; p++, n--)
        rest = __builtin_ia32_crc32qi(rest, *p);
    return ~rest;
}

uint32_t
crc32c(uint32_t crc, const void *p, size_t n)
{
    return __builtin_cpu_supports("sse4.2") ? with_instruction(crc, p, n)
                                            : crc32c_portable(crc, p, n);
}

#else

uint32_t
crc32c(uint32_t crc, const void *p, size_t n)
{
    return crc32c_portable(crc, p, n);
}

#endif
