/* MBX format, the mailboxes of the UW IMAP daemon and of Pine: a header of 2048 bytes, then messages, each behind a line with its
 * date, size and flags. Lines end in CRLF.
 */
#ifndef REMEX_TRANSPORTS_MBX_H
#define REMEX_TRANSPORTS_MBX_H

#include "transports/append_file.h"

enum { MBX_HEADER_SIZE = 2048, MBX_LINE_MAX = 80 };

/* The header of a new mailbox: its time is the UIDVALIDITY. */
void mbx_header(int64_t now, char out[MBX_HEADER_SIZE]);
/* True if the text begins as such a mailbox. */
bool mbx_is_header(struct str text);
/* The line in front of a message of `size` bytes, with its CRLF. Returns its length. */
size_t mbx_line(int64_t now, int32_t zone_s, int64_t size, char out[MBX_LINE_MAX]);
struct mbx_entry {
    int64_t size;      /* bytes of the message behind the line */
    uint64_t keywords; /* user flags */
    unsigned flags, uid;
};
/* Reads such a line (without or with its CRLF). False: it is none. */
bool mbx_line_parse(struct str line, struct mbx_entry *out);

/* Appends the message to the open file. False: the answer says why; the caller undoes. */
bool mbx_write(struct append *d, const struct append_file *f);

#endif
