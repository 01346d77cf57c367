/* A client for one request and one answer over a UNIX or TCP socket (${readsocket}).
 *
 * Every wait has the same deadline: connecting, writing and reading together take no longer than
 * the time given for each of them.
 */
#ifndef REMEX_SYS_SOCK_H
#define REMEX_SYS_SOCK_H

#include "base/str.h"

struct tls_client; /* sys/tls_plugin.h */

struct sock_request {
    struct str where;  /* a path, or inet:host:port (host may be in brackets) */
    struct str text;   /* sent as it is; may be empty */
    int timeout_ms;    /* of each step */
    bool shut_down;    /* close the writing side after the text */
    size_t max_answer; /* a longer one is an error */
    const struct tls_client
        *tls;       /* speak TLS, without looking at the certificate; NULL: do not */
    struct str sni; /* TLS: the name that the server is asked for; unset: none */
};

/* Sends and reads to end of file. True and *answer (tainted), or false and *error, worded as Exim does. */
bool sock_ask(struct arena *a, const struct sock_request *rq, struct str *answer,
              struct str *error);

#endif
