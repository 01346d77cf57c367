/* Takes a message in: from header and body bytes and an envelope to a message in the spool.
 *
 * Everything that the manual says happens to a message that arrives is here: header lines are read, checked, completed
 * (Date, Message-Id, From, Sender, Received), rewritten and qualified; limits hold; the body goes to the spool file while it is
 * read; acl_not_smtp or acl_smtp_data and local_scan have their say; the message is committed and the line of arrival
 * logged. Runs as the mail user. Source: specification, chapters "Message processing", "SMTP processing", "Access control lists".
 */
#ifndef REMEX_ENGINE_RECEIVE_H
#define REMEX_ENGINE_RECEIVE_H

#include "acl/acl_run.h"
#include "conf/model.h"
#include "engine/engine.h"
#include "engine/lane.h"
#include "engine/rewrite.h"
#include "mail/why.h"

/* How the end of the text is recognised, and what line ends mean. */
enum receive_framing {
    RECEIVE_TO_END,     /* end of file ends it (-i), newline alone ends lines too */
    RECEIVE_DOT,        /* or a line with only a dot */
    RECEIVE_SMTP,       /* DATA: CRLF . CRLF, dots doubled */
    RECEIVE_BATCH_SMTP, /* the same with bare newlines */
    RECEIVE_CHUNKS,     /* BDAT: source ends it; nothing is doubled */
};

/* Where bytes come from. get returns the number of bytes put into p (at most n), 0 at the end, -1 on error or time-out with
 * errno. */
struct receive_source {
    ssize_t (*get)(void *ctx, char *p, size_t n);
    /* Puts back what was read beyond the end of the message (SMTP: pipelined input). May be NULL. */
    void (*unget)(void *ctx, const char *p, size_t n);
    void *ctx;
};

struct receive_request {
    struct message *message; /* sender, recipients, protocol; completed here */
    struct session *session;
    enum receive_framing framing;
    struct receive_source source;
    /* SMTP with PRDR: called before the ACL of the whole message; takes recipients out that are refused. False: the message
     * is refused for all of them. NULL: nobody is asked. The context is the source's. */
    bool (*each_recipient)(void *ctx);
    bool smtp;            /* acl_smtp_data applies, else acl_not_smtp */
    bool local;           /* submitted here: missing header lines are added, Sender: checked */
    bool suppress_fixups; /* -G, control = suppress_local_fixups: they are not */
    bool extract_recipients; /* -t: recipients are those that it does not mean */
    bool own;                /* written by remex itself */
    bool sender_given;       /* by -f or MAIL; else it is the submitter */
    bool sender_untrusted;   /* an untrusted user set it (untrusted_set_sender) */
    bool from_line;          /* a UUCP "From " line may come first, and sets the sender if... */
    bool from_line_sets;     /* ...this is set as well, and the caller may choose it */
    /* Addresses in header lines are completed; recipients without a domain were allowed. */
    bool unqualified_sender, unqualified_recipient;
    struct str reference; /* id of the message that this one is about (R=), or unset */
    /* The recipients as they were given, for the log; NULL: as in the message. */
    const struct str *given;
    size_t given_n;
    bool lane; /* it may go to the fast lane: the caller sees to its delivery */
    bool *
        expected; /* whether lane_expect was told of it; cleared when it is there. May be NULL */
    struct str login; /* of who submits (U=), and full name */
    struct str full_name;
    struct str claimed_name; /* -F, or unset */
    bool queue_only;         /* the message only goes to the queue */
    /* Called when the message is whole on disk and held (spool_held.h), with its id: something else has to be noted before
     * it may be seen. False: it is dropped. When the message could not be shown after it said true, the files stay, and the
     * message is not accepted. NULL: the message is seen at once. */
    bool (*held)(void *ctx, struct str id);
    void *held_ctx;
    /* What is wrong with a message that does not come by SMTP is told to its sender by mail; else the caller does it,
     * and a bad address of -t refuses the whole message. */
    bool report_by_mail;
};

enum receive_end {
    RECEIVE_ACCEPTED, /* in the spool: message->id */
    RECEIVE_DISCARDED, /* accepted by an ACL or local_scan's word, and dropped; message->id is set */
    RECEIVE_PASSED_ON, /* accepted by the next hop (cutthrough.h); nothing is in the spool */
    RECEIVE_REFUSED,   /* why has code and texts; nothing is in the spool */
    RECEIVE_LOST,      /* the input ended or timed out in the middle: nothing is in the spool */
    RECEIVE_NO_RECIPIENTS, /* -t found none */
};

