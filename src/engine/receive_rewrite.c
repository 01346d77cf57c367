/* Addresses of header lines and of the envelope: completed with a domain, then rewritten by the configuration's rules.
 *
 * Source: specification, sections "Unqualified addresses", "Rewriting addresses".
 */
#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/receive_state.h"
#include "engine/rewrite.h"
#include "engine/rewrite_header.h"

static void
log_note(void *ctx, enum rewrite_note kind, struct str text)
{
    struct engine *e = ctx;
    const struct message *m = e->eval->message;
    if (kind == REWRITE_CHANGE && !maillog_selected(e, LOG_SELECTOR_ADDRESS_REWRITE))
        return;
    maillog_line(e, kind == REWRITE_FAULT ? MAILLOG_MAIN | MAILLOG_PANIC : MAILLOG_MAIN,
                 m != NULL ? m->id : STR_NULL, text);
}

struct rewriting
receive_rewriting(struct engine *e)
{
    const struct message *m = e->eval->message;
    return (struct rewriting){
        .rules = e->conf->rewrite,
        .eval = e->eval,
        .vm = e->vm,
        .log = log_note,
        .log_ctx = e,
        .strip_angles = e->conf->main->strip_excess_angle_brackets,
        .utf8_domains = e->conf->main->allow_utf8_domains || (m != NULL && m->smtputf8),
    };
}

static bool
has_rules(const struct engine *e, unsigned places)
{
    const struct rewrite_rules *rules = e->conf->rewrite;
    return rules != NULL && (rules->flags & places) != 0;
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

static void
rewrite_line(struct receiving *r, size_t i)
{
    struct header_list *l = r->m->headers;
    struct rewriting w = receive_rewriting(r->e);
    unsigned place = rewrite_header_place(l->v[i].type);
    struct str domain = domain_for(r, place), out;
    if (place ==
        0) /* others are read even when nothing changes them: the log tells what is malformed */
        return;
    if (rewrite_header(&w, r->a, &l->v[i], domain, &out))
        (void)header_list_replace(r->a, l, i, out);
}

void
receive_rewrite_headers(struct receiving *r)
{
    for (size_t i = 0; i < r->m->headers->n && !str_is_set(r->e->eval->fatal); i++) {
        size_t n = r->m->headers->n;
        rewrite_line(r, i);
        i += r->m->headers->n - n; /* not the new copy again */
    }
}

/* --- envelope --- */

struct str
receive_rewrite_envelope(struct engine *e, struct arena *a, unsigned place, struct str address)
{
    struct rewriting w = receive_rewriting(e);
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
    for (size_t i = 0; i < r->m->recipients.n && !str_is_set(r->e->eval->fatal); i++) {
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
    if (given.n == 0 || str_is_set(r->e->eval->fatal))
        return;
    r->m->sender = receive_rewrite_envelope(r->e, r->a, REWRITE_ENV_FROM, given);
    if (!str_eq(r->m->sender, given))
        note(r, "sender", given);
}
