/* The sections of a configuration: main options, named lists, macros, and the lines of ACLs and rules.
 *
 * Source: specification, chapter "The Exim run time configuration file"; error texts as Exim 4.96 gives them.
 */
#include "conf/section.h"

#include "base/arena.h"
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FAULT_MAX = 1024 };

bool
section_next(struct section_run *s)
{
    if (!s->ended && !reader_next(s->reader, &s->line))
        s->ended = true;
    return !s->ended && !str_starts(s->line.text, "begin ");
}

void
section_fault(struct section_run *s, size_t at, size_t n, const char *fmt, ...)
{
    char text[FAULT_MAX];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t keep = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    struct str t = str_from(text, keep);
    diags_add(s->ctx.diags, &(struct diag){.level = DIAG_ERROR,
                                           .at = textmap_span(s->line.map, at, n),
                                           .text = t,
                                           .exim = t});
}

static size_t
skip_space(struct str s, size_t i)
{
    while (i < s.n && ascii_space(s.p[i]))
        i++;
    return i;
}

static size_t
skip_name(struct str s, size_t i)
{
    while (i < s.n && (ascii_alnum(s.p[i]) || s.p[i] == '_'))
        i++;
    return i;
}

/* --- macros --- */

/* Exim gives no line for these. */
static void
macro_fault(struct section_run *s, struct str name, struct str text)
{
    diags_add(s->ctx.diags, &(struct diag){.level = DIAG_ERROR,
                                           .at = textmap_span(s->line.map, 0, name.n),
                                           .text = text,
                                           .exim = text,
                                           .exim_place = STR_EMPTY});
}

static void
define_macro(struct section_run *s, struct str name, struct str text, bool redefine)
{
    struct arena *a = s->ctx.arena;
    struct str other;
    struct span where = textmap_span(s->line.map, 0, name.n);
    switch (macro_define(s->macros, name, text, where, redefine, &other)) {
    case MACRO_OK:
        break;
    case MACRO_DUPLICATE:
        macro_fault(s, name,
                    str_printf(a,
                               "macro \"%.*s\" is already defined (use \"==\" if you want to "
                               "redefine it)",
                               STR_ARG(name)));
        break;
    case MACRO_UNDEFINED:
        macro_fault(s, name,
                    str_printf(a, "can't redefine an undefined macro \"%.*s\"", STR_ARG(name)));
        break;
    case MACRO_CONTAINS:
        macro_fault(
            s, name,
            str_printf(a,
                       "\"%.*s\" cannot be defined as a macro because previously defined "
                       "macro \"%.*s\" is a substring",
                       STR_ARG(name), STR_ARG(other)));
        break;
    }
}

/* A line that begins with a capital letter. */
static void
macro_line(struct section_run *s)
{
    struct str text = s->line.text;
    size_t end = skip_name(text, 0);
    size_t i = skip_space(text, end);
    if (end > MACRO_NAME_MAX) {
        section_fault(s, 0, end, "macro name too long (maximum is %d characters)",
                      MACRO_NAME_MAX);
        return;
    }
    if (i >= text.n || text.p[i] != '=') {
        section_fault(s, i, 1, "malformed macro definition");
        return;
    }
    bool redefine = i + 1 < text.n && text.p[i + 1] == '=';
    struct str value = str_trim_left(str_sub(text, i + (redefine ? 2 : 1), text.n));
    define_macro(s, str_sub(text, 0, end), value, redefine);
}

static bool
begins_capital(struct str s)
{
    return s.n > 0 && s.p[0] >= 'A' && s.p[0] <= 'Z';
}

bool
section_at_macro(const struct section_run *s)
{
    struct str text = s->line.text;
    size_t i = begins_capital(text) ? skip_space(text, skip_name(text, 0)) : text.n;
    return i < text.n && text.p[i] == '=';
}

bool
section_macro(struct section_run *s)
{
    bool macro = section_at_macro(s);
    if (macro)
        macro_line(s);
    return macro;
}

/* --- options --- */

void
section_unknown_option(struct section_run *s, const struct opt_line *l, struct str text,
                       struct str exim, struct str hint)
{
    diags_add(s->ctx.diags, &(struct diag){.level = DIAG_ERROR,
                                           .at = textmap_span(l->map, l->name_at, l->name.n),
                                           .text = text,
                                           .exim = exim,
                                           .hint = hint});
}

