/* The MIME parts of a message that is being received, and what is decoded out of them.
 *
 * A source is a message: the one that is received, or one that is attached to it. Its parts are read where they lie, in blocks;
 * decoded contents go to files, in the message's scan directory when nothing else is said. What may be written for one message is
 * limited, because a part lies in all the multiparts around it and could be written with each of them. Used by the thread that
 * works on the message. Source: specification, "Scanning MIME parts".
 */
#ifndef REMEX_SCANNERS_MIME_SCAN_H
#define REMEX_SCANNERS_MIME_SCAN_H

#include "mail/mime_decode.h"
#include "mail/mime_walk.h"

#include <sys/types.h>

struct message;
struct scan_message;

enum { MIME_BLOCK = 64 * 1024 };

struct mime_source {
    int fd;           /* -1: text */
    int64_t at, size; /* where it is in fd, or 0; bytes */
    struct str text;
};

/* The work on one message. */
struct mime_scan {
    struct arena *arena; /* of the message */
    struct scan_message *message;
    unsigned files;     /* number of the next file */
    int64_t may_decode; /* bytes that may still be written */
    bool told;          /* a failure is in the log */
};

/* The part at hand. */
struct mime_at {
    struct mime_scan *scan;
    const struct mime_source *source;
    int64_t body, end; /* of its contents in the source */
    enum mime_encoding encoding;
};

/* The body of a message; behind its header lines. */
struct mime_source mime_source_body(const struct message *m);
/* Up to n bytes from an offset; 0 behind the end; -1 with errno. */
ssize_t mime_source_read(const struct mime_source *s, int64_t at, char *p, size_t n);
/* The structure of a source; in a. root: as for mime_walk_new. NULL with errno: it could not be read. */
const struct mime_index *mime_source_walk(struct arena *a, const struct mime_source *s,
                                          struct mime_caps caps, const struct mime_part *root);
/* The header of a part; in a. False with errno. */
bool mime_source_header(struct arena *a, const struct mime_source *s,
                        const struct mime_span *span, struct mime_part *out);

/* What decoding found. */
struct mime_decoded {
    int64_t size;       /* bytes */
    uint64_t anomalies; /* see mail/mime_decode.h */
};

/* Decodes into a file. where is what the condition `decode` was given: empty or "default", a numbered file in the scan directory; a
 * directory, a numbered file there; another absolute path, that file, which is overwritten; else the name of a file in the scan
 * directory. *path is the file's, in the message's arena. False: *why, likewise. */
bool mime_decode_to_file(const struct mime_at *at, struct str where, struct str *path,
                         struct mime_decoded *out, struct str *why);
/* The same into a file without a name. **returns** its descriptor, the caller's; -1: *why. */
int mime_decode_to_nowhere(const struct mime_at *at, struct mime_decoded *out, struct str *why);

#endif