/* What was wrong with a message that was refused, for who has to word an answer or a bounce. */
enum receive_fault {
    RECEIVE_FAULT_NONE,
    RECEIVE_FAULT_ACL,
    RECEIVE_FAULT_HEADER_BIG,    /* header_maxsize */
    RECEIVE_FAULT_LINE_BIG,      /* header_line_maxsize */
    RECEIVE_FAULT_LINE_END,      /* a header line in chunks ends in LF alone */
    RECEIVE_FAULT_SIZE,          /* message_size_limit */
    RECEIVE_FAULT_RECIPIENTS,    /* recipients_max */
    RECEIVE_FAULT_ADDRESS,       /* of the command line: a bad one, the message was not read */
    RECEIVE_FAULT_ADDRESSES,     /* -t: bad addresses */
    RECEIVE_FAULT_NO_RECIPIENTS, /* -t: no address at all */
    RECEIVE_FAULT_ALL_REMOVED,   /* -t: none that the command line does not take off */
    RECEIVE_FAULT_SPACE,         /* check_spool_space and its kind */
    RECEIVE_FAULT_IO,            /* the spool cannot be written */
    RECEIVE_FAULT_CONFIG,        /* a string that does not expand */
    RECEIVE_FAULT_LOCAL_SCAN,
    RECEIVE_FAULT_NEXT_HOP, /* cutthrough delivery: it refused */
    RECEIVE_FAULTS,
};

struct receive_bad_address {
    struct str address, reason;
};

struct receive_result {
    enum receive_end end;
    enum receive_fault fault; /* of RECEIVE_REFUSED */
    struct why why;
    bool frozen, queue_only; /* delivery does not start at once */
    bool route_only;         /* it does, but remote deliveries wait */
    bool in_lane;            /* it is in the fast lane, there: */
    struct lane_ref lane;
    VEC(struct receive_bad_address) bad; /* of -t, in header lines */
    int64_t limit;                       /* that was exceeded */
    bool reported;                       /* the sender was told by mail */
    VEC(struct str) own; /* ids of messages to senders that were written meanwhile */
    int64_t size;        /* S= */
    int64_t wire_size;   /* of what was read, each line end counted as two bytes */
    bool in_body;        /* RECEIVE_LOST: the header was complete */
    struct acl_answer
        acl; /* RECEIVE_FAULT_ACL: what the ACL said (result ACL_ACCEPT: it was not asked) */
};

/* Reads the message to its end, also when it is refused (as far as limits allow). Texts live in the message's arena. */
void receive_message(struct engine *e, const struct receive_request *rq,
                     struct receive_result *out);

/* The rules of the configuration, with what they have to tell going to the logs. */
struct rewriting receive_rewriting(struct engine *e);
/* Rewrites an address of the envelope (place: REWRITE_ENV_FROM, REWRITE_ENV_TO); the result is in a. */
struct str receive_rewrite_envelope(struct engine *e, struct arena *a, unsigned place,
                                    struct str address);

/* True if untrusted_set_sender lets untrusted users send as that address. */
bool receive_may_send_as(struct engine *e, struct str address);
/* recipients_max; 0: no limit. */
uint64_t receive_recipients_max(struct engine *e);

/* "Zaphod Beeblebrox <zaphod@end.univ.example>", with the name quoted or encoded as RFC 2822 wants it; just the address
 * when there is no name. */
struct str receive_mailbox(struct engine *e, struct arena *a, struct str name,
                           struct str address);

enum {
    RECEIVE_REPORT_COPY_MAX = 1 << 24,       /* bytes of a copy, when nothing limits it */
    RECEIVE_REPORT_TITLE_LIMIT = 100 * 1024, /* a lower limit of the copy is mentioned */
};

/* What is wrong with a message, and the message. */
struct receive_report {
    enum receive_fault fault;
    struct str to;         /* its sender; empty: it is only logged */
    struct str id;         /* of the message, or unset */
    struct str reference;  /* of the message that it is about, or unset */
    struct str message_id; /* of its Message-Id: line, or unset */
    const struct receive_bad_address *bad;
    size_t bad_n;
    bool others;   /* it goes to its other recipients */
    int64_t limit; /* that was exceeded */
    struct str why;
    /* The copy, in this order. */
    const struct header_list *headers; /* or NULL */
    size_t received_index;             /* of a line that is ours, or STR_NPOS */
    struct str partial;                /* a line that was not complete */
    struct str text;
    int body_fd; /* -1: none */
    int64_t body_start;
    struct arena *arena; /* of the id that receive_report_by_mail gives */
};

/* Writes a message about it to the sender. False: that was not possible, and is logged. */
bool receive_report_by_mail(struct engine *e, const struct receive_report *c, struct str *id);

/* A message that remex itself writes (bounce, warning, reply of a filter): text is a whole message, header and body. The
 * sender of bounces is "". False: logged; *id is not set. Always goes to the spool only; the caller starts its delivery.
 */
struct receive_own {
    struct str sender;
    const struct str *recipients; /* NULL: from the header lines To:, Cc:, Bcc: */
    size_t recipients_n;
    struct str text;      /* may be partly in body_fd */
    int body_fd;          /* -1, or what follows text, from its current position to its end */
    struct str reference; /* id of the message that it is about (R=), or unset */
    uid_t uid;            /* whose message it is (U=) */
    gid_t gid;
    bool error_message;                     /* a bounce: local error */
    bool (*held)(void *ctx, struct str id); /* as in receive_request */
    void *held_ctx;
    struct arena *arena; /* of the id that receive_own_message gives */
};
bool receive_own_message(struct engine *e, const struct receive_own *own, struct str *id);

#endif
