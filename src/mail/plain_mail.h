/* Messages that are text and nothing else: what a reader of mail could unpack is not in them. No state. */
#ifndef REMEX_MAIL_PLAIN_MAIL_H
#define REMEX_MAIL_PLAIN_MAIL_H

#include "base/str.h"

/* Where the body of a message of plain text begins (its size when it has none); STR_NPOS: it is not plain, or might be taken for
 * something else: it has a type, an encoding, or a line that begins an attachment in one of the old ways or a message inside. In doubt it is
 * not plain. The text may be in mbox format; lines end in LF or CRLF. */
size_t plain_mail_body(struct str text);

#endif
