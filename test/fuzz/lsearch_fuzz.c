/* Fuzz target: any bytes as a file of lsearch and nwildlsearch. */
#include "lookup_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"lsearch*@", "partial0-lsearch,ret=full",
                                        "nwildlsearch", NULL};
    static const char *const keys[] = {"key", "a@b", "x.a.b", "quoted key", "*", "\\", NULL};
    fuzz_lookups(data, size, types, keys);
    return 0;
}
