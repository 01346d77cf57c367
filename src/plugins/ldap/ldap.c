/* The lookups ldap, ldapm and ldapdn, and ldapauth, which only binds; in a plugin since few sites need the library.
 *
 * Servers are tried in turn: what one cannot do (connection, bind, time) the next may; a query that is wrong, or
 * finds several entries where one is meant, ends the search. Texts of errors are Exim's, found by asking it.
 * Source: specification, sections "More about LDAP" to "Format of data returned by LDAP".
 */
#include "base/arena.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "lookups/lookup_driver.h"
#include "plugins/ldap/ldap_result.h"
#include "plugins/ldap/ldap_server.h"
#include "sys/plugin.h"

enum ldap_kind { KIND_ONE, KIND_MANY, KIND_DN, KIND_AUTH };

/* One lookup on its way. */
struct search {
    struct lookup_ctx *c;
    struct ldap_pool *pool;
    enum ldap_kind kind;
    struct ldap_query query;
    LDAPURLDesc *url;
    struct ldap_connection connection;
    struct ldap_result result;
    struct str dn; /* of the last entry */
    struct str why;
    struct str *data;
};

/* How a server did. */
enum step { STEP_FOUND, STEP_NOT_FOUND, STEP_NEXT, STEP_WRONG };

static struct arena *
scratch(const struct search *s)
{
    return vm_scratch(s->c->vm);
}

static const struct conf_main *
settings(const struct search *s)
{
    return s->c->eval->conf != NULL ? s->c->eval->conf->main : NULL;
}

/* --- answers --- */

static void
take_attribute(struct search *s, LDAPMessage *entry, const char *name)
{
    struct berval **v = ldap_get_values_len(s->connection.ld, entry, name);
    int n = ldap_count_values_len(v);
    if (n > 0) {
        struct str *values = ARENA_ARRAY(scratch(s), struct str, (size_t)n);
        for (int i = 0; i < n; i++)
            values[i] = str_from(v[i]->bv_val, v[i]->bv_len);
        ldap_result_attribute(&s->result, str_from_cstr(name), values, (size_t)n);
    }
    ldap_value_free_len(v);
}

static void
take_entry(struct search *s, LDAPMessage *entry)
{
    LDAP *ld = s->connection.ld;
    BerElement *at = NULL;
    char *dn = ldap_get_dn(ld, entry);
    s->dn = str_dup(scratch(s), dn != NULL ? str_from_cstr(dn) : STR_EMPTY);
    ldap_memfree(dn);
    ldap_result_entry(&s->result, s->dn);
    for (char *name = ldap_first_attribute(ld, entry, &at); name != NULL;
         name = ldap_next_attribute(ld, entry, at)) {
        take_attribute(s, entry, name);
        ldap_memfree(name);
    }
    ber_free(at, 0);
}

/* The code and texts that end a search. */
static enum step
judge_end(struct search *s, LDAPMessage *last)
{
    char *matched = NULL, *text = NULL;
    int code = LDAP_OTHER;
    int rc = ldap_parse_result(s->connection.ld, last, &code, &matched, &text, NULL, NULL, 0);
    if (rc != LDAP_SUCCESS)
        code = rc;
    enum step end = STEP_FOUND;
    if (LDAP_NAME_ERROR(code)) {
        end = STEP_NOT_FOUND;
    } else if (code != LDAP_SUCCESS && code != LDAP_SIZELIMIT_EXCEEDED) {
        bool told = text != NULL && text[0] != '\0',
             near = matched != NULL && matched[0] != '\0';
        s->why = str_printf(scratch(s), "LDAP search failed - error %d: %s%s%s%s%s", code,
                            ldap_err2string(code), told ? "/" : "", told ? text : "",
                            near ? "/" : "", near ? matched : "");
        end = STEP_NEXT;
    }
    ldap_memfree(matched);
    ldap_memfree(text);
    return end;
}

/* Takes messages up to the one that ends the search. */
static enum step
take_answers(struct search *s, int id)
{
    LDAP *ld = s->connection.ld;
    struct timeval wait = ldap_query_wait(&s->query);
    for (;;) {
        LDAPMessage *m = NULL;
        int type = ldap_result(ld, id, LDAP_MSG_ONE, &wait, &m);
        if (type <= 0) {
            int code = LDAP_SERVER_DOWN;
            ldap_get_option(ld, LDAP_OPT_RESULT_CODE, &code);
            s->why = type == 0 ? STR_LIT("ldap_result timed out")
                               : str_printf(scratch(s), "ldap_result failed: %d, %s", type,
                                            ldap_err2string(code));
            return STEP_NEXT;
        }
        if (type == LDAP_RES_SEARCH_ENTRY)
            take_entry(s, m);
        enum step end = type == LDAP_RES_SEARCH_RESULT ? judge_end(s, m) : STEP_FOUND;
        ldap_msgfree(m);
        if (type == LDAP_RES_SEARCH_RESULT)
            return end;
    }
}

