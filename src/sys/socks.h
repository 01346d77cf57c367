/* Asks a SOCKS 5 proxy for a connection (RFC 1928; names and passwords: RFC 1929), over a descriptor that is connected to it. Reads no
 * byte beyond the proxy's answer. */
#ifndef REMEX_SYS_SOCKS_H
#define REMEX_SYS_SOCKS_H

#include "mail/ip.h"

#include <stdbool.h>

struct socks_request {
    struct ip to;
    int64_t port;
    bool by_name;          /* authentication by name and password; otherwise none */
    struct str name, pass; /* at most SOCKS_WORD_MAX bytes each */
    int64_t deadline_ms;   /* of await_now_ms */
};

enum { SOCKS_WORD_MAX = 255 };

enum socks_end {
    SOCKS_CONNECTED,
    SOCKS_TIMED_OUT,
    SOCKS_CLOSED,    /* in the middle of it */
    SOCKS_GARBLED,   /* not the protocol */
    SOCKS_NO_METHOD, /* the proxy wants another kind of authentication */
    SOCKS_NO_AUTH,   /* it does not take the name and password */
    SOCKS_REFUSED,   /* the code says why */
};

struct socks_answer {
    enum socks_end end;
    int code;        /* of a refusal */
    struct ip bound; /* the proxy's own end; n == 0: it names none */
    int64_t bound_port;
};

/* fd does not block. True: what is written to it goes to the host. */
bool socks_connect(int fd, const struct socks_request *rq, struct socks_answer *out);

/* What the end means, static: "connection refused". */
const char *socks_words(const struct socks_answer *a);
/* The errno of a refusal that is the host's fault and not the proxy's; 0: it is the proxy's. */
int socks_errno(const struct socks_answer *a);

#endif
