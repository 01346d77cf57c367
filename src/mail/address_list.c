/* Lists of addresses, and the small conversions of addresses that need no parser.
 *
 * A list is cut at the commas that stand outside quotes, comments, angle brackets and source
 * routes; each item then goes through address_parse alone.
 */
#include "mail/address.h"

#include "base/arena.h"
#include "base/buf.h"

/* What the cutter is inside of. */
struct cutter {
    struct str s;
    size_t at;
    bool quoted;
    bool bracket;
    bool begun; /* something but white space and comments was seen */
    bool route; /* of a list that begins with '@': commas belong to it up to its colon */
    size_t comment;
};

static void
cut_step(struct cutter *k)
{
    char c = k->s.p[k->at];
    if (c == '\\') {
        k->at++;
    } else if (k->quoted) {
        k->quoted = c != '"';
    } else if (c == '(') {
        k->comment++;
    } else if (k->comment > 0) {
        k->comment -= c == ')' ? 1 : 0;
    } else if (c == '"') {
        k->quoted = true;
    } else if (c == '<') {
        k->bracket = true;
    } else if (c == '>') {
        k->bracket = false;
    } else if (c == ':') {
        k->route = false;
    } else if (c == '@' && !k->begun) {
        k->route = true;
    }
    k->begun = k->begun || !(ascii_space(c) || c == '(' || c == ')' || k->comment > 0);
}

size_t
address_item_length(struct str s)
{
    struct cutter k = {.s = s};
    for (; k.at < s.n; k.at++) {
        if (s.p[k.at] == ',' && !k.quoted && !k.bracket && !k.route && k.comment == 0)
            return k.at;
        cut_step(&k);
    }
    return s.n;
}

struct address_list
address_list_start(struct str list, unsigned flags)
{
    return (struct address_list){.rest = list, .flags = flags};
}

bool
address_list_next(struct address_list *l, struct arena *a, enum address_status *st,
                  struct address_parts *out, struct str *item)
{
    if (l->rest.n == 0)
        return false;
    size_t n = address_item_length(l->rest);
    struct str one = str_sub(l->rest, 0, n);
    size_t step = n < l->rest.n ? n + 1 : n;
    *st = address_parse(a, one, l->flags | (l->in_group ? ADDRESS_IN_GROUP : 0), out);
    l->in_group = (l->in_group || out->group_begin) && !out->group_end;
    out->start += l->at;
    out->end += l->at;
    if (item != NULL)
        *item = one;
    l->at += step;
    l->rest = str_sub(l->rest, step, l->rest.n);
    return true;
}

void
address_add_all(struct buf *out, struct str list, char sep)
{
    struct address_list l = address_list_start(list, ADDRESS_GROUP);
    enum address_status st;
    struct address_parts one;
    bool first = true;
    out->taint = str_taint_join(out->taint, list.taint);
    while (address_list_next(&l, out->arena, &st, &one, NULL)) {
        if (st != ADDRESS_OK)
            continue;
        if (!first)
            buf_addc(out, sep);
        first = false;
        for (size_t i = 0; i < one.text.n; i++) {
            buf_addc(out, one.text.p[i]);
            if (one.text.p[i] == sep)
                buf_addc(out, sep);
        }
    }
}

void
address_split(struct str address, struct str *local_part, struct str *domain)
{
    size_t at = 0;
    bool quoted = false;
    for (; at < address.n && (quoted || address.p[at] != '@'); at++)
        if (address.p[at] == '"')
            quoted = !quoted;
        else if (address.p[at] == '\\')
            at++;
    if (at >= address.n)
        at = STR_NPOS;
    *local_part = str_sub(address, 0, at);
    *domain = at == STR_NPOS ? STR_NULL : str_sub(address, at + 1, address.n);
}

bool
address_percent(struct arena *a, struct str address, struct str *out)
{
    struct str local_part, domain;
    address_split(address, &local_part, &domain);
    size_t at = str_rchr(local_part, '%');
    if (at == STR_NPOS || at == 0 || at + 1 == local_part.n || local_part.p[0] == '"')
        return false;
    *out = str_tainted(str_printf(a, "%.*s@%.*s", (int)at, local_part.p,
                                  STR_ARG(str_sub(local_part, at + 1, local_part.n))));
    return true;
}

struct str
address_qualify(struct arena *a, struct str address, struct str domain)
{
    struct str local_part;
    struct str own;
    address_split(address, &local_part, &own);
    if (address.n == 0 || str_is_set(own))
        return address;
    struct buf b = buf_in(a, 0);
    buf_adds(&b, address);
    buf_addc(&b, '@');
    buf_adds(&b, domain);
    return buf_str(&b);
}

static bool
is_plain(struct str s, size_t i)
{
    static const char others[] = "!#$%&'*+-/=?^_`{|}~";
    char c = s.p[i];
    if (c == '.')
        return i > 0 && i + 1 < s.n;
    return ascii_alnum(c) || str_chr(STR_LIT(others), c, 0) != STR_NPOS;
}

struct str
address_quote_local_part(struct arena *a, struct str s)
{
    size_t i = 0;
    while (i < s.n && is_plain(s, i))
        i++;
    if (i == s.n && s.n > 0)
        return s;
    struct buf b = buf_in(a, 0);
    buf_addc(&b, '"');
    for (i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\n' || c == '\r') {
            buf_addz(&b, c == '\n' ? "\\n" : "\\r");
            continue;
        }
        if (c == '\\' || c == '"')
            buf_addc(&b, '\\');
        buf_addc(&b, c);
    }
    buf_addc(&b, '"');
    b.taint = s.taint;
    return buf_str(&b);
}

struct str
address_unquote_local_part(struct arena *a, struct str s)
{
    if (str_chr(s, '"', 0) == STR_NPOS && str_chr(s, '\\', 0) == STR_NPOS)
        return s;
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            continue;
        if (s.p[i] == '\\' && i + 1 < s.n)
            i++;
        buf_addc(&b, s.p[i]);
    }
    b.taint = s.taint;
    return buf_str(&b);
}
