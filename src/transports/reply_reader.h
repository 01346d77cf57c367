/* Reads the replies of an SMTP or LMTP server from a descriptor, each within its time. What came beyond one reply waits for the
 * next.
 */
#ifndef REMEX_TRANSPORTS_REPLY_READER_H
#define REMEX_TRANSPORTS_REPLY_READER_H

#include "mail/smtp_reply.h"

#include <sys/types.h>

enum { REPLY_READER_MAX = 64 * 1024 }; /* bytes of one reply */

struct reply_reader {
    int fd;
    /* What reads in place of read(2): -1 with errno EAGAIN and what to wait for; anything that is at hand comes without waiting. NULL: the
     * descriptor is read itself. */
    ssize_t (*read)(void *ctx, char *p, size_t n, short *events);
    void *ctx;
    char *text; /* REPLY_READER_MAX bytes, of reply_reader_start */
    size_t n;
};

enum reply_end {
    REPLY_READ,
    REPLY_TIMED_OUT,
    REPLY_CLOSED, /* or a fault: errno, 0 for the end */
    REPLY_BAD,    /* *out has the first line in text */
};

void reply_reader_start(struct arena *a, struct reply_reader *r, int fd);
/* One reply; its texts are copies in a. timeout_ms counts from now, for the whole reply; 0: none. */
enum reply_end reply_reader_next(struct arena *a, struct reply_reader *r, int64_t timeout_ms,
                                 struct smtp_reply *out);

#endif
