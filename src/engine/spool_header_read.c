/* Reading a -H file; see spool_header.h.
 *
 * One cursor goes forward over the content; a step takes one line or a counted block, and gives up with a
 * fault that names the line. Nothing is searched for backwards over a line's start, nothing recurses.
 */
#include "base/arena.h"
#include "base/num.h"
#include "engine/spool_header.h"
#include "engine/spool_item.h"
#include "mail/ip.h"

struct cursor {
    struct arena *arena;
    struct spool_header *h;
    struct spool_fault *fault;
    struct str s;
    size_t at;
    unsigned line; /* of the line taken last */
    bool plain;    /* there is no NUL and no CR in it at all */
};

static bool
bad(struct cursor *c, const char *item, const char *what, struct str value)
{
    return spool_header_fault(c->fault, &c->h->id, c->line, item, what, value);
}

static bool
is_plain(struct str s)
{
    return !str_has_nul(s) && str_chr(s, '\r', 0) == STR_NPOS;
}

/* The next line without its newline. */
static bool
take_line(struct cursor *c, const char *item, struct str *out)
{
    c->line++;
    struct str rest = str_sub(c->s, c->at, (size_t)SPOOL_LINE_MAX + 1);
    size_t n = str_chr(rest, '\n', 0);
    if (n == STR_NPOS) {
        bool too_long = rest.n > SPOOL_LINE_MAX;
        return bad(c, item, too_long ? "line too long" : "file ends here", STR_NULL);
    }
    *out = str_sub(rest, 0, n);
    c->at += n + 1;
    if (!c->plain && !is_plain(*out))
        return bad(c, item, "NUL or CR in the line", *out);
    return true;
}

/* n bytes and the newline that must follow them. */
static bool
take_block(struct cursor *c, const char *item, uint64_t n, struct str *out)
{
    if (n >= c->s.n - c->at)
        return bad(c, item, "length goes beyond the end of the file", STR_NULL);
    *out = str_sub(c->s, c->at, n);
    if (c->s.p[c->at + n] != '\n')
        return bad(c, item, "no newline where the length says", STR_NULL);
    for (size_t i = 0; (i = str_chr(*out, '\n', i)) != STR_NPOS; i++)
        c->line++;
    c->line++;
    c->at += n + 1;
    return true;
}

static bool
signed_digits(struct str s, int64_t *out)
{
    uint64_t v = 0;
    bool minus = s.n > 0 && s.p[0] == '-';
    if (!num_parse_digits(str_sub(s, minus, s.n), &v) || v > INT64_MAX)
        return false;
    *out = minus ? -(int64_t)v : (int64_t)v;
    return true;
}

/* Cuts the last word off *s, which must not be the whole of it. */
static bool
cut_last_word(struct str *s, struct str *word)
{
    size_t sp = str_rchr(*s, ' ');
    if (sp == STR_NPOS)
        return false;
    *word = str_sub(*s, sp + 1, s->n);
    *s = str_sub(*s, 0, sp);
    return true;
}

/* --- the four lines before the items --- */

static bool
read_name(struct cursor *c)
{
    struct str line, id = message_id_str(&c->h->id);
    if (!take_line(c, "name", &line))
        return false;
    if (line.n == id.n + 2 && str_eq(str_sub(line, 0, id.n), id) &&
        str_ends(line, STR_LIT("-H")))
        return true;
    return bad(c, "name", "first line is not the name of the file", line);
}

static bool
read_owner(struct cursor *c)
{
    struct str line, uid, gid, whole;
    if (!take_line(c, "owner", &line))
        return false;
    whole = line;
    if (!cut_last_word(&line, &gid) || !cut_last_word(&line, &uid) ||
        !signed_digits(uid, &c->h->uid) || !signed_digits(gid, &c->h->gid) || c->h->uid < -1 ||
        c->h->gid < -1 || c->h->uid > UINT32_MAX || c->h->gid > UINT32_MAX)
        return bad(c, "owner", "not a login name, a uid and a gid", whole);
    c->h->login = str_from(line.p, line.n);
    return true;
}

