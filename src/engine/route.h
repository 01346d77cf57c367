/* Runs an address through the routers.
 *
 * The common part of all routers: preconditions in the documented order, address_data, set, the driver's function, then
 * what its result value means (transport, new addresses, errors_to, header edits, unseen, self, more, pass_router). Nothing is delivered
 * and, save what lookups cache, nothing is changed but the addresses. Source: specification, chapters "How Exim delivers
 * mail", "Generic options for routers".
 */
#ifndef REMEX_ENGINE_ROUTE_H
#define REMEX_ENGINE_ROUTE_H

#include "conf/model.h"
#include "engine/engine.h"
#include "mail/why.h"
#include "routers/router.h"

struct address_vec {
    struct address **v;
    size_t n, cap;
};

/* What became of the address. */
enum route_end {
    ROUTE_DELIVER, /* what goes to a transport is in deliver: the address, or with `unseen` a copy
                       * whose parent it is (then a clone that goes on is in again) */
    ROUTE_REDIRECTED, /* replaced by the addresses in again */
    ROUTE_DISCARDED,  /* :blackhole:, or a filter that said "seen finish" */
    ROUTE_FAILED,     /* why */
    ROUTE_DEFERRED,
};

/* A message that a router wants sent. */
struct route_mail {
    struct str text, to;
};

struct routing {
    struct engine *engine;
    struct message *message;
    enum route_purpose purpose;
    struct arena *arena; /* of addresses and texts */
    /* Results, appended to. */
    struct address_vec deliver; /* ready for their transports */
    /* New addresses, in the order of the list that they come from. Those that are no mail addresses (files, pipes, replies)
     * have their transport already. */
    struct address_vec again;
    VEC(struct route_mail) mails; /* about broken redirections; sent by the caller */
    /* Of the last address. */
    struct why why;
    bool discard_seen; /* ROUTE_DISCARDED: by a filter's "seen finish" */
    bool freeze;       /* the message is to be frozen (ROUTE_DEFERRED), why.log says why */
};

/* A recipient of the envelope (or an argument of -bt) as an address that can be routed. The parts are set; a domain is
 * lower case. False: not a routable address, *fault says why. */
bool route_new_address(struct arena *a, const struct engine *e, struct str text,
                       struct address **out, struct str *fault);
/* The same, where an address without a domain gets the given one (senders: qualify_domain). */
bool route_parse_address(struct arena *a, const struct engine *e, struct str text,
                         struct str domain, struct address **out, struct str *fault);
/* What the rewriting rules make of an envelope address: place is REWRITE_ENV_TO or REWRITE_ENV_FROM of engine/rewrite.h. The
 * text itself when they leave it alone. */
struct str route_rewrite(const struct engine *e, struct arena *a, unsigned place,
                         struct str text);
/* Routes one address from its start router. The address's own fields say what was decided. */
enum route_end route_address(struct routing *r, struct address *a);
/* The key is the text with the domain in lower case. An address that came out of one with the same text (case aside) is a
 * homonym: its key has the number of those ancestors in front, \0\a@b, and since that can differ from one attempt to the next, what the
 * journal says when it is done is its text, a slash and the name of its transport. A file or pipe has its parent's key behind
 * its own text; what an `unseen` router takes has the router's name behind it. */

/* True for the copy that stands for what an `unseen` router made of its parent. */
bool route_is_copy(const struct address *one);
/* What the journal says when the address, which has its transport, is done. */
struct str route_done_key(struct arena *a, const struct address *one);

/* An address as it comes from a recipient of the envelope whose text is parsed already (spool): never fails. */
struct address *route_envelope_address(struct arena *a, struct str text, size_t recipient);

void address_vec_push(struct arena *a, struct address_vec *v, struct address *one);
/* True if one with the same key is in it. */
bool address_vec_has(const struct address_vec *v, struct str key);
/* Makes `child` an address that came out of `parent`: what is inherited, its parts, its key. text, item, mode and what
 * the router itself decided are set before. */
void route_adopt(struct address *parent, struct address *child);

#endif
