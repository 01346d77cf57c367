/* The pgsql lookup, in a plugin since few sites need the library.
 *
 * A server is host:port/database/user/password, or (path of the socket)/…. A query that asks for no data gives the
 * number of rows that it affected, which is never cached. The library would wait for ever: queries are sent and their
 * answers awaited with a deadline.
 * Source: specification, sections "SQL lookups" and "Special PostgreSQL features".
 */
#include "base/arena.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "lookups/sql_row.h"
#include "lookups/sql_server.h"
#include "sys/plugin.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <time.h>

static enum sql_end ask_server(struct sql_query *q, const struct sql_server *s,
                               struct str *data);

static void
close_connection(void *connection)
{
    PQfinish(connection);
}

static int
descriptor(void *connection)
{
    return PQsocket(connection);
}

static const struct sql_kind pgsql = {
    .name = "PostgreSQL",
    .short_name = "pgSQL",
    .option = "pgsql_servers",
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

static struct str
last_error(const struct sql_query *q, const PGconn *pg)
{
    return str_dup(scratch(q), str_from_cstr(PQerrorMessage(pg)));
}

/* --- connections --- */

/* (…/.s.PGSQL.<port>): the library wants the folder and the port. False: *why. */
static bool
read_socket(struct sql_query *q, struct str host, struct str *folder, struct str *port)
{
    struct str path = str_sub(host, 1, str_chr(host, ')', 0) - 1);
    size_t slash = str_rchr(path, '/');
    struct str name = slash == STR_NPOS ? STR_EMPTY : str_sub(path, slash + 1, path.n);
    if (!str_starts(name, ".s.PGSQL.")) {
        q->why =
            str_printf(scratch(q), "PGSQL invalid filename for socket: %.*s", STR_ARG(path));
        return false;
    }
    *folder = str_sub(path, 0, slash);
    *port = str_sub(name, sizeof ".s.PGSQL." - 1, name.n);
    return true;
}

static bool
read_place(struct sql_query *q, struct str host, struct str *where, struct str *port)
{
    if (host.n > 0 && host.p[0] == '(')
        return read_socket(q, host, where, port);
    size_t colon = str_chr(host, ':', 0);
    *where = str_sub(host, 0, colon);
    *port = colon == STR_NPOS ? STR_EMPTY : str_sub(host, colon + 1, host.n);
    return true;
}

/* What servers tell besides their answers goes nowhere; the library would write it to standard error. */
static void
ignore_notice(void *context, const char *text)
{
    (void)context;
    (void)text;
}

static PGconn *
connect_to(struct sql_query *q, const struct sql_server *s)
{
    struct arena *a = scratch(q);
    struct str where, port;
    if (!read_place(q, s->host, &where, &port))
        return NULL;
    const char *const wait = str_printf(a, "%d", SQL_WAIT_S).p;
    const char *const names[] = {
        "host", "port", "dbname", "user", "password", "connect_timeout", NULL};
    const char *const values[] = {str_cstr(a, where),
                                  str_cstr(a, port),
                                  str_cstr(a, s->database),
                                  str_cstr(a, s->user),
                                  str_cstr(a, s->password),
                                  wait,
                                  NULL};
    PGconn *pg = PQconnectdbParams(names, values, 0);
    if (PQstatus(pg) == CONNECTION_OK) {
        PQsetNoticeProcessor(pg, ignore_notice, NULL);
        sql_pool_put(q->pool, s, pg);
        return pg;
    }
    q->why =
        str_printf(a, "PGSQL connection failed: %.*s", STR_ARG(str_trim(last_error(q, pg))));
    PQfinish(pg);
    return NULL;
}

/* --- queries --- */

static int64_t
now_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until a result can be taken. False: *why. */
static bool
wait_for_result(struct sql_query *q, PGconn *pg, int64_t until_ms)
{
    while (PQisBusy(pg)) {
        int64_t left_ms = until_ms - now_ms();
        struct pollfd p = {.fd = PQsocket(pg), .events = POLLIN};
        int r = left_ms > 0 ? poll(&p, 1, (int)left_ms) : 0;
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0) {
            q->why = STR_LIT("PGSQL: query timed out");
            return false;
        }
        if (!PQconsumeInput(pg)) {
            q->why =
                str_printf(scratch(q), "PGSQL: query failed: %.*s", STR_ARG(last_error(q, pg)));
            return false;
        }
    }
    return true;
}

