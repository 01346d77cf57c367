/* A client of the Cyrus saslauthd daemon, which checks passwords for processes that are not root.
 *
 * One request on a UNIX socket: four texts (user, password, service, realm), each with its length before it
 * in two octets; the answer is one such text, which begins with OK or NO. Every wait has a deadline.
 */
#ifndef REMEX_SYS_SASLAUTHD_H
#define REMEX_SYS_SASLAUTHD_H

#include "base/str.h"

#define SASLAUTHD_SOCKET "/var/run/saslauthd/mux"

enum { SASLAUTHD_TIMEOUT_MS = 30000, SASLAUTHD_TEXT_MAX = 65535, SASLAUTHD_ANSWER_MAX = 1024 };

struct saslauthd_request {
    const char *path;                          /* of the socket */
    int timeout_ms;                            /* of the whole exchange */
    struct str user, password, service, realm; /* the last two may be unset */
};

enum saslauthd_verdict { SASLAUTHD_YES, SASLAUTHD_NO, SASLAUTHD_ERROR };

/* *why (in a) is the reason of SASLAUTHD_ERROR. */
enum saslauthd_verdict saslauthd_check(struct arena *a, const struct saslauthd_request *rq,
                                       struct str *why);

#endif
