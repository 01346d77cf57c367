/* Built-in macros, looked up where a line names one. */
#include "conf/macro_builtin.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/macro.h"

#include <string.h>

struct macro_builtins {
    const struct conf_request *rq;
    VEC(struct str) classes; /* "_HAVE_", "_LOG_", ... of the request's own */
};

static bool
begins(struct str s, struct str prefix)
{
    return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

/* "_HAVE_" of "_HAVE_TLS". */
static struct str
class_of(struct str name)
{
    size_t end = str_chr(name, '_', 1);
    return str_sub(name, 0, end == STR_NPOS ? name.n : end + 1);
}

struct macro_builtins *
macro_builtins_new(struct arena *a, const struct conf_request *rq)
{
    struct macro_builtins *b = ARENA_NEW(a, struct macro_builtins);
    b->rq = rq;
    for (size_t i = 0; i < rq->builtins_n; i++) {
        struct str class = class_of(str_from_cstr(rq->builtins[i].name));
        size_t k = 0;
        while (k < b->classes.n && !str_eq(b->classes.v[k], class))
            k++;
        if (k == b->classes.n)
            vec_push(a, &b->classes, class);
    }
    return b;
}

/* True if s begins with the name in capitals. */
static bool
begins_upper(struct str s, struct str name)
{
    if (s.n < name.n)
        return false;
    for (uint32_t i = 0; i < name.n; i++)
        if (s.p[i] != ascii_upper(name.p[i]))
            return false;
    return true;
}

static bool
row_has_macro(const struct opt *o)
{
    return (o->flags & OPT_HIDDEN) == 0;
}

static size_t
longest_row(const struct opt_table *t, struct str s)
{
    size_t best = 0;
    for (size_t i = 0; t != NULL && i < t->n; i++)
        if (t->rows[i].name.n > best && row_has_macro(&t->rows[i]) &&
            begins_upper(s, t->rows[i].name))
            best = t->rows[i].name.n;
    return best;
}

/* After "_DRIVER_ROUTER_": the longest driver name. */
static size_t
longest_driver(const struct driver_class *c, struct str s)
{
    size_t best = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->drivers[i]->name.n > best && begins_upper(s, c->drivers[i]->name))
            best = c->drivers[i]->name.n;
    return best;
}

/* After "_OPT_ROUTER_": the longest DRIVER_OPTION. */
static size_t
longest_driver_row(const struct driver_class *c, struct str s)
{
    size_t best = 0;
    for (size_t i = 0; i < c->n; i++) {
        struct str name = c->drivers[i]->name;
        if (!begins_upper(s, name) || s.n == name.n || s.p[name.n] != '_')
            continue;
        size_t n = longest_row(c->drivers[i]->opts, str_sub(s, name.n + 1, s.n));
        if (n > 0 && name.n + 1 + n > best)
            best = name.n + 1 + n;
    }
    return best;
}

/* Length of a name of class c after "_OPT_" or "_DRIVER_", or 0. */
static size_t
driver_class_at(const struct driver_class *c, struct str s, bool option)
{
    if (c == NULL || !begins_upper(s, str_from_cstr(c->what)))
        return 0;
    size_t at = strlen(c->what);
    struct str rest = str_sub(s, at, s.n);
    if (option && str_starts(rest, "S_")) {
        size_t n = longest_row(c->generic, str_sub(rest, 2, rest.n));
        return n > 0 ? at + 2 + n : 0;
    }
    if (!str_starts(rest, "_"))
        return 0;
    rest = str_sub(rest, 1, rest.n);
    size_t n = option ? longest_driver_row(c, rest) : longest_driver(c, rest);
    return n > 0 ? at + 1 + n : 0;
}

static size_t
table_name_at(const struct conf_request *rq, struct str s)
{
    bool option = str_starts(s, "_OPT_");
    if (!option && !str_starts(s, "_DRIVER_"))
        return 0;
    size_t at = option ? 5 : 8;
    struct str rest = str_sub(s, at, s.n);
    if (option && str_starts(rest, "MAIN_")) {
        size_t n = longest_row(rq->main_opts, str_sub(rest, 5, rest.n));
        return n > 0 ? at + 5 + n : 0;
    }
    const struct driver_class *const classes[] = {rq->routers, rq->transports, rq->auths};
    for (size_t i = 0; i < 3; i++) {
        size_t n = driver_class_at(classes[i], rest, option);
        if (n > 0)
            return at + n;
    }
    return 0;
}

static size_t
feature_at(const struct macro_builtins *b, struct str s, struct str *text)
{
    size_t k = 0;
    while (k < b->classes.n && !begins(s, b->classes.v[k]))
        k++;
    if (k == b->classes.n)
        return 0;
    size_t best = 0;
    for (size_t i = 0; i < b->rq->builtins_n; i++) {
        struct str name = str_from_cstr(b->rq->builtins[i].name);
        if (name.n > best && begins(s, name)) {
            best = name.n;
            *text = str_from_cstr(b->rq->builtins[i].text);
        }
    }
    return best;
}

size_t
macro_builtin_at(const struct macro_builtins *b, struct str s, struct str *text)
{
    struct str ignored;
    if (text == NULL)
        text = &ignored;
    *text = STR_LIT("y");
    size_t n = s.n > 1 && (s.p[1] == 'O' || s.p[1] == 'D') ? table_name_at(b->rq, s) : 0;
    return n > 0 ? n : feature_at(b, s, text);
}

/* --- listing --- */

struct listing {
    struct arena *arena;
    void (*fn)(void *ctx, struct str name, struct str text);
    void *ctx;
};

static void
list_name(const struct listing *l, const char *a, const char *b, struct str c, struct str d)
{
    struct buf name = buf_in(l->arena, 0);
    buf_printf(&name, "%s%s%.*s%s%.*s", a, b, STR_ARG(c), c.n > 0 ? "_" : "", STR_ARG(d));
    l->fn(l->ctx, str_upper(l->arena, buf_str(&name)), STR_LIT("y"));
}

/* From the last to the first, as Exim lists them: a longer name comes before its beginning. */
static void
list_rows(const struct listing *l, const char *what, struct str driver,
          const struct opt_table *t)
{
    for (size_t i = t != NULL ? t->n : 0; i > 0; i--)
        if (row_has_macro(&t->rows[i - 1]))
            list_name(l, "_opt_", what, driver, t->rows[i - 1].name);
}

static void
list_class(const struct listing *l, const struct driver_class *c)
{
    if (c == NULL)
        return;
    const char *one = str_printf(l->arena, "%s_", c->what).p;
    const char *all = str_printf(l->arena, "%ss_", c->what).p;
    for (size_t i = c->n; i > 0; i--) {
        const struct driver *d = c->drivers[i - 1];
        list_rows(l, one, d->name, d->opts);
        list_name(l, "_driver_", one, STR_EMPTY, d->name);
    }
    list_rows(l, all, STR_EMPTY, c->generic);
}

void
macro_each_builtin(struct arena *a, const struct conf_request *rq,
                   void (*fn)(void *ctx, struct str name, struct str text), void *ctx)
{
    struct listing l = {a, fn, ctx};
    for (size_t i = 0; i < rq->builtins_n; i++)
        fn(ctx, str_from_cstr(rq->builtins[i].name), str_from_cstr(rq->builtins[i].text));
    list_class(&l, rq->auths);
    list_class(&l, rq->transports);
    list_class(&l, rq->routers);
    list_rows(&l, "main_", STR_EMPTY, rq->main_opts);
}
