/* NOTIFY of RCPT (RFC 3461 section 4.1) as bits, in the numbers that the spool has. */
#ifndef REMEX_MAIL_DSN_H
#define REMEX_MAIL_DSN_H

enum dsn_notify {
    DSN_NEVER = 2,
    DSN_SUCCESS = 4,
    DSN_FAILURE = 8,
    DSN_DELAY = 16,
};

/* RET of MAIL (section 4.3). */
enum dsn_ret { DSN_RET_NONE, DSN_RET_FULL, DSN_RET_HDRS };

#endif
