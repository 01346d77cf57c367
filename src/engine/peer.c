/* Names of the peer; see peer.h. */
#include "engine/peer.h"

#include "base/buf.h"
#include "engine/maillog.h"
#include "mail/ip.h"

/* "[192.0.2.1]", with ":25" behind it when ports are logged. */
static struct str
bracketed(struct arena *a, const struct engine *e, const struct session *s)
{
    bool port = maillog_selected(e, LOG_SELECTOR_INCOMING_PORT) && s->sender_host_port > 0;
    if (!port)
        return str_printf(a, "[%.*s]", STR_ARG(s->sender_host_address));
    return str_printf(a, "[%.*s]:%lld", STR_ARG(s->sender_host_address),
                      (long long)s->sender_host_port);
}

/* Whether the HELO name tells more than the host's name and address do. */
static bool
is_helo_news(const struct session *s)
{
    struct str helo = s->sender_helo_name;
    if (!str_is_set(helo) || helo.n == 0 || str_ieq(helo, s->sender_host_name))
        return false;
    if (helo.p[0] != '[')
        return true;
    struct ip a, b;
    struct str inner = str_sub(helo, 1, helo.n - 1);
    if (inner.n > 0 && inner.p[inner.n - 1] == ']')
        inner.n--;
    if (str_istarts(inner, "IPv6:") || str_istarts(inner, "IPv4:"))
        inner = str_sub(inner, 5, inner.n);
    return !ip_parse(inner, &a) || !ip_parse(s->sender_host_address, &b) || a.n != b.n ||
           memcmp(a.b, b.b, a.n) != 0;
}

static void
set_fullhost(const struct engine *e, struct session *s, bool helo)
{
    struct buf b = buf_in(s->arena, 0);
    if (str_is_set(s->sender_host_name))
        buf_printf(&b, "%.*s ", STR_ARG(s->sender_host_name));
    if (helo)
        buf_printf(&b, "(%.*s) ", STR_ARG(s->sender_helo_name));
    buf_adds(&b, bracketed(s->arena, e, s));
    s->sender_fullhost = buf_str(&b);
}

/* What is in parentheses in Received: lines. */
static struct str
received_extras(const struct engine *e, const struct session *s, bool helo)
{
    struct buf b = buf_in(s->arena, 0);
    bool named = str_is_set(s->sender_host_name);
    bool ident = str_is_set(s->sender_ident) && s->sender_ident.n > 0;
    bool port = maillog_selected(e, LOG_SELECTOR_INCOMING_PORT) && s->sender_host_port > 0;
    if (named)
        buf_adds(&b, bracketed(s->arena, e, s));
    else if (port)
        buf_printf(&b, "port=%lld", (long long)s->sender_host_port);
    if (helo)
        buf_printf(&b, "%shelo=%.*s", b.n > 0 ? " " : "", STR_ARG(s->sender_helo_name));
    if (ident)
        buf_printf(&b, "%sident=%.*s",
                   b.n == 0        ? ""
                   : named && helo ? "\n\t"
                                   : " ",
                   STR_ARG(s->sender_ident));
    return buf_str(&b);
}

static void
set_rcvhost(const struct engine *e, struct session *s, bool helo)
{
    struct str extras = received_extras(e, s, helo);
    struct str first = str_is_set(s->sender_host_name)
                           ? s->sender_host_name
                           : str_printf(s->arena, "[%.*s]", STR_ARG(s->sender_host_address));
    s->sender_rcvhost =
        extras.n == 0 ? first
                      : str_printf(s->arena, "%.*s (%.*s)", STR_ARG(first), STR_ARG(extras));
}

void
peer_set_names(const struct engine *e, struct session *s)
{
    if (!str_is_set(s->sender_host_address)) {
        s->sender_fullhost = s->sender_rcvhost = STR_NULL;
        return;
    }
    struct str name = s->sender_helo_name;
    s->fullhost_name = s->sender_host_name;
    set_fullhost(e, s, name.n > 0 && !str_ieq(name, s->sender_host_name));
    set_rcvhost(e, s, is_helo_news(s));
}

/* A list may have asked for the host's name meanwhile. */
static void
refresh(const struct engine *e)
{
    struct session *s = e->eval->session;
    if (s != NULL && str_is_set(s->sender_fullhost) && s->arena != NULL &&
        !str_eq(s->fullhost_name, s->sender_host_name))
        peer_set_names(e, s);
}

/* "H=name [address]:port I=[address]:port" */
static void
add_host(const struct engine *e, const struct session *s, bool fields, struct buf *b)
{
    buf_printf(b, "%s%.*s", fields ? "H=" : "", STR_ARG(s->sender_fullhost));
    if (maillog_selected(e, LOG_SELECTOR_INCOMING_INTERFACE) &&
        str_is_set(s->interface_address))
        buf_printf(b, " I=[%.*s]:%lld", STR_ARG(s->interface_address),
                   (long long)s->interface_port);
}

struct str
peer_connection_text(struct arena *a, const struct engine *e, struct str who)
{
    const struct session *s = e->eval->session;
    struct buf b = buf_in(a, 0);
    refresh(e);
    buf_addz(&b, "SMTP connection ");
    if (maillog_selected(e, LOG_SELECTOR_CONNECTION_ID) && s->connection_id.n > 0)
        buf_printf(&b, "Ci=%.*s ", STR_ARG(s->connection_id));
    buf_addz(&b, "from ");
    if (str_is_set(who))
        buf_adds(&b, who);
    else if (str_is_set(s->sender_fullhost))
        add_host(e, s, false, &b);
    else
        buf_adds(&b, s->sender_ident.n > 0 ? s->sender_ident : STR_LIT("local process"));
    return buf_str(&b);
}

struct str
peer_text(struct arena *a, const struct engine *e, bool fields)
{
    const struct session *s = e->eval->session;
    if (s == NULL)
        return STR_EMPTY;
    refresh(e);
    struct buf b = buf_in(a, 0);
    bool ident = str_is_set(s->sender_ident) && s->sender_ident.n > 0;
    if (!str_is_set(s->sender_fullhost)) {
        if (ident)
            buf_printf(&b, "%s%.*s", fields ? "U=" : "", STR_ARG(s->sender_ident));
        return buf_str(&b);
    }
    add_host(e, s, fields, &b);
    if (ident)
        buf_printf(&b, " U=%.*s", STR_ARG(s->sender_ident));
    if (maillog_selected(e, LOG_SELECTOR_CONNECTION_ID) && s->connection_id.n > 0)
        buf_printf(&b, " Ci=%.*s", STR_ARG(s->connection_id));
    return buf_str(&b);
}
