/* Routing of all recipients of a message.
 *
 * New addresses are taken in levels: what came out of the addresses of one level is the next. Within a level the last is
 * routed first, and what is routed goes in front of what there is, so that deliveries run in the order in which their
 * addresses were written. Duplicates are found among what has been routed.
 */
#include "base/map.h"
#include "conf/conf.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "engine/delivery.h"
#include "engine/maillog.h"
#include "engine/receive.h"
#include "engine/retry_hints.h"
#include "engine/turned.h"
#include "filter/expand.h"
#include "mail/address.h"
#include "transports/transport.h"

/* Lists that grow at the front are kept the wrong way round while they grow. */
static void
put_in_front(struct arena *a, struct address_vec *reversed, const struct address_vec *more)
{
    for (size_t i = more->n; i > 0; i--)
        vec_push(a, reversed, more->v[i - 1]);
}

static void
turn_round(struct address_vec *v)
{
    for (size_t i = 0, j = v->n; i + 1 < j; i++) {
        struct address *a = v->v[i];
        v->v[i] = v->v[--j];
        v->v[j] = a;
    }
}

/* --- before the routers --- */

/* A domain list of the main options: OUT_OK match, OUT_FAIL, OUT_DEFER (*text). */
enum outcome
delivery_in_domains(struct delivery *d, const struct xstr *list, const char *name,
                    struct str domain, struct str *text)
{
    struct engine *e = d->engine;
    struct list_answer answer;
    struct str expanded;
    if (!str_is_set(list->text))
        return OUT_FAIL;
    enum vm_status st = vm_expand_x(e->vm, list, &expanded);
    if (st == VM_FORCED)
        return OUT_FAIL;
    const struct list_question q = {.kind = LIST_DOMAIN,
                                    .subject = domain,
                                    .list = expanded,
                                    .what = str_from_cstr(name),
                                    .remember = true};
    enum outcome o = st == VM_OK ? list_match(e->eval, e->vm, &q, &answer) : OUT_DEFER;
    if (o == OUT_DEFER || o == OUT_ERROR)
        *text = str_printf(d->arena, "%s lookup deferred", name);
    return o == OUT_ERROR ? OUT_DEFER : o;
}

/* A domain of such a list is not even routed. */
static bool
is_in(struct delivery *d, struct address *a, const struct xstr *list, const char *name,
      enum delivery_errno number, struct str why)
{
    struct str text = STR_EMPTY;
    enum outcome o = delivery_in_domains(d, list, name, a->domain, &text);
    if (o == OUT_OK)
        delivery_answer(d, a, OUT_DEFER, number, why);
    else if (o == OUT_DEFER)
        delivery_answer(d, a, OUT_DEFER, DELIVERY_ERRNO_LIST, text);
    return o == OUT_OK || o == OUT_DEFER;
}

static bool
is_held(struct delivery *d, struct address *a)
{
    if (turned_excludes(d->engine, a->domain)) {
        delivery_answer(d, a, OUT_DEFER, DELIVERY_ERRNO_HELD,
                        STR_LIT("the client of ATRN has not asked for the domain"));
        a->answer->routing_skipped = true;
        return true;
    }
    return d->reason != DELIVERY_FORCED && !d->engine->forced &&
           is_in(d, a, &d->engine->conf->main->hold_domains, "hold_domains",
                 DELIVERY_ERRNO_HELD, STR_LIT("domain is held"));
}

/* queue_domains: not before a queue run. */
static bool
is_queued(struct delivery *d, struct address *a)
{
    bool now = d->reason == DELIVERY_ARRIVED && !d->engine->queue_run;
    if (!now || !is_in(d, a, &d->engine->conf->main->queue_domains, "queue_domains",
                       DELIVERY_ERRNO_QUEUED_DOMAIN, STR_LIT("domain is in queue_domains")))
        return false;
    a->answer->routing_skipped = true;
    return true;
}

/* --- the result of routing --- */

/* True if the journal says that a routed address needs nothing more. One that is routed straight today may have been
 * a homonym of itself the last time, and noted with its transport; what an unseen router split off has a key of its own. */
static bool
is_done(struct delivery *d, const struct address *a)
{
    bool split_off = a->homonym == 0 && a->parent != NULL && str_eq(a->parent->text, a->text);
    if (spool_tree_has(&d->header.done, route_done_key(d->arena, a)))
        return true;
    if (split_off || a->item != ADDRESS_ITEM_MAIL)
        return false;
    struct str key = STR_JOIN(d->arena, a->key, STR_LIT("/"), a->transport->name);
    return spool_tree_has(&d->header.done, key);
}

