/* Addresses of header lines and of the envelope: completed with a domain, then rewritten by the configuration's rules.
 *
 * Source: specification, sections "Unqualified addresses", "Rewriting addresses".
 */
#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/receive_state.h"
#include "engine/rewrite.h"
#include "mail/address.h"

static struct rewriting
rules_of(const struct engine *e)
{
    return (struct rewriting){.rules = e->conf->rewrite, .eval = e->eval, .vm = e->vm};
}

static bool
has_rules(const struct engine *e, unsigned places)
{
    const struct rewrite_rules *rules = e->conf->rewrite;
    return rules != NULL && (rules->flags & places) != 0;
}

static unsigned
place_of(char type)
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

static bool
is_recipient_place(unsigned place)
{
    return (place & (REWRITE_BCC | REWRITE_CC | REWRITE_TO)) != 0;
}

/* What to add to an address without a domain in that place; unset: nothing. */
static struct str
domain_for(const struct receiving *r, unsigned place)
{
    const struct conf_main *c = r->e->conf->main;
    if (is_recipient_place(place))
        return r->rq->unqualified_recipient ? c->qualify_recipient : STR_NULL;
    return r->rq->unqualified_sender ? c->qualify_domain : STR_NULL;
}

/* One header line at work. */
struct line {
    struct receiving *r;
    struct rewriting w;
    unsigned place;
    struct str domain; /* to complete with */
    struct str body;
    struct buf out;
    size_t done; /* of body, bytes that are in out */
    bool changed;
};

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
complete(struct line *k, struct str text, size_t start, size_t end,
         const struct address_parts *p)
{
    if (p->domain > 0 || !str_is_set(k->domain))
        return text;
    struct buf b = buf_in(k->r->a, 0);
    buf_adds(&b, str_sub(text, 0, start));
    buf_adds(&b, address_qualify(k->r->a, str_sub(text, start, end - start), k->domain));
    buf_adds(&b, str_sub(text, end, text.n));
    k->changed = true;
    return buf_str(&b);
}

static void
take_item(struct line *k, struct str item, const struct address_parts *p)
{
    size_t base = (size_t)(item.p - k->body.p);
    size_t from = behind_group_name(item, p, base);
    struct str text = str_sub(item, from, item.n), after = STR_EMPTY;
    if (p->group_end) {
        size_t semicolon = str_rchr(text, ';');
        after = str_sub(text, semicolon, text.n);
        text = str_sub(text, 0, semicolon);
    }
    struct str given = text;
    text = complete(k, text, p->start - base - from, p->end - base - from, p);
    struct str rewritten;
    if (rewrite_item(&k->w, k->r->a, k->place, text, &rewritten)) {
        text = rewritten;
        k->changed = true;
    }
    buf_adds(&k->out, str_sub(k->body, k->done, base + from - k->done));
    buf_adds(&k->out, text);
    k->done = base + from + given.n;
    (void)after; /* it is copied with what follows */
}

static bool
process(struct line *k)
{
    struct address_list l = address_list_start(k->body, ADDRESS_GROUP | ADDRESS_LITERAL);
    enum address_status st;
    struct address_parts p;
    struct str item;
    while (address_list_next(&l, k->r->a, &st, &p, &item)) {
        if (st == ADDRESS_OK)
            take_item(k, item, &p);
    }
    buf_adds(&k->out, str_sub(k->body, k->done, k->body.n));
    return k->changed;
}

static void
rewrite_line(struct receiving *r, size_t i)
{
    struct header_list *l = r->m->headers;
    const struct header *h = &l->v[i];
    unsigned place = place_of(h->type);
    struct line k = {.r = r, .w = rules_of(r->e), .place = place};
    k.domain = domain_for(r, place);
    if (place == 0 || (!str_is_set(k.domain) && !has_rules(r->e, place)))
        return;
    k.body = header_body(h);
    k.out = buf_in(r->a, 0);
    buf_adds(&k.out, str_sub(h->text, 0, h->text.n - k.body.n));
    if (process(&k))
        (void)header_list_replace(r->a, l, i, buf_str(&k.out));
}

void
receive_rewrite_headers(struct receiving *r)
{
    for (size_t i = 0; i < r->m->headers->n; i++) {
        size_t n = r->m->headers->n;
        rewrite_line(r, i);
        i += r->m->headers->n - n; /* not the new copy again */
    }
}

/* --- envelope --- */

struct str
receive_rewrite_envelope(struct engine *e, struct arena *a, unsigned place, struct str address)
{
    struct rewriting w = rules_of(e);
    struct str out;
    if (!has_rules(e, place) || !rewrite_item(&w, a, place, address, &out))
        return address;
    return out;
}

/* What was given is kept in a line that nobody sees. */
static void
note(struct receiving *r, const char *what, struct str address)
{
    struct header_list *l = r->m->headers;
    struct str text = str_printf(r->a, "X-rewrote-%s: %.*s\n", what, STR_ARG(address));
    if (header_list_add(r->a, l, str_tainted(text), HEADER_AT_END))
        l->v[l->n - 1].type = HEADER_TYPE_DELETED;
}

void
receive_rewrite_recipients(struct receiving *r)
{
    for (size_t i = 0; !r->rq->smtp && i < r->m->recipients.n; i++) {
        struct str *address = &r->m->recipients.v[i].address, given = *address;
        *address = receive_rewrite_envelope(r->e, r->a, REWRITE_ENV_TO, given);
        if (!str_eq(*address, given))
            note(r, "original-recipient", given);
    }
}

void
receive_rewrite_sender(struct receiving *r)
{
    struct str given = r->m->sender;
    if (r->rq->smtp || given.n == 0)
        return;
    r->m->sender = receive_rewrite_envelope(r->e, r->a, REWRITE_ENV_FROM, given);
    if (!str_eq(r->m->sender, given))
        note(r, "sender", given);
}
