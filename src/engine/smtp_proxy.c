/* Connections by way of a proxy that speaks the PROXY protocol.
 *
 * Its header is the first thing on the connection and says who the client is; that is who all checks see from then on. Without a
 * good header the session says so to every command. Source: specification, "Proxies", "Inbound proxies".
 */
#include "engine/smtp_state.h"

#include "base/arena.h"
#include "engine/maillog.h"
#include "engine/peer.h"
#include "engine/peer_name.h"
#include "mail/proxy_header.h"
#include "sys/await.h"

void
smtp_proxy_set_peer(struct smtp_session *s, struct str address, int64_t port)
{
    struct session *m = s->model;
    m->proxy = true;
    m->proxy_local = m->sender_host_address;
    m->proxy_local_port = m->sender_host_port;
    m->sender_host_address = address;
    m->sender_host_port = port;
    m->sender_host_name = m->sender_host_names = STR_NULL;
    m->host_lookup_failed = m->host_lookup_deferred = false;
    m->helo_verified = STR_NULL;
    peer_set_names(s->engine, m);
}

static const char *
read_header(struct smtp_session *s, struct proxy_header *h)
{
    int64_t deadline = await_now_ms() + s->main->proxy_protocol_timeout * 1000;
    for (;;) {
        struct str in = smtp_io_peek(s->io, PROXY_V2_MAX);
        enum proxy_status st = proxy_header_parse(in, h);
        if (st == PROXY_BAD)
            return "no good header";
        if (st == PROXY_DONE)
            break;
        if (!smtp_io_more(s->io, deadline))
            return await_now_ms() >= deadline ? "timed out" : "connection lost";
    }
    smtp_io_take(s->io, h->n);
    return NULL;
}

void
smtp_proxy(struct smtp_session *s)
{
    struct proxy_header h;
    struct session *m = s->model;
    if (s->batch || s->local || !smtp_host_in(s, &s->main->hosts_proxy, "hosts_proxy"))
        return;
    m->proxy = true;
    const char *fault = read_header(s, &h);
    s->proxy_failed = fault != NULL;
    if (fault != NULL) {
        smtp_log(s, MAILLOG_MAIN, "proxy negotiation with %.*s failed: %s",
                 STR_ARG(smtp_peer(s, false)), fault);
        return;
    }
    m->proxy = h.proxied;
    if (!h.proxied) /* the proxy speaks for itself */
        return;
    smtp_proxy_set_peer(s, ip_text(s->arena, &h.from), h.from_port);
    m->proxy_external = ip_text(s->arena, &h.to);
    m->proxy_external_port = h.to_port;
    if (smtp_host_in(s, &s->main->host_lookup, "host_lookup")) {
        (void)peer_name_find(s->engine, m);
        peer_set_names(s->engine, m);
    }
}
