/* Where the bytes of a message go while it is written: buffered, and changed line by line as the destination wants it.
 *
 * One sink belongs to one destination and one message. Small pieces are gathered, large ones go out as they are, in one call
 * with what was gathered. After the first fault nothing more is written.
 */
#ifndef REMEX_TRANSPORTS_MESSAGE_SINK_H
#define REMEX_TRANSPORTS_MESSAGE_SINK_H

#include "base/str.h"

#include <sys/uio.h>

struct arena;

enum { MESSAGE_SINK_BUFFER = 32 * 1024, MESSAGE_SINK_DIRECT = 4 * 1024 };

struct message_sink {
    /* Set by the caller. */
    struct arena *arena;
    int fd; /* destination when put is NULL; may be non-blocking */
    /* Takes all of the pieces; false with errno (ETIMEDOUT: too late). */
    bool (*put)(void *ctx, struct iovec *v, int n);
    void *ctx;
    int64_t deadline_ms; /* of await_now_ms; 0: none. Of fd, not of put */
    int64_t idle_ms;     /* longest wait for one write; 0: none */

    /* Results. */
    int64_t bytes; /* that went out, or wait in the buffer */
    int sys_errno; /* of the first fault; 0: none */

    /* Its own. */
    char *gathered;
    size_t gathered_n;
};

/* How lines are changed on their way; all zero: not at all. */
struct message_lines {
    struct str check, escape; /* a line that begins with check begins with escape instead */
    bool crlf;                /* lines end with CRLF; a CR that is there is not doubled */

    /* Its own. */
    bool inside;    /* of a line, and what begins it is known */
    size_t matched; /* bytes of check that the line began with so far */
    bool cr;        /* the last byte was a CR */
    bool newline;   /* the last byte was a newline */
    bool any;       /* something was written */
};

/* Bytes as they are. False after a fault (sink->sys_errno). */
bool message_sink_add(struct message_sink *s, const char *p, size_t n);
bool message_sink_adds(struct message_sink *s, struct str text);
/* Bytes as lines demand. */
bool message_sink_lines(struct message_sink *s, struct message_lines *l, const char *p,
                        size_t n);
/* What of the last line was held back. */
bool message_sink_lines_end(struct message_sink *s, struct message_lines *l);
/* For put: takes n written bytes off the front of the pieces. */
void message_sink_advance(struct iovec **v, int *count, size_t n);
/* Sends what was gathered. */
bool message_sink_flush(struct message_sink *s);

#endif
