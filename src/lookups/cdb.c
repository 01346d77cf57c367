/* cdb: constant databases, with a reader of our own.
 *
 * Format (https://cr.yp.to/cdb/cdb.txt): 256 pairs (position, slots) of 32-bit little-endian numbers; records
 * (key length, data length, key, data); hash tables of pairs (hash, record position). Every number in the
 * file is checked against the file's length. The first lookups read through pread; a file that is used more and
 * is not too large is then read into memory as a whole. It is never mapped: somebody could cut it short.
 */
#include "base/arena.h"
#include "lookups/drivers.h"
#include "lookups/open_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEADER = 2048,
    MEMORY_MAX = 64 << 20, /* a larger file is always read piecewise */
    PIECEWISE = 2,         /* lookups before the whole file is read */
    CHUNK = 256,
};

struct cdb {
    int fd;
    uint32_t size;
    unsigned lookups;
    unsigned char *all; /* the whole file, or NULL */
    unsigned char header[HEADER];
};

static uint32_t
load32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Exactly n bytes at `at`. */
static bool
read_at(int fd, uint64_t at, void *p, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = pread(fd, (char *)p + got, n - got, (off_t)(at + got));
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return false;
        got += (size_t)r;
    }
    return true;
}

/* n bytes at `at`: in the memory copy, or read into room (n bytes). NULL: beyond the end, or unreadable. */
static const unsigned char *
bytes(const struct cdb *d, uint64_t at, size_t n, unsigned char *room)
{
    if (at > d->size || n > d->size - at)
        return NULL;
    if (d->all != NULL)
        return d->all + at;
    return read_at(d->fd, at, room, n) ? room : NULL;
}

/* --- opening --- */

static void
open_failed(struct lookup_ctx *c, const char *before, const char *file, const char *after,
            int error)
{
    const char *why = strerror(error);
    vm_fail(c->vm, "failed to open %s%s%s for cdb lookup: %s", before, file, after, why);
}

static bool
check_header(struct lookup_ctx *c, struct cdb *d, const char *file)
{
    struct stat st;
    errno = 0;
    if (fstat(d->fd, &st) != 0) {
        open_error(c->vm, file, "for cdb lookup", errno);
    } else if (S_ISDIR(st.st_mode)) {
        open_failed(c, "cannot read header from ", file, "", EISDIR);
    } else if (!S_ISREG(st.st_mode)) {
        vm_fail(c->vm, "%s is not a regular file (cdb lookup)", file);
    } else if (st.st_size < HEADER) {
        open_failed(c, "", file, " too short", 0);
    } else if (st.st_size > UINT32_MAX) {
        open_error(c->vm, file, "for cdb lookup", EFBIG);
    } else if (!read_at(d->fd, 0, d->header, HEADER)) {
        open_failed(c, "cannot read header from ", file, "", errno);
    } else {
        d->size = (uint32_t)st.st_size;
        return true;
    }
    return false;
}

static void
cdb_close(void *handle)
{
    struct cdb *d = handle;
    close(d->fd);
    free(d->all);
    free(d);
}

static void *
cdb_open(struct lookup_ctx *c, const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        open_error(c->vm, file, "for cdb lookup", errno);
        return NULL;
    }
    struct cdb *d = calloc(1, sizeof *d);
    if (d == NULL) {
        close(fd);
        open_error(c->vm, file, "for cdb lookup", ENOMEM);
        return NULL;
    }
    d->fd = fd;
    if (check_header(c, d, file))
        return d;
    cdb_close(d);
    return NULL;
}

/* Once it is worth it, the whole file. */
static void
load_all(struct cdb *d)
{
    if (d->all != NULL || d->size > MEMORY_MAX || d->lookups++ != PIECEWISE)
        return;
    d->all = malloc(d->size);
    if (d->all != NULL && !read_at(d->fd, 0, d->all, d->size)) {
        free(d->all);
        d->all = NULL;
    }
}

/* --- finding --- */

