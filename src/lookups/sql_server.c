/* Lists of servers and pools of connections; see sql_server.h. Texts of errors are Exim's, found by asking it. */
#include "lookups/sql_server.h"

#include "base/arena.h"
#include "base/strlist.h"

#include <poll.h>
#include <stdlib.h>

enum { CONNECTIONS_MAX = 20 };

/* --- pools --- */

struct pooled {
    struct arena *arena; /* of itself and item */
    struct str item;
    void *connection;
};

struct sql_pool {
    const struct sql_kind *kind;
    struct pooled *v[CONNECTIONS_MAX]; /* oldest first */
    size_t n;
};

void *
sql_pool_open(const struct sql_kind *kind, struct lookup_ctx *c)
{
    struct sql_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        vm_fail(c->vm, "out of memory");
    else
        pool->kind = kind;
    return pool;
}

bool
sql_pool_check(struct lookup_ctx *c, void *pool, const char *file)
{
    (void)c;
    (void)pool;
    (void)file;
    return true;
}

static void
close_one(struct sql_pool *pool, size_t i)
{
    pool->kind->close(pool->v[i]->connection);
    arena_free(pool->v[i]->arena);
}

static void
drop_at(struct sql_pool *pool, size_t i)
{
    close_one(pool, i);
    pool->n--;
    for (; i < pool->n; i++)
        pool->v[i] = pool->v[i + 1];
}

void
sql_pool_close(void *handle)
{
    struct sql_pool *pool = handle;
    for (size_t i = 0; i < pool->n; i++)
        close_one(pool, i);
    free(pool);
}

