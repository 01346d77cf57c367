/* The hints store on LMDB; see hints.h.
 *
 * Committed transactions may be lost in a power cut (MDB_NOMETASYNC), the file cannot be torn by one. An environment must not be
 * used by a child: the process that opened it is remembered, and a child opens its own at its first call.
 */
#include "sys/hints.h"

#include "base/arena.h"
#include "sys/await.h"
#include "sys/digest.h"
#include "sys/hints_mark.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAP_BYTES = 1024 * 1024 * 1024, /* address space; the file grows as it needs */
    MAGIC = 0x7278,                 /* "rx" */
    PATH_BYTES = 4096,
};

struct hints {
    char *directory;
    MDB_env *env; /* NULL: could not be opened */
    bool reads_only;
    MDB_dbi dbi[HINTS_KINDS];
    MDB_dbi stamps; /* name of a mark -> struct hints_stamp */
    bool has_stamps;
    struct hints_marks marks;
    pid_t owner;
    bool often;               /* hints_reads_often */
    _Atomic(MDB_txn *) spare; /* a read that is over and keeps its place; NULL: none */
    pthread_mutex_t lock;     /* of opening, of marks, and of the text of the error */
    char error[256];
};

/* In front of the bytes of a record. */
struct head {
    uint16_t magic;
    uint16_t kind;
    uint16_t version;
    uint16_t zero;
    uint32_t length;
};

static const char *const names[HINTS_KINDS] = {
    [HINTS_RETRY] = "retry",         [HINTS_WAIT] = "wait", [HINTS_CALLOUT] = "callout",
    [HINTS_RATELIMIT] = "ratelimit", [HINTS_SEEN] = "seen", [HINTS_TLS] = "tls",
    [HINTS_ONCE] = "once",           [HINTS_MISC] = "misc",
};

const char *
hints_kind_name(enum hints_kind k)
{
    return names[k];
}

static bool
failed(struct hints *h, const char *what, int rc)
{
    (void)snprintf(h->error, sizeof h->error, "hints in %s: %s: %s", h->directory, what,
                   mdb_strerror(rc));
    return false;
}

/* --- opening --- */

static int
open_tables(struct hints *h)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(h->env, NULL, h->reads_only ? MDB_RDONLY : 0, &txn);
    if (rc != 0)
        return rc;
    for (unsigned k = 0; k < HINTS_KINDS && rc == 0; k++)
        rc = mdb_dbi_open(txn, names[k], h->reads_only ? 0 : MDB_CREATE, &h->dbi[k]);
    h->has_stamps =
        rc == 0 && mdb_dbi_open(txn, "stamps", h->reads_only ? 0 : MDB_CREATE, &h->stamps) == 0;
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

/* Who may not write to the lock file reads without it. */
static unsigned
flags_for(const struct hints *h, const char *path)
{
    char lock[PATH_BYTES];
    unsigned flags = MDB_NOSUBDIR | MDB_NOMETASYNC | MDB_NOTLS;
    if (!h->reads_only)
        return flags;
    flags |= MDB_RDONLY;
    if ((size_t)snprintf(lock, sizeof lock, "%s-lock", path) >= sizeof lock ||
        access(lock, R_OK | W_OK) != 0)
        flags |= MDB_NOLOCK;
    return flags;
}

static bool
open_environment(struct hints *h)
{
    char path[PATH_BYTES];
    if ((size_t)snprintf(path, sizeof path, "%s/hints.lmdb", h->directory) >= sizeof path)
        return failed(h, "open", ENAMETOOLONG);
    if (!h->reads_only && mkdir(h->directory, 0750) != 0 && errno != EEXIST)
        return failed(h, "make the directory", errno);
    int dead = 0, rc = mdb_env_create(&h->env);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(h->env, HINTS_KINDS + 1);
    if (rc == 0)
        rc = mdb_env_set_mapsize(h->env, MAP_BYTES);
    if (rc == 0)
        rc = mdb_env_open(h->env, path, flags_for(h, path), 0640);
    if (rc == 0 && !h->reads_only)
        rc = mdb_reader_check(h->env, &dead);
    if (rc == 0)
        rc = open_tables(h);
    if (rc == 0)
        return true;
    failed(h, "open", rc);
    if (h->env != NULL)
        mdb_env_close(h->env);
    h->env = NULL;
    return false;
}

