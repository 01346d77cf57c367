/* List texts into items.
 *
 * A fault in an item (an unknown list, a bad pattern) is no fault here: it shows when a match gets that far, as
 * in the reference. Texts come from strangers as well (a list may be expanded from a header), so nothing
 * here looks at files or names; it only sorts items by their looks.
 */
#include "base/vec.h"
#include "conf/list_state.h"

enum indirect { DIRECT_ONLY, INDIRECT }; /* are +name, /file and the + options known here? */

struct builder {
    struct arena *a;
    enum list_kind kind;
    enum indirect indirect;
    bool caseful;
    bool ends_negated;
    uint32_t pos;
    VEC(struct list_item) items;
    VEC(struct list_literal) literals;
};

static const struct {
    struct str name;
    enum item_kind kind;
} host_options[] = {
    {STR_INIT("+include_unknown"), ITEM_UNKNOWN_INCLUDE},
    {STR_INIT("+ignore_unknown"), ITEM_UNKNOWN_IGNORE},
    {STR_INIT("+include_defer"), ITEM_DEFER_INCLUDE},
    {STR_INIT("+ignore_defer"), ITEM_DEFER_IGNORE},
};

static const struct {
    struct str name;
    enum host_resolve_kind kind;
} mx_items[] = {
    {STR_INIT("@mx_any"), RESOLVE_MX_ANY},
    {STR_INIT("@mx_primary"), RESOLVE_MX_PRIMARY},
    {STR_INIT("@mx_secondary"), RESOLVE_MX_SECONDARY},
};

static enum item_kind
option_kind(const struct builder *b, struct str text)
{
    if (b->kind == LIST_HOST)
        for (size_t i = 0; i < sizeof host_options / sizeof *host_options; i++)
            if (str_eq(text, host_options[i].name))
                return host_options[i].kind;
    if ((b->kind == LIST_ADDRESS || b->kind == LIST_LOCALPART) && str_eqz(text, "+caseful"))
        return ITEM_CASEFUL;
    return ITEM_LITERAL;
}

static void
set_lookup(struct list_item *item, enum item_kind kind, struct str text)
{
    size_t semi = str_chr(text, ';', 0);
    item->kind = kind;
    item->arg = str_sub(text, 0, semi == STR_NPOS ? text.n : semi);
    item->data = semi == STR_NPOS ? STR_EMPTY : str_trim_left(str_sub(text, semi + 1, text.n));
}

/* --- domains and local parts --- */

static bool
read_mx(struct list_item *item, struct str text)
{
    for (size_t i = 0; i < sizeof mx_items / sizeof *mx_items; i++) {
        struct str name = mx_items[i].name;
        if (!str_ieq(str_sub(text, 0, name.n), name))
            continue;
        struct str rest = str_sub(text, name.n, text.n);
        if (rest.n != 0 && !str_istarts(rest, "/ignore="))
            return false;
        item->kind = ITEM_MX;
        item->mask = (int)mx_items[i].kind;
        item->data = rest.n == 0 ? STR_NULL : str_trim(str_sub(rest, 8, rest.n));
        return true;
    }
    return false;
}

static bool
read_at_item(struct list_item *item, struct str text)
{
    if (text.n == 1)
        item->kind = ITEM_SELF;
    else if (str_eqz(text, "@[]"))
        item->kind = ITEM_LOCAL;
    else
        return read_mx(item, text);
    return true;
}

static void
read_string(const struct builder *b, struct list_item *item, struct str text)
{
    if (text.n == 0)
        return;
    if (text.p[0] == '^') {
        item->kind = ITEM_REGEX;
    } else if (text.p[0] == '*') {
        item->kind = ITEM_SUFFIX;
        item->arg = str_sub(text, 1, text.n);
    } else if (text.p[0] == '@' && b->kind == LIST_DOMAIN && read_at_item(item, text)) {
        return;
    } else if (str_chr(text, ';', 0) != STR_NPOS) {
        set_lookup(item, ITEM_LOOKUP, text);
    }
}

/* --- hosts --- */

/* Digits and dots up to the end or a slash: meant as an address. */
static bool
looks_numeric(struct str text)
{
    size_t i = 0;
    while (i < text.n && (ascii_digit(text.p[i]) || text.p[i] == '.'))
        i++;
    return i > 0 && (i == text.n || text.p[i] == '/');
}

static bool
looks_like_name(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!ascii_alnum(c) && c != '.' && c != '-' && c != '_')
            return false;
    }
    return true;
}

