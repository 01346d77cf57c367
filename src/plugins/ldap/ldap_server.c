/* Connections; see ldap_server.h.
 *
 * Every setting of TLS is one of the connection, none of the library, so that nothing process-wide changes.
 * One pool belongs to one handle and so to one thread. Every wait has an end.
 */
#include "plugins/ldap/ldap_server.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "conf/main_options.h"

#include <stdlib.h>

enum { PORT_MAX = 65535, CONNECTIONS_MAX = 20 };

struct open_connection {
    LDAP *ld;
    struct arena *arena; /* of the texts */
    struct str uri;
    bool bound;
    struct arena_mark before; /* the texts of the last bind */
    struct str user, pass;
};

struct ldap_pool {
    struct open_connection *v[CONNECTIONS_MAX]; /* oldest first */
    size_t n;
};

struct timeval
ldap_query_wait(const struct ldap_query *q)
{
    return (struct timeval){.tv_sec = q->wait_s > 0 ? q->wait_s : LDAP_WAIT_S};
}

/* --- where a server is --- */

static int
port_of(struct str s)
{
    int v = 0;
    for (uint32_t i = 0; i < s.n && ascii_digit(s.p[i]) && v <= PORT_MAX; i++)
        v = v * 10 + (s.p[i] - '0');
    return v;
}

/* Cuts the port off. An IPv6 address with a port is in brackets; without one it may stand alone. */
static struct str
cut_port(struct str item, int *port)
{
    size_t colon = str_rchr(item, ':'), bracket = str_rchr(item, ']');
    *port = 0;
    if (bracket != STR_NPOS && item.p[0] == '[') {
        if (colon != STR_NPOS && colon > bracket)
            *port = port_of(str_sub(item, colon + 1, item.n));
        return str_sub(item, 1, bracket - 1);
    }
    if (colon == STR_NPOS || str_chr(item, ':', 0) != colon)
        return item;
    *port = port_of(str_sub(item, colon + 1, item.n));
    return str_sub(item, 0, colon);
}

static void
read_socket(struct arena *a, struct str path, struct ldap_server *out)
{
    struct buf b = buf_in(a, 0);
    buf_addz(&b, "ldapi://");
    for (uint32_t i = 0; i < path.n; i++) {
        if (ascii_alnum(path.p[i]) || path.p[i] == '.' || path.p[i] == '-' || path.p[i] == '_')
            buf_addc(&b, path.p[i]);
        else
            buf_printf(&b, "%%%02X", (unsigned char)path.p[i]);
    }
    buf_addc(&b, '/');
    out->uri = buf_str(&b);
    out->name = path;
    out->socket = true;
}

bool
ldap_server_read(struct arena *a, struct str scheme, struct str item, struct ldap_server *out,
                 struct str *why)
{
    bool socket = str_eqz(scheme, "ldapi");
    *out = (struct ldap_server){.uri = STR_EMPTY, .tls = str_eqz(scheme, "ldaps")};
    if (item.n > 0 && item.p[0] == '/') {
        out->tls = false;
        read_socket(a, item, out);
        return true;
    }
    if (item.n == 0) {
        out->name = STR_LIT("NULL:389");
        out->socket = socket;
        if (socket || out->tls)
            out->uri = str_printf(a, "%.*s:///", STR_ARG(scheme));
        return true;
    }
    if (socket) {
        *why = str_printf(a, "ldapi requires an absolute path (\"%.*s\" given)", STR_ARG(item));
        return false;
    }
    int port;
    struct str host = cut_port(item, &port);
    bool v6 = str_chr(host, ':', 0) != STR_NPOS;
    if (port == 0)
        port = out->tls ? LDAPS_PORT : LDAP_PORT;
    out->uri = str_printf(a, "%.*s://%s%.*s%s:%d", STR_ARG(scheme), v6 ? "[" : "",
                          STR_ARG(host), v6 ? "]" : "", port);
    out->name = str_printf(a, "%.*s:%d", STR_ARG(host), port);
    return true;
}

/* --- opening --- */

static int
certificate_policy(struct str word)
{
    static const struct {
        const char *word;
        int policy;
    } policies[] = {
        {"hard", LDAP_OPT_X_TLS_HARD},
        {"demand", LDAP_OPT_X_TLS_DEMAND},
        {"allow", LDAP_OPT_X_TLS_ALLOW},
        {"try", LDAP_OPT_X_TLS_TRY},
    };
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (str_ieqz(word, policies[i].word))
            return policies[i].policy;
    return LDAP_OPT_X_TLS_NEVER;
}

static void
set_text(struct arena *a, LDAP *ld, int option, struct str value)
{
    const char *z = str_is_set(value) ? str_cstr(a, value) : NULL;
    if (z != NULL)
        ldap_set_option(ld, option, z);
}

