/* The lookup engine: from a type and a key to the data, with partial matching, default keys and caches.
 *
 * Texts of errors and the order of tries are Exim's, found by asking it; the one difference is that a file
 * that changed is read again at once. Must never let a tainted file name through.
 */
#include "lookups/lookup.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/main_options.h"

#include <string.h>

/* One lookup on its way. */
struct search {
    struct lookup_ctx x;
    struct lookup_cache *cache;
    const struct lookup_type *t;
    const struct lookup_driver *driver; /* with its functions */
    struct str file;
    struct str key;
    bool no_read, no_write; /* of the result cache */
};

static enum outcome
fail_open(struct vm *vm, const char *text)
{
    vm_fail(vm, "%s", text);
    return OUT_ERROR;
}

/* --- one key --- */

/* Exim logs a tainted query that is not quoted for its type, and goes on. */
static void
check_quoting(const struct search *s, struct str query)
{
    const struct lookup_driver *d = s->t->driver;
    if ((d->flags & LOOKUP_QUERY) == 0 || (d->flags & LOOKUP_TAINT_OK) != 0 ||
        d->quote == NULL || !str_is_tainted(query) || query.taint == STR_QUOTED + s->t->quoter)
        return;
    struct str line =
        str_printf(vm_scratch(s->x.vm), "tainted search query is not properly quoted: %.*s",
                   STR_ARG(query));
    lookup_cache_log(s->cache, line);
}

static enum outcome
run_driver(struct search *s, struct lookup_handle *h, struct str key, struct str *data)
{
    check_quoting(s, key);
    if (!lookup_cache_enter(s->cache, h)) {
        vm_defer(s->x.vm, "lookups are nested too deeply");
        return OUT_DEFER;
    }
    s->x.no_cache = false;
    *data = STR_EMPTY;
    enum outcome o = s->driver->find(&s->x, h->state, h->file, key, data);
    lookup_cache_leave(s->cache, h);
    if (o != OUT_OK)
        return o;
    uint32_t taint = (s->driver->flags & LOOKUP_TAINTED_DATA) != 0 ? STR_TAINTED : STR_CLEAN;
    *data = str_dup(vm_scratch(s->x.vm), *data);
    data->taint = taint; /* rule: what a lookup finds is ours, not the peer's */
    return OUT_OK;
}

/* Looks up one key as it is. */
static enum outcome
find_key(struct search *s, struct str key, struct str *data)
{
    bool found;
    struct lookup_handle *h = lookup_cache_open(s->cache, &s->x, s->driver, s->file);
    if (h == NULL)
        return OUT_ERROR;
    if (key.n == 0)
        return OUT_FAIL; /* a bad file is an error all the same */
    if ((s->driver->flags & LOOKUP_NO_RESULTS) != 0)
        return run_driver(s, h, key, data);
    if (!s->no_read && lookup_cache_result(&s->x, h, key, &found, data)) {
        if (found)
            *data = str_dup(vm_scratch(s->x.vm), *data);
        return found ? OUT_OK : OUT_FAIL;
    }
    enum outcome o = run_driver(s, h, key, data);
    if ((o == OUT_OK || o == OUT_FAIL) && !s->no_write && !s->x.no_cache)
        lookup_cache_keep(&s->x, h, key, o == OUT_OK, *data);
    return o;
}

/* --- several keys --- */

/* $1 and $2; $0 stays what it was. */
static void
set_captures(const struct search *s, struct str wild, struct str fixed)
{
    const struct str *now;
    struct str caps[3] = {STR_EMPTY, wild, fixed};
    if (vm_captures(s->x.vm, &now) > 0)
        caps[0] = now[0];
    vm_set_captures(s->x.vm, caps, 3);
}

static struct str
joined(const struct search *s, struct str a, struct str b)
{
    return str_cat(vm_scratch(s->x.vm), a, b);
}

/* What partial0 tries when no component is left; an empty value: nothing. */
static struct str
bare_affix(struct str affix)
{
    if (affix.n > 1 && affix.p[affix.n - 1] == '.')
        return str_sub(affix, 0, affix.n - 1);
    return affix;
}

/* The keys after the plain one: affix and key, then with components taken off the left one by one while
 * at least t->partial remain, at last the affix alone for partial0. */