static bool
read_sender(struct cursor *c)
{
    struct str line;
    if (!take_line(c, "sender", &line))
        return false;
    if (line.n < 2 || line.p[0] != '<' || line.p[line.n - 1] != '>')
        return bad(c, "sender", "not in angle brackets", line);
    c->h->sender = str_sub(line, 1, line.n - 2u);
    return true;
}

static bool
read_times(struct cursor *c)
{
    struct str line, count, time;
    if (!take_line(c, "time", &line))
        return false;
    time = line;
    if (!cut_last_word(&time, &count) || !signed_digits(time, &c->h->received_time) ||
        !signed_digits(count, &c->h->warning_count) || c->h->warning_count < 0)
        return bad(c, "time", "not a time and a count of warnings", line);
    return true;
}

/* --- items --- */

/* "[address]:port", or "address.port" as earlier releases had it. */
static bool
parse_host(struct str s, struct spool_host *out)
{
    struct ip ip;
    struct str port = STR_EMPTY;
    uint64_t n = 0;
    out->address = s;
    size_t cut = STR_NPOS;
    if (s.n > 0 && s.p[0] == '[') {
        size_t close = str_chr(s, ']', 0);
        if (close == STR_NPOS)
            return false;
        out->address = str_sub(s, 1, close - 1);
        port = str_sub(s, close + 1, s.n);
        if (port.n > 0 && port.p[0] != ':')
            return false;
        port = str_sub(port, 1, port.n);
    } else if (!ip_parse(s, &ip) && (cut = str_rchr(s, '.')) != STR_NPOS) {
        out->address = str_sub(s, 0, cut);
        port = str_sub(s, cut + 1, s.n);
    }
    if (!ip_parse(out->address, &ip))
        return false;
    out->port = 0;
    if (port.n > 0 && (!num_parse_digits(port, &n) || n > 65535))
        return false;
    out->port = (int64_t)n;
    return true;
}

/* Digits, a point, six digits; the part before the point may be empty. */
static bool
parse_stamp(struct str s, int64_t *out)
{
    uint64_t seconds = 0, us = 0;
    size_t dot = str_chr(s, '.', 0);
    if (dot == STR_NPOS || s.n - dot != 7 || !num_parse_digits(str_sub(s, dot + 1, 6), &us))
        return false;
    if (dot > 0 &&
        (!num_parse_digits(str_sub(s, 0, dot), &seconds) || seconds > UINT32_MAX * 16ULL))
        return false;
    *out = (int64_t)(seconds * 1000000 + us);
    return true;
}

static bool
parse_number(struct str s, int64_t *out)
{
    uint64_t n = 0;
    if (!num_parse_digits(s, &n) || n > INT64_MAX)
        return false;
    *out = (int64_t)n;
    return true;
}

static bool
store_item(struct cursor *c, const struct spool_item *item, struct str value)
{
    void *field = (char *)c->h + item->offset;
    switch (item->kind) {
    case SPOOL_ITEM_FLAG:
        *(bool *)field = true;
        return value.n == 0 || bad(c, item->name, "takes no value", value);
    case SPOOL_ITEM_TEXT:
        *(struct str *)field = value;
        return true;
    case SPOOL_ITEM_NUMBER:
        return parse_number(value, field) || bad(c, item->name, "not a number", value);
    case SPOOL_ITEM_FRACTION:
        return (value.n == 7 && parse_stamp(value, field)) ||
               bad(c, item->name, "not a fraction of six digits", value);
    case SPOOL_ITEM_STAMP:
        return (value.n > 7 && parse_stamp(value, field)) ||
               bad(c, item->name, "not a time with six decimals", value);
    case SPOOL_ITEM_HOST:
        return parse_host(value, field) ||
               bad(c, item->name, "not an IP address and port", value);
    case SPOOL_ITEM_ACL:
        break;
    }
    return bad(c, item->name, "not an item", value);
}