void
section_no_effect(struct section_run *s, const struct opt_set *set, const struct opt_line *l,
                  const struct driver_instance *owner)
{
    if (set->places.n == 0)
        return;
    const struct opt_place *last = &set->places.v[set->places.n - 1];
    const struct opt *o = &set->table->rows[last->row];
    struct span at = textmap_span(l->map, l->name_at, l->name.n);
    if ((o->flags & OPT_NO_EFFECT) == 0 || last->at.line != at.line)
        return;
    struct str name = o->name;
    if (owner != NULL) { /* without printf: many rows have no effect as yet */
        struct buf b = buf_in(s->ctx.arena, 0);
        buf_addz(&b, owner->cls->what);
        buf_addc(&b, ' ');
        buf_adds(&b, owner->name);
        buf_addz(&b, ": ");
        buf_adds(&b, o->name);
        name = buf_str(&b);
    }
    vec_push(s->ctx.arena, &s->conf->no_effect, name);
    vec_push(s->ctx.arena, &s->conf->no_effect_where, at);
}

/* --- the main section --- */

static const struct {
    const char *word; /* also with _cache */
    enum list_kind kind;
    const char *what;
} list_words[] = {
    {"domainlist", LIST_DOMAIN, "domain list"},
    {"hostlist", LIST_HOST, "host list"},
    {"addresslist", LIST_ADDRESS, "address list"},
    {"localpartlist", LIST_LOCALPART, "local part list"},
};
enum { LIST_WORDS = sizeof list_words / sizeof list_words[0] };

static void
add_list(struct section_run *s, const struct opt_line *l, size_t word, bool cache)
{
    struct str text = l->text;
    size_t end = skip_name(text, l->rest);
    struct str name = str_sub(text, l->rest, end - l->rest);
    size_t i = skip_space(text, end);
    if (i >= text.n || text.p[i] != '=') {
        section_fault(s, i, 1, "missing '=' after \"%.*s\"", STR_ARG(name));
        return;
    }
    struct map *lists = s->conf->lists[list_words[word].kind];
    if (map_has(lists, name)) {
        section_fault(s, l->rest, name.n, "duplicate name \"%.*s\" for a named %s",
                      STR_ARG(name), list_words[word].what);
        return;
    }
    struct named_list *list = ARENA_NEW(s->ctx.arena, struct named_list);
    *list = (struct named_list){.name = name,
                                .kind = list_words[word].kind,
                                .cache = cache,
                                .hide = l->hide,
                                .where = textmap_span(l->map, l->rest, name.n)};
    if (opt_read_string(&s->ctx, l, i + 1, name, &list->text.text, &list->text.map))
        map_set(lists, name, list);
}

/* A named list; false: the line is something else. */
static bool
list_line(struct section_run *s, const struct opt_line *l)
{
    for (size_t w = 0; w < LIST_WORDS; w++) {
        if (!str_starts(l->name, list_words[w].word))
            continue;
        struct str rest = str_sub(l->name, strlen(list_words[w].word), l->name.n);
        bool cache = str_eqz(rest, "_cache");
        bool spaced = l->rest > l->name_at + l->name.n;
        if ((rest.n == 0 || cache) && spaced)
            add_list(s, l, w, cache);
        else
            section_fault(s, l->name_at, l->name.n, "unrecognized configuration line");
        return true;
    }
    return false;
}

static void
unknown_main_option(struct section_run *s, const struct opt_line *l)
{
    struct str text =
        str_printf(s->ctx.arena, "main option \"%.*s\" unknown", STR_ARG(l->name));
    section_unknown_option(s, l, text, text,
                           opt_nearest(s->ctx.arena, s->rq->main_opts, l->name));
}

static void
main_line(struct section_run *s)
{
    struct str text = s->line.text;
    if (begins_capital(text)) {
        macro_line(s);
        return;
    }
    if (!ascii_alpha(text.p[0])) {
        section_fault(s, 0, text.n, "option setting expected: %.*s", STR_ARG(text));
        return;
    }
    struct opt_line l = opt_line_scan(text, s->line.map);
    enum opt_result result = opt_parse(&s->ctx, &s->conf->main_set, &l);
    if (result == OPT_DONE)
        section_no_effect(s, &s->conf->main_set, &l, NULL);
    else if (result == OPT_UNKNOWN && !list_line(s, &l))
        unknown_main_option(s, &l);
}

