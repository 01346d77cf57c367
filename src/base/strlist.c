/* String lists with Exim's separator rules (specification, "List construction").
 *
 * One pass over the text, no copy unless a separator was doubled. Never fails: every text is some list.
 */
#include "base/strlist.h"

#include "base/arena.h"
#include "base/buf.h"

#include <string.h>

static bool
is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

static bool
is_separator(char c)
{
    return is_control(c) || (ascii_print(c) && c != ' ' && !ascii_alnum(c));
}

struct strlist_split
strlist_split_start(struct str list, char sep)
{
    struct strlist_split s = {.rest = str_is_set(list) ? str_trim_left(list) : STR_EMPTY,
                              .sep = sep,
                              .newlines = is_control(sep)};
    if (s.rest.n > 0 && s.rest.p[0] == '<') {
        /* "<" alone is an empty list in the reference: the end counts as a separator */
        if (s.rest.n == 1)
            s.rest = str_sub(s.rest, 1, 0);
        else if (is_separator(s.rest.p[1])) {
            s.sep = s.rest.p[1];
            s.newlines = is_control(s.sep);
            s.rest = str_sub(s.rest, 2, s.rest.n);
        }
    }
    return s;
}

/* The end of the item that starts the rest; *doubled if it holds doubled separators. */
static uint32_t
item_end(const struct strlist_split *s, bool *doubled)
{
    const char *p = s->rest.p;
    const char *end = p + s->rest.n;
    *doubled = false;
    while ((p = memchr(p, s->sep, (size_t)(end - p))) != NULL) {
        if (s->newlines || p + 1 == end || p[1] != s->sep)
            return (uint32_t)(p - s->rest.p);
        *doubled = true;
        p += 2;
        if (p == end)
            break;
    }
    return s->rest.n;
}

static struct str
single(struct arena *a, struct str item, char sep)
{
    char *to = arena_alloc(a, item.n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < item.n; i++) {
        to[n++] = item.p[i];
        if (item.p[i] == sep && i + 1 < item.n && item.p[i + 1] == sep)
            i++;
    }
    return (struct str){to, n, item.taint};
}

/* White space before an item is skipped, if it is not the separator; false when nothing follows
 * it. */
static inline bool
next_raw(struct strlist_split *s, struct str *item, bool *doubled)
{
    const char *p = s->rest.p;
    const char *end = p + s->rest.n;
    const char sep = s->sep;
    while (p < end && ascii_space(*p) && *p != sep)
        p++;
    s->rest.p = p;
    s->rest.n = (uint32_t)(end - p);
    if (p == end)
        return false;
    const char *stop = memchr(p, sep, (size_t)(end - p));
    *doubled = stop != NULL && stop + 1 < end && stop[1] == sep && !s->newlines;
    if (*doubled)
        stop = p + item_end(s, doubled);
    else if (stop == NULL)
        stop = end;
    *item = (struct str){p, (uint32_t)(stop - p), s->rest.taint};
    s->rest.p = stop + (stop < end);
    s->rest.n = (uint32_t)(end - s->rest.p);
    return true;
}

bool
strlist_split_next(struct strlist_split *s, struct arena *a, struct str *item)
{
    bool doubled;
    if (!next_raw(s, item, &doubled))
        return false;
    if (doubled)
        *item = single(a, *item, s->sep);
    const char *p = item->p;
    uint32_t n = item->n;
    while (n > 0 && ascii_space(p[n - 1]))
        n--;
    item->n = n;
    return true;
}

size_t
strlist_count(struct str list, char sep)
{
    struct strlist_split s = strlist_split_start(list, sep);
    struct str item;
    bool doubled;
    size_t n = 0;
    while (next_raw(&s, &item, &doubled))
        n++;
    return n;
}

void
strlist_append(struct buf *out, struct str item, char sep, bool first)
{
    if (!first) {
        buf_addc(out, sep);
        if (item.n == 0 || item.p[0] == sep)
            buf_addc(out, ' ');
    }
    if (item.taint != out->taint)
        out->taint = str_taint_join(out->taint, item.taint);
    if (item.n == 0)
        return;
    const char *p = item.p;
    const char *end = p + item.n;
    const char *at;
    while (p < end && (at = memchr(p, sep, (size_t)(end - p))) != NULL) {
        at++;
        buf_add(out, p, (size_t)(at - p));
        buf_addc(out, sep);
        p = at;
    }
    buf_add(out, p, (size_t)(end - p));
}
