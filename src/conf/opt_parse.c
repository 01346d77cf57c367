/* Option settings: a logical line into the field of its row. Numbers are read in opt_number.c,
 * strings in opt_text.c. */
#include "conf/opt_parse.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/strlist.h"
#include "conf/textmap.h"
#include "sys/user.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    FAULT_MAX = 1024, /* bytes of a message */
    WORD_BITS = 64,
};

/* A setting on its way into a field. */
struct setting {
    const struct opt_ctx *ctx;
    const struct opt_line *line;
    const struct opt *row;
    size_t at;    /* offset of the value in the line */
    bool negated; /* no_, not_ */
    bool again;   /* an OPT_REPEATABLE row that was set before */
    bool given;   /* there is an equals sign */
};

typedef bool setter(const struct setting *s, void *field);

/* Formats a message and reports it at a place. Always false. */
__attribute__((format(printf, 3, 0))) static bool
report(struct diags *diags, struct span at, const char *fmt, va_list ap)
{
    char text[FAULT_MAX];
    int len = vsnprintf(text, sizeof text, fmt, ap);
    size_t keep = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    struct str t = str_from(text, keep);
    diags_add(diags, &(struct diag){.level = DIAG_ERROR, .at = at, .text = t, .exim = t});
    return false;
}

/* A fault at bytes [at, at + n) of the line. */
__attribute__((format(printf, 4, 5))) static bool
fault(const struct setting *s, size_t at, size_t n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(s->ctx->diags, textmap_span(s->line->map, at, n), fmt, ap);
    va_end(ap);
    return false;
}

/* A fault at a place. */
__attribute__((format(printf, 3, 4))) static bool
fault_at(const struct setting *s, struct span at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(s->ctx->diags, at, fmt, ap);
    va_end(ap);
    return false;
}

bool
opt_fault(const struct opt_value *v, size_t at, size_t n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(v->ctx->diags, textmap_span(v->map, at, n), fmt, ap);
    va_end(ap);
    return false;
}

static struct str
value_of(const struct setting *s)
{
    return str_sub(s->line->text, s->at, s->line->text.n);
}

static bool
name_char(char c)
{
    return ascii_alnum(c) || c == '_';
}

/* --- setters, one a type --- */

/* true, yes, false, no or nothing after the equals sign. */
static bool
read_bool(const struct setting *s, bool *on)
{
    *on = !s->negated;
    struct str rest = value_of(s);
    struct str written = s->line->name;
    if (!s->given || s->negated) {
        if (s->line->rest < s->line->text.n)
            return fault(s, s->line->rest, s->line->text.n - s->line->rest,
                         "extra characters follow boolean option %.*s", STR_ARG(written));
        return true;
    }
    if (rest.n == 0)
        return true;
    uint32_t n = 0;
    while (n < rest.n && (n == 0 ? ascii_alpha(rest.p[n]) : name_char(rest.p[n])))
        n++;
    struct str word = str_sub(rest, 0, n);
    bool yes = str_ieqz(word, "true") || str_ieqz(word, "yes");
    if (!yes && !str_ieqz(word, "false") && !str_ieqz(word, "no"))
        return fault(s, s->at, n, "\"%.*s\" is not a valid value for the \"%.*s\" option",
                     STR_ARG(word), STR_ARG(written));
    struct str extra = str_trim_left(str_sub(rest, n, rest.n));
    if (extra.n > 0)
        return fault(s, s->line->text.n - extra.n, extra.n,
                     "extra characters follow \"%.*s\" for boolean option %.*s", STR_ARG(word),
                     STR_ARG(written));
    *on = yes;
    return true;
}

static bool
set_bool(const struct setting *s, void *field)
{
    bool on;
    if (!read_bool(s, &on))
        return false;
    *(bool *)field = on;
    return true;
}

static bool
set_bool_pair(const struct setting *s, void *field)
{
    bool on;
    if (!read_bool(s, &on))
        return false;
    bool *pair = field;
    pair[0] = on;
    pair[1] = on;
    return true;
}

static bool
read_text(const struct setting *s, struct xstr *x)
{
    x->code = NULL;
    return opt_read_string(s->ctx, s->line, s->at, s->row->name, &x->text, &x->map);
}

static bool
has_dollar(const struct setting *s)
{
    return str_chr(value_of(s), '$', 0) != STR_NPOS;
}

static bool
set_xbool(const struct setting *s, void *field)
{
    struct opt_xbool x = {.on = false};
    bool text = s->given && !s->negated && has_dollar(s);
    if (text ? !read_text(s, &x.text) : !read_bool(s, &x.on))
        return false;
    *(struct opt_xbool *)field = x;
    return true;
}