static bool
read_net(struct list_item *item, struct str text)
{
    struct ip_net unused;
    if (ip_net_parse_host(text, &item->in))
        item->kind = ITEM_NET;
    else if (str_chr(text, '/', 0) != STR_NPOS && ip_net_parse(text, &unused) == IP_NET_BIG)
        item->kind = ITEM_NEVER;
    else if (looks_numeric(text))
        item->kind = ITEM_MALFORMED;
    else
        return false;
    return true;
}

/* Reads "net-" or "net<mask>-" off a lookup type. */
static void
read_net_prefix(struct list_item *item)
{
    struct str t = item->arg;
    if (!str_starts(t, "net"))
        return;
    size_t i = 3;
    int mask = 0;
    while (i < t.n && ascii_digit(t.p[i]) && mask <= 1000)
        mask = mask * 10 + (t.p[i++] - '0');
    if (i == t.n || t.p[i] != '-')
        return;
    item->net = true;
    item->mask = i == 3 ? -1 : mask;
    item->arg = str_sub(t, i + 1, t.n);
}

static void
read_host(struct list_item *item, struct str text)
{
    if (text.n == 0) {
        item->kind = ITEM_EMPTY;
    } else if (str_eqz(text, "*")) {
        item->kind = ITEM_ANY;
    } else if (str_eqz(text, "@")) {
        item->kind = ITEM_SELF;
    } else if (str_eqz(text, "@[]")) {
        item->kind = ITEM_LOCAL;
    } else if (read_net(item, text)) {
        return;
    } else if (str_chr(text, ';', 0) != STR_NPOS) {
        set_lookup(item, ITEM_LOOKUP, text);
        read_net_prefix(item);
    } else if (text.p[0] == '^') {
        item->kind = ITEM_REGEX;
    } else if (text.p[0] == '*') {
        item->kind = ITEM_SUFFIX;
        item->arg = str_sub(text, 1, text.n);
    } else {
        item->kind = looks_like_name(text) ? ITEM_FORWARD : ITEM_NAME;
    }
}

/* --- addresses --- */

/* Does the text start with a lookup type? An @ before the semicolon is part of one only in "type*@", where the
 * type is letters, digits and hyphens: what else stands there makes it a local part. */
static bool
is_address_lookup(struct str text)
{
    size_t semi = str_chr(text, ';', 0);
    if (semi == STR_NPOS)
        return false;
    size_t at = str_chr(str_sub(text, 0, semi), '@', 0);
    if (at == STR_NPOS)
        return true;
    for (size_t i = 0; i + 1 < at; i++) {
        if (!ascii_alnum(text.p[i]) && text.p[i] != '-')
            return false;
    }
    return at >= 2 && text.p[at - 1] == '*' && (at + 1 == semi || text.p[at + 1] == ',');
}

/* A domain that can only be meant as it stands. */
static bool
is_plain_domain(struct str d)
{
    if (d.n == 0 || ascii_space(d.p[0]) || str_chr(d, ';', 0) != STR_NPOS)
        return false;
    return str_chr(STR_LIT("!+/^*@"), d.p[0], 0) == STR_NPOS;
}

/* ITEM_LITERAL with the key in item->data, or ITEM_ADDRESS. */
static void
read_two_parts(const struct builder *b, struct list_item *item, struct str text)
{
    size_t at = str_rchr(text, '@');
    item->bare = at == STR_NPOS;
    if (!item->bare && at > 0 && text.p[at - 1] == '@')
        at--; /* user@@, user@@[]: the domain is @, @[] */
    struct str domain = item->bare ? text : str_sub(text, at + 1, text.n);
    item->arg = item->bare ? STR_LIT("*") : str_sub(text, 0, at);
    bool any = str_eqz(item->arg, "*");
    if (is_plain_domain(domain) && (any || item->arg.n == 0 || item->arg.p[0] != '*')) {
        item->data = any ? domain : text;
        return;
    }
    item->kind = ITEM_ADDRESS;
    item->sub = list_compile_one(b->a, LIST_DOMAIN, domain);
}

static void
read_address(const struct builder *b, struct list_item *item, struct str text)
{
    if (text.n == 0)
        item->kind = ITEM_EMPTY;
    else if (text.p[0] == '^')
        item->kind = ITEM_REGEX;
    else if (str_starts(text, "@@") && str_chr(text, ';', 0) != STR_NPOS)
        set_lookup(item, ITEM_CHAIN, str_sub(text, 2, text.n));
    else if (is_address_lookup(text))
        set_lookup(item, ITEM_LOOKUP, text);
    else
        read_two_parts(b, item, text);
}

/* --- all kinds --- */

static void
read_pattern(const struct builder *b, struct list_item *item, struct str text)
{
    item->data = text;
    switch (b->kind) {
    case LIST_DOMAIN:
    case LIST_LOCALPART:
        read_string(b, item, text);
        break;
    case LIST_HOST:
        read_host(item, text);
        break;
    case LIST_ADDRESS:
        read_address(b, item, text);
        break;
    }
}