static bool
acl_name_ok(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (!ascii_alnum(name.p[i]) && name.p[i] != '_')
            return false;
    }
    return name.n > 0;
}

/* "-acl 3 2" is $acl_c3, "-acl 13 2" is $acl_m3. */
static bool
old_acl_name(struct cursor *c, struct spool_acl_variable *v)
{
    uint64_t n = 0;
    if (!num_parse_digits(v->name, &n) || n > 19)
        return bad(c, "acl", "not a number from 0 to 19", v->name);
    v->of_message = n >= 10;
    v->name = str_sub(v->name, n >= 10, v->name.n);
    return true;
}

/* what: "acl", "aclc" or "aclm"; rest: name and length. */
static bool
read_acl(struct cursor *c, const char *what, struct str rest, uint32_t taint)
{
    struct spool_acl_variable v = {.of_message = strcmp(what, "aclm") == 0, .name = rest};
    struct str length;
    uint64_t n = 0;
    if (!cut_last_word(&v.name, &length) || !num_parse_digits(length, &n) ||
        !acl_name_ok(v.name))
        return bad(c, what, "not a name and a length", rest);
    if (c->h->acl_variables.n >= SPOOL_ACL_VARIABLES_MAX)
        return bad(c, what, "too many ACL variables", STR_NULL);
    if (strcmp(what, "acl") == 0 && !old_acl_name(c, &v))
        return false;
    if (!take_block(c, what, n, &v.value))
        return false;
    if (str_has_nul(v.value))
        return bad(c, what, "NUL in the value", v.name);
    v.name.taint = STR_CLEAN;
    v.value.taint = taint;
    vec_push(c->arena, &c->h->acl_variables, v);
    return true;
}

/* The hyphens and the quoter before the name, as a mark. */
static uint32_t
take_mark(struct str *s)
{
    uint32_t taint = STR_CLEAN;
    *s = str_sub(*s, 1, s->n);
    if (s->n > 0 && s->p[0] == '-') {
        taint = STR_TAINTED;
        *s = str_sub(*s, 1, s->n);
    }
    size_t close;
    if (s->n > 0 && s->p[0] == '(' && (close = str_chr(*s, ')', 0)) != STR_NPOS) {
        taint = spool_item_quoter_mark(str_sub(*s, 1, close - 1));
        *s = str_sub(*s, close + 1, s->n);
    }
    return taint;
}

static bool
read_item(struct cursor *c, struct str line)
{
    static const char *const acls[] = {"acl", "aclc", "aclm"};
    struct str rest = line;
    if (str_eq(line, STR_LIT(SPOOL_ITEM_TRIED)))
        return true;
    if (str_eq(line, STR_LIT(SPOOL_ITEM_FIRST)))
        c->h->first_delivery_at = (size_t)(line.p - c->s.p);
    uint32_t taint = take_mark(&rest);
    size_t sp = str_chr(rest, ' ', 0);
    struct str name = str_sub(rest, 0, sp);
    struct str value =
        sp == STR_NPOS ? str_sub(rest, rest.n, 0) : str_sub(rest, sp + 1, rest.n);
    value.taint = taint;
    for (size_t i = 0; i < sizeof acls / sizeof *acls && str_starts(name, "acl"); i++) {
        if (str_eqz(name, acls[i]))
            return read_acl(c, acls[i], value, taint);
    }
    const struct spool_item *item = spool_item_find(name);
    if (item != NULL)
        return store_item(c, item, value);
    if (c->h->unknown.n >= SPOOL_UNKNOWN_MAX)
        return bad(c, "item", "too many unknown items", line);
    vec_push(c->arena, &c->h->unknown, line);
    return true;
}

