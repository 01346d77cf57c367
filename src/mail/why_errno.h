/* Numbers in struct why.sys_errno that are not of the system: those that log lines of the reference show, "defer (-22)".
 *
 * They are negative, so that they never meet an errno. Log readers and retry rules know them: never renumber.
 */
#ifndef REMEX_MAIL_WHY_ERRNO_H
#define REMEX_MAIL_WHY_ERRNO_H

enum why_errno {
    WHY_UNKNOWN = -1,        /* a fault of the configuration, or no number of its own */
    WHY_NOT_REGULAR = -4,    /* a mailbox is no regular file, or has several names */
    WHY_NOT_FOLDER = -5,     /* a folder of a mailbox is something else */
    WHY_WRONG_OWNER = -6,    /* a mailbox belongs to someone else */
    WHY_WRONG_MODE = -7,     /* a mailbox has other permissions than it should */
    WHY_LOCKED = -9,         /* someone else holds the lock of a mailbox */
    WHY_INODE_CHANGED = -11, /* a mailbox was exchanged while it was opened */
    WHY_EXISTENCE = -12,     /* a mailbox comes and goes */
    WHY_CLOSED = -18,        /* a host closed the connection */
    WHY_BAD_REPLY = -19,     /* an answer that is none of the protocol */
    WHY_NOT_ABSOLUTE = -21,  /* a file or directory name that does not begin with a slash */
    WHY_QUOTA = -22,         /* our own limit, not the system's */
    WHY_FILTER = -24,        /* the transport filter failed */
    WHY_HEADERS = -25,       /* headers_add or headers_remove failed to expand */
    WHY_EXPANSION = -27,     /* a text of a transport failed to expand */
    WHY_NO_GROUP = -28,      /* no group for a delivery */
    WHY_NO_USER = -29,       /* no user for a delivery, or one that must not be */
    WHY_NO_TRANSPORT = -30,  /* no transport of that name */
    WHY_NO_HOST = -32,       /* no address of a host is known */
    WHY_MAILBOX_KIND = -33,  /* nobody knows the format of a mailbox */
    WHY_CREATE_PLACE = -34,  /* a file may not be made there */
    WHY_DNS = -36,           /* the address of a host cannot be had for the moment */
    WHY_TLS_FAILED = -37,    /* TLS could not be started */
    WHY_TLS_REQUIRED = -38,  /* TLS is required and cannot be had */
    WHY_AUTH_FAILED = -42,   /* authentication is required and cannot be had */
    WHY_RCPT_4XX = -44,      /* a server deferred RCPT, MAIL, or the end of the data */
    WHY_MAIL_4XX = -45,
    WHY_DATA_4XX = -46,
    WHY_AUTH_PROBLEM =
        -48,               /* authentication could not be tried: a fault of the configuration */
    WHY_UTF8 = -49,        /* a host takes no internationalised addresses */
    WHY_LOCAL_HOST = -50,  /* a host to deliver to is this host */
    WHY_CONCURRENCY = -57, /* max_parallel */
    WHY_EVENT = -58,       /* event_action forbade a connection */
};

#endif
