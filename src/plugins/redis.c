/* The redis lookup, in a plugin since few sites need the library.
 *
 * A query is one command, its words separated by white space; a backslash makes the next byte part of a word, which is
 * what quote_redis relies on. A server is host:port or (path of the socket), then /database/password. What is found
 * is a text, a number, or several of them on a line each; nothing (nil) means not found. A server of a cluster that
 * has moved the key is passed over.
 * Source: specification, section "More about Redis".
 */
#include "base/arena.h"
#include "base/vec.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "lookups/sql_row.h"
#include "lookups/sql_server.h"
#include "sys/plugin.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

enum { DEPTH_MAX = 8, PORT_DEFAULT = 6379 };

static enum sql_end ask_server(struct sql_query *q, const struct sql_server *s,
                               struct str *data);

static void
close_connection(void *connection)
{
    redisFree(connection);
}

static int
descriptor(void *connection)
{
    return ((const redisContext *)connection)->fd;
}

static const struct sql_kind redis = {
    .name = "Redis",
    .short_name = "Redis",
    .option = "redis_servers",
    .ask = ask_server,
    .close = close_connection,
    .descriptor = descriptor,
};

static struct arena *
scratch(const struct sql_query *q)
{
    return vm_scratch(q->c->vm);
}

/* --- commands --- */

struct words {
    VEC(const char *) text;
    VEC(size_t) n;
};

/* The next word of a command, or false. */
static bool
next_word(struct arena *a, struct str text, size_t *at, struct str *word)
{
    struct buf b = buf_in(a, 0);
    while (*at < text.n && ascii_space(text.p[*at]))
        ++*at;
    if (*at == text.n)
        return false;
    for (; *at < text.n && !ascii_space(text.p[*at]); ++*at) {
        if (text.p[*at] == '\\' && *at + 1 < text.n)
            ++*at;
        buf_addc(&b, text.p[*at]);
    }
    *word = buf_str(&b);
    return true;
}

static void
add_word(struct arena *a, struct words *w, struct str word)
{
    vec_push(a, &w->text, word.n > 0 ? word.p : "");
    vec_push(a, &w->n, (size_t)word.n);
}

/* Runs a command; NULL with *why when there is no answer. */
static redisReply *
run_words(struct sql_query *q, redisContext *r, const struct words *w)
{
    /* The library takes a pointer to pointers that it does not write through. */
    redisReply *reply = redisCommandArgv(r, (int)w->text.n, w->text.v, w->n.v);
    if (reply == NULL)
        q->why = str_printf(scratch(q), "REDIS: query failed: %s", r->errstr);
    return reply;
}

/* --- connections --- */

static redisContext *
open_context(struct sql_query *q, const struct sql_server *s)
{
    struct arena *a = scratch(q);
    const struct timeval wait = {.tv_sec = SQL_WAIT_S};
    struct str host = s->host;
    if (host.n > 0 && host.p[0] == '(') {
        const char *path = str_cstr(a, str_sub(host, 1, str_chr(host, ')', 0) - 1));
        return path != NULL ? redisConnectUnixWithTimeout(path, wait) : NULL;
    }
    size_t colon = str_chr(host, ':', 0);
    const char *name = str_cstr(a, str_sub(host, 0, colon));
    const char *port = colon == STR_NPOS ? NULL : str_cstr(a, str_sub(host, colon + 1, host.n));
    if (name == NULL)
        return NULL;
    return redisConnectWithTimeout(
        name, port != NULL ? (int)strtoul(port, NULL, 10) : PORT_DEFAULT, wait);
}

/* A command of the set-up of a connection: name and one argument. */
static bool
set_up(struct sql_query *q, redisContext *r, const char *name, struct str argument)
{
    struct words w = {0};
    if (argument.n == 0)
        return true;
    add_word(scratch(q), &w, str_from_cstr(name));
    add_word(scratch(q), &w, argument);
    redisReply *reply = run_words(q, r, &w);
    if (reply == NULL)
        return false;
    bool ok = reply->type != REDIS_REPLY_ERROR;
    if (!ok)
        q->why = str_printf(scratch(q), "REDIS: %s failed: %s", name, reply->str);
    freeReplyObject(reply);
    return ok;
}