/* Leaves the first line that is no item in *line. */
static bool
read_items(struct cursor *c, struct str *line)
{
    for (;;) {
        if (!take_line(c, "items", line))
            return false;
        if (line->n == 0 || line->p[0] != '-')
            return true;
        if (!read_item(c, *line))
            return false;
    }
}

/* --- tree and recipients --- */

static bool
read_tree(struct cursor *c, struct str line)
{
    if (str_eqz(line, "XX"))
        return true;
    for (size_t due = 1; due > 0; due--) {
        if (c->h->done.nodes.n > 0 && !take_line(c, "non-recipients", &line))
            return false;
        if (line.n < 4 || line.p[2] != ' ' || (line.p[0] != 'Y' && line.p[0] != 'N') ||
            (line.p[1] != 'Y' && line.p[1] != 'N'))
            return bad(c, "non-recipients", "not a node of the tree", line);
        struct spool_tree_node node = {.key = str_sub(line, 3, line.n),
                                       .left = line.p[0] == 'Y',
                                       .right = line.p[1] == 'Y'};
        due += (size_t)node.left + node.right;
        if (!spool_tree_add_shaped(c->arena, &c->h->done, node))
            return bad(c, "non-recipients", "too many", STR_NULL);
    }
    return true;
}

/* Cuts " TEXT LENGTH,NUMBER" off the end of *s. */
static bool
cut_field(struct str *s, struct str *text, int64_t *number)
{
    struct str word;
    uint64_t n = 0;
    if (!cut_last_word(s, &word))
        return false;
    size_t comma = str_chr(word, ',', 0);
    if (comma == STR_NPOS || !num_parse_digits(str_sub(word, 0, comma), &n) ||
        !signed_digits(str_sub(word, comma + 1, word.n), number) || n >= s->n ||
        s->p[s->n - n - 1] != ' ')
        return false;
    *text = str_sub(*s, s->n - n, n);
    *s = str_sub(*s, 0, s->n - n - 1);
    return true;
}

/* Where "#FLAGS" begins, or STR_NPOS. */
static size_t
find_flags(struct str line, uint64_t *flags)
{
    size_t n = line.n;
    while (n > 0 && ascii_digit(line.p[n - 1]))
        n--;
    if (n == line.n || n == 0 || line.p[n - 1] != '#' ||
        !num_parse_digits(str_sub(line, n, line.n), flags))
        return STR_NPOS;
    return n - 1;
}

static bool
read_recipient(struct cursor *c)
{
    struct str line;
    uint64_t flags = 0;
    struct spool_recipient r = {.parent = SPOOL_NONE};
    if (!take_line(c, "recipient", &line))
        return false;
    r.address = line;
    size_t hash = find_flags(line, &flags);
    if (hash != STR_NPOS) {
        if (flags == 0 || flags > 3)
            return bad(c, "recipient", "unknown flag bits", line);
        r.address = str_sub(line, 0, hash);
        if ((flags & 1) != 0 && !cut_field(&r.address, &r.errors_to, &r.parent))
            return bad(c, "recipient", "malformed error address or parent", line);
        if ((flags & 2) != 0 && !cut_field(&r.address, &r.orcpt, &r.dsn_flags))
            return bad(c, "recipient", "malformed DSN fields", line);
    }
    if (r.address.n == 0)
        return bad(c, "recipient", "no address", line);
    vec_push(c->arena, &c->h->recipients, r);
    return true;
}

static bool
read_recipients(struct cursor *c)
{
    struct str line;
    uint64_t n = 0;
    if (!take_line(c, "recipient count", &line))
        return false;
    if (!num_parse_digits(line, &n) || n > SPOOL_RECIPIENTS_MAX)
        return bad(c, "recipient count", "not a number within bounds", line);
    for (uint64_t i = 0; i < n; i++) {
        if (!read_recipient(c))
            return false;
    }
    for (size_t i = 0; i < c->h->recipients.n; i++) {
        int64_t parent = c->h->recipients.v[i].parent;
        if (parent < SPOOL_NONE || parent >= (int64_t)n)
            return bad(c, "recipient", "parent is not in the list",
                       c->h->recipients.v[i].address);
    }
    if (!take_line(c, "separator", &line))
        return false;
    return line.n == 0 || bad(c, "separator", "not a blank line", line);
}

