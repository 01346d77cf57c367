/* Header fields of MIME parts; see mime.h. */
#include "mail/mime.h"

#include "base/arena.h"
#include "mail/rfc2047.h"

/* --- parameters --- */

struct cursor {
    struct str s;
    size_t at;
};

/* One "name*3*=value". */
struct param {
    struct str name; /* without stars and number */
    int section;     /* -1 of one that is not continued */
    bool extended;   /* percent encoding, and in the first section a character set */
    bool quoted;
    struct str value;
};

/* Reads up to the next ';' outside quotes. Quotes go, and so does the backslash in front of a quote or a backslash; one that stands
 * for itself ("C:\x") stays. A newline and the white space behind it are one blank. */
static struct str
read_value(struct arena *a, struct cursor *c, bool *had_quotes)
{
    struct buf b = buf_in(a, MIME_FIELD_MAX);
    bool quoted = false;
    b.taint = c->s.taint;
    for (; c->at < c->s.n; c->at++) {
        char ch = c->s.p[c->at];
        char next = c->at + 1 < c->s.n ? c->s.p[c->at + 1] : '\0';
        if (ch == ';' && !quoted)
            break;
        if (ch == '"') {
            quoted = !quoted;
            *had_quotes = true;
        } else if (ch == '\n') {
            buf_addc(&b, ' ');
            while (c->at + 1 < c->s.n && ascii_space(c->s.p[c->at + 1]))
                c->at++;
        } else if (ch == '\\' && quoted && (next == '"' || next == '\\')) {
            buf_addc(&b, next);
            c->at++;
        } else {
            buf_addc(&b, ch == '\0' ? '?' : ch);
        }
    }
    return str_trim(buf_str(&b));
}

/* The next parameter behind a ';'. False: the end. */
static bool
next_param(struct arena *a, struct cursor *c, struct param *p)
{
    while (c->at < c->s.n) {
        size_t start = ++c->at; /* steps over the ';' */
        while (c->at < c->s.n && c->s.p[c->at] != '=' && c->s.p[c->at] != ';')
            c->at++;
        if (c->at >= c->s.n || c->s.p[c->at] == ';')
            continue;
        *p = (struct param){.name = str_trim(str_sub(c->s, start, c->at - start))};
        c->at++;
        p->value = read_value(a, c, &p->quoted);
        if (rfc2231_split_name(&p->name, &p->section, &p->extended))
            return true;
    }
    return false;
}

/* --- RFC 2231 --- */

/* Takes charset'language' off; a single quote ends both. */
static void
cut_charset(struct str *value)
{
    size_t quote = str_chr(*value, '\'', 0);
    if (quote == STR_NPOS)
        return;
    size_t second = str_chr(*value, '\'', quote + 1);
    *value = str_sub(*value, (second == STR_NPOS ? quote : second) + 1, value->n);
}

/* A parameter that may come whole or in sections. */
struct gathered {
    struct str whole;
    struct param *sections; /* RFC2231_SECTIONS_MAX, or NULL: there are none */
};

static void
gather(struct arena *a, struct gathered *g, const struct param *p)
{
    if (p->section < 0 && !p->extended) {
        g->whole = p->value;
        return;
    }
    if (g->sections == NULL)
        g->sections = ARENA_ARRAY(a, struct param, RFC2231_SECTIONS_MAX);
    g->sections[p->section < 0 ? 0 : p->section] = *p;
}

/* The sections in the order of their numbers; one that is missing leaves no gap. */
static struct str
join(struct arena *a, const struct gathered *g, bool words)
{
    struct buf b = buf_in(a, MIME_FIELD_MAX);
    if (g->sections == NULL && !str_is_set(g->whole))
        return STR_EMPTY;
    if (g->sections == NULL)
        return words ? rfc2047_decode(a, g->whole, NULL, RFC2047_ANY_LENGTH, NULL) : g->whole;
    bool first = true;
    for (size_t i = 0; i < RFC2231_SECTIONS_MAX; i++) {
        struct str value = g->sections[i].value;
        if (!str_is_set(value))
            continue;
        b.taint = str_taint_join(b.taint, value.taint);
        if (first && g->sections[i].extended)
            cut_charset(&value);
        first = false;
        if (g->sections[i].extended)
            rfc2231_add_percent(&b, value);
        else
            buf_adds(&b, value);
    }
    return buf_str(&b);
}

/* --- fields --- */

/* Up to the ';', in lower case, without white space and comments. at: where it ended. */
static struct str
normal(struct arena *a, struct str body, size_t *at)
{
    struct buf b = buf_in(a, MIME_FIELD_MAX);
    unsigned comment = 0;
    bool quoted = false;
    b.taint = body.taint;
    size_t i = 0;
    for (; i < body.n; i++) {
        char c = body.p[i];
        if (c == ';' && !quoted && comment == 0)
            break;
        if (c == '"' && comment == 0)
            quoted = !quoted;
        if (c == '(' && !quoted)
            comment++;
        else if (c == ')' && comment > 0)
            comment--;
        else if (!ascii_space(c) && comment == 0)
            buf_addc(&b, c == '\0' ? '?' : ascii_lower(c));
    }
    *at = i;
    return buf_str(&b);
}

