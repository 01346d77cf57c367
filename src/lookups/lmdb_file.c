/* A thin reader over liblmdb. One read transaction is kept and renewed for each lookup. */
#include "lookups/lmdb_file.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_MAX = 511 };

struct lmdb_file {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
};

bool
lmdb_file_recognise(const unsigned char *p, size_t n)
{
    static const uint32_t magic = 0xbeefc0de;
    return n >= 20 && memcmp(p + 16, &magic, sizeof magic) == 0;
}

/* Whether the file is as long as its header says: a mapping of less would crash. */
static int
check_length(MDB_env *env, const char *path)
{
    struct stat st;
    MDB_envinfo info;
    MDB_stat db;
    int rc = mdb_env_info(env, &info);
    if (rc == 0)
        rc = mdb_env_stat(env, &db);
    if (rc != 0)
        return rc;
    if (stat(path, &st) != 0)
        return errno;
    return ((uint64_t)info.me_last_pgno + 1) * db.ms_psize > (uint64_t)st.st_size
               ? MDB_CORRUPTED
               : 0;
}

static int
open_all(struct lmdb_file *f, const char *path)
{
    int rc = mdb_env_create(&f->env);
    if (rc == 0)
        rc = mdb_env_open(f->env, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0);
    if (rc == 0)
        rc = check_length(f->env, path);
    if (rc == 0)
        rc = mdb_txn_begin(f->env, NULL, MDB_RDONLY, &f->txn);
    if (rc == 0)
        rc = mdb_dbi_open(f->txn, NULL, 0, &f->dbi);
    if (rc == 0)
        mdb_txn_reset(f->txn);
    return rc;
}

static bool
looks_right(const char *path)
{
    unsigned char head[32];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t n = fd < 0 ? 0 : read(fd, head, sizeof head);
    if (fd >= 0)
        close(fd);
    return n > 0 && lmdb_file_recognise(head, (size_t)n);
}

struct lmdb_file *
lmdb_file_open(const char *path, const char **why)
{
    *why = "unexpected file type or format";
    if (!looks_right(path))
        return NULL;
    struct lmdb_file *f = calloc(1, sizeof *f);
    int rc = f == NULL ? ENOMEM : open_all(f, path);
    if (rc == 0)
        return f;
    *why = mdb_strerror(rc);
    if (f != NULL)
        lmdb_file_close(f);
    return NULL;
}

enum outcome
lmdb_file_find(struct lmdb_file *f, struct arena *a, struct str key, struct str *data,
               const char **why)
{
    MDB_val k = {.mv_size = key.n}, v;
    if (key.n == 0 || key.n > KEY_MAX)
        return OUT_FAIL;
    k.mv_data = memcpy(arena_alloc(a, key.n), key.p, key.n);
    int rc = mdb_txn_renew(f->txn);
    if (rc == 0) {
        rc = mdb_get(f->txn, f->dbi, &k, &v);
        if (rc == 0 && v.mv_size <= STR_MAX)
            *data = str_dup(a, str_from(v.mv_data, v.mv_size));
        mdb_txn_reset(f->txn);
    }
    if (rc == 0)
        return OUT_OK;
    if (rc == MDB_NOTFOUND)
        return OUT_FAIL;
    *why = mdb_strerror(rc);
    return OUT_DEFER;
}

void
lmdb_file_close(struct lmdb_file *f)
{
    if (f->txn != NULL)
        mdb_txn_abort(f->txn);
    if (f->env != NULL)
        mdb_env_close(f->env);
    free(f);
}
