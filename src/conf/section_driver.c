/* Sections of driver instances: routers, transports, authenticators.
 *
 * A generic option may stand before `driver`, a private one may not. Source: specification, section "Format of
 * driver configurations".
 */
#include "conf/section.h"

#include "base/arena.h"

enum { INSTANCE_NAME_MAX = 63 };

struct driver_run {
    struct section_run *s;
    const struct section_drivers *kind;
    struct driver_instance *open; /* the instance that options go to, or NULL */
    bool faulty;                  /* it has an error: it is not checked */
    struct map *names;
    /* Which options are hidden is common to all instances of a driver. */
    uint64_t *hide_generic;
    uint64_t **hide_own; /* by driver */
};

/* Exim gives no line for these. */
static void
instance_fault(struct driver_run *r, struct span at, struct str text)
{
    diags_add(r->s->ctx.diags, &(struct diag){.level = DIAG_ERROR,
                                              .at = at,
                                              .text = text,
                                              .exim = text,
                                              .exim_place = STR_EMPTY});
}

static void
close_instance(struct driver_run *r)
{
    struct driver_instance *d = r->open;
    struct arena *a = r->s->ctx.arena;
    r->open = NULL;
    if (d == NULL)
        return;
    if (d->driver == NULL) {
        if (!r->faulty)
            instance_fault(r, d->where,
                           str_printf(a, "no driver defined for %s \"%.*s\"",
                                      r->kind->cls->what, STR_ARG(d->name)));
        return;
    }
    r->kind->add(r->s->conf, d);
    if (!r->faulty && d->driver->check != NULL)
        d->driver->check(a, d, r->s->ctx.diags);
}

static void
open_instance(struct driver_run *r, struct str name)
{
    struct section_run *s = r->s;
    struct arena *a = s->ctx.arena;
    const struct driver_class *cls = r->kind->cls;
    struct driver_instance *d = ARENA_NEW(a, struct driver_instance);
    d->name = name;
    d->cls = cls;
    d->where = textmap_span(s->line.map, 0, name.n);
    d->generic = opt_new(a, cls->generic);
    if (r->hide_generic == NULL)
        r->hide_generic = d->generic.hide;
    d->generic.hide = r->hide_generic;
    r->open = d;
    r->faulty = false;
    if (map_has(r->names, name)) {
        instance_fault(
            r, d->where,
            str_printf(a, "there are two %ss called \"%.*s\"", cls->what, STR_ARG(name)));
        r->faulty = true;
    }
    map_set(r->names, name, d);
}

/* The name of an instance at the start of the line; its length, or 0. *rest is what follows the colon. */
static size_t
instance_name(struct str text, size_t *rest)
{
    size_t n = 0;
    if (text.n > 0 && ascii_alpha(text.p[0]))
        while (n < text.n && (ascii_alnum(text.p[n]) || text.p[n] == '_'))
            n++;
    size_t i = n;
    while (i < text.n && ascii_space(text.p[i]))
        i++;
    if (n == 0 || i >= text.n || text.p[i] != ':')
        return 0;
    for (i++; i < text.n && ascii_space(text.p[i]); i++)
        ;
    *rest = i;
    return n;
}

static void
name_line(struct driver_run *r, size_t n, size_t rest)
{
    struct section_run *s = r->s;
    struct str text = s->line.text;
    close_instance(r);
    open_instance(r, str_sub(text, 0, n));
    if (n > INSTANCE_NAME_MAX) {
        section_fault(s, 0, n,
                      "exim item name too long (>%d), unable to use \"%.*s\" (truncated)",
                      INSTANCE_NAME_MAX + 1, INSTANCE_NAME_MAX, text.p);
        r->faulty = true;
    } else if (rest < text.n) {
        section_fault(s, rest, text.n - rest, "extra characters follow driver name %.*s",
                      (int)n, text.p);
        r->faulty = true;
    }
}