static void
take_deliveries(struct delivery *d, const struct routing *r)
{
    struct address_vec local = {NULL, 0, 0}, remote = {NULL, 0, 0};
    for (size_t i = 0; i < r->deliver.n; i++) {
        struct address *a = r->deliver.v[i];
        if (is_done(d, a)) {
            delivery_address_done(d, a);
            continue;
        }
        bool here = transport_driver_of(a->transport)->place == TRANSPORT_LOCAL;
        vec_push(d->arena, here ? &local : &remote, a);
    }
    put_in_front(d->arena, &d->local, &local);
    put_in_front(d->arena, &d->remote, &remote);
}

/* In the name of root, as whom the reference runs here; without root, of who we are. */
static void
send_mails(struct delivery *d, const struct routing *r)
{
    for (size_t i = 0; i < r->mails.n; i++) {
        const struct receive_own own = {
            .arena = d->arena,
            .sender = STR_EMPTY,
            .recipients = &r->mails.v[i].to,
            .recipients_n = 1,
            .text = r->mails.v[i].text,
            .body_fd = -1,
            .reference = d->id,
            .uid = d->engine->can_become ? 0 : d->engine->mail_uid,
            .gid = d->engine->can_become ? 0 : d->engine->mail_gid,
        };
        struct str id;
        if (receive_own_message(d->engine, &own, &id))
            delivery_start_other(d, id);
    }
}

static void
route_one(struct delivery *d, struct address *a, struct address_vec *next)
{
    struct routing r = {
        .engine = d->engine,
        .message = d->message,
        .purpose = ROUTE_FOR_DELIVERY,
        .arena = d->arena,
    };
    enum route_end end = route_address(&r, a);
    send_mails(d, &r);
    take_deliveries(d, &r);
    put_in_front(d->arena, next, &r.again);
    switch (end) {
    case ROUTE_DELIVER:
    case ROUTE_REDIRECTED:
        retry_routed(d, a);
        return;
    case ROUTE_DISCARDED:
        retry_routed(d, a);
        delivery_address_discarded(d, a, r.discard_seen);
        return;
    case ROUTE_FAILED:
    case ROUTE_DEFERRED:
        break;
    }
    delivery_answer(d, a, end == ROUTE_FAILED ? OUT_FAIL : OUT_DEFER, r.why.sys_errno,
                    STR_NULL);
    a->answer->why = r.why;
    if (r.why.sys_errno == 0)
        a->answer->why.sys_errno = DELIVERY_NO_ERRNO;
    a->answer->why.outcome = end == ROUTE_FAILED ? OUT_FAIL : OUT_DEFER;
    a->answer->freeze = r.freeze;
    delivery_address_ended(d, a);
}

/* What can be said of an address without routing it. True: there is nothing more to do with it in this attempt. */
static bool
is_settled(struct delivery *d, struct address *a)
{
    /* A homonym can have another number this time: only its transport tells whether it is done. */
    if (a->homonym == 0 && spool_tree_has(&d->header.done, a->key)) {
        delivery_address_done(d, a);
        return true;
    }
    if (a->answer != NULL && a->answer->why.outcome != OUT_OK) { /* generated, and refused */
        delivery_address_ended(d, a);
        return true;
    }
    if (a->transport != NULL && a->item != ADDRESS_ITEM_MAIL) {
        struct routing ready = {.deliver = {.v = &a, .n = 1, .cap = 1}};
        take_deliveries(d, &ready);
        return true;
    }
    if (is_held(d, a)) {
        delivery_address_ended(d, a);
        return true;
    }
    return false;
}

/* same_domain_copy_routing: what the router decided for one holds for another that no router has seen. */
static void
copy_routing(struct delivery *d, const struct address *a, struct address *b)
{
    b->router = a->router;
    b->router_name = a->router_name;
    b->transport = a->transport;
    b->transport_name = a->transport_name;
    b->hosts = a->hosts;
    b->fallback_hosts = a->fallback_hosts;
    b->errors_to = a->errors_to;
    b->local_uid = a->local_uid;
    b->local_gid = a->local_gid;
    b->identity_set = a->identity_set;
    b->initgroups = a->initgroups;
    b->home = a->home;
    b->transport_home = a->transport_home;
    b->current_directory = a->current_directory;
    b->log_as_local = a->log_as_local;
    b->disable_logging = a->disable_logging;
    b->dsn_lasthop = a->dsn_lasthop;
    b->router_vars = a->router_vars;
    b->address_data = a->address_data;
    struct routing ready = {.deliver = {.v = &b, .n = 1, .cap = 1}};
    take_deliveries(d, &ready);
    retry_routed(d, b);
}

static bool
takes_copy(const struct address *a, const struct address *b)
{
    return b != NULL && b->start == NULL && b->item == ADDRESS_ITEM_MAIL &&
           str_ieq(a->domain, b->domain) && str_eq(a->errors_to, b->errors_to);
}