/* True if there is an environment of this process. */
static bool
is_ready(struct hints *h)
{
    pthread_mutex_lock(&h->lock);
    if (h->owner != getpid()) {
        h->env = NULL; /* the parent's: leave it alone */
        atomic_store(&h->spare, NULL);
        h->often = false;
        h->owner = getpid();
        (void)open_environment(h);
    }
    bool ready = h->env != NULL;
    pthread_mutex_unlock(&h->lock);
    return ready;
}

static void
close_environment(void *ctx)
{
    struct hints *h = ctx;
    if (h->env != NULL && h->owner == getpid()) {
        mdb_txn_abort(atomic_exchange(&h->spare, NULL));
        mdb_env_close(h->env);
    }
    pthread_mutex_destroy(&h->lock);
}

static struct hints *
open_store(struct arena *a, const char *directory, bool reads_only, struct str *error)
{
    struct hints *h = ARENA_NEW(a, struct hints);
    h->reads_only = reads_only;
    size_t n = strlen(directory) + 1;
    h->directory = memcpy(arena_alloc(a, n), directory, n);
    pthread_mutex_init(&h->lock, NULL);
    arena_on_free(a, close_environment, h);
    *error = is_ready(h) ? STR_NULL : hints_error(h);
    return h;
}

struct hints *
hints_open(struct arena *a, const char *directory, struct str *error)
{
    return open_store(a, directory, false, error);
}

struct hints *
hints_open_to_read(struct arena *a, const char *directory, struct str *error)
{
    return open_store(a, directory, true, error);
}

struct str
hints_error(const struct hints *h)
{
    return str_from_cstr(h->error);
}

/* --- marks --- */

static MDB_val
val_of(const char *text)
{
    MDB_val v = {.mv_size = strlen(text)};
    memcpy(&v.mv_data, &text, sizeof text); /* LMDB does not write to it */
    return v;
}

static bool
read_stamp(struct hints *h, MDB_txn *txn, const char *name, struct hints_stamp *out)
{
    MDB_val key = val_of(name), v;
    if (mdb_get(txn, h->stamps, &key, &v) != 0 || v.mv_size != sizeof *out)
        return false;
    memcpy(out, v.mv_data, sizeof *out);
    return true;
}

/* The stamp that the store has noted; false: none. */
static bool
find_stamp(struct hints *h, const char *name, struct hints_stamp *out)
{
    MDB_txn *txn;
    if (mdb_txn_begin(h->env, NULL, MDB_RDONLY, &txn) != 0)
        return false;
    bool found = read_stamp(h, txn, name, out);
    mdb_txn_abort(txn);
    return found;
}

