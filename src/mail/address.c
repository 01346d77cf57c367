/* Mail addresses. One cursor over the input, one bounded buffer for the address; nesting of
 * comments is a counter, so nothing recurses. Every fault ends the parse with a text in Exim's
 * words. */
#include "mail/address.h"

#include "base/arena.h"
#include "base/buf.h"

#include <stdarg.h>

/* Longer than any address that passes, so that the cap is seen. */
enum { COLLECT_MAX = 4 * ADDRESS_MAX, SHOWN_MAX = 64, FOLLOWS_MAX = 32 };

struct parser {
    struct arena *arena;
    struct str s;
    size_t at;
    unsigned flags;
    struct buf out;
    struct str error;
    bool commented; /* a comment was skipped */
    bool escaped;   /* something in quotes or behind a backslash was read */
};

/* --- classes of bytes --- */

#define BIT(c) (UINT64_C(1) << ((c)&63))

/* Bytes of an atom: RFC 5322 atext, the dot excluded, and anything above 127. */
static const uint64_t atom_bytes[4] = {
    ~(BIT('!') - 1) & ~(BIT('(') | BIT(')') | BIT('<') | BIT('>') | BIT(',') | BIT(';') |
                        BIT(':') | BIT('"') | BIT('.')),
    ~(BIT('@') | BIT('[') | BIT('\\') | BIT(']') | BIT(0x7f)),
    UINT64_MAX,
    UINT64_MAX,
};

/* Letters, digits, minus. */
static const uint64_t label_bytes[4] = {
    UINT64_C(0x3ff) << 48 | BIT('-'),
    UINT64_C(0x3ffffff) << 1 | UINT64_C(0x3ffffff) << 33,
    0,
    0,
};

static inline bool
is_in(const uint64_t *set, char c)
{
    return (set[(unsigned char)c / 64] >> (unsigned char)c % 64 & 1) != 0;
}

static bool
fail(struct parser *p, const char *text)
{
    p->error = str_from_cstr(text);
    return false;
}

static bool
at_end(const struct parser *p)
{
    return p->at >= p->s.n;
}

static char
peek(const struct parser *p)
{
    return at_end(p) ? '\0' : p->s.p[p->at];
}

