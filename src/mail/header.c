/* The header lines of a message. Texts are assembled in one bounded buffer and then decoded as
 * a whole, since an encoded word may follow another in the next line of the same name. */
#include "mail/header.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"

#include <string.h>

struct type_row {
    struct str name;
    char type;
    bool resent; /* also with "Resent-" before it */
};

static const struct type_row types[] = {
    {STR_INIT("bcc"), HEADER_TYPE_BCC, true},
    {STR_INIT("cc"), HEADER_TYPE_CC, true},
    {STR_INIT("from"), HEADER_TYPE_FROM, true},
    {STR_INIT("message-id"), HEADER_TYPE_MESSAGE_ID, true},
    {STR_INIT("received"), HEADER_TYPE_RECEIVED, false},
    {STR_INIT("reply-to"), HEADER_TYPE_REPLY_TO, false},
    {STR_INIT("sender"), HEADER_TYPE_SENDER, true},
    {STR_INIT("to"), HEADER_TYPE_TO, true},
};

/* True at a newline that folds. */
static bool
is_fold(struct str text, size_t at)
{
    return text.p[at] == '\n' && at + 1 < text.n &&
           (text.p[at + 1] == ' ' || text.p[at + 1] == '\t');
}

size_t
header_name_length(struct str text)
{
    size_t n = 0;
    while (n < text.n && text.p[n] != ' ' && text.p[n] != ':' &&
           (ascii_print(text.p[n]) || (unsigned char)text.p[n] >= 0x80))
        n++;
    size_t at = n;
    while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\t' || is_fold(text, at)))
        at++;
    return at < text.n && text.p[at] == ':' ? n : 0;
}

char
header_type(struct str name)
{
    bool resent = str_istarts(name, "resent-");
    if (resent)
        name = str_sub(name, strlen("resent-"), name.n);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (str_ieq(name, types[i].name) && (!resent || types[i].resent))
            return types[i].type;
    return HEADER_TYPE_OTHER;
}

struct str
header_name(const struct header *h)
{
    return str_sub(h->text, 0, h->name_n);
}

struct str
header_body(const struct header *h)
{
    return str_sub(h->text, str_chr(h->text, ':', h->name_n) + 1, h->text.n);
}

/* True if no byte breaks the line: newlines only before white space or at the end. */
static bool
is_clean(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\0' || c == '\r')
            return false;
        if (c == '\n' && i + 1 < text.n && text.p[i + 1] != ' ' && text.p[i + 1] != '\t')
            return false;
    }
    return true;
}

bool
header_list_insert(struct arena *a, struct header_list *l, size_t at, struct str text)
{
    l->changes++;
    size_t name_n = header_name_length(text);
    if (name_n == 0 || !is_clean(text) || l->n >= HEADER_LINES_MAX)
        return false;
    bool ended = text.p[text.n - 1] == '\n';
    struct header h = {
        .text = ended ? str_dup(a, text) : str_cat(a, text, STR_LIT("\n")),
        .name_n = (uint32_t)name_n,
        .type = header_type(str_sub(text, 0, name_n)),
    };
    vec_push(a, l, h);
    if (at < l->n - 1) {
        memmove(l->v + at + 1, l->v + at, (l->n - 1 - at) * sizeof *l->v);
        l->v[at] = h;
    }
    return true;
}

bool
header_list_add(struct arena *a, struct header_list *l, struct str text,
                enum header_place place)
{
    return header_list_insert(a, l, place == HEADER_AT_TOP ? 0 : l->n, text);
}

bool
header_list_replace(struct arena *a, struct header_list *l, size_t i, struct str text)
{
    if (!header_list_insert(a, l, i + 1, text))
        return false;
    l->v[i].type = HEADER_TYPE_DELETED;
    return true;
}

/* Bytes of the physical line at `at`, with its newline. */
static size_t
line_length(struct str s, size_t at)
{
    size_t end = str_chr(s, '\n', at);
    return (end == STR_NPOS ? s.n : end + 1) - at;
}

static bool
is_empty_line(struct str line)
{
    return str_eqz(line, "\n") || str_eqz(line, "\r\n");
}

static struct str
mend(struct arena *a, struct str text)
{
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\r' && (i + 1 == text.n || text.p[i + 1] == '\n'))
            continue;
        buf_addc(&b, c == '\0' ? '?' : c == '\r' ? ' ' : c);
    }
    b.taint = text.taint;
    return buf_str(&b);
}

size_t
header_list_read(struct arena *a, struct header_list *l, struct str block)
{
    size_t at = 0;
    while (at < block.n) {
        size_t n = line_length(block, at);
        if (is_empty_line(str_sub(block, at, n)))
            return at + n;
        while (at + n < block.n && (block.p[at + n] == ' ' || block.p[at + n] == '\t'))
            n += line_length(block, at + n);
        if (!header_list_add(a, l, mend(a, str_sub(block, at, n)), HEADER_AT_END))
            break;
        at += n;
    }
    return at;
}

