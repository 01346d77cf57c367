/* Fuzz target: any bytes as a file of iplsearch. */
#include "lookup_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"iplsearch", "iplsearch*,ret=full", NULL};
    static const char *const keys[] = {"1.2.3.4", "::1", "fe80::1%x", "10.0.0.1",
                                       "*",       "x",   NULL};
    fuzz_lookups(data, size, types, keys);
    return 0;
}
