/* Cuts a stream of blocks into lines, for the readers of MIME structures. A line ends with LF or CRLF, which are not part of it. */
#ifndef REMEX_MAIL_MIME_LINES_H
#define REMEX_MAIL_MIME_LINES_H

#include "base/str.h"

enum { MIME_LINE_MAX = 8192 }; /* bytes of a line that are seen; the rest is skipped */

struct mime_line {
    struct str text;
    int64_t at;   /* offset of its first byte in the stream */
    int64_t next; /* of the line behind it */
    bool cut;     /* it is longer than text */
};

struct mime_lines {
    int64_t at; /* of the line under way */
    int64_t seen;
    size_t n; /* bytes of it that came in earlier blocks */
    bool cut;
    uint32_t taint;
    void (*line)(void *ctx, const struct mime_line *l);
    void *ctx;
    char text[MIME_LINE_MAX];
};

void mime_lines_start(struct mime_lines *l, void (*line)(void *ctx, const struct mime_line *l),
                      void *ctx);
void mime_lines_feed(struct mime_lines *l, struct str block);
/* The stream is over; a last line without an end counts. */
void mime_lines_end(struct mime_lines *l);

#endif