/* The result of the last statement, as PQexec gives it, or NULL with *why. */
static PGresult *
execute(struct sql_query *q, PGconn *pg)
{
    int64_t until_ms = now_ms() + SQL_WAIT_S * INT64_C(1000);
    const char *text = str_cstr(scratch(q), q->text);
    PGresult *last = NULL;
    if (text == NULL || !PQsendQuery(pg, text)) {
        q->why = text == NULL ? STR_LIT("PGSQL: the query has a zero byte")
                              : str_printf(scratch(q), "PGSQL: query failed: %.*s",
                                           STR_ARG(last_error(q, pg)));
        return NULL;
    }
    for (;;) {
        if (!wait_for_result(q, pg, until_ms)) {
            PQclear(last);
            return NULL;
        }
        PGresult *r = PQgetResult(pg);
        if (r == NULL)
            return last;
        if (last != NULL && PQresultStatus(last) == PGRES_FATAL_ERROR) {
            PQclear(r);
            continue;
        }
        PQclear(last);
        last = r;
    }
}

static enum sql_end
take_rows(struct sql_query *q, const PGresult *r, struct str *data)
{
    struct buf b = buf_in(scratch(q), SQL_RESULT_MAX);
    int rows = PQntuples(r), n = PQnfields(r);
    for (int row = 0; row < rows && !b.overflow; row++) {
        if (row > 0)
            buf_addc(&b, '\n');
        for (int i = 0; i < n; i++) {
            struct str value = str_from(PQgetvalue(r, row, i), (size_t)PQgetlength(r, row, i));
            if (n == 1)
                buf_adds(&b, value);
            else
                sql_row_add(&b, str_from_cstr(PQfname(r, i)), value);
        }
    }
    if (b.overflow) {
        q->why =
            str_printf(scratch(q), "PGSQL: result is longer than %d bytes", SQL_RESULT_MAX);
        return SQL_NEXT;
    }
    *data = b.n > 0 ? buf_str(&b) : STR_EMPTY;
    return rows > 0 ? SQL_FOUND : SQL_NOT_FOUND;
}

static enum sql_end
judge(struct sql_query *q, PGresult *r, struct str *data)
{
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_TUPLES_OK)
        return take_rows(q, r, data);
    q->c->no_cache = true;
    if (status == PGRES_EMPTY_QUERY)
        return SQL_NOT_FOUND;
    if (status == PGRES_COMMAND_OK) {
        *data = str_dup(scratch(q), str_from_cstr(PQcmdTuples(r)));
        return data->n > 0 ? SQL_FOUND : SQL_NOT_FOUND;
    }
    q->why = str_printf(scratch(q), "PGSQL: query failed: %s (%s) (%.*s)",
                        PQresultErrorMessage(r), PQresStatus(status), STR_ARG(q->text));
    return SQL_NEXT;
}

static enum sql_end
ask_server(struct sql_query *q, const struct sql_server *s, struct str *data)
{
    PGconn *pg = sql_pool_get(q->pool, s);
    if (pg == NULL)
        pg = connect_to(q, s);
    if (pg == NULL)
        return SQL_NEXT;
    PGresult *r = execute(q, pg);
    enum sql_end end = r != NULL ? judge(q, r, data) : SQL_NEXT;
    PQclear(r);
    if (end == SQL_NEXT)
        sql_pool_drop(q->pool, pg);
    return end;
}

static enum outcome
pgsql_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
           struct str *data)
{
    const struct conf *conf = c->eval->conf;
    (void)file;
    return sql_server_find(&pgsql, c, handle,
                           conf != NULL ? conf->main->pgsql_servers.text : STR_NULL, key, data);
}

static void *
pgsql_open(struct lookup_ctx *c, const char *file)
{
    (void)file;
    return sql_pool_open(&pgsql, c);
}

static const struct lookup_driver lookup_pgsql = {
    .name = STR_INIT("pgsql"),
    .flags = LOOKUP_QUERY,
    .open = pgsql_open,
    .check = sql_pool_check,
    .find = pgsql_find,
    .close = sql_pool_close,
    .doc = "SQL on a PostgreSQL server",
};

static const void *const objects[] = {&lookup_pgsql};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_LOOKUP,
    .name = "pgsql",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
