/* String lists with Exim's separator rules (specification, "List construction").
 *
 * One pass over the text, no copy unless a separator was doubled. Never fails: every text is some list.
 */
#include "base/strlist.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/scan.h"

#include <string.h>

enum { SHORT_ITEM = 24 }; /* is copied byte by byte */

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

/* An item that starts at p and holds doubled separators: what it stands for, in a; NULL: nobody wants it. */
static __attribute__((noinline)) void
doubled_item(struct strlist_split *s, struct arena *a, struct str *item)
{
    const char *end = s->rest.p + s->rest.n;
    bool doubled;
    uint32_t n = item_end(s, &doubled);
    *item = str_sub(s->rest, 0, n);
    s->rest.p += n + (s->rest.p + n < end);
    s->rest.n = (uint32_t)(end - s->rest.p);
    if (a != NULL)
        *item = single(a, *item, s->sep);
    while (item->n > 0 && ascii_space(item->p[item->n - 1]))
        item->n--;
}

/* White space before an item is skipped, if it is not the separator; false when nothing follows
 * it. */
bool
strlist_split_next(struct strlist_split *s, struct arena *a, struct str *item)
{
    const char *p = s->rest.p;
    const char *const end = p + s->rest.n;
    const char sep = s->sep;
    while (p < end && ascii_space(*p) && *p != sep)
        p++;
    s->rest.p = p;
    s->rest.n = (uint32_t)(end - p);
    if (p == end)
        return false;
    const char *stop = scan_byte(p, end, sep);
    const char *after = stop + (stop < end);
    if (after < end && *after == sep && !s->newlines) {
        doubled_item(s, a, item);
        return true;
    }
    s->rest.p = after;
    s->rest.n = (uint32_t)(end - after);
    while (stop > p && ascii_space(stop[-1]))
        stop--;
    *item = (struct str){p, (uint32_t)(stop - p), s->rest.taint};
    return true;
}

size_t
strlist_count(struct str list, char sep)
{
    struct strlist_split s = strlist_split_start(list, sep);
    struct str item;
    size_t n = 0;
    while (strlist_split_next(&s, NULL, &item))
        n++;
    return n;
}

/* The bytes, separators twice. */
static inline void
append_doubled(struct buf *out, struct str item, char sep)
{
    const char *p = item.p;
    const char *const end = p + item.n;
    while (p < end) {
        const char *at = scan_byte(p, end, sep);
        bool found = at < end;
        at += found;
        buf_add(out, p, (size_t)(at - p));
        if (found)
            buf_addc(out, sep);
        p = at;
    }
}

/* The same, where an item cannot outgrow the room: to is behind the list, and what is returned behind the item. */
static inline char *
write_doubled(char *to, struct str item, char sep)
{
    const char *const end = item.p + item.n;
    for (const char *p = item.p; p < end; p++) {
        *to++ = *p;
        if (*p == sep)
            *to++ = sep;
    }
    return to;
}

void
strlist_append(struct buf *out, struct str item, char sep, bool first)
{
    bool gap = !first && (item.n == 0 || item.p[0] == sep);
    if (item.taint != out->taint)
        out->taint = str_taint_join(out->taint, item.taint);
    if (item.n <= SHORT_ITEM && out->cap - out->n > 2 * (size_t)item.n + 2) {
        char *to = out->p + out->n;
        if (!first)
            *to++ = sep;
        if (gap)
            *to++ = ' ';
        out->n = (size_t)(write_doubled(to, item, sep) - out->p);
        return;
    }
    if (!first)
        buf_addc(out, sep);
    if (gap)
        buf_addc(out, ' ');
    append_doubled(out, item, sep);
}
