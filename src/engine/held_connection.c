/* Connections of callouts that travel; see held_connection.h. */
#include "engine/held_connection.h"

#include "base/arena.h"
#include "engine/held_text.h"
#include "sys/peer_address.h"
#include "transports/message_write.h"

#include <unistd.h>

/* --- packing --- */

/* Nothing of it is in this process alone. */
static bool
may_travel(const struct smtp_client *c)
{
    return c->fd >= 0 && !c->broken && c->secure == NULL && !c->clear && !c->lmtp &&
           !c->auth_tried && !c->dane && c->owed == 0 && !str_is_set(c->proxy_address) &&
           smtp_client_is_quiet(c);
}

static bool
is_text(struct str s)
{
    return s.n <= HELD_TEXT_MAX && !str_has_nul(s);
}

bool
held_connection_pack(struct arena *a, const struct smtp_client *c, const struct smtp_mail *mail,
                     struct str transport, struct held_connection *out)
{
    struct buf b = buf_in(a, 0);
    if (!may_travel(c) || (str_is_set(mail->auth) && mail->auth.n > 0) || mail->prdr)
        return false;
    buf_printf(&b, "%.*s\n%.*s\n", STR_ARG(transport), STR_ARG(c->host.name));
    held_text_add_server(&b, c, mail);
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

struct smtp_client *
held_connection_open(const struct delivery *d, const struct transport_job *job,
                     const struct smtp_target *t, struct smtp_mail *mail)
{
    struct held_connection *h = d->engine->held;
    struct str rest = h->place;
    struct smtp_client *c = smtp_client_resume(job, t, h->fd);
    h->fd = -1;
    *mail = (struct smtp_mail){.auth = STR_NULL};
    (void)str_take_until(&rest, '\n');
    (void)str_take_until(&rest, '\n');
    if (held_text_read_server(rest, c, mail) && smtp_client_is_quiet(c))
        return c;
    c->broken = true;
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
