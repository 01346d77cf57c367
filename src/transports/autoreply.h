/* What the files of the autoreply transport share: its options, and one reply under way.
 *
 * autoreply.c: options, what the reply is made of, whether it is sent; autoreply_text.c: the message.
 */
#ifndef REMEX_TRANSPORTS_AUTOREPLY_H
#define REMEX_TRANSPORTS_AUTOREPLY_H

#include "base/buf.h"
#include "transports/transport.h"

struct transport_autoreply {
    struct xstr bcc, cc, file;
    bool file_expand, file_optional;
    struct xstr from, headers, log;
    int64_t mode;
    struct xstr never_mail, once;
    int64_t once_file_size;
    struct xstr once_repeat, reply_to;
    bool return_message;
    struct xstr subject, text, to;
};

/* Longest reply (bytes), with all that it quotes. */
enum { AUTOREPLY_MAX = 32 * 1024 * 1024 };

/* One reply: values expanded, unset when there is none. */
struct autoreply {
    const struct transport_job *job;
    const struct transport_autoreply *opt;
    struct arena *arena;
    struct transport_answer *answer;
    struct str from, reply_to, to, cc, bcc, subject, headers, text, file, log, once;
    int64_t repeat_s;
    bool expand_file, return_message;
    struct str file_text; /* content of file */
};

/* Puts an outcome into the answer. Always false. */
bool autoreply_say(struct autoreply *r, enum outcome outcome, int number, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Appends the whole message. False: the answer says why. */
bool autoreply_write(struct autoreply *r, struct buf *out);
/* Takes the addresses of never_mail out of a list. False: the answer says why. */
bool autoreply_drop_never(struct autoreply *r, struct str *list);

#endif
