/* The connection of an SMTP session: what is read and written, buffered, with a deadline on every wait.
 *
 * One object owns the read side; input that was read beyond a message goes back to it. Answers are collected and go out when
 * input runs out, so that a pipelining client gets them in few packets. Knows nothing of SMTP but lines.
 * **thread**: one at a time.
 */
#ifndef REMEX_ENGINE_SMTP_IO_H
#define REMEX_ENGINE_SMTP_IO_H

#include "base/str.h"

#include <sys/types.h>

enum {
    SMTP_LINE_MAX = 16384,   /* bytes of a command line with its end */
    SMTP_OUTPUT_MAX = 65536, /* answers held back at most */
    SMTP_TEXT_MAX = 32768,   /* of a message, that smtp_io_text waits for */
};

struct smtp_io;
struct tls;
struct tls_connection;

enum smtp_read {
    SMTP_READ_LINE,
    SMTP_READ_EOF, /* the peer has gone, perhaps in the middle of a line */
    SMTP_READ_TIMEOUT,
    SMTP_READ_TOO_LONG, /* the rest of the line was thrown away */
    SMTP_READ_LATER,    /* nothing for a while; only where smtp_io_let_rest allows it */
};

/* out may be -1: nothing is answered. Buffers are made when they are needed, and go with the arena. */
struct smtp_io *smtp_io_new(struct arena *a, int in, int out);
/* How long a line may take to come, or answers to be read; 0: any time. Of what has no ends of lines a thousand bytes count as a line. */
void smtp_io_set_timeout(struct smtp_io *io, int64_t ms);

/* The socket's own waits are short (SO_RCVTIMEO), so that reading is one call of the kernel: false if it is no such socket. */
bool smtp_io_set_slice(struct smtp_io *io, int64_t ms);
/* From now on a read of a line may end with SMTP_READ_LATER after one slice, or may not. */
void smtp_io_let_rest(struct smtp_io *io, bool may);
/* A wait for a peer that is slow ends, as if its time were up, when crowded says that others need who waits. Slow is who sends less than
 * `bytes` in window_ms of such waits; waits that may end with SMTP_READ_LATER are none. */
struct smtp_io_yield {
    bool (*crowded)(void *ctx);
    void *ctx;
    int64_t window_ms;
    size_t bytes;
};
void smtp_io_set_yield(struct smtp_io *io, const struct smtp_io_yield *y);
/* Whether a read has ended for that reason. */
bool smtp_io_has_yielded(const struct smtp_io *io);
/* Lets go of buffers, save for the start of a line that has come. */
void smtp_io_rest(struct smtp_io *io);
/* When the time of the line under way is up, on the monotonic clock; 0: never. */
int64_t smtp_io_deadline_ms(const struct smtp_io *io);
/* The time is up although no read was under way: the next one says so. */
void smtp_io_expire(struct smtp_io *io);

/* The next line without its end (LF, or CRLF). It lives until the next read; tainted. */
enum smtp_read smtp_io_line(struct smtp_io *io, struct str *line);
/* Bytes as they come: at most n, 0 at the end, -1 with errno (ETIMEDOUT). What was written goes out before a wait. */
ssize_t smtp_io_get(struct smtp_io *io, char *p, size_t n);
/* Reads the text of a message, which ends with a dot, ahead of who takes it. SMTP_READ_LATER as for lines, *seen keeps the place
 * (0 before the first call). SMTP_READ_LINE: what there is to know is there: the end of the text, SMTP_TEXT_MAX bytes of it, or that
 * no more will come, which the next one to read hears. What looks like the end may turn out to be none. */
enum smtp_read smtp_io_text(struct smtp_io *io, size_t *seen);
/* Puts bytes back in front of what is read next. */
void smtp_io_unget(struct smtp_io *io, const char *p, size_t n);
/* Reads more behind what smtp_io_peek shows, until a time on the monotonic clock. False: end, error, time is up, or no room. */
bool smtp_io_more(struct smtp_io *io, int64_t deadline_ms);
/* Takes so many bytes of what smtp_io_peek shows. */
void smtp_io_take(struct smtp_io *io, size_t n);
/* Whether input is there already (it has been read, or could be at once): what a client that waits for answers does not
 * have. The end of input does not count. */
bool smtp_io_is_ahead(struct smtp_io *io);
/* Whether input has been read that is not taken yet; nothing is asked of the system. */
bool smtp_io_has_more(const struct smtp_io *io);
/* Waits so long, or until the peer closes the connection (true). Input does not end the wait. */
bool smtp_io_has_hung_up(struct smtp_io *io, int64_t ms);
/* The start of the input that is there, for messages; at most n bytes. */
struct str smtp_io_peek(struct smtp_io *io, size_t n);
int64_t smtp_io_timeout_ms(const struct smtp_io *io);
/* The connection is of no use from now on: what comes is thrown away until the peer closes, for a moment at most. */
void smtp_io_give_up(struct smtp_io *io);
/* Drops what has been read and not used. */
void smtp_io_discard_input(struct smtp_io *io);

/* --- TLS --- */

/* From now on all bytes go through this connection, which the object owns; what was read in the clear and not used is dropped. There is
 * no way back: when TLS breaks, the connection is lost. */
void smtp_io_secure(struct smtp_io *io, struct tls *tls, struct tls_connection *c);
/* Says goodbye and frees it; nothing can be read or written afterwards. Nothing happens without TLS. */
void smtp_io_end_tls(struct smtp_io *io);
/* Why TLS broke, as "(recv): text"; unset: it did not. */
struct str smtp_io_tls_fault(const struct smtp_io *io);
/* The TLS of this connection, for channel binding; NULL: none. */
struct tls_connection *smtp_io_tls(const struct smtp_io *io);

/* --- output --- */

/* Adds to the output. */
void smtp_io_write(struct smtp_io *io, struct str text);
/* False when the peer does not take it (it is then taken for gone). */
bool smtp_io_flush(struct smtp_io *io);
/* Whether a read has ended for want of time. */
bool smtp_io_has_timed_out(const struct smtp_io *io);
/* Whether the connection is known to be useless. */
bool smtp_io_is_lost(const struct smtp_io *io);
/* The same, and the reason is that the peer did not read what it was told. */
bool smtp_io_is_stuck(const struct smtp_io *io);
/* Line number of the last line read, counting from 1, message text included. */
int64_t smtp_io_line_number(const struct smtp_io *io);

#endif
