/* socks_proxy: connections by way of SOCKS 5 proxies. Source: specification, section "Outbound proxies". */
#ifndef REMEX_TRANSPORTS_SMTP_CLIENT_SOCKS_H
#define REMEX_TRANSPORTS_SMTP_CLIENT_SOCKS_H

#include "transports/smtp_client.h"

enum smtp_socks {
    SMTP_SOCKS_NONE, /* no proxy is to be used */
    SMTP_SOCKS_CONNECTED,
    SMTP_SOCKS_FAILED,
};

/* Makes the connection that rq describes through one of the proxies, which are tried until one has an answer that is its last word.
 * FAILED: *end. */
enum smtp_socks smtp_client_socks(struct smtp_client *c, const struct transport_job *job,
                                  const struct connect_request *rq, struct connected *out,
                                  struct smtp_end *end);

/* $proxy_… are those of the connection, unless they say how the message came. */
void smtp_client_socks_show(const struct smtp_client *c, const struct transport_job *job);

#endif