/* --- sections of lines --- */

/* Collects the lines up to the next section and gives them to their parser. */
static void
read_lines(struct section_run *s, const struct section_parser *parser, bool macros,
           void **result)
{
    VEC(struct conf_line) lines = {.n = 0};
    while (section_next(s)) {
        if (macros && section_macro(s))
            continue;
        vec_push(s->ctx.arena, &lines, s->line);
    }
    if (parser != NULL)
        parser->parse(s->ctx.arena, lines.v, lines.n, s->ctx.diags, result);
}

static void
read_acl(struct section_run *s)
{
    read_lines(s, s->rq->acl, true, &s->conf->acls);
}

static void
read_retry(struct section_run *s)
{
    read_lines(s, s->rq->retry, false, &s->conf->retry);
}

static void
read_rewrite(struct section_run *s)
{
    read_lines(s, s->rq->rewrite, false, &s->conf->rewrite);
}

/* The text is kept for whoever runs a local_scan function; Exim refuses the section unless it was built for it. */
static void
read_local_scan(struct section_run *s)
{
    diags_warn(s->ctx.diags, textmap_span(s->line.map, 0, s->line.text.n),
               "the local_scan section has no effect");
    struct buf text = buf_in(s->ctx.arena, 0);
    while (section_next(s)) {
        buf_adds(&text, s->line.text);
        buf_addc(&text, '\n');
    }
    s->conf->local_scan_text = buf_str(&text);
}

static void
add_router(struct conf *c, struct driver_instance *d)
{
    vec_push(c->arena, &c->routers, d);
}

static void
add_transport(struct conf *c, struct driver_instance *d)
{
    vec_push(c->arena, &c->transports, d);
}

static void
add_auth(struct conf *c, struct driver_instance *d)
{
    vec_push(c->arena, &c->auths, d);
}

static void
read_routers(struct section_run *s)
{
    section_read_drivers(s, &(struct section_drivers){s->rq->routers, add_router});
}

static void
read_transports(struct section_run *s)
{
    section_read_drivers(s, &(struct section_drivers){s->rq->transports, add_transport});
}

static void
read_auths(struct section_run *s)
{
    section_read_drivers(s, &(struct section_drivers){s->rq->auths, add_auth});
}

static const struct {
    struct str name;
    void (*read)(struct section_run *s);
} sections[] = {
    {STR_INIT("acl"), read_acl},
    {STR_INIT("authenticators"), read_auths},
    {STR_INIT("local_scan"), read_local_scan},
    {STR_INIT("retry"), read_retry},
    {STR_INIT("rewrite"), read_rewrite},
    {STR_INIT("routers"), read_routers},
    {STR_INIT("transports"), read_transports},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

static void
unknown_section(struct section_run *s, struct str name)
{
    struct str names[SECTIONS];
    for (size_t i = 0; i < SECTIONS; i++)
        names[i] = sections[i].name;
    struct str text = str_printf(
        s->ctx.arena, "\"%.*s\" is not a known configuration section name", STR_ARG(name));
    size_t at = s->line.text.n - name.n;
    diags_add(s->ctx.diags, &(struct diag){.level = DIAG_ERROR,
                                           .at = textmap_span(s->line.map, at, name.n),
                                           .text = text,
                                           .exim = text,
                                           .hint = diag_nearest(name, names, SECTIONS)});
}

/* The section that s->line begins; an unknown or repeated one is passed over. */
static void
read_section(struct section_run *s)
{
    struct str name = str_trim_left(str_sub(s->line.text, sizeof "begin" - 1, s->line.text.n));
    size_t i = 0;
    while (i < SECTIONS && !str_ieq(name, sections[i].name))
        i++;
    if (i == SECTIONS) {
        unknown_section(s, name);
    } else if ((s->seen & 1u << i) != 0) {
        section_fault(s, s->line.text.n - name.n, name.n,
                      "\"%.*s\" section is repeated in the configuration file", STR_ARG(name));
    } else {
        s->seen |= 1u << i;
        sections[i].read(s);
        return;
    }
    while (section_next(s))
        ;
}

void
section_read_all(struct section_run *s)
{
    while (section_next(s))
        main_line(s);
    if (s->rq->main_check != NULL)
        s->rq->main_check(&s->conf->main_set, s->ctx.diags);
    while (!s->ended)
        read_section(s);
}
