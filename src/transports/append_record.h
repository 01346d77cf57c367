/* What was appended to a mailbox last: kept in an extended attribute of the mailbox itself, so that it is as durable as the mailbox.
 *
 * A process that dies between two steps leaves a torn message, or a whole one that nobody wrote down as delivered. The next
 * delivery to the mailbox takes the torn one away, and the next attempt with the whole one finds that it is there. However many
 * messages come in between: a record goes when the same deliverer appends again, which it does only when it has written down what it
 * delivered before (engine_deliverer). So there is one for each deliverer, and the oldest makes room only when there are too many of
 * those, or no room for them in the file system. Where that has no attributes, or a mail reader makes a new file, this help is missing and mail may be there twice.
 */
#ifndef REMEX_TRANSPORTS_APPEND_RECORD_H
#define REMEX_TRANSPORTS_APPEND_RECORD_H

#include "transports/append_file.h"

enum { APPEND_RECORDS = 48, APPEND_RECORD_BYTES = 3840 };

struct append_record {
    uint64_t hash; /* of message, addresses and transport */
    int64_t at;    /* where it begins */
    int64_t n;     /* bytes; -1: not finished */
    int64_t by;    /* the deliverer; 0: not known */
};

struct append_records {
    struct append_record v[APPEND_RECORDS];
    size_t n;
};

/* The text of the attribute. Lines that are none end the reading. */
void append_records_parse(struct str text, struct append_records *out);
size_t append_records_format(const struct append_records *r, char out[APPEND_RECORD_BYTES]);
/* Adds one. That of the same deliverer goes; else the oldest makes room when there is none. */
void append_records_push(struct append_records *r, struct append_record one);

/* What a delivery is known by. */
uint64_t append_record_hash(const struct append *d);

enum append_record_result { APPEND_RECORD_NEW, APPEND_RECORD_THERE };

/* On the open and locked mailbox: removes what is torn at its end (f->before follows), and notes that this delivery begins.
 * THERE: an earlier attempt got the message in. */
enum append_record_result append_record_begin(const struct append *d, struct append_file *f);
/* Notes that it is whole, once its bytes are on the disk: a record that is there when they are not would make another attempt believe that
 * there is nothing to do. Sync afterwards. The text is as long as before, so that there is room for it. False with errno: as far as is noted the
 * message is torn, and the next delivery would take it away. */
bool append_record_end(const struct append *d, const struct append_file *f);
/* Notes that it is not there. */
void append_record_undo(const struct append *d, const struct append_file *f);

#endif