static enum outcome
find_partial(struct search *s, struct str *data)
{
    const struct lookup_type *t = s->t;
    struct str key = s->key;
    enum outcome o = OUT_FAIL;
    size_t dots = 0, from = 0, dot;
    for (uint32_t i = 0; i < key.n; i++)
        dots += key.p[i] == '.';
    if (t->affix.n > 0) {
        o = find_key(s, joined(s, t->affix, key), data);
        if (o == OUT_OK)
            set_captures(s, STR_EMPTY, key);
        if (o != OUT_FAIL)
            return o;
    }
    while (dots > 0 && (int64_t)dots >= t->partial &&
           (dot = str_chr(key, '.', from)) != STR_NPOS) {
        dots--;
        from = dot + 1;
        struct str rest = str_sub(key, from, key.n);
        o = find_key(s, joined(s, t->affix, rest), data);
        if (o == OUT_OK)
            set_captures(s, str_sub(key, 0, dot), rest);
        if (o != OUT_FAIL)
            return o;
    }
    struct str bare = bare_affix(t->affix);
    if (t->partial != 0 || bare.n == 0)
        return OUT_FAIL;
    o = find_key(s, bare, data);
    if (o == OUT_OK) /* all but the last byte, as Exim has it */
        set_captures(s, str_sub(key, 0, key.n > 0 ? key.n - 1 : 0), STR_EMPTY);
    return o;
}

/* "*@domain" when something stands before the last @. */
static enum outcome
find_star_at(struct search *s, struct str *data)
{
    size_t at = str_rchr(s->key, '@');
    if (at == STR_NPOS || at == 0)
        return OUT_FAIL;
    struct str domain = str_sub(s->key, at, s->key.n);
    enum outcome o = find_key(s, joined(s, STR_LIT("*"), domain), data);
    if (o == OUT_OK)
        set_captures(s, str_sub(s->key, 0, at), STR_EMPTY);
    return o;
}

static enum outcome
find_star(struct search *s, struct str *data)
{
    enum outcome o = find_key(s, STR_LIT("*"), data);
    if (o == OUT_OK)
        set_captures(s, s->key, STR_EMPTY);
    return o;
}

static enum outcome
find_all(struct search *s, struct str *data)
{
    enum outcome o = find_key(s, s->key, data);
    if (o == OUT_OK && s->t->partial >= 0)
        set_captures(s, STR_EMPTY, s->key);
    if (o == OUT_FAIL && s->t->partial >= 0)
        o = find_partial(s, data);
    if (o == OUT_FAIL && s->t->star_at)
        o = find_star_at(s, data);
    if (o == OUT_FAIL && s->t->star)
        o = find_star(s, data);
    return o;
}

/* --- the request --- */

static const struct conf_main *
settings(const struct search *s)
{
    const struct conf *conf = s->x.eval->conf;
    return conf != NULL ? conf->main : NULL;
}

/* The file of the main option. */
static enum outcome
take_default_file(struct search *s)
{
    const struct conf_main *m = settings(s);
    if (m == NULL || !str_is_set(m->sqlite_dbfile.text))
        return OUT_OK;
    return vm_expand_x(s->x.vm, &m->sqlite_dbfile, &s->file) == VM_OK ? OUT_OK : OUT_ERROR;
}

/* Where an SQLite query finds its file: option, start of the query, main option. */
static enum outcome
take_query_file(struct search *s)
{
    struct str option = lookup_option(s->t->options, "file");
    struct str q = str_trim_left(s->key);
    if (str_is_set(option)) {
        s->file = option;
        return OUT_OK;
    }
    if (q.n == 0 || q.p[0] != '/')
        return s->file.n == 0 ? take_default_file(s) : OUT_OK;
    uint32_t n = 0;
    while (n < q.n && !ascii_space(q.p[n]))
        n++;
    s->file = str_sub(q, 0, n);
    s->key = str_trim_left(str_sub(q, n, q.n));
    return OUT_OK;
}

static int
lock_wait_ms(const struct search *s)
{
    const struct conf_main *m = settings(s);
    int64_t seconds = m != NULL ? m->sqlite_lock_timeout : 5;
    return seconds < 0 ? 0 : seconds > 86400 ? 86400 * 1000 : (int)(seconds * 1000);
}