/* --- header lines --- */

/* CR and NUL, which earlier releases let in, are mended as in a message that is received. */
static struct str
mend(struct arena *a, struct str s)
{
    if (is_plain(s))
        return s;
    char *p = arena_alloc(a, s.n);
    for (size_t i = 0; i < s.n; i++)
        p[i] = s.p[i] == '\r' ? ' ' : s.p[i] == '\0' ? '?' : s.p[i];
    return str_tainted(str_from(p, s.n));
}

static bool
folds(struct str s)
{
    if (s.n == 0 || s.p[s.n - 1] != '\n')
        return false;
    for (size_t i = 0; (i = str_chr(s, '\n', i)) + 1 < s.n; i++) {
        if (s.p[i + 1] != ' ' && s.p[i + 1] != '\t')
            return false;
    }
    return true;
}

static bool
add_header(struct cursor *c, char type, struct str text)
{
    struct header_list *l = &c->h->headers;
    struct header h = {.text = str_tainted(c->plain ? text : mend(c->arena, text)),
                       .type = type};
    h.name_n = (uint32_t)header_name_length(h.text);
    if (h.name_n == 0 || !folds(h.text))
        return bad(c, "header", "not a header line of the length given", text);
    if (l->n >= HEADER_LINES_MAX)
        return bad(c, "header", "too many header lines", STR_NULL);
    if (l->n == l->cap) {
        void *v = l->v;
        l->cap = vec_room(c->arena, &v, l->n, l->cap, sizeof *l->v);
        l->v = v;
    }
    l->v[l->n++] = h;
    return true;
}

/* "035F From: ...": digits, a letter, a space, and as many bytes as the digits say. */
static bool
read_header_line(struct cursor *c)
{
    uint64_t n = 0;
    size_t digits = 0;
    c->line++;
    while (c->at + digits < c->s.n && digits < 10 && ascii_digit(c->s.p[c->at + digits]))
        digits++;
    struct str start = str_sub(c->s, c->at, digits + 2);
    if (digits < 3 || start.n != digits + 2 || start.p[digits + 1] != ' ' ||
        !num_parse_digits(str_sub(start, 0, digits), &n))
        return bad(c, "header", "no length and type", str_sub(c->s, c->at, 20));
    char type = start.p[digits];
    if (type != ' ' && type != '*' && !(type >= 'A' && type <= 'Z'))
        return bad(c, "header", "unknown type", start);
    c->at += digits + 2;
    if (n > c->s.n - c->at)
        return bad(c, "header", "length goes beyond the end of the file", start);
    struct str text = str_sub(c->s, c->at, n);
    c->at += n;
    if (!add_header(c, type, text))
        return false;
    for (size_t i = 0; (i = str_chr(text, '\n', i)) + 1 < text.n; i++)
        c->line++;
    return true;
}

bool
spool_header_parse(struct arena *a, const struct message_id *id, struct str content,
                   struct spool_header *h, struct spool_fault *f)
{
    struct cursor c = {
        .arena = a, .h = h, .fault = f, .s = str_tainted(content), .plain = is_plain(content)};
    struct str line;
    spool_header_init(h);
    h->id = *id;
    if (content.n > SPOOL_FILE_MAX)
        return bad(&c, "file", "too big", STR_NULL);
    if (!read_name(&c) || !read_owner(&c) || !read_sender(&c) || !read_times(&c) ||
        !read_items(&c, &line) || !read_tree(&c, line) || !read_recipients(&c))
        return false;
    while (c.at < c.s.n) {
        if (!read_header_line(&c))
            return false;
    }
    return true;
}
