/* Macros in expansion tests; see be_macros.h. Everything that begins with a capital letter, macros replaced,
 * is taken for a definition: that is how the reference reads it.
 */
#include "proc/be_macros.h"

#include "conf/conf.h"
#include "conf/macro.h"
#include "proc/builtin_macros.h"

struct be_macros {
    struct mode *mode;
    struct arena *arena;       /* of definitions */
    struct macro_table *table; /* NULL: nothing is defined, and no line named a built-in one */
    const struct conf *conf;
};

/* The request is kept by the table, so it lies beside it. */
static struct macro_table *
make_table(const struct be_macros *b)
{
    struct mode *m = b->mode;
    size_t n = m->cli->macros.n;
    struct macro *given = ARENA_ARRAY(m->arena, struct macro, n);
    for (size_t i = 0; i < n; i++) {
        given[i].name = str_untaint_by_rule(m->cli->macros.v[i].name, "macro of the caller");
        given[i].text = str_untaint_by_rule(m->cli->macros.v[i].text, "macro of the caller");
    }
    struct conf_request *rq = ARENA_NEW(m->arena, struct conf_request);
    rq->macros = given;
    rq->macros_n = n;
    builtin_macros_request(m->arena, rq);
    struct macro_table *t = macro_table_new(m->arena, rq);
    for (size_t i = 0; m->admin && i < m->conf->macros.n; i++) {
        const struct macro *one = m->conf->macros.v[i];
        struct str other;
        macro_define(t, one->name, one->text, one->where, false, &other);
    }
    return t;
}

struct be_macros *
be_macros_new(struct mode *m)
{
    struct be_macros *b = ARENA_NEW(m->arena, struct be_macros);
    b->mode = m;
    b->arena = m->arena;
    b->conf = m->conf;
    if (m->cli->macros.n > 0 || (m->admin && m->conf->macros.n > 0))
        b->table = make_table(b);
    return b;
}

bool
be_macros_none(const struct be_macros *b)
{
    return b->table == NULL;
}

/* Exim's fault without a place. */
static enum be_line
fault(struct arena *a, struct str *text, struct str why)
{
    *text = str_printf(a, "Exim configuration error:\n  %.*s", STR_ARG(why));
    return BE_LINE_FAULT;
}

/* The fault of a line that is no definition has the place where the file ended. */
static enum be_line
fault_at_end(const struct be_macros *b, struct arena *a, struct str *text, const char *why)
{
    unsigned lines = 0;
    struct str file = b->conf->file;
    if (b->conf->sources.n > 0) {
        struct str whole = b->conf->sources.v[0]->text;
        for (size_t at = str_chr(whole, '\n', 0); at != STR_NPOS;
             at = str_chr(whole, '\n', at + 1))
            lines++;
    }
    *text = str_printf(a, "Exim configuration error in line %u of %.*s:\n  %s", lines,
                       STR_ARG(file), why);
    return BE_LINE_FAULT;
}

static enum be_line
define(struct be_macros *b, struct arena *a, struct str line, struct str *text)
{
    uint32_t n = 0;
    while (n < line.n && (ascii_alnum(line.p[n]) || line.p[n] == '_'))
        n++;
    if (n > MACRO_NAME_MAX)
        return fault_at_end(b, a, text, "macro name too long (maximum is 63 characters)");
    struct str name = str_sub(line, 0, n), rest = str_trim_left(str_sub(line, n, line.n));
    if (rest.n == 0 || rest.p[0] != '=')
        return fault_at_end(b, a, text, "malformed macro definition");
    bool again = rest.n > 1 && rest.p[1] == '=';
    struct str value = str_trim_left(str_sub(rest, again ? 2 : 1, rest.n)), other;
    switch (macro_define(b->table, str_dup(b->arena, name), str_dup(b->arena, value),
                         (struct span){0}, again, &other)) {
    case MACRO_OK:
        break;
    case MACRO_DUPLICATE:
        return fault(a, text,
                     str_printf(a,
                                "macro \"%.*s\" is already defined (use \"==\" if you want to "
                                "redefine it)",
                                STR_ARG(name)));
    case MACRO_UNDEFINED:
        return fault(
            a, text,
            str_printf(a, "can't redefine an undefined macro \"%.*s\"", STR_ARG(name)));
    case MACRO_CONTAINS:
        return fault(a, text,
                     str_printf(a,
                                "\"%.*s\" cannot be defined as a macro because previously "
                                "defined macro \"%.*s\" is a substring",
                                STR_ARG(name), STR_ARG(other)));
    }
    /* The reference names the newest one, even when an older one was redefined. */
    const struct macro *last = macro_at(b->table, macro_count(b->table) - 1);
    *text = str_printf(a, "Defined macro '%.*s'", STR_ARG(last->name));
    return BE_LINE_DEFINED;
}

/* Where the replacing begins: the name that a line defines stays as it is. */
static uint32_t
replace_from(struct str line)
{
    uint32_t n = 0;
    while (n < line.n && ascii_space(line.p[n]))
        n++;
    if (n >= line.n || line.p[n] < 'A' || line.p[n] > 'Z')
        return 0;
    while (n < line.n && (ascii_alnum(line.p[n]) || line.p[n] == '_'))
        n++;
    while (n < line.n && ascii_space(line.p[n]))
        n++;
    return n < line.n && line.p[n] == '=' ? n : 0;
}

enum be_line
be_macros_take(struct be_macros *b, struct arena *scratch, struct str line, struct str *text)
{
    /* Most lines begin with neither a capital nor a space, so are no definition, and name no
     * macro. */
    if (line.n > 0 && (line.p[0] == '$' || line.p[0] > 'Z') &&
        !macro_may_occur(b->table, line)) {
        *text = line;
        return BE_LINE_TEXT;
    }
    if (b->table == NULL)
        b->table = make_table(b);
    struct macro_line l = {.text = line};
    if (macro_replace(b->table, scratch, &l, replace_from(line), 1, 1) != MACRO_FITS)
        return fault(scratch, text, STR_LIT("macros make the line too long"));
    *text = l.text;
    if (l.text.n == 0 || l.text.p[0] < 'A' || l.text.p[0] > 'Z')
        return BE_LINE_TEXT;
    return define(b, scratch, l.text, text);
}