/* Records that share a mark: all of a kind, or those of one transport. */
static int
drop_records(struct hints *h, MDB_txn *txn, enum hints_kind k, struct str key)
{
    MDB_cursor *cursor;
    MDB_val at, v;
    if (k != HINTS_WAIT)
        return mdb_drop(txn, h->dbi[k], 0);
    struct str prefix = str_sub(key, 0, str_chr(key, '/', 0) + 1);
    int rc = mdb_cursor_open(txn, h->dbi[k], &cursor);
    if (rc != 0)
        return rc;
    at = (MDB_val){.mv_size = prefix.n};
    memcpy(&at.mv_data, &prefix.p, sizeof prefix.p);
    rc = mdb_cursor_get(cursor, &at, &v, MDB_SET_RANGE);
    while (rc == 0 && at.mv_size >= prefix.n && memcmp(at.mv_data, prefix.p, prefix.n) == 0) {
        rc = mdb_cursor_del(cursor, 0);
        if (rc == 0)
            rc = mdb_cursor_get(cursor, &at, &v, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
write_stamp(struct hints *h, MDB_txn *txn, const char *name, struct hints_stamp *stamp)
{
    MDB_val key = val_of(name), v = {.mv_size = sizeof *stamp, .mv_data = stamp};
    if (stamp->inode != 0)
        return mdb_put(txn, h->stamps, &key, &v, 0);
    int rc = mdb_del(txn, h->stamps, &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* The mark is not the one that the store knows, or it knows none: forgets the records if it did know one, makes the mark anew, and notes
 * which it is. One that cannot be made is noted as none, so that records are kept from then on. Another process may have been faster:
 * all is looked at again in the transaction. False: the records of before are no more. */
static bool
settle_anew(struct hints *h, enum hints_kind k, struct str key, const char *name,
            struct hints_stamp *now)
{
    struct hints_stamp noted;
    MDB_txn *txn;
    if (mdb_txn_begin(h->env, NULL, 0, &txn) != 0)
        return true;
    bool there = hints_mark_look(h->directory, name, now);
    bool known = read_stamp(h, txn, name, &noted);
    bool good = !known || (there && hints_mark_same(&noted, now));
    if (!there) {
        *now = (struct hints_stamp){.inode = 0};
        if (hints_mark_make(h->directory, name) && !hints_mark_look(h->directory, name, now))
            *now = (struct hints_stamp){.inode = 0};
    }
    int rc = good ? 0 : drop_records(h, txn, k, key);
    if (rc == 0 && !(known && good))
        rc = write_stamp(h, txn, name, now);
    if (rc == 0)
        (void)mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    return good;
}

static bool
look_at_mark(struct hints *h, enum hints_kind k, struct str key, const char *name,
             int64_t now_ms)
{
    const struct hints_known *known = hints_mark_known(&h->marks, name);
    struct hints_stamp now, noted;
    if (known != NULL && now_ms - known->seen_ms < HINTS_MARK_FRESH_MS)
        return true;
    bool there = hints_mark_look(h->directory, name, &now);
    bool same = there && known != NULL && hints_mark_same(&known->stamp, &now);
    bool has_noted = !same && find_stamp(h, name, &noted);
    same = same || (there && has_noted && hints_mark_same(&noted, &now));
    if (h->reads_only)
        return same || !has_noted;
    bool good = same || settle_anew(h, k, key, name, &now);
    hints_mark_note(&h->marks, name, &now, now_ms);
    return good;
}

/* Before records are used. False: what an earlier look at the store shows counts no more. */
static bool
settle(struct hints *h, enum hints_kind k, struct str key)
{
    char name[HINTS_MARK_NAME];
    if (!h->has_stamps || !hints_mark_name(k, key, name))
        return true;
    pthread_mutex_lock(&h->lock);
    bool good = look_at_mark(h, k, key, name, await_now_ms());
    pthread_mutex_unlock(&h->lock);
    return good;
}

static bool
shares_mark(enum hints_kind k, struct str a, struct str b)
{
    if (k != HINTS_WAIT)
        return true;
    return str_eq(str_sub(a, 0, str_chr(a, '/', 0)), str_sub(b, 0, str_chr(b, '/', 0)));
}

/* The same for who only reads: with a store that cannot be changed, records that count no more are still there. */
static bool
is_readable(struct hints *h, enum hints_kind k, struct str key)
{
    return is_ready(h) && (settle(h, k, key) || !h->reads_only);
}

/* --- records --- */

/* A long key is kept under its hash. */
struct key_room {
    unsigned char hash[DIGEST_MAX];
    MDB_val val;
};

static void
make_key(struct str key, struct key_room *r)
{
    if (key.n > 0 && key.n <= HINTS_KEY_MAX) {
        memcpy(&r->val.mv_data, &key.p, sizeof key.p); /* LMDB does not write to it */
        r->val.mv_size = key.n;
        return;
    }
    r->val.mv_size = digest_bytes(digest_find(STR_LIT("sha2-256")), key, r->hash);
    r->val.mv_data = r->hash;
}

/* The bytes of a record that is as it should be. */
static bool
check_record(const MDB_val *v, enum hints_kind k, uint16_t version, struct str *value)
{
    struct head head;
    if (v->mv_size < sizeof head || v->mv_size > HINTS_VALUE_MAX + sizeof head)
        return false;
    memcpy(&head, v->mv_data, sizeof head);
    if (head.magic != MAGIC || head.kind != (uint16_t)k || head.version != version ||
        head.length != v->mv_size - sizeof head)
        return false;
    *value = str_tainted(str_from((const char *)v->mv_data + sizeof head, head.length));
    return true;
}

static int
put_record(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, struct head head, struct str value)
{
    MDB_val v = {.mv_size = sizeof head + value.n};
    int rc = mdb_put(txn, dbi, key, &v, MDB_RESERVE);
    if (rc != 0)
        return rc;
    memcpy(v.mv_data, &head, sizeof head);
    if (value.n > 0)
        memcpy((char *)v.mv_data + sizeof head, value.p, value.n);
    return 0;
}

static struct head
head_for(enum hints_kind k, uint16_t version, struct str value)
{
    return (struct head){
        .magic = MAGIC, .kind = (uint16_t)k, .version = version, .length = value.n};
}

void
hints_reads_often(struct hints *h)
{
    h->often = is_ready(h);
}

static int
begin_read(struct hints *h, MDB_txn **txn)
{
    *txn = atomic_exchange(&h->spare, NULL);
    if (*txn == NULL)
        return mdb_txn_begin(h->env, NULL, MDB_RDONLY, txn);
    int rc = mdb_txn_renew(*txn);
    if (rc != 0)
        mdb_txn_abort(*txn);
    return rc;
}

static void
end_read(struct hints *h, MDB_txn *txn)
{
    MDB_txn *none = NULL;
    if (h->often) {
        mdb_txn_reset(txn);
        if (atomic_compare_exchange_strong(&h->spare, &none, txn))
            return;
    }
    mdb_txn_abort(txn);
}

bool
hints_get(struct hints *h, struct arena *a, enum hints_kind k, struct str key, uint16_t version,
          struct str *value)
{
    struct key_room room;
    MDB_txn *txn;
    MDB_val v;
    struct str found;
    *value = STR_NULL;
    if (!is_readable(h, k, key))
        return false;
    int rc = begin_read(h, &txn);
    if (rc != 0)
        return failed(h, "read", rc);
    make_key(key, &room);
    rc = mdb_get(txn, h->dbi[k], &room.val, &v);
    if (rc == 0 && check_record(&v, k, version, &found))
        *value = str_dup(a, found);
    end_read(h, txn);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return failed(h, "read", rc);
    return str_is_set(*value);
}

struct change {
    struct str value; /* STR_NULL: remove */
};

static bool
take_change(void *ctx, struct str old, struct str *value)
{
    const struct change *c = ctx;
    (void)old;
    *value = c->value;
    return true;
}

bool
hints_put(struct hints *h, enum hints_kind k, struct str key, uint16_t version,
          struct str value)
{
    struct change c = {.value = value};
    return hints_update(h, NULL, k, key, version, take_change, &c);
}

bool
hints_delete(struct hints *h, enum hints_kind k, struct str key)
{
    struct change c = {.value = STR_NULL};
    return hints_update(h, NULL, k, key, 0, take_change, &c);
}

/* The record as it is, for who wants to change it. a is NULL where nobody looks at it. */
static struct str
old_value(struct arena *a, MDB_txn *txn, MDB_dbi dbi, MDB_val *key, struct head want)
{
    MDB_val v;
    struct str found;
    if (a == NULL || mdb_get(txn, dbi, key, &v) != 0 ||
        !check_record(&v, (enum hints_kind)want.kind, want.version, &found))
        return STR_NULL;
    return str_dup(a, found);
}

bool
hints_update(struct hints *h, struct arena *a, enum hints_kind k, struct str key,
             uint16_t version, bool (*fn)(void *ctx, struct str old, struct str *value),
             void *ctx)
{
    struct key_room room;
    MDB_txn *txn;
    struct str value = STR_NULL;
    if (!is_ready(h))
        return false;
    (void)settle(h, k, key);
    int rc = mdb_txn_begin(h->env, NULL, 0, &txn);
    if (rc != 0)
        return failed(h, "write", rc);
    make_key(key, &room);
    struct str old = old_value(a, txn, h->dbi[k], &room.val, head_for(k, version, value));
    if (!fn(ctx, old, &value)) {
        mdb_txn_abort(txn);
        return true;
    }
    if (str_is_set(value) && value.n > HINTS_VALUE_MAX)
        rc = MDB_BAD_VALSIZE;
    else if (str_is_set(value))
        rc = put_record(txn, h->dbi[k], &room.val, head_for(k, version, value), value);
    else
        rc = mdb_del(txn, h->dbi[k], &room.val, NULL);
    if (rc == 0)
        rc = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    return rc == 0 || rc == MDB_NOTFOUND || failed(h, "write", rc);
}

/* Keys of one mark mostly stand side by side. */
static void
settle_all(struct hints *h, enum hints_kind k, const struct str *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !shares_mark(k, keys[i - 1], keys[i]))
            (void)settle(h, k, keys[i]);
}

bool
hints_add(struct hints *h, enum hints_kind k, const struct str *keys, size_t n,
          uint16_t version)
{
    struct head head = head_for(k, version, STR_EMPTY);
    MDB_txn *txn;
    bool changed = false;
    if (!is_ready(h))
        return false;
    settle_all(h, k, keys, n);
    int rc = mdb_txn_begin(h->env, NULL, 0, &txn);
    if (rc != 0)
        return failed(h, "write", rc);
    for (size_t i = 0; i < n && (rc == 0 || rc == MDB_KEYEXIST); i++) {
        struct key_room room;
        MDB_val v = {.mv_data = &head, .mv_size = sizeof head};
        make_key(keys[i], &room);
        rc = mdb_put(txn, h->dbi[k], &room.val, &v, MDB_NOOVERWRITE);
        changed = changed || rc == 0;
    }
    bool ok = rc == 0 || rc == MDB_KEYEXIST;
    if (ok && changed)
        rc = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    return (ok && !changed) || rc == 0 || failed(h, "write", rc);
}

/* A walk over the records of a kind. */
struct walk {
    struct hints *h;
    enum hints_kind kind;
    bool (*fn)(void *ctx, struct str key, uint16_t version, struct str value);
    void *ctx;
    MDB_val last; /* the key before */
    bool counts;  /* its mark is as it should be */
};

/* False: no more. A mark that is found out to be gone makes the rest of its records in this walk those of before. */
static bool
walk_on(struct walk *w, const MDB_val *at, const MDB_val *v)
{
    struct str key = str_tainted(str_from(at->mv_data, at->mv_size)), value;
    struct head head;
    if (w->last.mv_data == NULL ||
        !shares_mark(w->kind, str_from(w->last.mv_data, w->last.mv_size), key))
        w->counts = settle(w->h, w->kind, key);
    w->last = *at;
    if (!w->counts || v->mv_size < sizeof head)
        return true;
    memcpy(&head, v->mv_data, sizeof head);
    return !check_record(v, w->kind, head.version, &value) ||
           w->fn(w->ctx, key, head.version, value);
}

void
hints_each(struct hints *h, enum hints_kind k,
           bool (*fn)(void *ctx, struct str key, uint16_t version, struct str value), void *ctx)
{
    struct walk w = {.h = h, .kind = k, .fn = fn, .ctx = ctx};
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, v;
    if (!is_ready(h) || mdb_txn_begin(h->env, NULL, MDB_RDONLY, &txn) != 0)
        return;
    if (mdb_cursor_open(txn, h->dbi[k], &cursor) != 0) {
        mdb_txn_abort(txn);
        return;
    }
    bool more = true;
    while (more && mdb_cursor_get(cursor, &key, &v, MDB_NEXT) == 0)
        more = walk_on(&w, &key, &v);
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
}

struct str
hints_first(struct hints *h, struct arena *a, enum hints_kind k, struct str prefix,
            struct str from)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val v;
    struct key_room room;
    struct str found = STR_NULL;
    make_key(str_cmp(from, prefix) > 0 ? from : prefix, &room);
    if (!is_readable(h, k, prefix) || mdb_txn_begin(h->env, NULL, MDB_RDONLY, &txn) != 0)
        return STR_NULL;
    if (mdb_cursor_open(txn, h->dbi[k], &cursor) == 0) {
        if (mdb_cursor_get(cursor, &room.val, &v, MDB_SET_RANGE) == 0)
            found = str_tainted(str_from(room.val.mv_data, room.val.mv_size));
        found = found.n >= prefix.n && str_eq(str_sub(found, 0, prefix.n), prefix)
                    ? str_dup(a, found)
                    : STR_NULL;
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return found;
}
