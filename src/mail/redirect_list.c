/* Lists of redirection; see redirect_list.h. One cursor that only moves forward; no nesting. */
#include "mail/redirect_list.h"

#include "base/arena.h"
#include "mail/address.h"

struct redirect_list
redirect_list_start(struct str text, unsigned flags)
{
    return (struct redirect_list){.rest = text, .flags = flags};
}

static void
step(struct redirect_list *l, size_t n)
{
    l->rest = str_sub(l->rest, n, l->rest.n);
    l->line = l->line > n ? l->line - n : 0;
}

/* --- between items --- */

/* White space, separators, and comments, which begin where an item could. */
static void
skip_between(struct redirect_list *l)
{
    while (l->rest.n > 0) {
        char c = l->rest.p[0];
        if (c == '#') {
            size_t nl = str_chr(l->rest, '\n', 0);
            step(l, nl == STR_NPOS ? l->rest.n : nl);
        } else if (ascii_space(c) || c == ',') {
            step(l, 1);
        } else {
            return;
        }
    }
}

/* Length of the item in double quotes at the front with them, 0 when its end is not that of an item. */
static size_t
quoted_length(struct str s)
{
    size_t at = 1;
    while (at < s.n && s.p[at] != '"' && s.p[at] != '\n')
        at += s.p[at] == '\\' && at + 1 < s.n && s.p[at + 1] != '\n' ? 2 : 1;
    if (at >= s.n || s.p[at] != '"')
        return 0;
    size_t end = ++at;
    while (at < s.n && ascii_space(s.p[at]) && s.p[at] != '\n')
        at++;
    return at >= s.n || s.p[at] == ',' || s.p[at] == '\n' ? end : 0;
}

/* The rest of the line; its end is looked for once, however many items it has. */
static struct str
rest_of_line(struct redirect_list *l)
{
    if (l->line == 0) {
        size_t nl = str_chr(l->rest, '\n', 0);
        l->line = nl == STR_NPOS ? l->rest.n : nl;
    }
    return str_sub(l->rest, 0, l->line);
}

/* --- special items --- */

static const struct {
    const char *word;
    enum redirect_item_kind kind;
} specials[] = {
    {":blackhole:", REDIRECT_BLACKHOLE}, {":defer:", REDIRECT_DEFER},
    {":fail:", REDIRECT_FAIL},           {":include:", REDIRECT_INCLUDE},
    {":unknown:", REDIRECT_UNKNOWN},
};

/* An item that begins with one of the words; s is the rest of the line, item what a comma ends. */
static bool
take_special(struct str line, struct str item, struct redirect_item *out)
{
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        if (!str_starts(item, specials[i].word))
            continue;
        size_t n = strlen(specials[i].word);
        bool long_text =
            specials[i].kind == REDIRECT_DEFER || specials[i].kind == REDIRECT_FAIL;
        out->given = str_trim(long_text ? line : item);
        out->kind = specials[i].kind;
        out->text = str_trim(str_sub(out->given, n, out->given.n));
        return out->kind != REDIRECT_UNKNOWN || out->text.n == 0;
    }
    return false;
}

/* --- addresses, files, pipes --- */

/* Backslashes in a quoted command or path stand for the byte behind them. */
static struct str
unescape(struct arena *a, struct str s)
{
    if (str_chr(s, '\\', 0) == STR_NPOS)
        return s;
    char *p = arena_alloc(a, s.n);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\' && i + 1 < s.n)
            i++;
        p[n++] = s.p[i];
    }
    struct str out = str_from(p, n);
    out.taint = s.taint;
    return out;
}

static bool
is_plain_path(struct str item, enum address_status st, const struct address_parts *p)
{
    return (item.p[0] == '|' || item.p[0] == '/') && (st != ADDRESS_OK || p->domain == 0);
}

/* "\local", unless a domain follows. */
static bool
take_local(struct redirect_list *l, struct arena *a, struct str item, struct redirect_item *out)
{
    struct address_parts p;
    if (item.p[0] != '\\' ||
        address_parse(a, str_sub(item, 1, item.n), l->flags, &p) != ADDRESS_OK || p.domain != 0)
        return false;
    out->kind = REDIRECT_LOCAL;
    out->text = p.text;
    return true;
}

static void
take_address(struct redirect_list *l, struct arena *a, struct str item, bool quoted,
             struct redirect_item *out)
{
    struct address_parts p;
    out->given = item;
    if (take_local(l, a, item, out))
        return;
    enum address_status st = address_parse(a, item, l->flags, &p);
    if (is_plain_path(item, st, &p)) {
        out->kind = item.p[0] == '|' ? REDIRECT_PIPE : REDIRECT_FILE;
        out->text = str_trim(quoted ? unescape(a, item) : item);
        return;
    }
    out->kind = st == ADDRESS_OK      ? REDIRECT_ADDRESS
                : st == ADDRESS_EMPTY ? REDIRECT_EMPTY
                                      : REDIRECT_BAD;
    out->text = st == ADDRESS_BAD ? p.error : p.text;
}

bool
redirect_list_next(struct redirect_list *l, struct arena *a, struct redirect_item *out)
{
    skip_between(l);
    *out = (struct redirect_item){.kind = REDIRECT_EMPTY, .text = STR_EMPTY};
    if (l->rest.n == 0)
        return false;
    struct str line = rest_of_line(l);
    size_t n = line.p[0] == '"' ? quoted_length(l->rest) : 0;
    bool quoted = n > 0;
    struct str item = str_sub(line, 0, quoted ? n : address_item_length(line));
    size_t used = item.n;
    item = quoted ? str_sub(item, 1, n - 2) : item;
    item = str_trim(item);
    if (take_special(quoted ? item : line, item, out)) {
        bool long_text = out->kind == REDIRECT_DEFER || out->kind == REDIRECT_FAIL;
        step(l, long_text && !quoted ? line.n : used);
        return true;
    }
    step(l, used);
    if (item.n > 0)
        take_address(l, a, item, quoted, out);
    return true;
}

/* --- codes in texts --- */

static size_t
digits(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && ascii_digit(s.p[at + n]))
        n++;
    return n;
}

/* Length of "n.n.n " at the front with the space behind it, or 0. */
static size_t
enhanced_length(struct str s)
{
    size_t at = 0;
    for (int part = 0; part < 3; part++) {
        size_t n = digits(s, at);
        if (n == 0 || n > 3 || (part == 0 && n != 1))
            return 0;
        at += n;
        if (at >= s.n || s.p[at] != (part < 2 ? '.' : ' '))
            return 0;
        at++;
    }
    return at;
}

bool
redirect_text_code(struct str text, int *code, struct str *enhanced, struct str *rest)
{
    if (digits(text, 0) != 3 || text.n < 4 || text.p[3] != ' ')
        return false;
    *code = (text.p[0] - '0') * 100 + (text.p[1] - '0') * 10 + (text.p[2] - '0');
    *rest = str_sub(text, 4, text.n);
    size_t n = enhanced_length(*rest);
    *enhanced = n > 0 ? str_sub(*rest, 0, n - 1) : STR_NULL;
    *rest = str_sub(*rest, n, rest->n);
    return true;
}