static bool
set_number(const struct setting *s, void *field)
{
    static const char *const wanted[] = {
        [OPT_T_INT] = "integer",       [OPT_T_SIZE] = "integer",
        [OPT_T_KSIZE] = "integer",     [OPT_T_OCTAL] = "octal integer",
        [OPT_T_FIXED] = "fixed-point",
    };
    enum opt_type type = s->row->type;
    struct str text = value_of(s);
    struct str name = s->row->name;
    int64_t v = 0;
    size_t used = 0;
    switch (opt_read_number(type, text, &v, &used)) {
    case OPT_NUMBER_NONE:
        return fault(s, s->at, text.n, "%s%s expected for %.*s", wanted[type],
                     type == OPT_T_FIXED ? " number" : "", STR_ARG(name));
    case OPT_NUMBER_OVERFLOW:
        return fault(s, s->at, text.n, "%sinteger \"%.*s\" is too large (overflow)",
                     type == OPT_T_FIXED ? "" : "absolute value of ", STR_ARG(text));
    case OPT_NUMBER_OK:
        break;
    }
    if (str_trim_left(str_sub(text, used, text.n)).n > 0)
        return fault(s, s->at + used, text.n - used,
                     "extra characters follow %s value for %.*s", wanted[type], STR_ARG(name));
    *(int64_t *)field = v;
    return true;
}

static bool
bad_time(const struct setting *s, size_t at, size_t n)
{
    return fault(s, at, n, "invalid time value for %.*s", STR_ARG(s->row->name));
}

static bool
set_time(const struct setting *s, void *field)
{
    struct str text = value_of(s);
    int64_t v = opt_read_time(text);
    if (v < 0 && (s->row->flags & OPT_BARE_SECONDS) != 0)
        v = opt_read_time(str_printf(s->ctx->arena, "%.*ss", STR_ARG(text)));
    if (v < 0)
        return bad_time(s, s->at, text.n);
    *(int64_t *)field = v;
    return true;
}

static bool
set_xtime(const struct setting *s, void *field)
{
    struct opt_xtime x = {.s = 0};
    if (has_dollar(s) ? !read_text(s, &x.text) : !set_time(s, &x.s))
        return false;
    *(struct opt_xtime *)field = x;
    return true;
}

/* Colon-separated times that rise; an empty value is an empty list. */
static bool
set_times(const struct setting *s, void *field)
{
    VEC(int64_t) list = {.n = 0};
    struct str text = value_of(s);
    for (size_t i = 0; text.n > 0 && i <= text.n;) {
        size_t colon = str_chr(text, ':', i);
        size_t end = colon == STR_NPOS ? text.n : colon;
        int64_t v = opt_read_time(str_trim(str_sub(text, i, end - i)));
        if (v < 0)
            return bad_time(s, s->at + i, end - i);
        if (list.n > 0 && v <= list.v[list.n - 1])
            return fault(s, s->at + i, end - i, "time value out of order for %.*s",
                         STR_ARG(s->row->name));
        vec_push(s->ctx->arena, &list, v);
        i = end + 1;
    }
    if (list.n > 0 && list.v[0] == 0) /* the way to say: none */
        list.n = 0;
    *(struct opt_times *)field = (struct opt_times){.v = list.v, .n = (uint32_t)list.n};
    return true;
}

static bool
set_str(const struct setting *s, void *field)
{
    const struct textmap *map;
    return opt_read_string(s->ctx, s->line, s->at, s->row->name, field, &map);
}

/* What separates the items of an OPT_REPEATABLE list. */
static char
separator(const struct opt *row)
{
    return str_eqz(row->name, "headers_add") ? '\n' : str_eqz(row->name, "set") ? ';' : ':';
}

/* Each setting of header lines may have its own separator; together they have one. */
static void
unite_separators(const struct setting *s, struct xstr *x)
{
    struct buf b = buf_in(s->ctx->arena, 0);
    char sep = separator(s->row);
    struct strlist_split split = strlist_split_start(x->text, sep);
    struct str item;
    while (strlist_split_next(&split, s->ctx->arena, &item))
        strlist_append(&b, item, sep, b.n == 0);
    struct str text = buf_str(&b);
    if (str_eq(text, x->text))
        return;
    x->text = text;
    x->map = NULL;
}

/* How a second setting of an OPT_REPEATABLE row joins the first. */
static void
join_text(const struct setting *s, const struct xstr *old, struct xstr *x)
{
    struct buf b = buf_in(s->ctx->arena, 0);
    bool condition = str_eqz(s->row->name, "condition");
    if (condition)
        buf_addz(&b, "${if and{{bool_lax{");
    buf_adds(&b, old->text);
    if (condition)
        buf_addz(&b, "}}{bool_lax{");
    else
        buf_addc(&b, separator(s->row));
    size_t second = b.n;
    buf_adds(&b, x->text);
    if (condition)
        buf_addz(&b, "}}}}");
    x->text = buf_str(&b);
    if (old->map == NULL || x->map == NULL)
        x->map = NULL;
    else
        x->map =
            textmap_joined(s->ctx->arena, old->map,
                           condition ? sizeof "${if and{{bool_lax{" - 1 : 0, x->map, second);
}