/* After `driver = x`: finds the driver and makes its private options. */
static void
choose_driver(struct driver_run *r, const struct opt_line *l)
{
    struct driver_instance *d = r->open;
    const struct driver_class *cls = r->kind->cls;
    struct arena *a = r->s->ctx.arena;
    int row = opt_find(cls->generic, STR_LIT("driver"));
    size_t offset = cls->generic->rows[row].offset;
    struct str name = *(const struct str *)((const char *)d->generic.fields + offset);
    size_t i = 0;
    while (i < cls->n && !str_eq(cls->drivers[i]->name, name))
        i++;
    if (i < cls->n) {
        d->driver = cls->drivers[i];
        d->own = opt_new(a, d->driver->opts);
        if (r->hide_own[i] == NULL)
            r->hide_own[i] = d->own.hide;
        d->own.hide = r->hide_own[i];
        return;
    }
    r->faulty = true;
    struct str *names = ARENA_ARRAY(a, struct str, cls->n);
    for (i = 0; i < cls->n; i++)
        names[i] = cls->drivers[i]->name;
    struct opt_line value = *l;
    value.name_at = l->text.n - name.n;
    value.name = name;
    struct str text = str_printf(a, "%s %.*s: cannot find %s driver \"%.*s\"", cls->what,
                                 STR_ARG(d->name), cls->what, STR_ARG(name));
    section_unknown_option(r->s, &value, text, text, diag_nearest(name, names, cls->n));
}

static void
unknown_driver_option(struct driver_run *r, const struct opt_line *l)
{
    struct arena *a = r->s->ctx.arena;
    const struct driver_instance *d = r->open;
    bool no_driver = d->driver == NULL;
    struct str hint = opt_nearest(a, r->kind->cls->generic, l->name);
    if (!no_driver && !str_is_set(hint))
        hint = opt_nearest(a, d->driver->opts, l->name);
    const char *why =
        no_driver ? " (\"driver\" must be specified before any private options)" : "";
    struct str text = str_printf(a, "option \"%.*s\" unknown%s", STR_ARG(l->name), why);
    struct str exim = text;
    if (no_driver && l->hide) /* Exim takes the first word for the name */
        exim = str_printf(a, "option \"hide\" unknown%s", why);
    section_unknown_option(r->s, l, text, exim, hint);
}

static void
option_line(struct driver_run *r)
{
    struct section_run *s = r->s;
    struct driver_instance *d = r->open;
    struct opt_line l = opt_line_scan(s->line.text, s->line.map);
    if (!ascii_alpha(s->line.text.p[0])) {
        section_fault(s, 0, s->line.text.n, "option setting expected: %.*s",
                      STR_ARG(s->line.text));
        r->faulty = true;
        return;
    }
    struct opt_set *set = &d->generic;
    enum opt_result result = opt_parse(&s->ctx, set, &l);
    if (result == OPT_DONE && str_eqz(l.name, "driver"))
        choose_driver(r, &l);
    /* after a driver that nobody knows its private options are left alone */
    bool unknowable = d->driver == NULL && r->faulty;
    if (result == OPT_UNKNOWN && d->driver != NULL) {
        set = &d->own;
        result = opt_parse(&s->ctx, set, &l);
    }
    if (result == OPT_DONE)
        section_no_effect(s, set, &l, d);
    else if (result == OPT_UNKNOWN && !unknowable)
        unknown_driver_option(r, &l);
    if (result != OPT_DONE)
        r->faulty = true;
}

void
section_read_drivers(struct section_run *s, const struct section_drivers *kind)
{
    if (kind->cls == NULL) { /* tests without drivers */
        while (section_next(s))
            ;
        return;
    }
    struct driver_run r = {.s = s, .kind = kind, .names = map_new(s->ctx.arena, MAP_CASEFUL)};
    r.hide_own = ARENA_ARRAY(s->ctx.arena, uint64_t *, kind->cls->n);
    bool reported = false; /* lines outside of an instance are reported once in a row */
    while (section_next(s)) {
        size_t rest = 0;
        if (section_at_macro(s)) { /* ends the instance */
            close_instance(&r);
            section_macro(s);
            continue;
        }
        size_t n = instance_name(s->line.text, &rest);
        if (n > 0)
            name_line(&r, n, rest);
        else if (r.open != NULL)
            option_line(&r);
        else if (!reported)
            section_fault(s, 0, s->line.text.n, "%s name missing", kind->cls->what);
        reported = n == 0 && r.open == NULL;
    }
    close_instance(&r);
}