static enum step
judge_result(struct search *s)
{
    struct ldap_result *r = &s->result;
    if (r->entries > 1 && s->kind != KIND_MANY) {
        s->why = str_printf(scratch(s),
                            "LDAP search: more than one entry (%u) was returned (filter not "
                            "specific enough?)",
                            r->entries);
        return STEP_WRONG;
    }
    if (r->text.overflow) {
        s->why = str_printf(scratch(s), "LDAP search: the result is longer than %d bytes",
                            LDAP_RESULT_MAX);
        return STEP_WRONG;
    }
    if (!r->any)
        return STEP_NOT_FOUND;
    *s->data = r->text.n > 0 ? buf_str(&r->text) : STR_EMPTY;
    lookup_show_ldap_dn(s->c, s->dn);
    return STEP_FOUND;
}

static int
attributes_n(const LDAPURLDesc *u)
{
    int n = 0;
    while (u->lud_attrs != NULL && u->lud_attrs[n] != NULL)
        n++;
    return n;
}

static void
empty_result(struct search *s)
{
    s->result = (struct ldap_result){.text = buf_in(scratch(s), LDAP_RESULT_MAX),
                                     .dn_only = s->kind == KIND_DN,
                                     .one = attributes_n(s->url) == 1};
}

/* --- a server --- */

static enum step
search_server(struct search *s)
{
    const LDAPURLDesc *u = s->url;
    int id = 0;
    empty_result(s);
    int rc = ldap_search_ext(s->connection.ld, u->lud_dn, u->lud_scope, u->lud_filter,
                             u->lud_attrs, 0, NULL, NULL, NULL, s->query.size, &id);
    if (rc != LDAP_SUCCESS) {
        s->why = str_printf(scratch(s), "ldap_search failed: %d, %s", rc, ldap_err2string(rc));
        return rc == LDAP_SERVER_DOWN ? STEP_NEXT : STEP_WRONG;
    }
    enum step end = take_answers(s, id);
    if (end == STEP_NEXT)
        ldap_pool_drop(s->pool, s->connection.ld);
    return end == STEP_FOUND ? judge_result(s) : end;
}

/* Asks one server; item is what the list or the URL has of it. */
static enum step
ask_server(struct search *s, struct str item)
{
    struct ldap_server server;
    struct str scheme = str_from_cstr(s->url->lud_scheme);
    if (!ldap_server_read(scratch(s), scheme, item, &server, &s->why))
        return STEP_NEXT;
    const struct ldap_request rq = {.arena = scratch(s),
                                    .main = settings(s),
                                    .query = &s->query,
                                    .server = &server,
                                    .ask_again = s->kind == KIND_AUTH};
    enum step end = STEP_NEXT;
    bool again = false;
    do {
        switch (ldap_pool_bind(s->pool, &rq, &s->connection, &s->why)) {
        case LDAP_REFUSED:
            return s->kind == KIND_AUTH ? STEP_NOT_FOUND : STEP_NEXT;
        case LDAP_FAILED:
            return STEP_NEXT;
        case LDAP_BOUND:
            break;
        }
        if (s->kind == KIND_AUTH)
            return STEP_FOUND;
        end = search_server(s);
        /* An idle connection may have been closed by the server meanwhile: one more try with a new one. */
        again = !again && end == STEP_NEXT && s->connection.used;
    } while (again);
    return end;
}

/* The host of the URL as an item of a list of servers. */
static struct str
url_server(struct search *s)
{
    const LDAPURLDesc *u = s->url;
    if (u->lud_host == NULL || u->lud_host[0] == '\0')
        return STR_EMPTY;
    struct str host = str_from_cstr(u->lud_host);
    if (host.p[0] == '/' || u->lud_port == 0)
        return str_dup(scratch(s), host);
    bool v6 = str_chr(host, ':', 0) != STR_NPOS && host.p[0] != '[';
    return str_printf(scratch(s), "%s%.*s%s:%d", v6 ? "[" : "", STR_ARG(host), v6 ? "]" : "",
                      u->lud_port);
}

/* The servers of the query, else of the configuration; STR_NULL: the library's own. */
static struct str
server_list(const struct search *s)
{
    const struct conf_main *m = settings(s);
    if (str_is_set(s->query.servers))
        return s->query.servers;
    return m != NULL ? m->ldap_default_servers.text : STR_NULL;
}

