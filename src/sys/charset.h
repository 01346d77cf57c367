/* Conversion between character sets by iconv. */
#ifndef REMEX_SYS_CHARSET_H
#define REMEX_SYS_CHARSET_H

#include "mail/rfc2047.h"

/* Converts the whole of in; fits struct charset_target (ctx is not used). The result is at most
 * four times as long and keeps the mark. **thread** any; a descriptor is opened for each call.
 */
enum charset_status charset_convert(void *ctx, struct arena *a, struct str in, struct str from,
                                    struct str to, struct str *out);
/* A target that converts to the named set; empty: no conversion. */
struct charset_target charset_target(struct str to);

#endif
