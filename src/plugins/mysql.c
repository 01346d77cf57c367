/* The mysql lookup, in a plugin since few sites need the library (MariaDB's).
 *
 * A server is host:port(socket)[group of option files]/database/user/password. A query that asks for no data gives the
 * number of rows that it affected, which is never cached.
 * Source: specification, sections "SQL lookups" and "Special MySQL features".
 */
#include "base/arena.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "lookups/sql_row.h"
#include "lookups/sql_server.h"
#include "sys/plugin.h"

#include <mysql.h>
#include <stdlib.h>

static enum sql_end ask_server(struct sql_query *q, const struct sql_server *s,
                               struct str *data);

static void
close_connection(void *connection)
{
    mysql_close(connection);
}

static int
descriptor(void *connection)
{
    return (int)mysql_get_socket(connection);
}

static const struct sql_kind mysql = {
    .name = "MySQL",
    .short_name = "MySQL",
    .option = "mysql_servers",
    .has_user = true,
    .ask = ask_server,
    .close = close_connection,
    .descriptor = descriptor,
};

static struct arena *
scratch(const struct sql_query *q)
{
    return vm_scratch(q->c->vm);
}

static enum sql_end
failed(struct sql_query *q, const char *what, MYSQL *m)
{
    q->why = str_printf(scratch(q), "MYSQL%s failed: %s", what, mysql_error(m));
    return SQL_NEXT;
}

/* What stands round a host. */
struct place {
    const char *host, *socket, *group; /* NULL: not given */
    unsigned port;
};

/* Takes what stands from `open` on off the end of *host; the closing bracket may be missing, as in Exim. */
static const char *
take_bracket(struct arena *a, struct str *host, char open, char close)
{
    size_t from = str_chr(*host, open, 0);
    if (from == STR_NPOS)
        return NULL;
    struct str inside = str_sub(*host, from + 1, host->n);
    *host = str_sub(*host, 0, from);
    return str_cstr(a, str_sub(inside, 0, str_chr(inside, close, 0)));
}

static struct place
read_place(struct arena *a, struct str host)
{
    struct place p = {.port = 0};
    p.group = take_bracket(a, &host, '[', ']');
    p.socket = take_bracket(a, &host, '(', ')');
    size_t colon = str_chr(host, ':', 0);
    if (colon != STR_NPOS) {
        const char *port = str_cstr(a, str_sub(host, colon + 1, host.n));
        p.port = port != NULL ? (unsigned)strtoul(port, NULL, 10) : 0;
        host = str_sub(host, 0, colon);
    }
    p.host = host.n > 0 ? str_cstr(a, host) : NULL;
    return p;
}

static MYSQL *
connect_to(struct sql_query *q, const struct sql_server *s)
{
    struct arena *a = scratch(q);
    struct place p = read_place(a, s->host);
    const unsigned wait_s = SQL_WAIT_S;
    const char *database = s->database.n > 0 ? str_cstr(a, s->database) : NULL;
    MYSQL *m = mysql_init(NULL);
    if (m == NULL) {
        q->why = STR_LIT("out of memory");
        return NULL;
    }
    mysql_options(m, MYSQL_READ_DEFAULT_GROUP, p.group != NULL ? p.group : "exim");
    mysql_options(m, MYSQL_OPT_CONNECT_TIMEOUT, &wait_s);
    mysql_options(m, MYSQL_OPT_READ_TIMEOUT, &wait_s);
    mysql_options(m, MYSQL_OPT_WRITE_TIMEOUT, &wait_s);
    if (mysql_real_connect(m, p.host, str_cstr(a, s->user), str_cstr(a, s->password), database,
                           p.port, p.socket, CLIENT_MULTI_RESULTS) != NULL) {
        sql_pool_put(q->pool, s, m);
        return m;
    }
    failed(q, " connection", m);
    mysql_close(m);
    return NULL;
}

/* A NULL among several columns is empty; alone it is nothing at all. */
static void
add_row(struct buf *b, MYSQL_RES *rows, bool *any)
{
    MYSQL_ROW row;
    const MYSQL_FIELD *fields = mysql_fetch_fields(rows);
    unsigned n = mysql_num_fields(rows);
    while ((row = mysql_fetch_row(rows)) != NULL && !b->overflow) {
        const unsigned long *sizes = mysql_fetch_lengths(rows);
        if (*any)
            buf_addc(b, '\n');
        if (n == 1 && row[0] != NULL)
            buf_add(b, row[0], sizes[0]);
        for (unsigned i = 0; i < n && n > 1; i++)
            sql_row_add(b, str_from_cstr(fields[i].name),
                        row[i] != NULL ? str_from(row[i], sizes[i]) : STR_EMPTY);
        *any = *any || n > 1 || row[0] != NULL;
    }
}

/* A procedure has further results, which nobody asked for; they must be taken all the same. */
static void
drop_rest(MYSQL *m)
{
    while (mysql_next_result(m) == 0) {
        MYSQL_RES *rows = mysql_store_result(m);
        if (rows != NULL)
            mysql_free_result(rows);
    }
}

static enum sql_end
take_result(struct sql_query *q, MYSQL *m, struct str *data)
{
    struct buf b = buf_in(scratch(q), SQL_RESULT_MAX);
    bool any = false;
    MYSQL_RES *rows = mysql_store_result(m);
    if (rows == NULL && mysql_field_count(m) != 0)
        return failed(q, ": lookup result", m);
    if (rows == NULL) {
        q->c->no_cache = true;
        *data = str_printf(scratch(q), "%llu", (unsigned long long)mysql_affected_rows(m));
        drop_rest(m);
        return SQL_FOUND;
    }
    add_row(&b, rows, &any);
    mysql_free_result(rows);
    drop_rest(m);
    if (b.overflow) {
        q->why =
            str_printf(scratch(q), "MYSQL: result is longer than %d bytes", SQL_RESULT_MAX);
        return SQL_NEXT;
    }
    *data = b.n > 0 ? buf_str(&b) : STR_EMPTY;
    return any ? SQL_FOUND : SQL_NOT_FOUND;
}

static enum sql_end
ask_server(struct sql_query *q, const struct sql_server *s, struct str *data)
{
    MYSQL *m = sql_pool_get(q->pool, s);
    if (m == NULL)
        m = connect_to(q, s);
    if (m == NULL)
        return SQL_NEXT;
    /* Without a length the library looks for the end of the text itself. */
    const char *text = q->text.n > 0 ? q->text.p : "";
    enum sql_end end = mysql_real_query(m, text, q->text.n) != 0 ? failed(q, ": query", m)
                                                                 : take_result(q, m, data);
    if (end == SQL_NEXT)
        sql_pool_drop(q->pool, m);
    return end;
}

static enum outcome
mysql_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
           struct str *data)
{
    const struct conf *conf = c->eval->conf;
    (void)file;
    return sql_server_find(&mysql, c, handle,
                           conf != NULL ? conf->main->mysql_servers.text : STR_NULL, key, data);
}

static void *
mysql_open(struct lookup_ctx *c, const char *file)
{
    (void)file;
    return sql_pool_open(&mysql, c);
}

static const struct lookup_driver lookup_mysql = {
    .name = STR_INIT("mysql"),
    .flags = LOOKUP_QUERY,
    .open = mysql_open,
    .check = sql_pool_check,
    .find = mysql_find,
    .close = sql_pool_close,
    .doc = "SQL on a MySQL or MariaDB server",
};

static const void *const objects[] = {&lookup_mysql};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_LOOKUP,
    .name = "mysql",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