static enum step
ask_servers(struct search *s)
{
    struct str item = url_server(s), list = server_list(s);
    if (item.n > 0 || !str_is_set(list))
        return ask_server(s, item);
    struct strlist_split split = strlist_split_start(list, ':');
    enum step end = STEP_NEXT;
    s->why = STR_LIT("the list of LDAP servers is empty");
    while (end == STEP_NEXT && strlist_split_next(&split, scratch(s), &item))
        end = ask_server(s, item);
    return end;
}

/* --- a query --- */

static enum step
ask(struct search *s)
{
    const char *url = str_cstr(scratch(s), s->query.url);
    if (url == NULL) {
        s->why = STR_LIT("LDAP URL has a zero byte");
        return STEP_WRONG;
    }
    int rc = ldap_url_parse(url, &s->url);
    if (rc != LDAP_URL_SUCCESS) {
        s->why = str_printf(scratch(s), "ldap_url_parse: (error %d) parsing \"%s\"", rc, url);
        return STEP_WRONG;
    }
    enum step end = ask_servers(s);
    ldap_free_urldesc(s->url);
    return end;
}

/* What ldapauth needs; an empty password is never asked about: a server may take it for no user at all. */
static bool
check_auth(struct search *s, enum step *end)
{
    const struct ldap_query *q = &s->query;
    *end = STEP_WRONG;
    if (s->kind != KIND_AUTH)
        return true;
    if (!str_is_set(q->user) || !str_is_set(q->pass)) {
        s->why = STR_LIT("ldapauth lookups must specify the username and password");
        return false;
    }
    *end = STEP_NOT_FOUND;
    return q->pass.n > 0;
}

static enum outcome
run(enum ldap_kind kind, struct lookup_ctx *c, void *handle, struct str text, struct str *data)
{
    struct search s = {.c = c, .pool = handle, .kind = kind, .data = data};
    enum step end = STEP_WRONG;
    struct arena *a = scratch(&s);
    c->no_cache = kind == KIND_AUTH;
    if (ldap_query_parse(a, text, &s.query, &s.why) && check_auth(&s, &end) &&
        ldap_query_check_url(a, s.query.url, &s.why))
        end = ask(&s);
    switch (end) {
    case STEP_FOUND:
        return OUT_OK;
    case STEP_NOT_FOUND:
        return OUT_FAIL;
    case STEP_NEXT:
    case STEP_WRONG:
        break;
    }
    vm_defer(c->vm, "%.*s", STR_ARG(s.why));
    return OUT_DEFER;
}

static void *
open_pool(struct lookup_ctx *c, const char *file)
{
    (void)file;
    struct ldap_pool *pool = ldap_pool_new();
    if (pool == NULL)
        vm_fail(c->vm, "out of memory");
    return pool;
}

static bool
check_pool(struct lookup_ctx *c, void *handle, const char *file)
{
    (void)c;
    (void)handle;
    (void)file;
    return true;
}

static void
close_pool(void *handle)
{
    ldap_pool_free(handle);
}

#define LDAP_DRIVER(id, kind, text)                                                            \
    static enum outcome find_##id(struct lookup_ctx *c, void *handle, const char *file,        \
                                  struct str key, struct str *data)                            \
    {                                                                                          \
        (void)file;                                                                            \
        return run(kind, c, handle, key, data);                                                \
    }                                                                                          \
    static const struct lookup_driver lookup_##id = {                                          \
        .name = STR_INIT(#id),                                                                 \
        .flags = LOOKUP_QUERY,                                                                 \
        .open = open_pool,                                                                     \
        .check = check_pool,                                                                   \
        .find = find_##id,                                                                     \
        .close = close_pool,                                                                   \
        .doc = (text),                                                                         \
    }

LDAP_DRIVER(ldap, KIND_ONE, "attributes of one entry of a directory server");
LDAP_DRIVER(ldapdn, KIND_DN, "distinguished name of one entry");
LDAP_DRIVER(ldapm, KIND_MANY, "attributes of several entries");
LDAP_DRIVER(ldapauth, KIND_AUTH, "a user and a password that a directory server accepts");

static const void *const objects[] = {&lookup_ldap, &lookup_ldapdn, &lookup_ldapm,
                                      &lookup_ldapauth};

extern const struct plugin remex_plugin;
PLUGIN_ENTRY const struct plugin remex_plugin = {
    .abi = PLUGIN_ABI,
    .kind = PLUGIN_KIND_LOOKUP,
    .name = "ldap",
    .objects = objects,
    .n = sizeof objects / sizeof objects[0],
};