static void
push(struct builder *b, const struct list_item *item)
{
    if (item->kind != ITEM_LITERAL) {
        vec_push(b->a, &b->items, *item);
        return;
    }
    struct list_literal l = {.text = item->text,
                             .key = item->data,
                             .pos = item->pos,
                             .negate = item->negate,
                             .caseful = b->caseful};
    vec_push(b->a, &b->literals, l);
}

static void
add_option(struct builder *b, enum item_kind kind, struct str text)
{
    if (kind == ITEM_CASEFUL)
        b->caseful = true;
    struct list_item item = {.kind = kind, .text = text, .pos = b->pos++};
    push(b, &item);
}

static void
add_item(struct builder *b, struct str text)
{
    enum item_kind option = b->indirect == INDIRECT && text.n > 0 && text.p[0] == '+'
                                ? option_kind(b, text)
                                : ITEM_LITERAL;
    if (option != ITEM_LITERAL) {
        add_option(b, option, text);
        return;
    }
    struct list_item item = {.kind = ITEM_LITERAL, .mask = -1};
    if (text.n > 0 && text.p[0] == '!') {
        item.negate = true;
        text = str_trim_left(str_sub(text, 1, text.n));
    }
    item.text = text;
    item.pos = b->pos++;
    if (b->indirect == INDIRECT && text.n > 0 && text.p[0] == '+') {
        item.kind = ITEM_NAMED;
        item.arg = str_sub(text, 1, text.n);
    } else if (b->indirect == INDIRECT && text.n > 0 && text.p[0] == '/') {
        item.kind = ITEM_FILE;
    } else {
        read_pattern(b, &item, text);
    }
    b->ends_negated = item.negate;
    push(b, &item);
}

static struct list *
finish(struct builder *b)
{
    struct list *l = ARENA_NEW(b->a, struct list);
    l->kind = b->kind;
    l->arena = b->a;
    l->items = b->items.v;
    l->n = (uint32_t)b->items.n;
    l->count = b->pos;
    l->set = list_set_new(b->a, b->literals.v, b->literals.n);
    l->ends_negated = b->ends_negated;
    return l;
}

struct list *
list_compile(struct arena *a, enum list_kind kind, struct str text)
{
    struct builder b = {.a = a, .kind = kind, .indirect = INDIRECT};
    struct strlist_split split = strlist_split_start(text, ':');
    struct str item;
    while (strlist_split_next(&split, a, &item))
        add_item(&b, item);
    return finish(&b);
}

struct list *
list_compile_one(struct arena *a, enum list_kind kind, struct str text)
{
    struct builder b = {.a = a, .kind = kind, .indirect = INDIRECT};
    text = str_trim(text);
    if (text.n > 0)
        add_item(&b, text);
    return finish(&b);
}

struct list *
list_compile_patterns(struct arena *a, enum list_kind kind, struct str text, struct str *next)
{
    struct builder b = {.a = a, .kind = kind, .indirect = DIRECT_ONLY};
    struct strlist_split split = strlist_split_start(text, ':');
    struct str item, ahead;
    *next = STR_NULL;
    for (bool more = strlist_split_next(&split, a, &item); more; item = ahead) {
        more = strlist_split_next(&split, a, &ahead);
        if (!more && item.n > 0 && item.p[0] == '>')
            *next = str_trim(str_sub(item, 1, item.n));
        else
            add_item(&b, item);
    }
    return finish(&b);
}

/* In domain and host files a # starts a comment anywhere, else only at the start or after white space. */
static struct str
strip_comment(enum list_kind kind, struct str line)
{
    bool anywhere = kind == LIST_DOMAIN || kind == LIST_HOST;
    for (size_t i = str_chr(line, '#', 0); i != STR_NPOS; i = str_chr(line, '#', i + 1))
        if (anywhere || i == 0 || ascii_space(line.p[i - 1]))
            return str_trim(str_sub(line, 0, i));
    return str_trim(line);
}

struct list *
list_compile_lines(struct arena *a, enum list_kind kind, struct str content)
{
    struct builder b = {.a = a, .kind = kind, .indirect = DIRECT_ONLY};
    for (size_t at = 0; at < content.n;) {
        size_t end = str_chr(content, '\n', at);
        if (end == STR_NPOS)
            end = content.n;
        struct str line = strip_comment(kind, str_sub(content, at, end - at));
        if (line.n > 0)
            add_item(&b, line);
        at = end + 1;
    }
    struct list *l = finish(&b);
    l->from_file = true;
    return l;
}