/* To those in v[0, n) that have its domain; they leave the vector. */
static void
copy_to_others(struct delivery *d, const struct address *a, struct address_vec *v, size_t n)
{
    for (size_t i = n; a->copies_routing && i > 0; i--) {
        struct address *b = v->v[i - 1];
        if (!takes_copy(a, b))
            continue;
        copy_routing(d, a, b);
        v->v[i - 1] = NULL;
    }
}

/* Takes out those whose time has not come, in the order in which they were written: they are told before anything is routed. */
static void
hold_back(struct delivery *d, struct address_vec *rest)
{
    size_t kept = 0;
    for (size_t i = 0; i < rest->n; i++) {
        struct address *a = rest->v[i];
        if (is_queued(d, a) || retry_routing_waits(d, a))
            delivery_address_ended(d, a);
        else
            rest->v[kept++] = a;
    }
    rest->n = kept;
}

/* One level: first what needs no routing, in order, then the rest, the last one first. */
static void
route_level(struct delivery *d, const struct address_vec *level, struct address_vec *next)
{
    struct address_vec rest = {NULL, 0, 0};
    for (size_t i = level->n; i > 0; i--)
        if (!is_settled(d, level->v[i - 1]))
            vec_push(d->arena, &rest, level->v[i - 1]);
    hold_back(d, &rest);
    for (size_t i = rest.n; i > 0; i--) {
        if (rest.v[i - 1] == NULL)
            continue;
        route_one(d, rest.v[i - 1], next);
        copy_to_others(d, rest.v[i - 1], &rest, i - 1);
    }
}

/* --- duplicates --- */

/* Keeps the first of those with the same key; the others are done when it is, which is what the journal says anyway. */
static void
drop_duplicates(struct delivery *d, struct address_vec *v)
{
    struct map *seen = map_new(d->arena, MAP_CASEFUL);
    struct address_vec kept = {NULL, 0, 0};
    for (size_t i = 0; i < v->n; i++) {
        struct address *a = v->v[i];
        struct address *first = map_get(seen, a->key);
        if (first == NULL) {
            map_set(seen, a->key, a);
            vec_push(d->arena, &kept, a);
            continue;
        }
        a->next_duplicate = first->next_duplicate;
        first->next_duplicate = a;
    }
    *v = kept;
}

/* percent_hack_domains, for what did not come by SMTP, where it happens at once. The address that is meant has the given one for a parent. */
static struct address *
unhack(struct delivery *d, struct address *a)
{
    const struct xstr *list = &d->engine->conf->main->percent_hack_domains;
    struct str next, why = STR_EMPTY;
    for (int i = 0; i < ADDRESS_PERCENTS_MAX && address_percent(d->arena, a->text, &next);
         i++) {
        enum outcome in = delivery_in_domains(d, list, "percent_hack_domains", a->domain, &why);
        if (in == OUT_DEFER)
            delivery_answer(d, a, OUT_DEFER, DELIVERY_ERRNO_LIST, why);
        if (in != OUT_OK)
            break;
        struct address *meant = ARENA_NEW(d->arena, struct address);
        meant->text = next;
        meant->local_uid = meant->local_gid = meant->mode = -1;
        route_adopt(a, meant);
        a = meant;
    }
    return a;
}

static struct address *
take_recipient(struct delivery *d, size_t i)
{
    const struct recipient *r = &d->message->recipients.v[i];
    struct address *a = route_envelope_address(d->arena, r->address, i);
    a->orcpt = r->orcpt;
    a->dsn_flags = r->dsn_flags;
    if (r->errors_to.n > 0)
        a->errors_to = r->errors_to;
    if (r->parent >= 0 && (uint64_t)r->parent < d->message->recipients.n)
        a->list = d->message->recipients.v[r->parent].address;
    return unhack(d, a);
}

/* A message that has been through here very often is in a loop: no address is even looked at. */
static bool
is_looping(struct delivery *d)
{
    if (d->message->received_count <= d->engine->conf->main->received_headers_max)
        return false;
    for (size_t i = 0; i < d->message->recipients.n; i++) {
        struct address *a = take_recipient(d, i);
        if (spool_tree_has(&d->header.done, a->key))
            continue;
        delivery_answer(d, a, OUT_FAIL, 0,
                        STR_LIT("Too many \"Received\" headers - suspected mail loop"));
        delivery_address_ended(d, a);
    }
    return true;
}

void
delivery_route(struct delivery *d)
{
    struct address_vec next = {NULL, 0, 0};
    if (is_looping(d))
        return;
    for (size_t i = d->recipients_apart ? 0 : d->message->recipients.n; i > 0; i--)
        vec_push(d->arena, &next, take_recipient(d, i - 1));
    put_in_front(d->arena, &next, &d->generated);
    while (next.n > 0) {
        struct address_vec level = next;
        next = (struct address_vec){NULL, 0, 0};
        route_level(d, &level, &next);
    }
    turn_round(&d->local);
    turn_round(&d->remote);
    drop_duplicates(d, &d->local);
    drop_duplicates(d, &d->remote);
}
