/* dbm, dbmnz, dbmjz: indexed files made by remex-dbmbuild (LMDB), or by Exim's exim_dbmbuild and others
 * (Berkeley DB hash or btree, read only, so that a site can switch over with the files it has).
 *
 * dbm keys end in a zero byte, dbmnz keys do not; for dbmjz the key is a list whose items are joined by zero
 * bytes. A zero byte at the end of the data is not part of it.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"
#include "lookups/bdb.h"
#include "lookups/drivers.h"
#include "lookups/lmdb_file.h"
#include "lookups/open_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What Exim calls the format. */
#define WHAT "as a db (v4.1+) file"

struct dbm {
    struct lmdb_file *lmdb; /* one of the two */
    struct bdb *bdb;
    struct arena *arena;
    unsigned char *bytes; /* of a Berkeley DB file */
};

static size_t
read_fully(int fd, unsigned char *p, size_t n)
{
    size_t got = 0;
    while (got < n) {
        ssize_t r = pread(fd, p + got, n - got, (off_t)got);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        got += (size_t)r;
    }
    return got;
}

/* Reads a Berkeley DB file as a whole. A text in *why when that fails. */
static bool
load_bdb(struct dbm *d, int fd, size_t size, const char **why)
{
    *why = "file is too large";
    if (size > BDB_MAX)
        return false;
    d->bytes = malloc(size > 0 ? size : 1);
    *why = "out of memory";
    if (d->bytes == NULL)
        return false;
    d->bdb = bdb_open(d->arena, d->bytes, read_fully(fd, d->bytes, size), why);
    return d->bdb != NULL;
}

static bool
load(struct dbm *d, const char *file, int fd, const char **why)
{
    unsigned char head[64];
    struct stat st;
    size_t n = read_fully(fd, head, sizeof head);
    *why = "unexpected file type or format";
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    if (lmdb_file_recognise(head, n))
        return (d->lmdb = lmdb_file_open(file, why)) != NULL;
    return bdb_recognise(head, n) && load_bdb(d, fd, (size_t)st.st_size, why);
}

static void
dbm_close(void *handle)
{
    struct dbm *d = handle;
    if (d->lmdb != NULL)
        lmdb_file_close(d->lmdb);
    free(d->bytes);
    arena_free(d->arena);
}

static void *
dbm_open(struct lookup_ctx *c, const char *file)
{
    const char *why = "";
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        open_error(c->vm, file, WHAT, errno);
        return NULL;
    }
    struct arena *a = arena_new();
    struct dbm *d = ARENA_NEW(a, struct dbm);
    d->arena = a;
    bool ok = load(d, file, fd, &why);
    close(fd);
    if (ok)
        return d;
    vm_fail(c->vm, "failed to open %s " WHAT ": %s", file, why);
    dbm_close(d);
    return NULL;
}

static enum outcome
find_bytes(struct lookup_ctx *c, void *handle, const char *file, struct str key,
           struct str *data)
{
    const struct dbm *d = handle;
    struct arena *a = vm_scratch(c->vm);
    const char *why = "";
    enum outcome o = OUT_FAIL;
    if (d->lmdb != NULL)
        o = lmdb_file_find(d->lmdb, a, key, data, &why);
    else if (bdb_find(d->bdb, a, key, data))
        o = OUT_OK;
    if (o == OUT_DEFER)
        vm_defer(c->vm, "dbm lookup in %s failed: %s", file, why);
    if (o == OUT_OK && data->n > 0 && data->p[data->n - 1] == '\0')
        *data = str_sub(*data, 0, data->n - 1);
    return o;
}

static enum outcome
dbm_find(struct lookup_ctx *c, void *handle, const char *file, struct str key, struct str *data)
{
    struct str zero = str_from("", 1);
    return find_bytes(c, handle, file, str_cat(vm_scratch(c->vm), key, zero), data);
}

static enum outcome
dbmjz_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
           struct str *data)
{
    struct arena *a = vm_scratch(c->vm);
    struct strlist_split s = strlist_split_start(key, ':');
    struct buf b = buf_in(a, 0);
    struct str item;
    for (bool first = true; strlist_split_next(&s, a, &item); first = false) {
        if (!first)
            buf_addc(&b, '\0');
        buf_adds(&b, item);
    }
    if (b.n == 0) {
        vm_defer(c->vm, "key for dbmjz lookup is an empty list");
        return OUT_DEFER;
    }
    return find_bytes(c, handle, file, buf_str(&b), data);
}

const struct lookup_driver lookup_dbm = {
    .name = STR_INIT("dbm"),
    .flags = LOOKUP_NO_RESULTS,
    .open = dbm_open,
    .find = dbm_find,
    .close = dbm_close,
    .doc = "indexed file, keys end in a zero byte",
};

const struct lookup_driver lookup_dbmnz = {
    .name = STR_INIT("dbmnz"),
    .flags = LOOKUP_NO_RESULTS,
    .open = dbm_open,
    .find = find_bytes,
    .close = dbm_close,
    .doc = "indexed file, keys without a zero byte",
};

const struct lookup_driver lookup_dbmjz = {
    .name = STR_INIT("dbmjz"),
    .flags = LOOKUP_NO_RESULTS,
    .open = dbm_open,
    .find = dbmjz_find,
    .close = dbm_close,
    .doc = "indexed file, the key is a list joined by zero bytes",
};
