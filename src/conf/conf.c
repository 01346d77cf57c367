/* A configuration: reading all of it, the checks afterwards, and looking things up. */
#include "conf/conf.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/section.h"
#include "sys/user.h"

static void
keep_macros(struct conf *c, const struct macro_table *t)
{
    for (size_t i = 0; i < macro_count(t); i++)
        vec_push(c->arena, &c->macros, macro_at(t, i));
}

struct conf *
conf_read(struct arena *a, const struct conf_request *rq, struct diags *diags)
{
    struct conf *c = ARENA_NEW(a, struct conf);
    c->arena = a;
    c->main_set = opt_new(a, rq->main_opts);
    c->main = c->main_set.fields;
    for (size_t i = 0; i < sizeof c->lists / sizeof c->lists[0]; i++)
        c->lists[i] = map_new(a, MAP_CASEFUL);
    struct section_run s = {.conf = c, .rq = rq, .macros = macro_table_new(a, rq)};
    s.ctx = (struct opt_ctx){.arena = a,
                             .diags = diags,
                             .vm = rq->vm,
                             .users = user_cache_new(a),
                             .rewrite = rq->headers_rewrite};
    s.reader = reader_new(c, rq, s.macros, diags);
    if (s.reader == NULL)
        return NULL;
    section_read_all(&s);
    keep_macros(c, s.macros);
    if (diags_count(diags, DIAG_ERROR) == 0)
        conf_check(c, diags);
    return diags_count(diags, DIAG_ERROR) == 0 ? c : NULL;
}

/* --- checks --- */

/* The text of a generic string option of an instance, or STR_NULL. */
static struct str
text_option(const struct driver_instance *d, const char *name)
{
    int row = opt_find(d->generic.table, str_from_cstr(name));
    if (row < 0)
        return STR_NULL;
    const struct opt *o = &d->generic.table->rows[row];
    const void *field = (const char *)d->generic.fields + o->offset;
    if (o->type == OPT_T_STR)
        return *(const struct str *)field;
    return o->type == OPT_T_XSTR ? ((const struct xstr *)field)->text : STR_NULL;
}

static struct span
where_option(const struct driver_instance *d, const char *name)
{
    return opt_where(&d->generic, opt_find(d->generic.table, str_from_cstr(name)));
}

/* Exim gives no line for what it finds when everything has been read. */
static void
check_fault(struct diags *diags, struct span at, struct str text)
{
    diags_add(diags, &(struct diag){.level = DIAG_ERROR,
                                    .at = at,
                                    .text = text,
                                    .exim = text,
                                    .exim_place = STR_EMPTY});
}

static size_t
router_number(const struct conf *c, struct str name)
{
    size_t i = 0;
    while (i < c->routers.n && !str_eq(c->routers.v[i]->name, name))
        i++;
    return i;
}

/* A router that another one names: it must be there, and further down if `after`. */
static void
check_router_named(const struct conf *c, size_t i, const char *option, bool after,
                   struct diags *diags)
{
    const struct driver_instance *d = c->routers.v[i];
    struct str name = text_option(d, option);
    if (!str_is_set(name))
        return;
    size_t k = router_number(c, name);
    struct span at = where_option(d, option);
    if (k == c->routers.n)
        check_fault(diags, at,
                    str_printf(c->arena, "new_router \"%.*s\" not found for \"%.*s\" router",
                               STR_ARG(name), STR_ARG(d->name)));
    else if (after && k <= i)
        check_fault(diags, at,
                    str_printf(c->arena, "new_router \"%.*s\" does not follow \"%.*s\" router",
                               STR_ARG(name), STR_ARG(d->name)));
}

/* Only a warning: Exim finds out when an address gets there. */
static void
check_transport_named(const struct conf *c, const struct driver_instance *d, const char *option,
                      struct diags *diags)
{
    struct str name = text_option(d, option);
    if (!str_is_set(name) || name.n == 0 || !expand_is_literal(name) ||
        conf_transport(c, name) != NULL)
        return;
    struct str *names = ARENA_ARRAY(c->arena, struct str, c->transports.n);
    for (size_t i = 0; i < c->transports.n; i++)
        names[i] = c->transports.v[i]->name;
    struct str text = str_printf(c->arena, "router %.*s: there is no transport \"%.*s\"",
                                 STR_ARG(d->name), STR_ARG(name));
    diags_add(diags, &(struct diag){.level = DIAG_WARNING,
                                    .at = where_option(d, option),
                                    .text = text,
                                    .hint = diag_nearest(name, names, c->transports.n)});
}

/* Does it offer itself to clients? True when an option of the server side is set that makes it one. */
static bool
is_server(const struct driver_instance *d)
{
    if (opt_is_set(&d->generic, opt_find(d->generic.table, STR_LIT("server_condition"))))
        return true;
    for (size_t i = 0; i < d->own.places.n; i++)
        if (str_starts(d->own.table->rows[d->own.places.v[i].row].name, "server_"))
            return true;
    return false;
}

static void
check_public_names(const struct conf *c, struct diags *diags)
{
    for (size_t i = 0; i < c->auths.n; i++) {
        const struct driver_instance *x = c->auths.v[i];
        struct str name = text_option(x, "public_name");
        for (size_t k = i + 1; k < c->auths.n && str_is_set(name); k++) {
            const struct driver_instance *y = c->auths.v[k];
            if (str_ieq(name, text_option(y, "public_name")) && is_server(x) && is_server(y))
                check_fault(diags, where_option(y, "public_name"),
                            str_printf(c->arena,
                                       "two server authenticators (%.*s and %.*s) have the same "
                                       "public name (%.*s)",
                                       STR_ARG(x->name), STR_ARG(y->name), STR_ARG(name)));
        }
    }
}

bool
conf_check(const struct conf *c, struct diags *diags)
{
    size_t before = diags_count(diags, DIAG_ERROR);
    for (size_t i = 0; i < c->routers.n; i++) {
        check_router_named(c, i, "pass_router", true, diags);
        check_router_named(c, i, "redirect_router", false, diags);
        check_transport_named(c, c->routers.v[i], "transport", diags);
    }
    check_public_names(c, diags);
    return diags_count(diags, DIAG_ERROR) == before;
}

/* --- looking up --- */

static struct driver_instance *
find_instance(struct driver_instance *const *v, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i]->name, name))
            return v[i];
    return NULL;
}

struct driver_instance *
conf_router(const struct conf *c, struct str name)
{
    return find_instance(c->routers.v, c->routers.n, name);
}

struct driver_instance *
conf_transport(const struct conf *c, struct str name)
{
    return find_instance(c->transports.v, c->transports.n, name);
}

struct driver_instance *
conf_auth(const struct conf *c, struct str name)
{
    return find_instance(c->auths.v, c->auths.n, name);
}

/* --- Exim's words --- */

void
conf_print_exim(struct buf *out, const struct diag *d)
{
    struct str text = str_is_set(d->exim) ? d->exim : d->text;
    uint32_t line = d->at.last_line != 0 ? d->at.last_line : d->at.line;
    bool bare = d->at.source == NULL && !str_is_set(d->exim_place);
    if (!bare) {
        buf_addz(out, "Exim configuration error");
        if (str_is_set(d->exim_place))
            buf_adds(out, d->exim_place);
        else
            buf_printf(out, " in line %u of %.*s", line, STR_ARG(d->at.source->name));
        buf_addz(out, ":\n  ");
    }
    buf_adds(out, text);
    buf_addc(out, '\n');
}
