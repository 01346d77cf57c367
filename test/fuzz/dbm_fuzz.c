/* Fuzz target: any bytes as a Berkeley DB file (LMDB files are read by their library, which trusts them). */
#include "lookup_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"dbm", "dbmnz", "dbmjz", "partial-dbmnz*", NULL};
    static const char *const keys[] = {"one", "big", "a:b", "x.y.z", NULL};
    /* The LMDB library trusts its files: those are not for this target. */
    if (size >= 20 && memcmp(data + 16, "\xde\xc0\xef\xbe", 4) == 0)
        return 0;
    fuzz_lookups(data, size, types, keys);
    return 0;
}
