/* Debugging output: what about, and how the selector of -d is read. */
#ifndef REMEX_CONF_DEBUG_H
#define REMEX_CONF_DEBUG_H

#include "base/buf.h"
#include "base/str.h"

/* Bits of a selector; the order is that of the names in the specification. */
enum {
    DEBUG_ACL,
    DEBUG_AUTH,
    DEBUG_DELIVER,
    DEBUG_DNS,
    DEBUG_DNSBL,
    DEBUG_EXEC,
    DEBUG_EXPAND,
    DEBUG_FILTER,
    DEBUG_HINTS_LOOKUP,
    DEBUG_HOST_LOOKUP,
    DEBUG_IDENT,
    DEBUG_INTERFACE,
    DEBUG_LISTS,
    DEBUG_LOAD,
    DEBUG_LOCAL_SCAN,
    DEBUG_LOOKUP,
    DEBUG_MEMORY,
    DEBUG_NOUTF8,
    DEBUG_PID,
    DEBUG_PROCESS_INFO,
    DEBUG_QUEUE_RUN,
    DEBUG_RECEIVE,
    DEBUG_RESOLVER,
    DEBUG_RETRY,
    DEBUG_REWRITE,
    DEBUG_ROUTE,
    DEBUG_TIMESTAMP,
    DEBUG_TLS,
    DEBUG_TRANSPORT,
    DEBUG_UID,
    DEBUG_VERIFY,
    DEBUG_BITS,
};
#define DEBUG_BIT(b) (UINT64_C(1) << (b))

/* What -d alone selects. */
uint64_t debug_default(void);
/* Applies "+name-name" or "=number" to a selector. False: *bad is the part that is unknown. */
bool debug_select(struct str text, uint64_t *selector, struct str *bad);

/* Adds time and process id to the front of a line when the selector asks for them. */
void debug_prefix(struct buf *b, uint64_t selector);
/* One line on the standard error, with process id and time when the selector asks for them. */
void debug_line(uint64_t selector, const char *topic, struct str text);

#endif
