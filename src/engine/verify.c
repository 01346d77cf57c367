/* Verification of addresses; see verify.h. */
#include "engine/verify.h"

#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/callout.h"
#include "engine/receive.h"
#include "engine/rewrite.h"
#include "engine/room.h"
#include "engine/route_verify.h"
#include "mail/address.h"

static void
set_why(struct acl_verified *out, const struct why *why)
{
    out->why = *why;
    if (!str_is_set(out->why.peer) && out->outcome == OUT_FAIL)
        out->why.peer = str_is_set(why->log) ? why->log : STR_LIT("Unrouteable address");
    if (!str_is_set(out->why.log) && out->outcome == OUT_FAIL)
        out->why.log = out->why.peer;
    out->failure = out->outcome == OUT_FAIL ? STR_LIT("route") : STR_NULL;
}

static enum route_purpose
purpose_of(const struct acl_verify *q)
{
    return q->kind == ACL_VERIFY_RECIPIENT ? ROUTE_FOR_RECIPIENT_CHECK : ROUTE_FOR_SENDER_CHECK;
}

/* The address with the domain that it may lack. False: it is not allowed to. */
static bool
complete(struct engine *e, struct arena *a, const struct acl_verify *q, struct str *text)
{
    struct str local_part, domain;
    address_split(q->address, &local_part, &domain);
    *text = address_qualify(a, q->address, e->conf->main->qualify_domain);
    return str_is_set(domain) || q->address.n == 0 || q->header_address ||
           q->kind == ACL_VERIFY_RECIPIENT;
}

/* While a sender is verified, of the envelope or of a header line, the message has none (option senders of routers). */
static enum outcome
route(struct routing *r, const struct acl_verify *q, struct address *a)
{
    unsigned flags = q->success_on_redirect ? ROUTE_SUCCESS_ON_REDIRECT : 0;
    struct message *m = r->message;
    if (q->kind == ACL_VERIFY_RECIPIENT || m == NULL)
        return route_verify(r, a, flags);
    struct str sender = m->sender;
    m->sender = str_tainted(STR_EMPTY);
    enum outcome o = route_verify(r, a, flags);
    m->sender = sender;
    return o;
}

void
verify_address(struct engine *e, const struct acl_verify *q, struct acl_verified *out)
{
    struct eval *eval = e->eval;
    struct message *m = eval->message;
    struct arena *a = m != NULL ? m->arena : e->arena;
    struct routing r = {.engine = e, .message = m, .purpose = purpose_of(q), .arena = a};
    struct address *before = eval->address, *one;
    struct str text, fault;
    *out = (struct acl_verified){.outcome = OUT_FAIL, .address_data = STR_NULL};
    out->failure = STR_LIT("qualify");
    bool named = complete(e, a, q, &text);
    if (named && q->kind != ACL_VERIFY_HEADER_SENDER)
        text = receive_rewrite_envelope(
            e, a, q->kind == ACL_VERIFY_RECIPIENT ? REWRITE_ENV_TO : REWRITE_ENV_FROM, text);
    out->address = text;
    if (!named || !route_new_address(a, e, text, &one, &fault)) {
        out->why.log = out->why.peer = STR_LIT("Unrouteable address");
        return;
    }
    out->outcome = route(&r, q, one);
    struct address *last = r.deliver.n > 0 ? r.deliver.v[r.deliver.n - 1] : one;
    out->address_data = last->address_data;
    eval->address = before;
    set_why(out, &r.why);
    if (out->outcome == OUT_OK && q->callout != NULL && r.deliver.n == 1)
        callout_run(e, a, q, r.deliver.v[0], out);
    if (out->outcome == OUT_OK && q->quota != NULL && r.deliver.n == 1)
        room_check(e, a, q, r.deliver.v[0], out);
}
