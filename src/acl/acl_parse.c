/* The parser of ACLs: lines in, model out.
 *
 * Nothing is expanded and no value is judged here, since Exim does neither before an ACL runs.
 * A fault is reported and reading goes on, so that one run shows them all.
 */
#include "acl/acl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/textmap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FAULT_MAX = 1024, SHOWN_MAX = 200 };

struct parser {
    struct arena *arena;
    struct diags *diags;
    struct acl *acl; /* being read, or NULL */
    const struct conf_line *line;
    bool open;     /* a statement takes conditions */
    bool skipping; /* its verb was wrong: do not complain about each of its lines */
    bool ok;
};

/* Part of a line. */
struct word {
    size_t at;
    size_t n;
};

static struct str
word_text(const struct parser *p, struct word w)
{
    return str_sub(p->line->text, w.at, w.n);
}

static size_t
skip_space(struct str s, size_t at)
{
    while (at < s.n && ascii_space(s.p[at]))
        at++;
    return at;
}

/* A letter, then letters, digits and underscores; empty when there is no letter. */
static struct word
scan_word(struct str s, size_t at)
{
    struct word w = {at, 0};
    if (at >= s.n || !ascii_alpha(s.p[at]))
        return w;
    while (at + w.n < s.n && (ascii_alnum(s.p[at + w.n]) || s.p[at + w.n] == '_'))
        w.n++;
    return w;
}

/* A message without what Exim puts before it. */
static struct str
plain_words(struct str exim)
{
    static const char *const heads[] = {"error in ACL: ", "ACL error: "};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (str_starts(exim, heads[i]))
            exim = str_sub(exim, strlen(heads[i]), exim.n);
    return exim;
}

