/* The answers of a local transport as bytes: what a child that has become a user writes, and what we read as if a stranger
 * had written it.
 *
 * A record is a type (answer_record.def), the index of the answer, a length (four bytes each, low byte first) and the value;
 * numbers have eight bytes. The record 'Z' ends it. Anything else (unknown types, a field twice, lengths beyond their row's
 * maximum, values out of range, an answer without outcome, a missing end, bytes behind it) makes the whole worthless.
 */
#ifndef REMEX_ENGINE_ANSWER_RECORD_H
#define REMEX_ENGINE_ANSWER_RECORD_H

#include "base/buf.h"
#include "transports/transport.h"

enum { ANSWER_RECORDS_MAX = 48 * 1024 * 1024 }; /* bytes of all records together */

/* Appends the n answers. Texts longer than their maximum are cut. */
void answer_record_add(struct buf *out, const struct transport_answer *answers, size_t n);
/* Reads them into n answers; texts are parts of `records`. False with *fault (static text): answers hold nothing. */
bool answer_record_read(struct str records, struct transport_answer *answers, size_t n,
                        const char **fault);

#endif