/* To the main and the panic log of who handles a message; tests of strings show it. */
static void
tell(const struct search *s, struct str text)
{
    const struct eval *e = vm_env(s->x.vm);
    if (e != NULL && e->log != NULL)
        e->log(e->log_ctx, true, text);
    else
        lookup_cache_log(s->cache, text);
}

static enum outcome
check_file(const struct search *s)
{
    const struct lookup_driver *d = s->t->driver;
    struct vm *vm = s->x.vm;
    if ((d->flags & LOOKUP_FILE_QUERY) != 0 && (s->file.n == 0 || s->file.p[0] != '/')) {
        vm_fail(vm, "absolute file name expected for \"%.*s\" lookup", STR_ARG(d->name));
        return OUT_ERROR;
    }
    if (str_is_tainted(s->file)) {
        tell(s, str_printf(vm_scratch(vm), "Tainted filename for search: '%.*s'",
                           STR_ARG(s->file)));
        return fail_open(vm, "NULL");
    }
    if (str_has_nul(s->file))
        return fail_open(vm, "file name for lookup contains a zero byte");
    return OUT_OK;
}

/* The options without the one called cache, which is no part of what is asked. */
static struct str
other_options(const struct search *s)
{
    struct buf b = buf_in(vm_scratch(s->x.vm), 0);
    struct strlist_split split = strlist_split_start(s->t->options, ',');
    struct str one;
    while (strlist_split_next(&split, vm_scratch(s->x.vm), &one)) {
        if (str_starts(one, "cache="))
            continue;
        if (b.n > 0)
            buf_addc(&b, ',');
        buf_adds(&b, one);
    }
    return buf_str(&b);
}

/* cache=no, no_rd, no_wr; other values mean nothing, as in Exim. */
static void
read_cache_option(struct search *s)
{
    struct str v = lookup_option(s->t->options, "cache");
    if (!str_is_set(v))
        return;
    s->no_read = str_eqz(v, "no") || str_eqz(v, "no_rd");
    s->no_write = str_eqz(v, "no") || str_eqz(v, "no_wr");
    s->x.options = other_options(s);
}

/* Whether there is a cache, made now if need be. */
static bool
has_cache(struct eval *e)
{
    if (e != NULL && e->lookups == NULL && e->arena != NULL)
        e->lookups = lookup_cache_new(e->arena);
    return e != NULL && e->lookups != NULL;
}

enum outcome
lookup_find(struct eval *e, struct vm *vm, const struct lookup_type *t, struct str file,
            struct str key_or_query, struct str *data)
{
    if (!has_cache(e))
        return fail_open(vm, "lookups are not possible here");
    struct search s = {.x = {.eval = e, .vm = vm, .options = t->options},
                       .cache = e->lookups,
                       .t = t,
                       .file = file,
                       .key = key_or_query};
    enum outcome o = OUT_OK;
    if ((t->driver->flags & LOOKUP_FILE_QUERY) != 0) {
        s.x.lock_wait_ms = lock_wait_ms(&s);
        o = take_query_file(&s);
    }
    if (o == OUT_OK)
        o = check_file(&s);
    if (o == OUT_OK)
        s.driver = lookup_cache_driver(s.cache, &s.x, t->driver);
    if (s.driver == NULL)
        return OUT_ERROR;
    if (t->options.n > 0)
        read_cache_option(&s);
    o = (s.driver->flags & LOOKUP_QUERY) != 0 ? find_key(&s, s.key, data) : find_all(&s, data);
    if (o == OUT_OK && t->options.n > 0 && (s.driver->flags & LOOKUP_QUERY) == 0 &&
        str_eqz(lookup_option(t->options, "ret"), "key"))
        *data = str_untaint_by_rule(key_or_query, "ret=key: the key is in the file");
    return o;
}

/* It is a condition only, so no row of the table; its plugin is that of the lookups. */
static const struct lookup_driver ldapauth = {
    .name = STR_INIT("ldapauth"), .flags = LOOKUP_QUERY, .plugin = "ldap"};

