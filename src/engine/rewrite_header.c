/* Addresses of one header line; see rewrite_header.h. */
#include "engine/rewrite_header.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mail/address.h"

unsigned
rewrite_header_place(char type)
{
    switch (type) {
    case HEADER_TYPE_BCC:
        return REWRITE_BCC;
    case HEADER_TYPE_CC:
        return REWRITE_CC;
    case HEADER_TYPE_FROM:
        return REWRITE_FROM;
    case HEADER_TYPE_REPLY_TO:
        return REWRITE_REPLY_TO;
    case HEADER_TYPE_SENDER:
        return REWRITE_SENDER;
    case HEADER_TYPE_TO:
        return REWRITE_TO;
    default:
        return 0;
    }
}

/* One header line at work. */
struct line {
    const struct rewriting *w;
    struct arena *a;
    unsigned place;
    struct str domain; /* to complete with */
    struct str body;
    struct buf out;
    size_t done; /* of body, bytes that are in out */
    size_t fold; /* where in out the last newline of ours is */
    bool changed;
};

/* A line that grew is folded behind an address that has at least so many bytes of it before; as the reference does. */
enum { FOLD_AT = 39 };

/* Where, within the item, what belongs to its group ends. */
static size_t
behind_group_name(struct str item, const struct address_parts *p, size_t base)
{
    struct str front = str_sub(item, 0, p->start - base);
    size_t colon = p->group_begin ? str_rchr(front, ':') : STR_NPOS;
    return colon == STR_NPOS ? 0 : colon + 1;
}

/* The text of an item with its address completed. */
static struct str
complete(const struct line *k, struct str text, size_t start, size_t end,
         const struct address_parts *p)
{
    if (p->domain > 0 || !str_is_set(k->domain))
        return text;
    struct buf b = buf_in(k->a, 0);
    buf_adds(&b, str_sub(text, 0, start));
    buf_adds(&b, address_qualify(k->a, str_sub(text, start, end - start), k->domain));
    buf_adds(&b, str_sub(text, end, text.n));
    return buf_str(&b);
}

/* Copies what separates the item from the next one, with a newline where the line has become long. */
static void
fold(struct line *k, size_t item_end)
{
    size_t length = k->out.n - k->fold, at = item_end;
    if (at >= k->body.n || k->body.p[at] != ',')
        return;
    at++;
    while (at < k->body.n && (k->body.p[at] == ' ' || k->body.p[at] == '\t'))
        at++;
    if (length < FOLD_AT || at >= k->body.n || k->body.p[at] == '\n')
        return;
    buf_adds(&k->out, str_sub(k->body, k->done, at - k->done));
    k->done = at;
    k->fold = k->out.n;
    buf_addz(&k->out, "\n\t");
}

static void
take_item(struct line *k, struct str item, const struct address_parts *p)
{
    size_t base = (size_t)(item.p - k->body.p);
    if (p->domain == 0 && !str_is_set(k->domain)) /* it has no domain and gets none: no rule is for it */
        return;
    size_t from = behind_group_name(item, p, base);
    if (base + from < k->done) /* white space that went before a newline of ours */
        from = k->done - base;
    while (from < item.n && ascii_space(item.p[from]) && base + from < p->start)
        from++;
    struct str text = str_sub(item, from, item.n);
    if (p->group_end)
        text = str_sub(text, 0, str_rchr(text, ';'));
    struct str given = text;
    text = complete(k, text, p->start - base - from, p->end - base - from, p);
    struct str rewritten;
    if (rewrite_item(k->w, k->a, k->place, text, &rewritten))
        text = rewritten;
    buf_adds(&k->out, str_sub(k->body, k->done, base + from - k->done));
    buf_adds(&k->out, text);
    k->done = base + from + given.n;
    if (!str_eq(text, given)) {
        k->changed = true;
        fold(k, base + item.n);
    }
}

static bool
process(struct line *k)
{
    unsigned utf8 = k->w->utf8_domains ? ADDRESS_UTF8_DOMAIN : 0;
    unsigned angles = k->w->strip_angles ? ADDRESS_STRIP_ANGLES : 0;
    struct address_list l =
        address_list_start(k->body, ADDRESS_GROUP | ADDRESS_LITERAL | utf8 | angles);
    enum address_status st;
    struct address_parts p;
    struct str item;
    while (address_list_next(&l, k->a, &st, &p, &item)) {
        if (st == ADDRESS_OK)
            take_item(k, item, &p);
        else if (st == ADDRESS_BAD && k->w->log != NULL)
            k->w->log(k->w->log_ctx, REWRITE_SYNTAX,
                      str_cat(k->a, STR_LIT("qualify/rewrite: "), p.error));
    }
    buf_adds(&k->out, str_sub(k->body, k->done, k->body.n));
    return k->changed;
}

bool
rewrite_header(const struct rewriting *w, struct arena *a, const struct header *h,
               struct str domain, struct str *out)
{
    struct line k = {.w = w, .a = a, .place = rewrite_header_place(h->type), .domain = domain};
    k.body = header_body(h);
    k.out = buf_in(a, 0);
    buf_adds(&k.out, str_sub(h->text, 0, h->text.n - k.body.n));
    if (!process(&k))
        return false;
    *out = buf_str(&k.out);
    return true;
}