static void fault(struct parser *p, struct word w, struct str hint, const char *exim_fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Reports a fault in Exim's words. */
static void
fault(struct parser *p, struct word w, struct str hint, const char *exim_fmt, ...)
{
    char exim[FAULT_MAX];
    va_list ap;
    va_start(ap, exim_fmt);
    (void)vsnprintf(exim, sizeof exim, exim_fmt, ap);
    va_end(ap);
    struct diag one = {
        .level = DIAG_ERROR,
        .at = textmap_span(p->line->map, w.at, w.n),
        .text = plain_words(str_from_cstr(exim)),
        .exim = str_from_cstr(exim),
        .hint = hint,
    };
    diags_add(p->diags, &one);
    p->ok = false;
}

/* The line as it is quoted in a message. */
static struct str
shown(struct str s)
{
    return str_sub(s, 0, SHOWN_MAX);
}

static struct str
nearest_word(struct str wrong)
{
    struct str names[ACL_WORDS + ACL_VERBS];
    size_t n = 0;
    for (int w = 0; w < ACL_WORDS; w++)
        names[n++] = acl_word_row((enum acl_word_id)w)->name;
    for (int v = 0; v < ACL_VERBS; v++)
        names[n++] = acl_verb_name((enum acl_verb)v);
    return diag_nearest(wrong, names, n);
}

static struct str
nearest_verb(struct str wrong)
{
    struct str names[ACL_VERBS];
    for (int v = 0; v < ACL_VERBS; v++)
        names[v] = acl_verb_name((enum acl_verb)v);
    return diag_nearest(wrong, names, ACL_VERBS);
}

/* The rule for names after `set`: what is wrong with it, or NULL. */
static const char *
variable_fault(struct str name)
{
    if (str_starts(name, "dkim_"))
        return str_eqz(name, "dkim_verify_status") || str_eqz(name, "dkim_verify_reason")
                   ? NULL
                   : "only \"dkim_verify_status\" or \"dkim_verify_reason\" permitted";
    if (!str_starts(name, "acl_c") && !str_starts(name, "acl_m"))
        return "must start \"acl_c\" or \"acl_m\"";
    if (name.n < 6 || !(ascii_digit(name.p[5]) || name.p[5] == '_'))
        return "digit or underscore must follow acl_c or acl_m";
    return NULL;
}

/* Reads the variable after `set` at *at, which moves behind it. */
static bool
parse_variable(struct parser *p, size_t word_at, size_t *at, struct str *out)
{
    struct str s = p->line->text;
    struct word w = {skip_space(s, *at), 0};
    while (w.at + w.n < s.n && s.p[w.at + w.n] != '=' && !ascii_space(s.p[w.at + w.n]))
        w.n++;
    struct str name = word_text(p, w);
    struct str rest = shown(str_sub(s, word_at, s.n));
    const char *why = variable_fault(name);
    if (why != NULL) {
        fault(p, w, STR_NULL,
              "error in ACL: invalid variable name after \"set\" in ACL modifier \"%.*s\" (%s)",
              STR_ARG(rest), why);
        return false;
    }
    for (uint32_t i = 0; i < name.n; i++) {
        if (ascii_alnum(name.p[i]) || name.p[i] == '_')
            continue;
        fault(
            p, (struct word){w.at + i, 1}, STR_NULL,
            "error in ACL: invalid character \"%c\" in variable name in ACL modifier \"%.*s\"",
            name.p[i], STR_ARG(rest));
        return false;
    }
    *out = name;
    *at = w.at + w.n;
    return true;
}

static bool
has_value(enum acl_word_id id)
{
    return id != ACL_MOD_ENDPASS;
}

/* Takes what follows the equals sign at `at`. */
static bool
parse_value(struct parser *p, struct acl_item *item, struct word w, size_t at)
{
    struct str s = p->line->text;
    const struct acl_word *row = acl_word_row(item->word);
    at = skip_space(s, at);
    if (at >= s.n || s.p[at] != '=') {
        fault(p, w, STR_NULL, "error in ACL: \"=\" missing after ACL \"%.*s\" %s",
              STR_ARG(row->name), row->modifier ? "modifier" : "condition");
        return false;
    }
    at = skip_space(s, at + 1);
    item->arg.text = str_sub(s, at, s.n - at);
    if (p->line->map != NULL)
        item->arg.map = textmap_sub(p->arena, p->line->map, at, s.n - at);
    return true;
}

/* What a word must not be in this place. */
static bool
check_word(struct parser *p, const struct acl_item *item, struct word w)
{
    const struct acl_word *row = acl_word_row(item->word);
    enum acl_verb verb = p->acl->statements.v[p->acl->statements.n - 1].verb;
    if (item->negated && row->modifier) {
        fault(p, w, STR_NULL, "error in ACL: ACL error: negation is not allowed with \"%.*s\"",
              STR_ARG(row->name));
        return false;
    }
    if (item->word == ACL_MOD_ENDPASS && verb != ACL_VERB_ACCEPT && verb != ACL_VERB_DISCARD) {
        fault(p, w, STR_NULL,
              "error in ACL: ACL error: \"endpass\" is not allowed with \"%.*s\"",
              STR_ARG(acl_verb_name(verb)));
        return false;
    }
    return true;
}

/* A condition or modifier at `at` of the line. */
static void
parse_item(struct parser *p, size_t at)
{
    struct str s = p->line->text;
    struct acl_item item = {.negated = s.p[at] == '!'};
    if (item.negated)
        at = skip_space(s, at + 1);
    struct word w = scan_word(s, at);
    int found = acl_word_find(word_text(p, w));
    if (found < 0) {
        fault(p, w.n > 0 ? w : (struct word){at, 1}, nearest_word(word_text(p, w)),
              "error in ACL: unknown ACL condition/modifier in \"%.*s\"", STR_ARG(shown(s)));
        return;
    }
    item.word = (enum acl_word_id)found;
    item.where = textmap_span(p->line->map, w.at, w.n);
    if (!check_word(p, &item, w))
        return;
    at = w.at + w.n;
    if (item.word == ACL_MOD_SET && !parse_variable(p, w.at, &at, &item.variable))
        return;
    if (has_value(item.word) && !parse_value(p, &item, w, at))
        return;
    vec_push(p->arena, &p->acl->statements.v[p->acl->statements.n - 1].items, item);
}

static void
parse_verb_fault(struct parser *p, struct word w)
{
    struct str s = p->line->text;
    if (s.p[0] == '!')
        fault(p, (struct word){0, 1}, STR_NULL, "error in ACL: malformed ACL line \"%.*s\"",
              STR_ARG(shown(s)));
    else
        fault(p, w.n > 0 ? w : (struct word){0, 1}, nearest_verb(word_text(p, w)),
              "error in ACL: unknown ACL verb \"%.*s\" in \"%.*s\"", STR_ARG(word_text(p, w)),
              STR_ARG(shown(s)));
    p->skipping = true;
}

/* A line of an ACL: begins a statement, or goes on with one. */
static void
parse_body_line(struct parser *p)
{
    struct str s = p->line->text;
    struct word w = scan_word(s, 0);
    int verb = acl_verb_find(word_text(p, w));
    if (verb >= 0) {
        struct acl_statement st = {.verb = (enum acl_verb)verb,
                                   .where = textmap_span(p->line->map, w.at, w.n)};
        vec_push(p->arena, &p->acl->statements, st);
        p->open = true;
        p->skipping = false;
        size_t at = skip_space(s, w.n);
        if (at < s.n)
            parse_item(p, at);
    } else if (p->open) {
        parse_item(p, 0);
    } else if (!p->skipping) {
        parse_verb_fault(p, w);
    }
}

/* `name:`; false when the line is none. */
static bool
is_header(struct str s, struct word *name)
{
    *name = scan_word(s, 0);
    size_t at = skip_space(s, name->n);
    return name->n > 0 && at < s.n && s.p[at] == ':';
}

static void
check_header(struct parser *p, const struct acl_set *set, struct word w)
{
    struct str name = word_text(p, w);
    if (name.n > ACL_NAME_MAX)
        fault(p, w, STR_NULL,
              "exim item name too long (>%d), unable to use \"%.*s\" (truncated)",
              ACL_NAME_MAX + 1, ACL_NAME_MAX, name.p);
    if (map_has(set->by_name, name))
        fault(p, w, STR_NULL, "there are two ACLs called \"%.*s\"", STR_ARG(name));
}

static void
parse_header(struct parser *p, const struct acl_set *set, struct word w)
{
    check_header(p, set, w);
    struct acl *acl = ARENA_NEW(p->arena, struct acl);
    acl->name = word_text(p, w);
    acl->where = textmap_span(p->line->map, w.at, w.n);
    map_set(set->by_name, acl->name, acl);
    p->acl = acl;
    p->open = false;
    p->skipping = false;
}

static bool
parse_section(struct arena *a, const struct conf_line *lines, size_t n, struct diags *diags,
              void **result)
{
    struct acl_set *set = ARENA_NEW(a, struct acl_set);
    set->by_name = map_new(a, MAP_CASEFUL);
    struct parser p = {.arena = a, .diags = diags, .ok = true};
    for (size_t i = 0; i < n && !diags_full(diags); i++) {
        struct word w;
        p.line = &lines[i];
        if (p.line->text.n == 0)
            continue;
        if (is_header(p.line->text, &w)) {
            parse_header(&p, set, w);
        } else if (p.acl != NULL) {
            parse_body_line(&p);
        } else {
            fault(&p, (struct word){0, p.line->text.n}, STR_NULL,
                  "missing or malformed ACL name");
            break; /* whatever follows would be refused for the same reason */
        }
    }
    *result = set;
    return p.ok;
}

const struct section_parser acl_section = {
    .name = "acl",
    .parse = parse_section,
};

const struct acl *
acl_find(const struct acl_set *s, struct str name)
{
    return s != NULL ? map_get(s->by_name, name) : NULL;
}

/* --- ACLs without a name --- */

struct joined {
    struct arena *arena;
    const struct textmap *map;
    struct buf text;
    struct textmap_runs runs;
};

static void
join_piece(struct joined *j, struct str all, size_t at, size_t n)
{
    if (j->map != NULL)
        textmap_append(j->arena, &j->runs, j->map, at, n, j->text.n);
    buf_adds(&j->text, str_sub(all, at, n));
}

/* Adds the physical line [at, end). True if another one continues it. */
static bool
join_line(struct joined *j, struct str all, size_t at, size_t end)
{
    while (at < end && ascii_space(all.p[at]))
        at++;
    while (end > at && ascii_space(all.p[end - 1]))
        end--;
    if (at < end && all.p[at] == '#')
        return j->text.n > 0; /* a comment does not end a continued line */
    bool more = end > at && all.p[end - 1] == '\\';
    join_piece(j, all, at, end - at - (more ? 1 : 0));
    return more;
}

/* The next logical line from *at on; its text is empty when it was blank. */
static struct conf_line
next_line(struct joined *j, struct str all, size_t *at)
{
    j->text = buf_in(j->arena, 0);
    j->runs = (struct textmap_runs){.list = {NULL, 0, 0}};
    bool more = true;
    while (more && *at < all.n) {
        size_t end = str_chr(all, '\n', *at);
        end = end == STR_NPOS ? all.n : end;
        more = join_line(j, all, *at, end);
        *at = end + 1;
    }
    struct conf_line line = {.text = str_trim(buf_str(&j->text))};
    if (j->map != NULL && j->runs.list.n > 0) {
        struct textmap *m = ARENA_NEW(j->arena, struct textmap);
        *m = *j->map;
        m->runs = j->runs.list.v;
        m->n = (uint32_t)j->runs.list.n;
        line.map = m;
    }
    return line;
}

struct acl *
acl_parse_text(struct arena *a, struct str text, const struct textmap *map, struct diags *diags)
{
    struct acl *acl = ARENA_NEW(a, struct acl);
    acl->where = textmap_span(map, 0, 0);
    struct parser p = {.arena = a, .diags = diags, .acl = acl, .ok = true};
    struct joined j = {.arena = a, .map = map};
    for (size_t at = 0; at < text.n && !diags_full(diags);) {
        struct conf_line line = next_line(&j, text, &at);
        p.line = &line;
        if (line.text.n > 0)
            parse_body_line(&p);
    }
    return p.ok ? acl : NULL;
}