enum vm_status
lookup_ldapauth(struct eval *e, struct vm *vm, struct str query)
{
    const struct lookup_type t = {.driver = &ldapauth, .partial = -1};
    struct str nothing;
    /* An empty query is no key that cannot be there, as for lookups, but an error. */
    enum outcome o =
        lookup_find(e, vm, &t, STR_EMPTY, query.n > 0 ? query : STR_LIT(" "), &nothing);
    if (o == OUT_OK)
        return VM_OK;
    if (o == OUT_FAIL)
        return VM_NO;
    struct str why = str_dup(vm_scratch(vm), vm_error(vm));
    return vm_fail(vm, "%.*s", STR_ARG(why));
}

/* --- plugins ahead of time --- */

static void
preload_one(struct eval *e, struct vm *vm, const struct lookup_driver *d, struct str text)
{
    struct lookup_ctx x = {.eval = e, .vm = vm, .options = STR_EMPTY};
    if (d->plugin != NULL && str_has_word(text, d->name))
        (void)lookup_cache_driver(e->lookups, &x, d);
}

void
lookup_preload(struct eval *e, struct vm *vm, struct str text)
{
    const struct lookup_driver *d;
    if (!has_cache(e))
        return;
    for (size_t i = 0; (d = lookup_type_driver_at(i)) != NULL; i++)
        preload_one(e, vm, d, text);
    preload_one(e, vm, &ldapauth, text);
}

/* --- host functions --- */

enum vm_status
lookup_host_type(void *env, struct vm *vm, struct str type, struct host_lookup_type *out)
{
    struct lookup_type t;
    struct eval *e = env;
    enum vm_status st = has_cache(e) ? lookup_cache_type(e->lookups, vm, type, &t)
                                     : lookup_type_parse(vm, type, &t);
    if (st != VM_OK)
        return st;
    out->query_style = (t.driver->flags & LOOKUP_QUERY) != 0;
    out->file_query = (t.driver->flags & LOOKUP_FILE_QUERY) != 0;
    return VM_OK;
}

/* Whether the type was used in its own style. */
static enum vm_status
check_style(struct vm *vm, const struct lookup_type *t, const struct host_lookup *q)
{
    bool query_style = (t->driver->flags & LOOKUP_QUERY) != 0;
    if (query_style == q->query_style)
        return VM_OK;
    if (query_style)
        return vm_fail(vm,
                       "a single key was given for lookup type \"%.*s\", which is not a "
                       "single-key lookup type",
                       STR_ARG(q->type));
    return vm_fail(vm, "missing {key} for single-key \"%.*s\" lookup", STR_ARG(q->type));
}

enum vm_status
lookup_host_find(void *env, struct vm *vm, const struct host_lookup *q, struct str *out)
{
    struct lookup_type t;
    if (!has_cache(env))
        return vm_fail(vm, "lookups are not possible here");
    if (lookup_cache_type(((struct eval *)env)->lookups, vm, q->type, &t) != VM_OK ||
        check_style(vm, &t, q) != VM_OK)
        return VM_ERROR;
    struct str key = q->query_style ? q->file : q->key;
    struct str file = q->query_style ? STR_EMPTY : q->file;
    switch (lookup_find(env, vm, &t, file, key, out)) {
    case OUT_OK:
        return VM_OK;
    case OUT_DEFER: {
        if (q->for_list)
            return VM_DEFER;
        struct str why = str_dup(vm_scratch(vm), vm_error(vm));
        return vm_defer(vm, "lookup of \"%.*s\" gave DEFER: \"%.*s\"", STR_ARG(key),
                        STR_ARG(why));
    }
    case OUT_ERROR:
        return VM_ERROR;
    case OUT_FAIL:
    case OUT_DECLINE:
    case OUT_PASS:
        break;
    }
    return VM_NO;
}

enum vm_status
lookup_host_quote(void *env, struct vm *vm, struct str type, struct str in, struct str opt,
                  struct str *out)
{
    (void)env;
    const struct lookup_driver *d = lookup_type_driver(type);
    if (d == NULL)
        return VM_NO;
    enum vm_status st = VM_OK;
    if (d->quote != NULL)
        st = d->quote(vm, in, opt, out);
    else if (str_is_set(opt))
        st = VM_NO;
    else
        *out = in;
    if (st == VM_NO)
        return vm_fail(vm, "\"%.*s\" unrecognized after \"${quote_%.*s\"", STR_ARG(opt),
                       STR_ARG(type));
    if (st == VM_OK && d->quote != NULL && str_is_tainted(in))
        out->taint = STR_QUOTED + lookup_type_quoter(d);
    return st;
}
