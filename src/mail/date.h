/* Dates in mail (RFC 5322 section 3.3, with the obsolete forms of section 4.3). */
#ifndef REMEX_MAIL_DATE_H
#define REMEX_MAIL_DATE_H

#include "base/str.h"

enum { DATE_TEXT_MAX = 48 };

struct date {
    int64_t seconds;  /* since the epoch, UTC */
    int32_t offset_s; /* zone as written, seconds east of UTC */
};

/* The whole of s, with comments; weekday and seconds may be missing and the weekday is not
 * checked against the date. False: no date. */
bool date_parse(struct str s, struct date *out);
/* "Mon, 23 Nov 2026 05:02:20 +0000" and a NUL; returns the length. Years 0 to 9999, else
 * clipped. */
size_t date_print(struct date d, char out[DATE_TEXT_MAX]);

#endif
