/* The -H file of a message: envelope, state and header lines, in Exim's format.
 *
 * Reading treats the file as hostile: every count and length has a cap, and a fault names file, line and
 * item. Writing refuses any value that would not read back as itself (CR, LF, NUL). Items that are not
 * known are kept as they are and written back behind the others. What 4.96 wrote is read and written back
 * byte for byte; 4.97 to 4.99 write the same items with longer message ids. This file does no I/O.
 * Source: specification, "Format of spool files"; order of the items by the reference.
 */
#ifndef REMEX_ENGINE_SPOOL_HEADER_H
#define REMEX_ENGINE_SPOOL_HEADER_H

#include "base/str.h"
#include "base/vec.h"
#include "engine/message_id.h"
#include "engine/spool_tree.h"
#include "mail/dsn.h"
#include "mail/header.h"

/* Caps of the reader; the writer keeps them too. */
enum {
    SPOOL_LINE_MAX = 262144, /* bytes of one line without its newline */
    SPOOL_RECIPIENTS_MAX = 1000000,
    SPOOL_ACL_VARIABLES_MAX = 10000,
    SPOOL_UNKNOWN_MAX = 1000,   /* items that are not known */
    SPOOL_FILE_MAX = 256 << 20, /* bytes of a -H file */
};

/* A number that the file does not have. */
enum { SPOOL_NONE = -1 };

struct spool_host {
    struct str address; /* without brackets; unset: not in the file */
    int64_t port;
};

/* An ACL variable. name is what follows $acl_c or $acl_m: "0", "_foo". */
struct spool_acl_variable {
    bool of_message; /* acl_m, else acl_c */
    struct str name;
    struct str value; /* any bytes but NUL */
};

enum {
    SPOOL_DSN_NEVER = DSN_NEVER,
    SPOOL_DSN_SUCCESS = DSN_SUCCESS,
    SPOOL_DSN_FAILURE = DSN_FAILURE,
    SPOOL_DSN_DELAY = DSN_DELAY,
};

struct spool_recipient {
    struct str address;
    struct str errors_to; /* unset or empty: none */
    struct str orcpt;     /* unset or empty: none */
    int64_t dsn_flags;    /* SPOOL_DSN_... */
    int64_t parent;       /* index of the one_time parent, or SPOOL_NONE */
};

struct spool_header {
    struct message_id id;
    struct str login;
    int64_t uid, gid;
    struct str sender; /* "" for a bounce */
    int64_t received_time, warning_count;

    /* Items. Texts are unset, numbers SPOOL_NONE when not in the file. Those of TLS certificates and
     * names keep the file's own escapes (\n, \\). */
    int64_t received_time_us;     /* microseconds within the second */
    int64_t received_complete_us; /* microseconds since 1970 */
    struct str helo_name;
    struct spool_host host, interface;
    struct str host_name, host_auth, host_auth_pubname, active_hostname, ident;
    struct str received_protocol;
    VEC(struct spool_acl_variable) acl_variables; /* written: connection's first */
    struct str debug_selector, debuglog_name, debug_pretrigger;
    bool wireformat;
    int64_t body_lines, max_received_line, body_zeros;
    struct str auth_id, auth_sender;
    bool allow_unqualified_recipient, allow_unqualified_sender;
    bool first_delivery;
    size_t first_delivery_at; /* where in the file that item stands (spool_mark_tried); 0: nowhere */
    int64_t frozen_time;
    bool dont_deliver; /* -N */
    bool host_lookup_deferred, host_lookup_failed;
    bool local, localerror;
    struct str local_scan;
    struct str spam_bar, spam_score, spam_score_int;
    bool manual_thaw, sender_set_untrusted;
    bool tls_certificate_verified;
    struct str tls_cipher, tls_ourcert, tls_peercert, tls_peerdn, tls_sni;
    int64_t tls_ocsp;
    struct str tls_resumption, tls_version;
    bool smtputf8, utf8_downconvert, utf8_optional_downconvert;
    struct str dsn_envid;
    int64_t dsn_ret;
    VEC(struct str) unknown; /* whole lines */

    struct spool_tree done; /* addresses that are not to be delivered to (any more) */
    VEC(struct spool_recipient) recipients;
    struct header_list headers;
};

enum { SPOOL_FAULT_MAX = 384 };

/* Why a spool file was not taken or not written. */
struct spool_fault {
    unsigned line; /* from 1; 0: none */
    int sys_errno; /* 0: none */
    char text
        [SPOOL_FAULT_MAX]; /* "spool file 1x...-H, line 7: -body_linecount: not a number: \"z\"" */
};

/* An empty one: numbers unset, no texts. */
void spool_header_init(struct spool_header *h);
/* Reads the content of the file id-H; values point into content, which must outlive *h. Lists are in a.
 * False with the fault. Values of items that the file marks as tainted are tainted, sender, recipients
 * and header lines always. */
bool spool_header_parse(struct arena *a, const struct message_id *id, struct str content,
                        struct spool_header *h, struct spool_fault *f);
/* The content of the file. False with the fault when a value cannot be written. */
bool spool_header_format(struct arena *a, const struct spool_header *h, struct str *out,
                         struct spool_fault *f);
/* True if the value can stand in a line: no CR, LF, NUL and at most SPOOL_LINE_MAX / 2 bytes. */
bool spool_header_text_ok(struct str s);
/* Fills in *f and returns false. id may be NULL. */
bool spool_header_fault(struct spool_fault *f, const struct message_id *id, unsigned line,
                        const char *item, const char *what, struct str value);

#endif