/* What the configuration does not set is left to the library's own files. */
static void
set_tls(struct arena *a, LDAP *ld, const struct conf_main *m)
{
    const int client = 0;
    set_text(a, ld, LDAP_OPT_X_TLS_CACERTFILE, m->ldap_ca_cert_file);
    set_text(a, ld, LDAP_OPT_X_TLS_CACERTDIR, m->ldap_ca_cert_dir);
    set_text(a, ld, LDAP_OPT_X_TLS_CERTFILE, m->ldap_cert_file);
    set_text(a, ld, LDAP_OPT_X_TLS_KEYFILE, m->ldap_cert_key);
    set_text(a, ld, LDAP_OPT_X_TLS_CIPHER_SUITE, m->ldap_cipher_suite);
    if (str_is_set(m->ldap_require_cert)) {
        int policy = certificate_policy(m->ldap_require_cert);
        ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &policy);
    }
    ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client);
}

/* What differs from query to query. */
static void
set_limits(LDAP *ld, const struct ldap_query *q)
{
    static const int deref[] = {
        [LDAP_QUERY_NEVER] = LDAP_DEREF_NEVER,
        [LDAP_QUERY_SEARCHING] = LDAP_DEREF_SEARCHING,
        [LDAP_QUERY_FINDING] = LDAP_DEREF_FINDING,
        [LDAP_QUERY_ALWAYS] = LDAP_DEREF_ALWAYS,
    };
    struct timeval wait = ldap_query_wait(q);
    ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &wait);
    ldap_set_option(ld, LDAP_OPT_TIMEOUT, &wait);
    ldap_set_option(ld, LDAP_OPT_TIMELIMIT, &q->time_s);
    ldap_set_option(ld, LDAP_OPT_SIZELIMIT, &q->size);
    ldap_set_option(ld, LDAP_OPT_DEREF, &deref[q->dereference]);
    ldap_set_option(ld, LDAP_OPT_REFERRALS, q->no_referrals ? LDAP_OPT_OFF : LDAP_OPT_ON);
}

static bool
start_tls(const struct ldap_request *rq, LDAP *ld, struct str *why)
{
    const struct ldap_server *s = rq->server;
    if (rq->main == NULL || s->socket)
        return true;
    set_tls(rq->arena, ld, rq->main);
    if (s->tls || !rq->main->ldap_start_tls)
        return true;
    int rc = ldap_start_tls_s(ld, NULL, NULL);
    if (rc == LDAP_SUCCESS)
        return true;
    *why = str_printf(rq->arena,
                      "failed to initiate TLS processing on an LDAP session to server %.*s - "
                      "ldap_start_tls_s() returned %d: %s",
                      STR_ARG(s->name), rc, ldap_err2string(rc));
    return false;
}

static LDAP *
open_connection(const struct ldap_request *rq, struct str *why)
{
    const struct ldap_server *s = rq->server;
    LDAP *ld = NULL;
    const char *uri = s->uri.n > 0 ? str_cstr(rq->arena, s->uri) : NULL;
    int rc = ldap_initialize(&ld, uri);
    if (rc != LDAP_SUCCESS) {
        *why = str_printf(rq->arena, "failed to initialize for LDAP server %.*s: %s",
                          STR_ARG(s->name), ldap_err2string(rc));
        return NULL;
    }
    int version = LDAP_VERSION3;
    if (rq->main != NULL && rq->main->ldap_version > 0 && rq->main->ldap_version <= PORT_MAX)
        version = (int)rq->main->ldap_version;
    ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    set_limits(ld, rq->query);
    if (start_tls(rq, ld, why))
        return ld;
    ldap_unbind_ext_s(ld, NULL, NULL);
    return NULL;
}

/* --- binding --- */

static struct str
bind_failed(const struct ldap_request *rq, const char *what)
{
    return str_printf(rq->arena, "failed to bind the LDAP connection to server %.*s - %s",
                      STR_ARG(rq->server->name), what);
}

/* The server's answer to a bind. */
static enum ldap_bound
judge_bind(const struct ldap_request *rq, LDAP *ld, LDAPMessage *answer, struct str *why)
{
    int code = LDAP_OTHER;
    int rc = ldap_parse_result(ld, answer, &code, NULL, NULL, NULL, NULL, 0);
    if (rc != LDAP_SUCCESS)
        code = rc;
    if (code == LDAP_SUCCESS)
        return LDAP_BOUND;
    *why = bind_failed(
        rq, str_printf(rq->arena, "LDAP error %d: %s", code, ldap_err2string(code)).p);
    return code == LDAP_INVALID_CREDENTIALS ? LDAP_REFUSED : LDAP_FAILED;
}

