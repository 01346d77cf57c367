/* The contents of MIME parts out of their transfer encodings (RFC 2045 section 6), as a stream.
 *
 * Text that is not what the encoding allows is passed over (base64) or through (quoted-printable), and counted. Memory is fixed.
 */
#ifndef REMEX_MAIL_MIME_DECODE_H
#define REMEX_MAIL_MIME_DECODE_H

#include "base/str.h"

enum mime_encoding {
    MIME_IDENTITY, /* 7bit, 8bit, binary, and what nobody knows */
    MIME_BASE64,
    MIME_QUOTED_PRINTABLE,
};

/* By the name in Content-Transfer-Encoding. */
enum mime_encoding mime_encoding_find(struct str name);

struct mime_decoder {
    enum mime_encoding encoding;
    bool (*put)(void *ctx, const char *p, size_t n);
    void *ctx;
    uint64_t
        anomalies; /* bytes of base64, or sequences of quoted-printable, that should not be there */
    bool failed;   /* put said false */
    uint32_t bits; /* base64: what is not complete */
    unsigned digits;
    size_t held_n; /* quoted-printable: '=' and what follows, up to where its meaning shows */
    char held[64];
    size_t n;
    char out[4096];
};

/* put: takes what was decoded; false ends it. */
void mime_decode_start(struct mime_decoder *d, enum mime_encoding encoding,
                       bool (*put)(void *ctx, const char *p, size_t n), void *ctx);
/* False: put failed. */
bool mime_decode_feed(struct mime_decoder *d, struct str block);
bool mime_decode_end(struct mime_decoder *d);

#endif
