/* Lines for remex-hints that change hints, over a store with a record of any bytes: what was a record that can be read stays one, or is
 * gone. */
#include "proc/hints_fix.h"

#include "base/arena.h"
#include "engine/retry_hints.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY "T:a@b"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One for the whole run, where no write waits for a disk: opening a store takes long. */
static struct hints *
store(struct arena **a)
{
    static struct arena *kept;
    static struct hints *h;
    char directory[] = "/dev/shm/hints-fuzz-XXXXXX", path[64];
    struct str error;
    if (h == NULL) {
        kept = arena_new();
        if (mkdtemp(directory) == NULL)
            abort();
        h = hints_open(kept, directory, &error);
        if (str_is_set(error))
            abort();
        static const char *const files[] = {"hints.lmdb", "hints.lmdb-lock", ""};
        for (size_t i = 0; i < 3;
             i++) { /* it is open: nothing is left behind, nor made (marks) */
            (void)snprintf(path, sizeof path, "%s/%s", directory, files[i]);
            (void)(files[i][0] != '\0' ? unlink(path) : rmdir(directory));
        }
    }
    *a = arena_new();
    return h;
}

/* A byte: how long the record is; the record; the lines. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a;
    struct retry_record r;
    if (size < 2)
        return 0;
    struct hints *h = store(&a);
    struct str rest = str_from((const char *)data + 1, size - 1);
    size_t n = data[0] < rest.n ? data[0] : rest.n - 1;
    struct str value = str_sub(rest, 0, n);
    bool good = retry_record_read(value, &r) && r.first_failed <= r.last_try;
    if (!hints_put(h, HINTS_RETRY, STR_LIT(KEY), RETRY_RECORD_VERSION, value))
        abort();
    char *out_text = NULL;
    size_t out_n = 0;
    FILE *in = fmemopen((void *)(uintptr_t)(data + 1 + n), rest.n - n, "r");
    FILE *out = open_memstream(&out_text, &out_n);
    if (in == NULL || out == NULL)
        abort();
    hints_fix(h, HINTS_RETRY, true, in, out);
    (void)fclose(in);
    (void)fclose(out);
    free(out_text);
    if (good && hints_get(h, a, HINTS_RETRY, STR_LIT(KEY), RETRY_RECORD_VERSION, &value) &&
        (!retry_record_read(value, &r) || r.first_failed > r.last_try))
        abort();
    (void)hints_delete(h, HINTS_RETRY, STR_LIT(KEY));
    arena_free(a);
    return 0;
}
