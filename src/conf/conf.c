/* A configuration: reading all of it, the checks afterwards, and looking things up. */
#include "conf/conf.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/main_check.h"
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
    if (rq->partial != NULL)
        *rq->partial = c;
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

static void
check_class(const struct conf *c, struct driver_instance *const *v, size_t n,
            struct diags *diags)
{
    if (n > 0 && v[0]->cls->check_all != NULL)
        v[0]->cls->check_all(c, diags);
}

bool
conf_check(const struct conf *c, struct diags *diags)
{
    size_t before = diags_count(diags, DIAG_ERROR);
    main_check(c, diags);
    check_class(c, c->routers.v, c->routers.n, diags);
    check_class(c, c->transports.v, c->transports.n, diags);
    check_class(c, c->auths.v, c->auths.n, diags);
    for (size_t i = 0; i < c->routers.n; i++)
        check_transport_named(c, c->routers.v[i], "transport", diags);
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