static uint32_t
hash_key(struct str key)
{
    uint32_t h = 5381;
    for (uint32_t i = 0; i < key.n; i++)
        h = ((h << 5) + h) ^ (unsigned char)key.p[i];
    return h;
}

static enum outcome
corrupt(struct lookup_ctx *c, const char *file)
{
    vm_defer(c->vm, "cdb: corrupt cdb file %s (too short)", file);
    return OUT_DEFER;
}

/* Whether the record's key is key, without reading more than a chunk at a time. OUT_DEFER: cannot be read. */
static enum outcome
same_key(const struct cdb *d, uint64_t at, struct str key)
{
    unsigned char room[CHUNK];
    if (d->all != NULL) {
        if (at > d->size || key.n > d->size - at)
            return OUT_DEFER;
        return memcmp(d->all + at, key.p, key.n) == 0 ? OUT_OK : OUT_FAIL;
    }
    for (uint32_t i = 0; i < key.n; i += CHUNK) {
        uint32_t n = key.n - i < CHUNK ? key.n - i : CHUNK;
        const unsigned char *p = bytes(d, at + i, n, room);
        if (p == NULL)
            return OUT_DEFER;
        if (memcmp(p, key.p + i, n) != 0)
            return OUT_FAIL;
    }
    return OUT_OK;
}

/* Compares the record at `at` with the key, and takes its data. OUT_DEFER without a text: corrupt. */
static enum outcome
take_record(struct lookup_ctx *c, const struct cdb *d, uint32_t at, struct str key,
            struct str *data)
{
    unsigned char room[8];
    const unsigned char *p = bytes(d, at, 8, room);
    if (p == NULL)
        return OUT_DEFER;
    uint32_t key_n = load32(p), data_n = load32(p + 4);
    if (key_n != key.n)
        return OUT_FAIL;
    uint64_t key_at = (uint64_t)at + 8;
    enum outcome o = same_key(d, key_at, key);
    if (o != OUT_OK)
        return o;
    uint64_t data_at = key_at + key_n;
    if (data_at > d->size || data_n > d->size - data_at || data_n > STR_MAX)
        return OUT_DEFER;
    unsigned char *copy = d->all == NULL ? arena_alloc(vm_scratch(c->vm), data_n) : NULL;
    const unsigned char *text = bytes(d, data_at, data_n, copy);
    if (text == NULL)
        return OUT_DEFER;
    *data = str_from((const char *)text, data_n);
    return OUT_OK;
}

static enum outcome
cdb_find(struct lookup_ctx *c, void *handle, const char *file, struct str key, struct str *data)
{
    struct cdb *d = handle;
    unsigned char room[8];
    uint32_t hash = hash_key(key);
    const unsigned char *h = d->header + (hash & 255) * 8;
    uint32_t table = load32(h), slots = load32(h + 4);
    load_all(d);
    if (slots == 0)
        return OUT_FAIL;
    if (table > d->size || slots > (d->size - table) / 8)
        return corrupt(c, file);
    uint32_t slot = (hash >> 8) % slots;
    for (uint32_t i = 0; i < slots; i++, slot = slot + 1 == slots ? 0 : slot + 1) {
        const unsigned char *p = bytes(d, table + (uint64_t)slot * 8, 8, room);
        if (p == NULL)
            return corrupt(c, file);
        uint32_t at = load32(p + 4);
        if (at == 0)
            return OUT_FAIL;
        if (load32(p) != hash)
            continue;
        enum outcome o = take_record(c, d, at, key, data);
        if (o != OUT_FAIL)
            return o == OUT_OK ? OUT_OK : corrupt(c, file);
    }
    return OUT_FAIL;
}

const struct lookup_driver lookup_cdb = {
    .name = STR_INIT("cdb"),
    .flags = LOOKUP_NO_RESULTS,
    .open = cdb_open,
    .find = cdb_find,
    .close = cdb_close,
    .doc = "constant database",
};
