/* Messages in a user's name; see local_reply.h. */
#include "engine/local_reply.h"

#include "conf/main_options.h"
#include "engine/maillog.h"
#include "engine/receive.h"
#include "engine/rewrite_header.h"
#include "mail/address.h"

/* The addresses of a list with commas, completed with the domain. */
static size_t
split_recipients(struct arena *a, struct str domain, struct str list, struct str **out)
{
    VEC(struct str) found = {0};
    struct address_list l = address_list_start(list, 0);
    struct address_parts parts;
    enum address_status st;
    while (address_list_next(&l, a, &st, &parts, NULL))
        if (st == ADDRESS_OK)
            vec_push(a, &found, address_qualify(a, parts.text, domain));
    *out = found.v;
    return found.n;
}

/* In whose name a message is sent. */
struct sender_ids {
    uid_t uid;
    gid_t gid;
};

/* True if it is in the queue, or there is nobody to send it to. */
static bool
send_message(struct delivery *d, const struct sender_ids *who, struct str text, struct str to)
{
    struct str *recipients, id;
    size_t n =
        split_recipients(d->arena, d->engine->conf->main->qualify_recipient, to, &recipients);
    if (n == 0)
        return true;
    const struct receive_own own = {
        .arena = d->arena,
        .sender = STR_EMPTY,
        .recipients = recipients,
        .recipients_n = n,
        .text = text,
        .body_fd = -1,
        .reference = d->id,
        .uid = who->uid,
        .gid = who->gid,
    };
    if (!receive_own_message(d->engine, &own, &id))
        return false;
    (void)delivery_run(d->engine, id, DELIVERY_ARRIVED);
    return true;
}

void
local_reply_send(struct delivery *d, const struct local_identity *who,
                 struct transport_answer *answers, size_t n)
{
    const struct engine *e = d->engine;
    const struct sender_ids user = {.uid = who->uid, .gid = who->gid};
    const struct sender_ids system = {.uid = e->can_become ? 0 : e->mail_uid,
                                      .gid = e->can_become ? 0 : e->mail_gid};
    for (size_t i = 0; i < n; i++) {
        struct transport_answer *t = &answers[i];
        if (i == 0 && str_is_set(t->warning) && str_is_set(t->warning_to))
            send_message(d, &system, t->warning, t->warning_to);
        if (!str_is_set(t->reply) || !str_is_set(t->reply_to))
            continue;
        if (!send_message(d, &user, t->reply, t->reply_to))
            t->why = (struct why){
                .outcome = OUT_DEFER,
                .sys_errno = -1,
                .log = STR_LIT("the reply could not be put into the queue"),
            };
    }
}

/* --- headers_rewrite --- */

struct rewrite_ctx {
    struct rewriting w;
    struct rewrite_rules rules;
};

static bool
rewrite_line(void *ctx, struct arena *a, const struct header *h, struct str *out)
{
    const struct rewrite_ctx *c = ctx;
    unsigned place = rewrite_header_place(h->type);
    return place != 0 && (c->rules.flags & place) != 0 &&
           rewrite_header(&c->w, a, h, STR_NULL, out);
}

void
local_rewrite_set(struct engine *e, struct transport_job *job)
{
    const struct transport_generic *g = job->transport->generic.fields;
    struct str fault;
    if (g->headers_rewrite.text.n == 0)
        return;
    struct rewrite_ctx *c = ARENA_NEW(job->arena, struct rewrite_ctx);
    if (!rewrite_parse_list(job->arena, g->headers_rewrite.text, &c->rules, &fault))
        return; /* the configuration was checked when it was read */
    c->w = (struct rewriting){.rules = &c->rules, .eval = e->eval, .vm = e->vm};
    job->rewrite = rewrite_line;
    job->up_ctx = c;
}

/* --- envelopes of copies --- */

bool
local_envelope(const struct delivery *d, struct address *const *addresses, size_t n,
               struct str *out)
{
    struct spool_header h = d->header;
    struct spool_fault f;
    bool *wanted = ARENA_ARRAY(d->arena, bool, h.recipients.n + 1);
    memset(&h.done, 0, sizeof h.done);
    memset(&h.recipients, 0, sizeof h.recipients);
    for (size_t i = 0; i < n; i++)
        if (addresses[i]->recipient < d->header.recipients.n)
            wanted[addresses[i]->recipient] = true;
    for (size_t i = 0; i < d->header.recipients.n; i++) {
        if (!wanted[i])
            continue;
        struct spool_recipient one = d->header.recipients.v[i];
        one.parent = SPOOL_NONE; /* an index means nothing here */
        vec_push(d->arena, &h.recipients, one);
    }
    return h.recipients.n > 0 && spool_header_format(d->arena, &h, out, &f);
}
