/* Replies of SMTP and LMTP servers (RFC 5321 section 4.2), with enhanced status codes (RFC
 * 3463). */
#ifndef REMEX_MAIL_SMTP_REPLY_H
#define REMEX_MAIL_SMTP_REPLY_H

#include "base/str.h"

struct arena;

enum {
    SMTP_REPLY_LINE_MAX = 4096, /* bytes of one line without its end */
    SMTP_REPLY_LINES_MAX = 200,
};

enum smtp_reply_status {
    SMTP_REPLY_DONE,
    SMTP_REPLY_MORE, /* the input ends before the reply does */
    SMTP_REPLY_BAD,  /* not a reply, or beyond the limits */
};

struct smtp_reply {
    int code; /* 0 to 999: some servers have codes that no RFC knows, which count as failures for now */
    struct str
        enhanced; /* "2.1.0" of the first line when its class fits the code, else STR_NULL */
    struct str
        text; /* as it was sent, lines joined by "\n", without their ends: "250-a\n250 b" */
    size_t lines;
};

/* Reads one reply at the start of in. Lines end in CRLF; a bare LF is taken, since servers send
 * it. DONE: *used bytes belong to the reply. Text is tainted. */
enum smtp_reply_status smtp_reply_parse(struct arena *a, struct str in, size_t *used,
                                        struct smtp_reply *out);
/* The i-th line's text behind the code and its separator (lines count from 0). */
struct str smtp_reply_line(const struct smtp_reply *r, size_t i);

/* Length of "d.ddd.ddd" at the start of s, with class 2, 4 or 5 and followed by white space or
 * the end; else 0. */
size_t smtp_enhanced_length(struct str s);
/* Takes "550 5.1.1 text" apart, as in an ACL's message or a :fail: text. code 0: there is none.
 * Returns what follows. */
struct str smtp_code_split(struct str s, int *code, struct str *enhanced);

#endif