static bool
set_xstr(const struct setting *s, void *field)
{
    struct xstr x;
    struct xstr *old = field;
    if (!read_text(s, &x))
        return false;
    if (s->row->type == OPT_T_REWRITE && s->ctx->rewrite != NULL &&
        !s->ctx->rewrite(s->ctx->arena, x.text, x.map, s->ctx->diags))
        return false;
    if (str_eqz(s->row->name, "headers_add") || str_eqz(s->row->name, "headers_remove"))
        unite_separators(s, &x);
    if (s->again && str_is_set(old->text))
        join_text(s, old, &x);
    *old = x;
    return true;
}

static bool
is_group(enum opt_type t)
{
    return t == OPT_T_GID || t == OPT_T_XGID || t == OPT_T_GIDS;
}

/* at: where the name stands. */
static bool
find_id(const struct setting *s, struct str name, struct span at, int64_t *id)
{
    bool group = is_group(s->row->type);
    if (group ? user_find_group(s->ctx->users, name, id) : user_find(s->ctx->users, name, id))
        return true;
    return fault_at(s, at, "%s %.*s was not found", group ? "group" : "user", STR_ARG(name));
}

static bool
set_id(const struct setting *s, void *field)
{
    struct xstr x;
    if (!read_text(s, &x))
        return false;
    struct opt_id id = {.set = true};
    bool expand = s->row->type == OPT_T_XUID || s->row->type == OPT_T_XGID;
    if (expand && str_chr(x.text, '$', 0) != STR_NPOS)
        id.text = x;
    else if (!find_id(s, x.text, textmap_span(s->line->map, s->at, s->line->text.n - s->at),
                      &id.id))
        return false;
    id.number = !str_is_set(id.text.text) && x.text.n > 0 &&
                (ascii_digit(x.text.p[0]) || x.text.p[0] == '-');
    *(struct opt_id *)field = id;
    return true;
}

/* Where an item of a list stands: the item itself if it is a part of the text that was written. */
static struct span
place_in(const struct setting *s, const struct xstr *x, struct str written, struct str item)
{
    uintptr_t at = (uintptr_t)item.p - (uintptr_t)written.p;
    if (at <= written.n && item.n <= written.n - at)
        return textmap_span(x->map, at, item.n);
    return textmap_span(s->line->map, s->at, s->line->text.n - s->at);
}

/* A list of users or groups is expanded when it is read. */
static bool
expand_now(const struct setting *s, struct str *text)
{
    if (expand_is_literal(*text) || s->ctx->vm == NULL)
        return true;
    struct str out;
    if (vm_expand(s->ctx->vm, *text, &out) != VM_OK)
        return fault(s, s->at, s->line->text.n - s->at, "failed to expand %.*s: %.*s",
                     STR_ARG(s->row->name), STR_ARG(vm_error(s->ctx->vm)));
    *text = out;
    return true;
}

static bool
set_ids(const struct setting *s, void *field)
{
    struct xstr x;
    if (!read_text(s, &x))
        return false;
    struct str written = x.text;
    if (!expand_now(s, &x.text))
        return false;
    VEC(int64_t) list = {.n = 0};
    struct strlist_split split = strlist_split_start(x.text, ':');
    struct str item;
    while (strlist_split_next(&split, s->ctx->arena, &item)) {
        int64_t id;
        if (!find_id(s, item, place_in(s, &x, written, item), &id))
            return false;
        vec_push(s->ctx->arena, &list, id);
    }
    *(struct opt_ids *)field = (struct opt_ids){.v = list.v, .n = (uint32_t)list.n};
    return true;
}

static bool
set_by_function(const struct setting *s, void *field)
{
    struct xstr x;
    if (!read_text(s, &x))
        return false;
    struct opt_value v = {
        .ctx = s->ctx, .name = s->row->name, .text = x.text, .map = x.map, .again = s->again};
    return s->row->parse == NULL || s->row->parse(&v, field);
}

