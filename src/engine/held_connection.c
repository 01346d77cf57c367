/* Connections of callouts that travel; see held_connection.h. */
#include "engine/held_connection.h"

#include "base/arena.h"
#include "engine/held_text.h"
#include "sys/peer_address.h"
#include "transports/message_write.h"
#include "transports/smtp_client_auth.h"

#include <unistd.h>

/* --- packing --- */

/* Nothing of it is in this process alone. */
static bool
may_travel(const struct smtp_client *c)
{
    return c->fd >= 0 && !c->broken && c->secure == NULL && !c->clear && !c->lmtp &&
           c->auth_tried == c->authenticated && !c->dane && c->owed == 0 &&
           !str_is_set(c->proxy_address) && smtp_client_is_quiet(c);
}

static bool
is_text(struct str s)
{
    return s.n <= HELD_TEXT_MAX && !str_has_nul(s);
}

static struct str
or_empty(struct str s)
{
    return str_is_set(s) ? s : STR_EMPTY;
}

bool
held_connection_pack(struct arena *a, const struct smtp_client *c, const struct smtp_mail *mail,
                     struct str transport, struct held_connection *out)
{
    struct buf b = buf_in(a, 0);
    struct held_who who = {STR_EMPTY, STR_EMPTY, STR_EMPTY, or_empty(mail->auth)};
    if (!may_travel(c) || mail->prdr)
        return false;
    if (c->authenticated) {
        who.authenticator = c->auth_name;
        who.id = or_empty(c->auth_id);
        who.self = or_empty(c->auth_self);
    }
    buf_printf(&b, "%.*s\n%.*s\n", STR_ARG(transport), STR_ARG(c->host.name));
    held_text_add_server(&b, c, mail);
    buf_addc(&b, '\n');
    if (!held_text_add_who(&b, &who))
        return false;
    out->place = buf_str(&b);
    out->fd = c->fd;
    return is_text(out->place) && is_text(out->sender) && is_text(out->recipients);
}

/* --- and back --- */

/* The descriptor is connected to that host. */
static bool
leads_to(struct arena *a, int fd, const struct smtp_target *t)
{
    struct peer_address peer;
    return peer_address_of(a, fd, &peer) && peer.port == t->port &&
           str_eq(peer.text, t->host->address);
}

/* The recipients are those of the batch, each once, in any order. */
static bool
are_recipients(const struct transport_job *job, struct str lines)
{
    const struct transport_generic *g = job->transport->generic.fields;
    bool *found = ARENA_ARRAY(job->arena, bool, job->n);
    size_t lines_n = 0;
    while (lines.n > 0) {
        struct str line = str_take_until(&lines, '\n');
        size_t i = 0;
        while (i < job->n &&
               (found[i] || !str_eq(line, transport_rcpt_address(job->arena, job->addresses[i],
                                                                 g->rcpt_include_affixes))))
            i++;
        if (i == job->n)
            return false;
        found[i] = true;
        lines_n++;
    }
    return lines_n == job->n;
}

bool
held_connection_fits(const struct delivery *d, const struct transport_job *job,
                     const struct smtp_target *t)
{
    const struct held_connection *h = d->engine->held;
    if (h == NULL || h->fd < 0 || !str_eq(h->id, d->id) || !str_eq(h->sender, job->return_path))
        return false;
    struct str rest = h->place;
    return str_eq(str_take_until(&rest, '\n'), job->transport->name) &&
           str_ieq(str_take_until(&rest, '\n'), t->host->name) &&
           leads_to(job->arena, h->fd, t) && are_recipients(job, h->recipients);
}

/* It speaks as the delivery itself would: as the same user, and MAIL has named the same. */
static bool
is_same_self(struct smtp_client *c, const struct transport_job *job, const struct held_who *who)
{
    struct str auth;
    c->auth_tried = c->authenticated = who->authenticator.n > 0;
    if (c->authenticated && !smtp_client_auth_suits(c, job, who->authenticator, who->self))
        return false;
    if (c->authenticated)
        c->auth_name = str_dup(c->arena, who->authenticator);
    if (who->id.n > 0)
        c->auth_id = str_dup(c->arena, who->id);
    return smtp_command_auth(c, job, &auth) && str_eq(or_empty(auth), who->sender);
}

struct smtp_client *
held_connection_open(const struct delivery *d, const struct transport_job *job,
                     const struct smtp_target *t, struct smtp_mail *mail)
{
    struct held_connection *h = d->engine->held;
    struct held_who who;
    struct str rest = h->place;
    struct smtp_client *c = smtp_client_resume(job, t, h->fd);
    h->fd = -1;
    *mail = (struct smtp_mail){.auth = STR_NULL};
    (void)str_take_until(&rest, '\n');
    (void)str_take_until(&rest, '\n');
    struct str server = str_take_until(&rest, '\n');
    c->broken = !held_text_read_server(server, c, mail) || !held_text_read_who(rest, &who) ||
                !smtp_client_is_quiet(c);
    if (!c->broken && is_same_self(c, job, &who))
        return c;
    smtp_client_close(c, job);
    return NULL;
}

/* --- one that waits --- */

struct held_connection *
held_connection_keep(const struct held_connection *h)
{
    struct arena *a = arena_new();
    struct held_connection *kept = ARENA_NEW(a, struct held_connection);
    *kept = (struct held_connection){.arena = a,
                                     .id = str_dup(a, h->id),
                                     .place = str_dup(a, h->place),
                                     .sender = str_dup(a, h->sender),
                                     .recipients = str_dup(a, h->recipients),
                                     .fd = h->fd};
    return kept;
}

void
held_connection_free(struct held_connection *h)
{
    if (h == NULL)
        return;
    if (h->fd >= 0)
        close(h->fd);
    arena_free(h->arena);
}

void
held_connection_drop(struct engine *e)
{
    held_connection_free(e->held);
    e->held = NULL;
}