/* White space between the name and the colon: the line can be removed, but is not found. */
static bool
is_nearly_named(const struct header *h, struct str name)
{
    return h->type != HEADER_TYPE_DELETED && h->name_n == name.n &&
           str_ieq(header_name(h), name);
}

static bool
is_named(const struct header *h, struct str name)
{
    return is_nearly_named(h, name) && h->text.p[h->name_n] == ':';
}

size_t
header_list_find(const struct header_list *l, struct str name, size_t from)
{
    for (size_t i = from; i < l->n; i++)
        if (is_named(&l->v[i], name))
            return i;
    return STR_NPOS;
}

size_t
header_list_remove(struct header_list *l, struct str name, size_t occurrence)
{
    l->changes++;
    size_t seen = 0;
    size_t removed = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (!is_nearly_named(&l->v[i], name) || (++seen != occurrence && occurrence != 0))
            continue;
        l->v[i].type = HEADER_TYPE_DELETED;
        removed++;
    }
    return removed;
}

static bool
joins_by_comma(char type)
{
    return type == HEADER_TYPE_BCC || type == HEADER_TYPE_CC || type == HEADER_TYPE_FROM ||
           type == HEADER_TYPE_REPLY_TO || type == HEADER_TYPE_SENDER || type == HEADER_TYPE_TO;
}

/* As much of s as fits. */
static void
add_clipped(struct buf *b, struct str s)
{
    struct str fits = str_sub(s, 0, b->limit - b->n);
    buf_adds(b, fits);
    b->overflow = b->overflow || fits.n < s.n;
}

static void
add_list_item(struct buf *b, struct str body)
{
    if (b->n > 0)
        buf_addc(b, ':');
    if (str_ends(body, STR_LIT("\n")))
        body = str_sub(body, 0, body.n - 1);
    for (size_t i = 0; i < body.n; i++) {
        buf_addc(b, body.p[i]);
        if (body.p[i] == ':')
            buf_addc(b, ':');
    }
    b->taint = str_taint_join(b->taint, body.taint);
}

/* Adds one line's body (or, for $message_headers, its whole text) in the given view. */
static void
add_line(struct buf *b, struct str text, char type, enum header_view view)
{
    switch (view) {
    case HEADER_VIEW_RAW:
        add_clipped(b, text);
        break;
    case HEADER_VIEW_LIST:
        add_list_item(b, text);
        break;
    case HEADER_VIEW_COOKED:
    case HEADER_VIEW_BYTES:
    default:
        text = str_trim(text);
        if (text.n > 0 && b->n > 0)
            buf_addz(b, joins_by_comma(type) ? ",\n" : "\n");
        add_clipped(b, text);
        break;
    }
}

/* One byte more than the raw view has, as in the reference. */
static struct buf
text_buf(struct arena *a, enum header_view view)
{
    return buf_in(a, view == HEADER_VIEW_RAW ? HEADER_TEXT_MAX : HEADER_TEXT_MAX + 1);
}

bool
header_list_text(struct arena *a, const struct header_list *l, struct str name,
                 enum header_view view, const struct charset_target *target, unsigned flags,
                 struct str *out)
{
    struct buf b = text_buf(a, view);
    bool found = false;
    for (size_t i = 0; (i = header_list_find(l, name, i)) != STR_NPOS && !b.overflow; i++) {
        add_line(&b, header_body(&l->v[i]), l->v[i].type, view);
        found = true;
    }
    *out = buf_str(&b);
    if (view == HEADER_VIEW_COOKED || view == HEADER_VIEW_BYTES)
        *out = rfc2047_decode(a, *out, view == HEADER_VIEW_COOKED ? target : NULL, flags, NULL);
    return found;
}

struct str
header_list_all(struct arena *a, const struct header_list *l, enum header_view view,
                unsigned flags)
{
    struct buf b = text_buf(a, view);
    for (size_t i = 0; i < l->n && !b.overflow; i++)
        if (l->v[i].type != HEADER_TYPE_DELETED)
            add_line(&b, l->v[i].text, HEADER_TYPE_OTHER, view);
    if (view == HEADER_VIEW_RAW)
        return buf_str(&b);
    return rfc2047_decode(a, buf_str(&b), NULL, flags, NULL);
}

struct str
header_unfold(struct arena *a, struct str body)
{
    body = str_trim(body);
    if (str_chr(body, '\n', 0) == STR_NPOS)
        return body;
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < body.n; i++)
        if (body.p[i] != '\n' && body.p[i] != '\r')
            buf_addc(&b, body.p[i]);
    b.taint = body.taint;
    return buf_str(&b);
}