static bool
is_at(const struct parser *p, char c)
{
    return !at_end(p) && p->s.p[p->at] == c;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Steps over a comment at the cursor; one that is not closed ends with the input. */
static size_t
comment_end(struct str s, size_t at)
{
    size_t depth = 0;
    for (; at < s.n; at++) {
        if (s.p[at] == '(') {
            depth++;
        } else if (s.p[at] == ')' && --depth == 0) {
            return at + 1;
        } else if (s.p[at] == '\\' && at + 1 < s.n) {
            at++;
        }
    }
    return s.n;
}

static size_t
skip_cfws(struct str s, size_t at)
{
    while (at < s.n) {
        if (is_space(s.p[at]))
            at++;
        else if (s.p[at] == '(')
            at = comment_end(s, at);
        else
            break;
    }
    return at;
}

static inline void
skip(struct parser *p)
{
    while (p->at < p->s.n && is_space(p->s.p[p->at]))
        p->at++;
    if (p->at < p->s.n && p->s.p[p->at] == '(') {
        p->commented = true;
        p->at = skip_cfws(p->s, p->at);
    }
}

/* Adds the input from start to the cursor, clipped: what is too long is seen as such in the
 * end. */
static void
collect(struct parser *p, size_t start)
{
    size_t room = p->out.limit - p->out.n;
    size_t n = p->at - start;
    p->out.overflow = p->out.overflow || n > room;
    buf_add(&p->out, p->s.p + start, n < room ? n : room);
}

/* An atom, in which a backslash quotes any byte but the line's and the value's ends. */
static bool
read_atom(struct parser *p)
{
    size_t start = p->at;
    size_t at = start;
    while (at < p->s.n) {
        if (is_in(atom_bytes, p->s.p[at])) {
            at++;
        } else if (p->s.p[at] == '\\' && at + 1 < p->s.n && p->s.p[at + 1] != '\0') {
            p->escaped = true;
            at += 2;
        } else {
            break;
        }
    }
    p->at = at;
    if (at > start)
        collect(p, start);
    return at > start;
}

static bool
read_quoted(struct parser *p, const char *unmatched)
{
    size_t start = p->at++;
    p->escaped = true;
    const struct str s = p->s;
    size_t at = p->at;
    while (at < s.n && s.p[at] != '"')
        at += s.p[at] == '\\' ? 2 : 1;
    p->at = at;
    if (at >= s.n)
        return fail(p, unmatched);
    p->at++;
    collect(p, start);
    return true;
}

/* Words with dots between, before and behind them, as much as there is (perhaps nothing). Two
 * words in a row are not one local part. */
static bool
read_local_part(struct parser *p, const char *unmatched)
{
    bool word = false;
    for (;;) {
        skip(p);
        if (is_at(p, '.')) {
            buf_addc(&p->out, '.');
            p->at++;
            word = false;
        } else if (word) {
            return true;
        } else if (is_at(p, '"')) {
            if (!read_quoted(p, unmatched))
                return false;
            word = true;
        } else {
            if (!read_atom(p))
                return true;
            word = true;
        }
    }
}

static bool
read_literal(struct parser *p)
{
    size_t start = p->at++;
    while (!at_end(p) && ascii_print(peek(p)) && peek(p) != ' ' && peek(p) != '[' &&
           peek(p) != ']' && peek(p) != '\\')
        p->at++;
    if (!is_at(p, ']'))
        return fail(p, "malformed domain literal");
    p->at++;
    collect(p, start);
    skip(p);
    return true;
}

/* The label at the cursor; it begins with no minus. False: there is none. */
static bool
read_label(struct parser *p)
{
    bool utf8 = (p->flags & ADDRESS_UTF8_DOMAIN) != 0;
    size_t at = p->at;
    if (at < p->s.n && p->s.p[at] == '-')
        return false;
    while (at < p->s.n &&
           (is_in(label_bytes, p->s.p[at]) || (utf8 && (unsigned char)p->s.p[at] >= 0x80)))
        at++;
    size_t start = p->at;
    p->at = at;
    if (at > start)
        collect(p, start);
    return at > start;
}

enum literal_rule { LITERAL_ANY, LITERAL_BY_FLAG };

/* A domain at the cursor, and the white space behind it. */
static bool
read_domain(struct parser *p, enum literal_rule rule)
{
    skip(p);
    if (is_at(p, '[')) {
        if (rule == LITERAL_BY_FLAG && (p->flags & ADDRESS_LITERAL) == 0)
            return fail(p, "domain literals not allowed");
        return read_literal(p);
    }
    for (size_t labels = 0;; labels++) {
        if (!read_label(p)) {
            if (labels == 0 || (p->flags & ADDRESS_STRIP_DOT) == 0)
                return fail(p, "domain missing or malformed");
            p->out.n--;
            return true;
        }
        skip(p);
        if (!is_at(p, '.'))
            return true;
        buf_addc(&p->out, '.');
        p->at++;
        skip(p);
    }
}

/* "@a,@b:" at the cursor, which is dropped. */
static bool
read_route(struct parser *p)
{
    const char *missing = "no local part";
    bool more;
    do {
        p->at++;
        if (!read_domain(p, LITERAL_BY_FLAG))
            return false;
        p->out.n = 0;
        for (more = false; is_at(p, ','); skip(p)) {
            more = true;
            missing = "colon expected after route list";
            p->at++;
        }
    } while (more && is_at(p, '@'));
    if (!is_at(p, ':'))
        return fail(p, missing);
    p->at++;
    return true;
}

/* [@route:]local-part[@domain]; bracketed: within <>. */
static bool
read_route_address(struct parser *p, bool bracketed, struct address_parts *out)
{
    const char *no_local = "missing or malformed local part";
    skip(p);
    bool routed = is_at(p, '@');
    if (routed && !read_route(p))
        return false;
    skip(p);
    out->start = p->at;
    if (!read_local_part(p, "unmatched doublequote in local part"))
        return false;
    if (p->out.n == 0)
        return fail(p, no_local);
    if (is_at(p, '@')) {
        buf_addc(&p->out, '@');
        out->domain = (uint32_t)p->out.n;
        p->at++;
        return read_domain(p, bracketed ? LITERAL_BY_FLAG : LITERAL_ANY);
    }
    if (routed)
        return fail(p, "domain missing in source-routed address");
    if (is_at(p, '>'))
        return true;
    p->error = str_printf(p->arena, "\"@\" or \".\" expected after \"%.*s\"",
                          STR_ARG(buf_str(&p->out)));
    return false;
}

/* The end of an address: behind the last byte of it, not of white space or comments. */
static size_t
trim_end(struct str s, size_t start, size_t end)
{
    size_t last = start;
    for (size_t i = start; i < end;) {
        size_t next = skip_cfws(s, i);
        if (next >= end)
            break;
        i = next;
        if (s.p[i] != '"') {
            i += s.p[i] == '\\' ? 2 : 1;
        } else {
            for (i++; i < end && s.p[i] != '"';)
                i += s.p[i] == '\\' ? 2 : 1;
            i++;
        }
        last = i;
    }
    return last < end ? last : end;
}

/* Steps over what is left of up to n like bytes; the number of those that were there. */
static size_t
step_over(struct parser *p, char c, size_t n)
{
    size_t start = p->at;
    while (p->at - start < n && is_at(p, c))
        p->at++;
    return p->at - start;
}

static bool
read_bracketed(struct parser *p, struct address_parts *out)
{
    size_t most = (p->flags & ADDRESS_STRIP_ANGLES) != 0 ? SIZE_MAX : 1;
    size_t opened = step_over(p, '<', most);
    p->out.n = 0;
    p->escaped = p->commented = false; /* what was before is no part of the address */
    skip(p);
    if (is_at(p, '>') && (p->flags & ADDRESS_NULL) != 0) {
        out->start = p->at;
        out->end = p->at;
    } else if (!read_route_address(p, true, out)) {
        return false;
    } else {
        out->end = p->at;
    }
    if (step_over(p, '>', opened) == opened)
        return true;
    return at_end(p) ? fail(p, "'>' missing at end of address") : true;
}

/* What follows a local part that was no address of its own: a display name up to '<', or the
 * name of a group. True with *again set: a group began, and its first member comes next. */
static bool
read_phrase(struct parser *p, struct address_parts *out, bool *again)
{
    while (!is_at(p, '<')) {
        if (is_at(p, ':') && (p->flags & (ADDRESS_GROUP | ADDRESS_IN_GROUP)) == ADDRESS_GROUP) {
            p->at++;
            p->flags |= ADDRESS_IN_GROUP;
            *again = out->group_begin = true;
            return true;
        }
        p->out.n = 0;
        if (!read_local_part(p, "unmatched doublequote in local part (expected word or \"<\")"))
            return false;
        if (p->out.n == 0)
            return fail(p, "missing or malformed local part (expected word or \"<\")");
    }
    return read_bracketed(p, out);
}

static bool
ends_item(const struct parser *p)
{
    return at_end(p) || is_at(p, ',') || is_at(p, ';');
}

/* An address without brackets, or a display name and one with. */
static bool
read_plain(struct parser *p, struct address_parts *out, bool *again)
{
    size_t start = p->at;
    p->out.n = 0;
    if (!read_local_part(p, "unmatched doublequote in local part"))
        return false;
    if (p->out.n > 0 && (ends_item(p) || is_at(p, '@'))) {
        out->start = start;
        if (is_at(p, '@')) {
            buf_addc(&p->out, '@');
            out->domain = (uint32_t)p->out.n;
            p->at++;
            if (!read_domain(p, LITERAL_ANY))
                return false;
        }
        out->end = p->at;
        return true;
    }
    return read_phrase(p, out, again);
}

static bool
read_mailbox(struct parser *p, struct address_parts *out)
{
    bool again;
    do {
        again = false;
        skip(p);
        if (at_end(p) || (is_at(p, ';') && (p->flags & ADDRESS_IN_GROUP) != 0))
            return fail(p, "empty address");
        if (is_at(p, '@')) {
            if (!read_route_address(p, false, out))
                return false;
            out->end = p->at;
        } else if (is_at(p, '<')) {
            if (!read_bracketed(p, out))
                return false;
        } else if (!read_plain(p, out, &again)) {
            return false;
        }
    } while (again);
    return true;
}

static bool
check_rest(struct parser *p, struct address_parts *out)
{
    skip(p);
    if (at_end(p))
        return true;
    if (is_at(p, ';') && (p->flags & ADDRESS_IN_GROUP) != 0) {
        out->group_end = true;
        return true;
    }
    struct buf b = buf_in(p->arena, 0);
    buf_addz(&b, "malformed address: ");
    buf_adds(&b, str_sub(p->s, p->at, FOLLOWS_MAX));
    buf_addz(&b, " may not follow ");
    buf_adds(&b, str_trim_left(str_sub(p->s, 0, p->at)));
    p->error = buf_str(&b);
    return false;
}

/* What must never get into an envelope, though a quoted string may hold it. */
static bool
check_bytes(struct parser *p)
{
    if (!p->escaped)
        return true;
    for (size_t i = 0; i < p->out.n; i++)
        if (p->out.p[i] == '\0' || p->out.p[i] == '\r' || p->out.p[i] == '\n')
            return fail(p, "missing or malformed local part");
    return true;
}

static bool
check_length(struct parser *p)
{
    if (p->out.n <= ADDRESS_MAX && !p->out.overflow)
        return true;
    struct buf b = buf_in(p->arena, 0);
    buf_addz(&b, "address is ridiculously long: ");
    buf_adds(&b, str_sub(buf_str(&p->out), 0, SHOWN_MAX));
    buf_addz(&b, "...");
    p->error = buf_str(&b);
    return false;
}

enum address_status
address_parse(struct arena *a, struct str s, unsigned flags, struct address_parts *out)
{
    struct parser p = {.arena = a, .s = s, .flags = flags, .out = buf_in(a, COLLECT_MAX)};
    p.out.taint = s.taint;
    *out = (struct address_parts){.text = STR_EMPTY, .error = STR_NULL};
    if (read_mailbox(&p, out) && check_rest(&p, out) && check_length(&p) && check_bytes(&p)) {
        out->text = buf_str(&p.out);
        bool plain = !p.commented && !p.escaped && out->end > out->start;
        if (!plain || is_space(s.p[out->end - 1]))
            out->end = trim_end(s, out->start, out->end);
        return ADDRESS_OK;
    }
    out->error = p.error;
    out->error.taint = str_taint_join(out->error.taint, s.taint);
    out->group_end = is_at(&p, ';') && str_eqz(p.error, "empty address");
    return str_eqz(p.error, "empty address") ? ADDRESS_EMPTY : ADDRESS_BAD;
}