/* A comment behind a boundary that is not in quotes is no part of it. */
static struct str
without_comment(struct str s)
{
    size_t open = s.n > 0 && s.p[s.n - 1] == ')' ? str_rchr(s, '(') : STR_NPOS;
    if (open == STR_NPOS || open == 0 || !ascii_space(s.p[open - 1]))
        return s;
    return str_trim(str_sub(s, 0, open));
}

enum field { TYPE, DISPOSITION, ENCODING, ID, DESCRIPTION, FIELDS };

static const char *const names[FIELDS] = {
    [TYPE] = "content-type",
    [DISPOSITION] = "content-disposition",
    [ENCODING] = "content-transfer-encoding",
    [ID] = "content-id",
    [DESCRIPTION] = "content-description",
};

static void
take_params(struct arena *a, struct mime_part *p, enum field field, struct cursor c)
{
    struct gathered boundary = {0}, charset = {0}, filename = {0};
    struct param one;
    while (next_param(a, &c, &one)) {
        if (str_ieqz(one.name, "name") || str_ieqz(one.name, "filename"))
            gather(a, &filename, &one);
        else if (field == TYPE && str_ieqz(one.name, "boundary")) {
            one.value = one.quoted ? one.value : without_comment(one.value);
            gather(a, &boundary, &one);
        } else if (field == TYPE && str_ieqz(one.name, "charset"))
            gather(a, &charset, &one);
    }
    if (field == TYPE) {
        p->boundary = join(a, &boundary, false);
        p->charset = join(a, &charset, false);
    }
    struct str name = join(a, &filename, true);
    if (name.n > 0)
        p->filename = name;
}

/* The index of the name, or FIELDS. colon: where its body begins. */
static enum field
find(struct str line, size_t *colon)
{
    *colon = str_chr(line, ':', 0);
    if (*colon == STR_NPOS || !str_istarts(line, "content-"))
        return FIELDS;
    struct str name = str_trim(str_sub(line, 0, (*colon)++));
    for (int i = 0; i < FIELDS; i++)
        if (str_ieqz(name, names[i]))
            return (enum field)i;
    return FIELDS;
}

static void
take_field(struct mime_header *h)
{
    struct mime_part *p = &h->part;
    size_t colon, end;
    struct str line = buf_str(&h->field);
    enum field field = find(line, &colon);
    /* Exim puts the ';' there, so that an open quote at the end has it. */
    struct str body = str_cat(h->arena, str_trim(str_sub(line, colon, line.n)), STR_LIT(";"));
    struct str value = normal(h->arena, body, &end);
    switch (field) {
    case TYPE:
        p->type = value;
        take_params(h->arena, p, field, (struct cursor){.s = body, .at = end});
        break;
    case DISPOSITION:
        p->disposition = value;
        take_params(h->arena, p, field, (struct cursor){.s = body, .at = end});
        break;
    case ENCODING:
        p->encoding = value;
        break;
    case ID:
        p->id = value;
        break;
    case DESCRIPTION:
        p->description = value;
        break;
    case FIELDS:
        break;
    }
}

void
mime_header_start(struct mime_header *h, struct arena *a)
{
    *h = (struct mime_header){
        .arena = a,
        .part = {STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY,
                 STR_EMPTY, false},
    };
}

void
mime_header_end(struct mime_header *h)
{
    if (!h->counts)
        return;
    take_field(h);
    h->counts = false;
}

/* As much of the line as there is room for. */
static void
add_line(struct mime_header *h, struct str line, bool cut)
{
    size_t room = MIME_FIELD_MAX - h->field.n;
    buf_adds(&h->field, str_sub(line, 0, room));
    h->part.cut = h->part.cut || cut || line.n > room;
}

void
mime_header_line(struct mime_header *h, struct str line, bool cut)
{
    size_t colon;
    if (line.n > 0 && ascii_space(line.p[0])) { /* goes on */
        if (h->counts) {
            add_line(h, STR_LIT("\n"), false);
            add_line(h, line, cut);
        }
        return;
    }
    mime_header_end(h);
    if (find(line, &colon) == FIELDS)
        return;
    if (h->fields == MIME_FIELDS_MAX) {
        h->part.cut = true;
        return;
    }
    h->fields++;
    h->counts = true;
    h->field = buf_in(h->arena, MIME_FIELD_MAX);
    add_line(h, line, cut);
}

/* --- questions --- */

bool
mime_is_multipart(const struct mime_part *p)
{
    return str_istarts(p->type, "multipart/");
}

bool
mime_is_message(const struct mime_part *p, bool in_digest)
{
    if (p->type.n == 0)
        return in_digest;
    return str_ieqz(p->type, "message/rfc822") || str_ieqz(p->type, "message/global");
}

bool
mime_is_choice(const struct mime_part *p)
{
    return str_ieqz(p->type, "multipart/alternative") || str_ieqz(p->type, "multipart/related");
}
