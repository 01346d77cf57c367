/* The text of a configuration as -bP config prints it.
 *
 * White space is made one blank; what stands in quotes after `=`, `:` and the like stays as it is. That is
 * how Exim 4.96 prints, found by asking it.
 */
#include "conf/keep.h"

#include "base/arena.h"
#include "base/buf.h"

/* After one blank (not more) that follows no letter or digit, a quote or a dollar: the rest stays as it is. */
static bool
verbatim_from(struct str s, size_t space, size_t next)
{
    return space > 0 && next == space + 1 && !ascii_alnum(s.p[space - 1]) &&
           (s.p[next] == '"' || s.p[next] == '$');
}

static bool
needs_change(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (ascii_space(s.p[i]) && (s.p[i] != ' ' || (i + 1 < s.n && ascii_space(s.p[i + 1]))))
            return true;
    return false;
}

void
keep_line(struct conf *c, struct str line)
{
    struct conf_text kept = {.text = line};
    if (needs_change(line)) {
        struct buf b = buf_in(c->arena, 0);
        for (size_t i = 0; i < line.n;) {
            if (!ascii_space(line.p[i])) {
                buf_addc(&b, line.p[i++]);
                continue;
            }
            size_t space = i;
            while (i < line.n && ascii_space(line.p[i]))
                i++;
            buf_addc(&b, ' ');
            if (i < line.n && verbatim_from(line, space, i)) {
                buf_adds(&b, str_sub(line, i, line.n));
                break;
            }
        }
        kept.text = buf_str(&b);
    }
    vec_push(c->arena, &c->text, kept);
}

void
keep_mark(struct conf *c, struct str file, uint32_t line)
{
    struct conf_text mark = {.text = str_printf(c->arena, "# %u \"%.*s\"", line, STR_ARG(file)),
                             .mark = true};
    vec_push(c->arena, &c->text, mark);
}

/* True for a section whose lines stand below names. */
static bool
section_has_names(struct str begin)
{
    struct str name = str_trim(str_sub(begin, sizeof "begin" - 1, begin.n));
    return str_ieqz(name, "acl") || str_ieqz(name, "routers") || str_ieqz(name, "transports") ||
           str_ieqz(name, "authenticators");
}

/* `name:` alone on its line. */
static bool
is_name_line(struct str s)
{
    size_t i = 0;
    while (i < s.n && (ascii_alnum(s.p[i]) || s.p[i] == '_'))
        i++;
    size_t end = i;
    while (i < s.n && s.p[i] == ' ')
        i++;
    return end > 0 && i + 1 == s.n && s.p[i] == ':';
}

static bool
is_macro_line(struct str s)
{
    size_t i = 0;
    if (s.n == 0 || s.p[0] < 'A' || s.p[0] > 'Z')
        return false;
    while (i < s.n && (ascii_alnum(s.p[i]) || s.p[i] == '_' || s.p[i] == ' '))
        i++;
    return i < s.n && s.p[i] == '=';
}

static void
print_line(struct buf *out, struct str line, bool secrets)
{
    bool hidden = !secrets && (str_starts(line, "hide ") || is_macro_line(line));
    size_t equals = str_chr(line, '=', 0);
    if (!hidden)
        buf_adds(out, line);
    else if (equals != STR_NPOS)
        buf_printf(out, "%.*s <value not displayable>", STR_ARG(str_sub(line, 0, equals + 1)));
    else
        buf_addz(out, "<value not displayable>");
    buf_addc(out, '\n');
}

void
conf_print_text(struct buf *out, const struct conf *c, struct str version, bool secrets,
                bool terse)
{
    bool names = false;
    int indent = 0; /* of lines that neither begin a section nor name something */
    buf_printf(out, "# Exim Configuration (%.*s)\n", STR_ARG(version));
    for (size_t i = 0; i < c->text.n; i++) {
        struct str line = c->text.v[i].text;
        bool mark = c->text.v[i].mark;
        bool begin = !mark && str_starts(line, "begin ");
        bool name = !mark && names && is_name_line(line);
        int shift = mark || begin ? 0 : name ? 2 : indent;
        if (begin)
            names = section_has_names(line);
        if (begin || name) {
            indent = begin ? 2 : 4;
            if (!terse)
                buf_addc(out, '\n');
        }
        buf_printf(out, "%*s", terse ? 0 : shift, "");
        print_line(out, line, secrets);
    }
}
