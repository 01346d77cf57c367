/* Records of a journal segment of the fast lane, as bytes.
 *
 * A record is a head of LANE_HEAD bytes, its content, and zeros up to the next multiple of LANE_ALIGN. The head has a sum of
 * itself and one of the content; the sum of the head begins with the segment's secret number and the place of the record,
 * so that neither what an earlier use of the file left nor what a stranger puts into a body is taken for a record. Numbers
 * are little-endian. Only the word that says a message has ended is changed in place; it is in no sum. No I/O here.
 */
#ifndef REMEX_ENGINE_LANE_RECORD_H
#define REMEX_ENGINE_LANE_RECORD_H

#include "base/buf.h"
#include "base/str.h"
#include "engine/message_id.h"

enum {
    LANE_HEAD = 32,
    LANE_ALIGN = 8,
    LANE_ID_MAX = 24,            /* an id and NULs */
    LANE_MESSAGE_HEAD = 36,      /* id and lengths at the start of a MESSAGE */
    LANE_BODY_MAX = 256 * 1024,  /* bytes of a body; longer ones have a file of their own */
    LANE_MESSAGE_MAX = 1 << 20,  /* envelope, header lines, log */
    LANE_NOTE_MAX = 260 * 1024,  /* id and address */
    LANE_SEGMENT_MAX = 64 << 20, /* bytes of a segment */
    LANE_ENDED_AT = 28,          /* of the word in the head that says that it has ended */
};

enum lane_kind {
#define LANE_RECORD(name, letter, least, most, doc) LANE_KIND_##name,
#include "engine/lane.def"
#undef LANE_RECORD
    LANE_KINDS
};

struct lane_head {
    enum lane_kind kind;
    uint32_t length; /* of the content */
    uint32_t sum;    /* of the content */
    uint64_t body;   /* MESSAGE: where its BODY record is */
    bool ended;      /* MESSAGE: done or moved */
};

/* What the word in a head is when a message has ended. */
extern const unsigned char lane_ended[4];

/* "MESSAGE" */
const char *lane_kind_name(enum lane_kind kind);
/* Bytes that a record with so much content takes. */
uint64_t lane_record_size(uint32_t length);

void lane_head_write(const struct lane_head *h, uint64_t secret, uint64_t at,
                     unsigned char out[LANE_HEAD]);
/* False: not a record of that segment at that place, or not within its bounds. */
bool lane_head_read(const unsigned char in[LANE_HEAD], uint64_t secret, uint64_t at,
                    struct lane_head *h);

/* --- contents --- */

enum { LANE_SEGMENT_CONTENT = 16 };
void lane_segment_write(uint64_t secret, unsigned char out[LANE_SEGMENT_CONTENT]);
bool lane_segment_read(struct str content, uint64_t *secret);

/* A message: what its record holds beside the body. */
struct lane_message {
    struct message_id id;
    struct str queue;  /* named queue; "" is the default one */
    struct str log;    /* lines of its message log so far */
    struct str header; /* as in a -H file */
    bool expected;     /* lane_expect was told of it; not in the record */
};
/* What stands before queue, log and header. False: too long. */
bool lane_message_head(const struct lane_message *m, unsigned char out[LANE_MESSAGE_HEAD]);
/* The parts of a content. False: it is not one. */
bool lane_message_read(struct str content, struct lane_message *m);
/* The id at its start. */
bool lane_id_read(const char text[LANE_ID_MAX], struct message_id *id);

/* An id, for RECIPIENT with an address behind it. */
struct lane_note {
    struct message_id id;
    struct str address;
};
/* Appends the content. False: the address cannot be in a journal (empty, CR, LF, NUL, too long). */
bool lane_note_write(enum lane_kind kind, const struct lane_note *n, struct buf *out);
bool lane_note_read(enum lane_kind kind, struct str content, struct lane_note *n);

#endif