static bool
is_silent(const struct sql_pool *pool, void *connection)
{
    struct pollfd p = {.fd = pool->kind->descriptor(connection), .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

void *
sql_pool_get(struct sql_pool *pool, const struct sql_server *s)
{
    for (size_t i = 0; i < pool->n; i++) {
        if (!str_eq(pool->v[i]->item, s->item))
            continue;
        if (is_silent(pool, pool->v[i]->connection))
            return pool->v[i]->connection;
        drop_at(pool, i);
        return NULL;
    }
    return NULL;
}

void
sql_pool_put(struct sql_pool *pool, const struct sql_server *s, void *connection)
{
    if (pool->n == CONNECTIONS_MAX)
        drop_at(pool, 0);
    struct arena *a = arena_new();
    struct pooled *p = ARENA_NEW(a, struct pooled);
    *p = (struct pooled){.arena = a, .item = str_dup(a, s->item), .connection = connection};
    pool->v[pool->n++] = p;
}

void
sql_pool_drop(struct sql_pool *pool, void *connection)
{
    for (size_t i = 0; i < pool->n; i++) {
        if (pool->v[i]->connection == connection) {
            drop_at(pool, i);
            return;
        }
    }
}

/* --- servers --- */

/* A query on its way through the servers. */
struct round {
    const struct sql_kind *kind;
    struct sql_query q;
    struct str list;    /* of the main option; may be unset */
    struct str servers; /* of the lookup; may be unset */
    struct str *data;
};

static struct arena *
scratch(const struct round *r)
{
    return vm_scratch(r->q.c->vm);
}

/* Cuts off the last part of *rest. False: there is none. */
static bool
cut_last(struct str *rest, struct str *part)
{
    size_t slash = str_rchr(*rest, '/');
    if (slash == STR_NPOS)
        return false;
    *part = str_sub(*rest, slash + 1, rest->n);
    *rest = str_sub(*rest, 0, slash);
    return true;
}

/* host/database/user/password. */
static bool
read_four(struct str item, struct sql_server *s)
{
    s->host = item;
    return cut_last(&s->host, &s->password) && cut_last(&s->host, &s->user) &&
           cut_last(&s->host, &s->database);
}

/* host, host/database or host/database/password; the host may be a path in parentheses. */
static void
read_three(struct str item, struct sql_server *s)
{
    size_t from = item.n > 0 && item.p[0] == '(' ? str_chr(item, ')', 0) : 0;
    size_t slash = str_chr(item, '/', from == STR_NPOS ? 0 : from);
    if (slash == STR_NPOS) {
        s->host = item;
        return;
    }
    s->host = str_sub(item, 0, slash);
    struct str rest = str_sub(item, slash + 1, item.n);
    slash = str_chr(rest, '/', 0);
    s->database = str_sub(rest, 0, slash);
    if (slash != STR_NPOS)
        s->password = str_sub(rest, slash + 1, rest.n);
}

/* False: *why. */
static bool
read_server(struct round *r, struct str item, struct sql_server *s)
{
    *s = (struct sql_server){.item = item};
    if (!r->kind->has_user) {
        read_three(item, s);
        return true;
    }
    if (read_four(item, s))
        return true;
    struct str shown = item, last;
    (void)cut_last(&shown, &last); /* it may be a password */
    r->q.why = str_printf(scratch(r), "incomplete %s server data: %.*s", r->kind->short_name,
                          STR_ARG(shown));
    return false;
}

/* An item that is only a host stands for that of the main option. False: *why. */
static bool
find_in_list(struct round *r, struct str *item)
{
    struct strlist_split split = strlist_split_start(r->list, ':');
    struct str other, host = *item;
    while (strlist_split_next(&split, scratch(r), &other)) {
        if (other.n > host.n && other.p[host.n] == '/' &&
            str_eq(str_sub(other, 0, host.n), host)) {
            *item = other;
            return true;
        }
    }
    r->q.why = str_printf(scratch(r), "%s server \"%.*s\" not found in %s", r->kind->name,
                          STR_ARG(host), r->kind->option);
    return false;
}

/* One server. *over: nothing more is to be tried. */
static enum sql_end
ask_one(struct round *r, struct str item, bool *over)
{
    struct sql_server s;
    *over = true;
    if (str_is_set(r->servers) && str_chr(item, '/', 0) == STR_NPOS && !find_in_list(r, &item))
        return SQL_NEXT;
    if (!read_server(r, item, &s))
        return SQL_NEXT;
    enum sql_end end = r->kind->ask(&r->q, &s, r->data);
    *over = end != SQL_NEXT;
    return end;
}

static enum sql_end
ask_all(struct round *r)
{
    struct str list = str_is_set(r->servers) ? r->servers : r->list, item;
    if (!str_is_set(list)) {
        r->q.why = str_printf(scratch(r), "no %s servers defined (%s option)", r->kind->name,
                              r->kind->option);
        return SQL_NEXT;
    }
    struct strlist_split split = strlist_split_start(list, ':');
    enum sql_end end = SQL_NEXT;
    bool over = false;
    r->q.why = str_printf(scratch(r), "the list of %s servers is empty", r->kind->name);
    while (!over && strlist_split_next(&split, scratch(r), &item))
        end = ask_one(r, item, &over);
    return end;
}

/* `servers=…;` at the start of the query. False: *why. */
static bool
take_servers(struct round *r)
{
    struct str q = str_trim_left(r->q.text);
    if (!str_starts(q, "servers"))
        return true;
    struct str rest = str_trim_left(str_sub(q, sizeof "servers" - 1, q.n));
    if (rest.n == 0 || rest.p[0] != '=')
        return true;
    size_t end = str_chr(rest, ';', 0);
    if (end == STR_NPOS) {
        r->q.why =
            str_printf(scratch(r), "missing ; after \"servers=\" in %s lookup", r->kind->name);
        return false;
    }
    r->servers = str_trim(str_sub(rest, 1, end - 1));
    if (r->servers.n == 0) {
        r->q.why = str_printf(scratch(r), "\"servers=\" defines no servers in \"%.*s\"",
                              STR_ARG(r->q.text));
        return false;
    }
    r->q.text = str_sub(rest, end + 1, rest.n);
    return true;
}

enum outcome
sql_server_find(const struct sql_kind *kind, struct lookup_ctx *c, void *pool, struct str list,
                struct str query, struct str *data)
{
    struct round r = {.kind = kind, .list = list, .data = data};
    r.q = (struct sql_query){.c = c, .pool = pool, .text = query};
    r.servers = lookup_option(c->options, "servers");
    enum sql_end end = SQL_NEXT;
    if (str_trim(query).n == 0)
        return OUT_FAIL;
    if (str_is_set(r.servers) || take_servers(&r)) {
        r.q.text = str_trim_left(r.q.text);
        end = ask_all(&r);
    }
    switch (end) {
    case SQL_FOUND:
        return OUT_OK;
    case SQL_NOT_FOUND:
        return OUT_FAIL;
    case SQL_NEXT:
        break;
    }
    vm_defer(c->vm, "%.*s", STR_ARG(r.q.why));
    return OUT_DEFER;
}
