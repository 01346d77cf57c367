/* Hints as text, in the layout of Exim's tools (specification, "Hints database maintenance"), and when a record was written. Nothing here
 * reads or writes the store. For remex-hints. */
#ifndef REMEX_PROC_HINTS_TEXT_H
#define REMEX_PROC_HINTS_TEXT_H

#include "base/buf.h"
#include "sys/hints.h"

struct hints_item {
    enum hints_kind kind;
    struct str key;
    uint16_t version;
    struct str value;
};

/* "07-Mar-2000 12:21:52", in UTC or local time. */
void hints_text_time(struct buf *b, int64_t seconds, bool utc);
/* The lines of a dump. A record that cannot be read, or whose kind has no layout, is shown by key and size. Not for HINTS_WAIT. */
void hints_text_dump(struct buf *b, const struct hints_item *i, bool utc);
/* Numbered fields, a line each. False: the record cannot be read, or has none to show. */
bool hints_text_fields(struct buf *b, const struct hints_item *i, bool utc);
/* When the record was last written, seconds since 1970. False: it does not say. */
bool hints_text_age(const struct hints_item *i, int64_t *seconds);

#endif
