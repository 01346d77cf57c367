/* Deliveries over a connection that was turned round; see turned.h. */
#include "engine/turned.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "conf/eval.h"
#include "engine/held_text.h"
#include "engine/queue_run.h"
#include "engine/remote_kept.h"
#include "mail/why_errno.h"
#include "transports/smtp_transaction.h"

#include <unistd.h>

struct turned {
    struct arena *arena;
    int fd; /* -1: it is the client's, or gone */
    struct smtp_client *client;
    struct str host, domains;
    bool relayed; /* TLS is at the other end of the descriptor: */
    struct tls_state tls;
};

/* --- texts --- */

bool
turned_pack(struct arena *a, const struct session *s, struct str id, struct str domains, int fd,
            struct held_connection *out)
{
    *out = (struct held_connection){.id = id, .recipients = domains, .fd = fd};
    out->place = s->sender_host_address;
    out->sender = held_text_tls(a, &s->tls_in);
    return out->place.n > 0 && out->place.n <= HELD_TEXT_MAX &&
           out->sender.n <= HELD_TEXT_MAX && domains.n <= HELD_TEXT_MAX &&
           !str_has_nul(domains) && !str_has_nul(out->sender);
}

/* False: no such text. */
static bool
read_tls(struct turned *t, struct str text)
{
    if (!held_text_read_tls(text, &t->tls))
        return false;
    t->relayed = t->tls.cipher.n > 0;
    t->tls.peercert = STR_EMPTY; /* whatever it was, it has been looked at */
    return true;
}

struct str
turned_domains_that_travel(struct str domains)
{
    if (domains.n <= HELD_TEXT_MAX)
        return domains;
    size_t at = str_rchr(str_sub(domains, 0, HELD_TEXT_MAX + 1), ',');
    return at == STR_NPOS ? STR_EMPTY : str_sub(domains, 0, at);
}

struct str
turned_pattern(struct arena *a, struct str domains)
{
    struct buf b = buf_in(a, 0);
    struct strlist_split l = strlist_split_start(domains, ',');
    struct str item;
    buf_addz(&b, "@(");
    for (bool first = true; strlist_split_next(&l, a, &item); first = false) {
        if (!first)
            buf_addc(&b, '|');
        buf_adds(&b, item);
    }
    buf_addc(&b, ')');
    return buf_str(&b);
}

bool
turned_has_domain(struct str domains, struct str domain)
{
    for (size_t at = 0; at < domains.n;) {
        size_t end = str_chr(domains, ',', at);
        end = end == STR_NPOS ? domains.n : end;
        if (str_ieq(str_trim(str_sub(domains, at, end - at)), domain))
            return true;
        at = end + 1;
    }
    return false;
}

/* --- the run --- */

static bool
is_turned(const struct held_connection *h)
{
    return h != NULL && h->fd >= 0 && str_starts(h->id, TURNED_MARK);
}

static void
end(struct turned *t)
{
    smtp_client_close(t->client, NULL);
    if (t->fd >= 0)
        close(t->fd);
}

bool
turned_run(struct engine *e)
{
    struct held_connection *h = e->held;
    if (!is_turned(h))
        return false;
    struct arena *a = arena_new();
    struct turned t = {.arena = a, .fd = h->fd};
    h->fd = -1;
    t.host = str_dup(a, h->place);
    t.domains = str_dup(a, h->recipients);
    if (read_tls(&t, str_dup(a, h->sender))) {
        struct queue_run q = {.two_stage = true,
                              .title = "ODMR ",
                              .domains = t.domains,
                              .recipient = turned_pattern(a, t.domains),
                              .recipient_force = true};
        q.words = str_printf(a, "-qq -Rr %.*s", STR_ARG(q.recipient));
        e->turned = &t;
        e->eval->atrn_mode = STR_LIT("P");
        e->eval->atrn_host = t.host;
        (void)queue_run(e, &q);
        e->eval->atrn_mode = e->eval->atrn_host = STR_NULL;
        e->turned = NULL;
    }
    end(&t);
    held_connection_drop(e);
    arena_free(a);
    return true;
}

void
turned_abandon(struct engine *e)
{
    struct turned *t = e->turned;
    if (t == NULL)
        return;
    if (t->fd >= 0)
        close(t->fd);
    if (t->client != NULL)
        close(t->client->fd);
    e->turned = NULL;
    e->eval->atrn_mode = e->eval->atrn_host = STR_NULL;
}

bool
turned_excludes(const struct engine *e, struct str domain)
{
    return e->turned != NULL && !turned_has_domain(e->turned->domains, domain);
}

/* --- its connection --- */

bool
turned_leads_to(const struct engine *e, const struct smtp_target *target)
{
    return e->turned != NULL && str_eq(e->turned->host, target->host->address);
}

/* The first message greets the client, as its transport has it. */
static struct smtp_client *
greet(struct turned *t, const struct transport_job *job, const struct smtp_target *target,
      struct smtp_end *end)
{
    struct smtp_target to = *target;
    to.early = false;
    to.relayed = t->relayed ? &t->tls : NULL;
    t->client = smtp_client_attach(job, &to, t->fd, end);
    t->fd = -1;
    return t->client;
}

struct smtp_client *
turned_client(struct engine *e, const struct transport_job *job,
              const struct smtp_target *target, struct smtp_end *end)
{
    struct turned *t = e->turned;
    if (t->client == NULL && t->fd >= 0)
        return greet(t, job, target, end);
    if (t->client == NULL) {
        (void)smtp_client_say(end, SMTP_HOST_DEFER,
                              (struct why){.outcome = OUT_DEFER,
                                           .sys_errno = WHY_CLOSED,
                                           .log = STR_LIT("the connection that the client has "
                                                          "turned round is no more")});
        return NULL;
    }
    smtp_client_adopt(t->client, job);
    return t->client;
}

bool
turned_keeps(const struct engine *e, const struct smtp_client *c)
{
    return c != NULL && e->turned != NULL && e->turned->client == c && !c->broken;
}

void
turned_forget(struct engine *e, const struct smtp_client *c)
{
    if (e->turned != NULL && e->turned->client == c)
        e->turned->client = NULL;
}
