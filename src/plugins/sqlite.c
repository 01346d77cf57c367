/* The sqlite lookup, in a plugin since few sites need the library.
 *
 * A query is SQL on a file that the engine found (option file=, start of the query, sqlite_dbfile). One
 * column comes back as it is, several as name="value" pairs; rows are separated by newlines. An SQL error
 * means not found, as in Exim; a database that stays locked for sqlite_lock_timeout too.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "lookups/lookup_driver.h"
#include "lookups/sql_row.h"
#include "sys/plugin.h"

#include <sqlite3.h>
#include <sys/stat.h>

struct sqlite_file {
    sqlite3 *db;
    dev_t dev;
    ino_t ino;
};

static void
sqlite_close(void *handle)
{
    struct sqlite_file *f = handle;
    sqlite3_close(f->db);
    sqlite3_free(f);
}

static void *
sqlite_open(struct lookup_ctx *c, const char *file)
{
    struct stat st = {0};
    struct sqlite_file *f = sqlite3_malloc((int)sizeof *f);
    if (f == NULL) {
        vm_fail(c->vm, "out of memory");
        return NULL;
    }
    *f = (struct sqlite_file){0};
    if (sqlite3_open(file, &f->db) != SQLITE_OK) {
        vm_fail(c->vm, "%s", sqlite3_errmsg(f->db));
        sqlite_close(f);
        return NULL;
    }
    sqlite3_busy_timeout(f->db, c->lock_wait_ms);
    if (stat(file, &st) == 0) {
        f->dev = st.st_dev;
        f->ino = st.st_ino;
    }
    return f;
}

/* The library sees what others write; a file that was replaced is another matter. */
static bool
sqlite_check(struct lookup_ctx *c, void *handle, const char *file)
{
    (void)c;
    const struct sqlite_file *f = handle;
    struct stat st;
    return stat(file, &st) != 0 || f->ino == 0 || (st.st_ino == f->ino && st.st_dev == f->dev);
}

static struct str
column(sqlite3_stmt *row, int i)
{
    const unsigned char *text = sqlite3_column_text(row, i);
    if (text == NULL)
        return STR_LIT("<NULL>");
    return str_from((const char *)text, (size_t)sqlite3_column_bytes(row, i));
}

static void
add_row(struct buf *b, sqlite3_stmt *row, bool first)
{
    int n = sqlite3_column_count(row);
    if (!first)
        buf_addc(b, '\n');
    if (n == 1) {
        buf_adds(b, column(row, 0));
        return;
    }
    for (int i = 0; i < n; i++)
        sql_row_add(b, str_from_cstr(sqlite3_column_name(row, i)), column(row, i));
}

/* Runs one statement; false on an error. */
static bool
run_statement(sqlite3_stmt *st, struct buf *b, bool *any)
{
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW && !b->overflow) {
        add_row(b, st, !*any);
        *any = true;
    }
    return rc == SQLITE_DONE;
}

static enum outcome
sqlite_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
            struct str *data)
{
    (void)file;
    const struct sqlite_file *f = handle;
    struct buf b = buf_in(vm_scratch(c->vm), SQL_RESULT_MAX);
    const char *sql = key.p, *end = key.p + key.n;
    bool any = false, ok = true;
    while (ok && sql < end) {
        sqlite3_stmt *st = NULL;
        const char *rest = end;
        ok = sqlite3_prepare_v2(f->db, sql, (int)(end - sql), &st, &rest) == SQLITE_OK;
        if (ok && st != NULL)
            ok = run_statement(st, &b, &any);
        sqlite3_finalize(st);
        if (rest <= sql)
            break;
        sql = rest;
    }
    if (b.overflow) {
        vm_defer(c->vm, "sqlite: result is longer than %d bytes", SQL_RESULT_MAX);
        return OUT_DEFER;
    }
    if (!ok || !any)
        return OUT_FAIL;
    *data = buf_str(&b);
    return OUT_OK;
}

static const struct lookup_driver lookup_sqlite = {
    .name = STR_INIT("sqlite"),
    .flags = LOOKUP_QUERY | LOOKUP_ABS_FILE | LOOKUP_FILE_QUERY,
    .open = sqlite_open,
    .check = sqlite_check,
    .find = sqlite_find,
    .close = sqlite_close,
    .doc = "SQL on an SQLite file",
};

static const void *const objects[] = {&lookup_sqlite};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_LOOKUP,
    .name = "sqlite",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