static setter *const setters[] = {
    [OPT_T_BOOL] = set_bool,       [OPT_T_BOOL_VERIFY] = set_bool_pair,
    [OPT_T_INT] = set_number,      [OPT_T_SIZE] = set_number,
    [OPT_T_KSIZE] = set_number,    [OPT_T_OCTAL] = set_number,
    [OPT_T_FIXED] = set_number,    [OPT_T_TIME] = set_time,
    [OPT_T_TIME_LIST] = set_times, [OPT_T_STR] = set_str,
    [OPT_T_XSTR] = set_xstr,       [OPT_T_LIST] = set_xstr,
    [OPT_T_DOMAINS] = set_xstr,    [OPT_T_HOSTS] = set_xstr,
    [OPT_T_ADDRESSES] = set_xstr,  [OPT_T_LOCALPARTS] = set_xstr,
    [OPT_T_UID] = set_id,          [OPT_T_GID] = set_id,
    [OPT_T_XUID] = set_id,         [OPT_T_XGID] = set_id,
    [OPT_T_UIDS] = set_ids,        [OPT_T_GIDS] = set_ids,
    [OPT_T_REWRITE] = set_xstr,    [OPT_T_FUNCTION] = set_by_function,
    [OPT_T_XBOOL] = set_xbool,     [OPT_T_XTIME] = set_xtime,
};

/* --- lines --- */

static size_t
skip_space(struct str s, size_t i)
{
    while (i < s.n && ascii_space(s.p[i]))
        i++;
    return i;
}

struct opt_line
opt_line_scan(struct str text, const struct textmap *map)
{
    struct opt_line l = {.text = text, .map = map};
    size_t i = 0;
    if (str_starts(text, "hide") && (text.n == 4 || ascii_space(text.p[4]))) {
        l.hide = true;
        i = skip_space(text, 4);
    }
    l.name_at = i;
    if (i < text.n && ascii_alpha(text.p[i]))
        while (i < text.n && name_char(text.p[i]))
            i++;
    l.name = str_sub(text, l.name_at, i - l.name_at);
    if (l.name.n > OPT_NAME_MAX)
        l.name.n = OPT_NAME_MAX;
    l.rest = skip_space(text, i);
    return l;
}

static bool
is_boolean(enum opt_type t)
{
    return t == OPT_T_BOOL || t == OPT_T_BOOL_VERIFY || t == OPT_T_XBOOL;
}

/* The row that a name stands for; *negated tells of a prefix. */
static int
find_row(const struct opt_table *t, struct str name, bool *negated)
{
    int row = opt_find(t, name);
    size_t prefix = str_starts(name, "no_") ? 3 : str_starts(name, "not_") ? 4 : 0;
    *negated = row < 0 && prefix > 0;
    return *negated ? opt_find(t, str_sub(name, prefix, name.n)) : row;
}

/* Checks what stands between name and value, and finds the value. */
static bool
find_value(struct setting *s)
{
    const struct opt_line *l = s->line;
    if (s->negated && !is_boolean(s->row->type))
        return fault(s, l->name_at, l->name.n,
                     "negation prefix applied to a non-boolean option");
    s->given = l->rest < l->text.n && l->text.p[l->rest] == '=';
    s->at = s->given ? skip_space(l->text, l->rest + 1) : l->text.n;
    if (s->given || is_boolean(s->row->type))
        return true;
    if (l->rest == l->text.n)
        return fault(s, l->name_at, l->name.n,
                     "unexpected end of line (data missing) after %.*s", STR_ARG(s->row->name));
    return fault(s, l->rest, 1, "missing \"=\" after %.*s", STR_ARG(s->row->name));
}

static void
mark_set(struct setting *s, struct opt_set *set, int row)
{
    set->set[row / WORD_BITS] |= (uint64_t)1 << (row % WORD_BITS);
    struct opt_place place = {row,
                              textmap_span(s->line->map, s->line->name_at, s->line->name.n)};
    vec_push(s->ctx->arena, &set->places, place);
}

enum opt_result
opt_parse(const struct opt_ctx *ctx, struct opt_set *set, const struct opt_line *line)
{
    struct setting s = {.ctx = ctx, .line = line};
    int row = find_row(set->table, line->name, &s.negated);
    if (row < 0)
        return OPT_UNKNOWN;
    s.row = &set->table->rows[row];
    s.again = opt_is_set(set, row);
    if (s.again && (s.row->flags & OPT_REPEATABLE) == 0) {
        fault(&s, line->name_at, line->name.n, "\"%.*s\" option set for the second time",
              STR_ARG(line->name));
        return OPT_FAULT;
    }
    if (line->hide)
        set->hide[row / WORD_BITS] |= (uint64_t)1 << (row % WORD_BITS);
    if (!find_value(&s))
        return OPT_FAULT;
    if (!setters[s.row->type](&s, (char *)set->fields + s.row->offset))
        return OPT_FAULT;
    if ((s.row->flags & OPT_OBSOLETE) != 0)
        diags_warn(ctx->diags, textmap_span(line->map, line->name_at, line->name.n),
                   "option \"%.*s\" is obsolete and has no effect", STR_ARG(s.row->name));
    if (!s.again)
        mark_set(&s, set, row);
    return OPT_DONE;
}
