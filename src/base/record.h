/* Structs as typed, length-prefixed records, for what goes from one process to another.
 *
 * A record is a tag (one byte), a length (four bytes, low byte first) and its fields. A field is the number of its row (one
 * byte), a length (four bytes) and a value: of a number eight bytes, of a text its taint mark (four bytes) and its bytes. Numbers that
 * are zero and texts that are unset are left out; rows come in rising order. Both sides use the same rows, which stand
 * once. The reader takes nothing on trust: unknown rows, rows twice, lengths beyond their bound and numbers out of range make
 * the record worthless.
 */
#ifndef REMEX_BASE_RECORD_H
#define REMEX_BASE_RECORD_H

#include "base/buf.h"

enum record_kind {
    RECORD_K_INT,
    RECORD_K_UNSIGNED, /* enums too */
    RECORD_K_INT64,
    RECORD_K_BOOL,
    RECORD_K_CHAR,
    RECORD_K_TEXT,
};

struct record_row {
    enum record_kind kind;
    size_t offset;
    int64_t low, high; /* of a text high is its longest length */
};

struct record_rows {
    const struct record_row *v;
    size_t n; /* at most RECORD_ROWS_MAX */
};

enum { RECORD_ROWS_MAX = 255, RECORD_HEAD = 5, RECORD_TAINT_MAX = 255 };

#define RECORD_KIND_OF(type, field)                                                            \
    _Generic(((type *)0)->field, int                                                           \
             : RECORD_K_INT, unsigned                                                          \
             : RECORD_K_UNSIGNED, int64_t                                                      \
             : RECORD_K_INT64, bool                                                            \
             : RECORD_K_BOOL, char                                                             \
             : RECORD_K_CHAR)
/* Rows; a field of another type does not compile. Enums: gcc and clang take them for unsigned. */
#define RECORD_NUMBER(type, field, from, to)                                                   \
    {                                                                                          \
        .kind = RECORD_KIND_OF(type, field), .offset = offsetof(type, field), .low = (from),   \
        .high = (to)                                                                           \
    }
#define RECORD_TEXT(type, field, longest)                                                      \
    {                                                                                          \
        .kind = _Generic(((type *)0)->field, struct str                                        \
                         : RECORD_K_TEXT),                                                     \
        .offset = offsetof(type, field), .high = (longest)                                     \
    }

struct record {
    unsigned char tag;
    struct str body;
};

/* Numbers, low byte first. */
void record_put_number(char *p, uint64_t v, size_t bytes);
uint64_t record_get_number(const char *p, size_t bytes);
/* The number in a field of a kind, and back; the value fits. */
int64_t record_field_number(enum record_kind kind, const void *field);
void record_set_number(enum record_kind kind, void *field, int64_t value);

/* Appends one. False: a value is beyond its row's bounds; what was appended is to be thrown away. Whether it fitted into the buffer
 * the buffer knows. */
bool record_put(struct buf *out, unsigned char tag, const struct record_rows *rows,
                const void *object);
/* Takes the next record off *rest. False: there is none, or it is longer than what is left. */
bool record_next(struct str *rest, struct record *out);
/* Fills an object, whose fields were zero before. Texts are parts of the body with the taint that they had. False with *fault (static
 * text). */
bool record_read(struct str body, const struct record_rows *rows, void *object,
                 const char **fault);

#endif