static enum ldap_bound
bind_as(const struct ldap_request *rq, LDAP *ld, struct str *why)
{
    struct arena *a = rq->arena;
    struct berval secret = {.bv_len = rq->query->pass.n, .bv_val = NULL};
    if (secret.bv_len > 0)
        secret.bv_val = memcpy(arena_alloc(a, secret.bv_len), rq->query->pass.p, secret.bv_len);
    struct timeval wait = ldap_query_wait(rq->query);
    LDAPMessage *answer = NULL;
    int id = 0;
    const char *user = str_is_set(rq->query->user) ? str_cstr(a, rq->query->user) : NULL;
    if (user == NULL && str_is_set(rq->query->user)) {
        *why = bind_failed(rq, "the user has a zero byte");
        return LDAP_REFUSED;
    }
    int rc = ldap_sasl_bind(ld, user, LDAP_SASL_SIMPLE, &secret, NULL, NULL, &id);
    if (rc != LDAP_SUCCESS) {
        *why = bind_failed(rq, "ldap_bind() returned -1");
        return LDAP_FAILED;
    }
    rc = ldap_result(ld, id, LDAP_MSG_ALL, &wait, &answer);
    enum ldap_bound end = LDAP_FAILED;
    if (rc > 0)
        end = judge_bind(rq, ld, answer, why);
    else
        *why = bind_failed(rq, rc == 0 ? "LDAP error: timeout" : "ldap_bind() returned -1");
    ldap_msgfree(answer);
    return end;
}

/* --- the pool --- */

static void
close_one(struct open_connection *c)
{
    ldap_unbind_ext_s(c->ld, NULL, NULL);
    arena_free(c->arena);
}

static void
drop_at(struct ldap_pool *pool, size_t i)
{
    close_one(pool->v[i]);
    pool->n--;
    for (; i < pool->n; i++)
        pool->v[i] = pool->v[i + 1];
}

struct ldap_pool *
ldap_pool_new(void)
{
    return calloc(1, sizeof(struct ldap_pool));
}

void
ldap_pool_free(struct ldap_pool *pool)
{
    for (size_t i = 0; i < pool->n; i++)
        close_one(pool->v[i]);
    free(pool);
}

void
ldap_pool_drop(struct ldap_pool *pool, LDAP *ld)
{
    for (size_t i = 0; i < pool->n; i++) {
        if (pool->v[i]->ld == ld) {
            drop_at(pool, i);
            return;
        }
    }
}

static struct open_connection *
find_or_open(struct ldap_pool *pool, const struct ldap_request *rq, struct ldap_connection *out,
             struct str *why)
{
    for (size_t i = 0; i < pool->n; i++) {
        if (!str_eq(pool->v[i]->uri, rq->server->uri))
            continue;
        out->used = true;
        set_limits(pool->v[i]->ld, rq->query);
        return pool->v[i];
    }
    LDAP *ld = open_connection(rq, why);
    if (ld == NULL)
        return NULL;
    if (pool->n == CONNECTIONS_MAX)
        drop_at(pool, 0);
    struct arena *a = arena_new();
    struct open_connection *c = ARENA_NEW(a, struct open_connection);
    *c = (struct open_connection){.ld = ld, .arena = a, .uri = str_dup(a, rq->server->uri)};
    c->before = arena_mark(a);
    pool->v[pool->n++] = c;
    out->used = false;
    return c;
}

/* Whether it is bound as the user already; unset and empty are different. */
static bool
is_bound_as(const struct open_connection *c, const struct ldap_query *q)
{
    return c->bound && str_is_set(c->user) == str_is_set(q->user) &&
           str_is_set(c->pass) == str_is_set(q->pass) && str_eq(c->user, q->user) &&
           str_eq(c->pass, q->pass);
}

static struct str
keep(struct arena *a, struct str s)
{
    return str_is_set(s) ? str_dup(a, s) : STR_NULL;
}

enum ldap_bound
ldap_pool_bind(struct ldap_pool *pool, const struct ldap_request *rq,
               struct ldap_connection *out, struct str *why)
{
    struct open_connection *c = find_or_open(pool, rq, out, why);
    if (c == NULL)
        return LDAP_FAILED;
    out->ld = c->ld;
    if (!rq->ask_again && is_bound_as(c, rq->query))
        return LDAP_BOUND;
    enum ldap_bound end = bind_as(rq, c->ld, why);
    c->bound = end == LDAP_BOUND;
    arena_reset(c->arena, c->before);
    c->user = keep(c->arena, rq->query->user);
    c->pass = keep(c->arena, rq->query->pass);
    bool again = out->used && end == LDAP_FAILED;
    if (end == LDAP_FAILED)
        ldap_pool_drop(pool, out->ld);
    return again ? ldap_pool_bind(pool, rq, out, why) : end;
}
