/* Reads the text of a message from its source: logical header lines, then the body, with line ends as the spool has them.
 *
 * Knows framing, line ends and caps, and nothing of what header lines mean. Every line that comes out ends in LF; CR never
 * comes out. Source: specification, "Line endings"; what it leaves open as the reference does it.
 */
#ifndef REMEX_ENGINE_RECEIVE_TEXT_H
#define REMEX_ENGINE_RECEIVE_TEXT_H

#include "base/buf.h"
#include "engine/receive.h"

enum receive_text_end {
    RECEIVE_TEXT_MORE,       /* header: *line is a logical line; body: never */
    RECEIVE_TEXT_BODY,       /* header: the empty line was read, the body follows */
    RECEIVE_TEXT_OVER,       /* the message has ended as its framing says */
    RECEIVE_TEXT_CUT_OFF,    /* the input ended before the message did */
    RECEIVE_TEXT_NO_READ,    /* error or time-out, errno */
    RECEIVE_TEXT_LINE_BIG,   /* a logical header line is longer than header_line_maxsize */
    RECEIVE_TEXT_HEADER_BIG, /* the header is longer than header_maxsize */
    RECEIVE_TEXT_BIG,        /* the message is longer than its limit */
    RECEIVE_TEXT_LINE_END,   /* header: *line ends in LF alone, which chunks may not have */
    RECEIVE_TEXT_NO_WRITE,   /* the sink refused */
};

struct receive_caps {
    int64_t header_line; /* bytes; 0: none */
    int64_t header;
    int64_t message; /* header and body */
};

struct receive_text {
    enum receive_framing framing;
    struct receive_source source;
    struct receive_caps caps;
    /* Where the body goes; false ends the reading. NULL: nowhere. */
    bool (*put)(void *ctx, const char *p, size_t n);
    void *put_ctx;

    /* What was read. */
    int64_t header_size, body_size;
    int64_t header_lines, body_lines; /* physical */
    int64_t body_zeros, max_line;
    bool high; /* a byte above 127 in the header */

    /* Its own affair. */
    char *in, *out;
    size_t at, n, out_n;
    int source_end;        /* 0: there may be more */
    bool mode_known, crlf; /* the first line ended with CRLF: bare LF is no line end */
    bool line_start, after_cr;
    bool ended;      /* the end of the message was seen */
    bool body_space; /* the body begins with a space: what a bare LF stands for */
    enum receive_text_end fault;
    int64_t line_n; /* bytes of the physical line so far */
};

/* Buffers are in a. put, put_ctx and caps may be set afterwards, before they are needed. */
void receive_text_start(struct receive_text *t, struct arena *a, enum receive_framing framing,
                        const struct receive_source *source);
/* The next logical line of the header into a, with its final newline. When a cap is exceeded, *line is what was read of it. */
enum receive_text_end receive_text_line(struct receive_text *t, struct arena *a,
                                        struct str *line);
/* The rest: the body, behind `first`, text that is no header line but was read as one (may be empty). */
enum receive_text_end receive_text_body(struct receive_text *t, struct str first);
/* What follows as it comes, at most so many bytes, for a copy of a message that is too large to be read. */
struct str receive_text_rest(struct receive_text *t, struct arena *a, size_t most);
/* Reads on to the end of the message and drops it. Gives what was read too much back to the source. */
enum receive_text_end receive_text_drain(struct receive_text *t);

#endif