static redisContext *
connect_to(struct sql_query *q, const struct sql_server *s)
{
    const struct timeval wait = {.tv_sec = SQL_WAIT_S};
    redisContext *r = open_context(q, s);
    if (r == NULL || r->err != 0) {
        q->why = str_printf(scratch(q), "REDIS connection failed: %s",
                            r != NULL ? r->errstr : "bad server");
    } else if (redisSetTimeout(r, wait) == REDIS_OK && set_up(q, r, "AUTH", s->password) &&
               set_up(q, r, "SELECT", s->database)) {
        sql_pool_put(q->pool, s, r);
        return r;
    }
    redisFree(r);
    return NULL;
}

/* --- answers --- */

/* One value; items of an array on a line each, those of an array inside it separated by spaces. */
static void
add_value(struct buf *b, const redisReply *v, unsigned depth)
{
    if (v->type == REDIS_REPLY_INTEGER) {
        buf_printf(b, "%lld", v->integer);
    } else if (v->type == REDIS_REPLY_ARRAY && depth < DEPTH_MAX) {
        for (size_t i = 0; i < v->elements && !b->overflow; i++) {
            if (i > 0)
                buf_addc(b, depth == 0 ? '\n' : ' ');
            add_value(b, v->element[i], depth + 1);
        }
    } else if (v->type == REDIS_REPLY_STRING || v->type == REDIS_REPLY_STATUS ||
               v->type == REDIS_REPLY_ERROR) {
        buf_add(b, v->str, v->len);
    }
}

static enum sql_end
judge(struct sql_query *q, const redisReply *v, struct str *data)
{
    struct buf b = buf_in(scratch(q), SQL_RESULT_MAX);
    if (v->type == REDIS_REPLY_NIL || (v->type == REDIS_REPLY_ARRAY && v->elements == 0))
        return SQL_NOT_FOUND;
    if (v->type == REDIS_REPLY_ERROR) {
        q->why = str_printf(scratch(q), "REDIS: lookup result failed: %s", v->str);
        return SQL_NEXT;
    }
    /* What may be the answer to a command that changed something. */
    q->c->no_cache = v->type == REDIS_REPLY_STATUS || v->type == REDIS_REPLY_INTEGER;
    add_value(&b, v, 0);
    if (b.overflow) {
        q->why =
            str_printf(scratch(q), "REDIS: result is longer than %d bytes", SQL_RESULT_MAX);
        return SQL_NEXT;
    }
    *data = b.n > 0 ? buf_str(&b) : STR_EMPTY;
    return SQL_FOUND;
}

static enum sql_end
ask_server(struct sql_query *q, const struct sql_server *s, struct str *data)
{
    struct words w = {0};
    struct str word;
    size_t at = 0;
    while (next_word(scratch(q), q->text, &at, &word))
        add_word(scratch(q), &w, word);
    if (w.text.n == 0)
        return SQL_NOT_FOUND;
    redisContext *r = sql_pool_get(q->pool, s);
    if (r == NULL)
        r = connect_to(q, s);
    if (r == NULL)
        return SQL_NEXT;
    redisReply *reply = run_words(q, r, &w);
    if (reply == NULL) {
        sql_pool_drop(q->pool, r);
        return SQL_NEXT;
    }
    enum sql_end end = judge(q, reply, data);
    freeReplyObject(reply);
    return end;
}

static enum outcome
redis_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
           struct str *data)
{
    const struct conf *conf = c->eval->conf;
    (void)file;
    return sql_server_find(&redis, c, handle,
                           conf != NULL ? conf->main->redis_servers.text : STR_NULL, key, data);
}

static void *
redis_open(struct lookup_ctx *c, const char *file)
{
    (void)file;
    return sql_pool_open(&redis, c);
}

static const struct lookup_driver lookup_redis = {
    .name = STR_INIT("redis"),
    .flags = LOOKUP_QUERY,
    .open = redis_open,
    .check = sql_pool_check,
    .find = redis_find,
    .close = sql_pool_close,
    .doc = "Redis command",
};

static const void *const objects[] = {&lookup_redis};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_LOOKUP,
    .name = "redis",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
