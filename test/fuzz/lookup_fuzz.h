/* What the fuzz targets of lookup files share: the input becomes a file, which is then looked up in. */
#ifndef REMEX_TEST_LOOKUP_FUZZ_H
#define REMEX_TEST_LOOKUP_FUZZ_H

#include "base/arena.h"
#include "lookups/lookup.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FUZZ_FILE_MAX = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz_ignore_log(void *ctx, struct str line)
{
    (void)ctx;
    (void)line;
}

/* Reads every byte of an answer, for the sanitizer to see. */
static inline void
fuzz_read(struct str s)
{
    size_t ones = 0;
    for (uint32_t i = 0; i < s.n; i++)
        ones += s.p[i] == 1;
    if (ones > s.n)
        abort();
}

/* Looks every key up in a file of the given bytes with every type; keys and types end with NULL. Each key
 * twice, so that what a driver builds up on the first use is read back on the second. */
static inline void
fuzz_lookups(const uint8_t *data, size_t size, const char *const *types,
             const char *const *keys)
{
    if (size > FUZZ_FILE_MAX)
        return;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct arena *a = arena_new();
    struct eval e = {.arena = a, .lookups = lookup_cache_new(a)};
    struct host host = {.lookup = lookup_host_find};
    lookup_cache_log_to(e.lookups, fuzz_ignore_log, NULL);
    struct vm *vm = vm_new(&host, &e);
    vm_set_budget(vm, (struct vm_budget){.steps = 20000, .memory = (size_t)8 << 20});
    for (int round = 0; round < 2; round++)
        for (size_t t = 0; types[t] != NULL; t++)
            for (size_t k = 0; keys[k] != NULL; k++) {
                struct lookup_type type;
                struct str out = STR_EMPTY;
                if (lookup_type_parse(vm, str_from_cstr(types[t]), &type) != VM_OK)
                    abort();
                if (lookup_find(&e, vm, &type, str_from_cstr(path), str_from_cstr(keys[k]),
                                &out) == OUT_OK)
                    fuzz_read(out);
            }
    vm_free(vm);
    arena_free(a);
    close(fd);
}

#endif
