/* lmdb: a key in the main database of a single-file LMDB environment, without a final zero byte. */
#include "lookups/drivers.h"
#include "lookups/lmdb_file.h"
#include "lookups/open_error.h"

#include <errno.h>
#include <unistd.h>

static void *
lmdb_open(struct lookup_ctx *c, const char *file)
{
    const char *why = "";
    if (access(file, R_OK) != 0) {
        open_error(c->vm, file, "as an LMDB file", errno);
        return NULL;
    }
    struct lmdb_file *f = lmdb_file_open(file, &why);
    if (f == NULL)
        vm_fail(c->vm, "failed to open %s as an LMDB file: %s", file, why);
    return f;
}

static void
lmdb_close(void *handle)
{
    lmdb_file_close(handle);
}

static enum outcome
lmdb_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
          struct str *data)
{
    const char *why = "";
    enum outcome o = lmdb_file_find(handle, vm_scratch(c->vm), key, data, &why);
    if (o == OUT_DEFER)
        vm_defer(c->vm, "LMDB lookup in %s failed: %s", file, why);
    return o;
}

const struct lookup_driver lookup_lmdb = {
    .name = STR_INIT("lmdb"),
    .flags = LOOKUP_NO_RESULTS,
    .open = lmdb_open,
    .find = lmdb_find,
    .close = lmdb_close,
    .doc = "LMDB database",
};
