/* Fuzz target: any bytes as a constant database. */
#include "lookup_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"cdb", "partial0-cdb*", NULL};
    static const char *const keys[] = {"k1", "k7", "one", "", "x.y.z", NULL};
    fuzz_lookups(data, size, types, keys);
    return 0;
}
