/* Transports: what all of them have in common as the configuration sees them.
 *
 * A transport is one file with its option struct, its rows and a const object transport_NAME,
 * and one line in transports.def. The functions that deliver come to the same objects later.
 */
#ifndef REMEX_TRANSPORTS_TRANSPORT_H
#define REMEX_TRANSPORTS_TRANSPORT_H

#include "base/record.h"
#include "conf/conf.h"
#include "conf/driver_check.h"
#include "conf/model.h"
#include "mail/why.h"

#include <sys/types.h>

struct eval;
struct hints; /* sys/hints.h */
struct vm;
struct header;          /* mail/header.h */
struct retry_error;     /* engine/retry.h */
struct durable_calls;   /* sys/durable.h */
struct key_file_result; /* sys/key_file.h */

/* Options of every transport. */
struct transport_generic {
    bool body_only;
    struct xstr current_directory, debug_print;
    bool delivery_date_add, disable_logging;
    struct str driver;
    bool envelope_to_add;
    struct xstr event_action;
    struct opt_id group;
    struct xstr headers_add;
    bool headers_only;
    struct xstr headers_remove, headers_rewrite, home_directory;
    bool initgroups;
    struct xstr max_parallel, message_size_limit;
    bool rcpt_include_affixes, retry_use_local_part;
    struct xstr return_path;
    bool return_path_add;
    struct xstr shadow_condition;
    struct str shadow_transport;
    struct xstr transport_filter;
    int64_t transport_filter_timeout;
    struct opt_id user;
};

enum transport_place { TRANSPORT_LOCAL, TRANSPORT_REMOTE };

/* Addresses that go out together, through one transport. */
struct transport_job {
    struct arena *arena; /* of results and texts */
    struct eval *eval;   /* address: the first one of the batch */
    struct vm *vm;
    const struct driver_instance *transport;
    struct message *message;
    struct session *session;
    struct address **addresses;
    size_t n;
    int body_fd; /* the body in the spool; read with pread, or on a descriptor of one's own */
    off_t body_start; /* where it begins */
    struct str return_path;
    uid_t uid; /* who this process is */
    gid_t gid;
    struct str home, directory; /* expanded, or unset */
    bool dont_deliver;          /* -N */
    bool shadow;                /* runs as a shadow transport */
    bool all_or_none;           /* mua_wrapper: a refused recipient is a failure for all */
    bool return_to_nobody;      /* a failure is told to nobody: a bounce without errors_to */
    /* What headers_rewrite makes of a header line; false: nothing. NULL: no rewriting. */
    bool (*rewrite)(void *ctx, struct arena *a, const struct header *h, struct str *out);
    void *up_ctx;
    /* The envelope and header (-H file) of the message for the recipients of this job alone. False: it cannot be written. */
    bool (*envelope)(void *ctx, struct arena *a, struct str *out);
    void *envelope_ctx;
    const struct durable_calls *calls; /* how mailboxes are written; NULL: durable_kernel */
    /* False: who asked for the delivery is gone, and somebody else may be making it. Asked once the mailbox is locked. NULL: true. */
    bool (*wanted)(void *ctx);
    void *wanted_ctx;
    int64_t deliverer;   /* engine_deliverer of who asked; 0: not known */
    struct hints *hints; /* of this process, for what outlives a delivery; NULL: none */
    void *prepared;      /* what the driver's prepare function left, or NULL */
    /* Has the file of a private key opened that this process may not read. A descriptor; -1 with *why. NULL: nobody could. */
    int (*open_key)(void *ctx, struct str transport, struct str path,
                    struct key_file_result *why);
    void *open_key_ctx;
};

/* How a delivery by SMTP or LMTP was made. */
enum transport_how {
    TRANSPORT_HOW_REUSED = 1u << 0,    /* over a connection that had carried another */
    TRANSPORT_HOW_PIPELINED = 1u << 1, /* PIPELINING */
    TRANSPORT_HOW_CHUNKED = 1u << 2,   /* BDAT */
    TRANSPORT_HOW_PRDR = 1u << 3,      /* an answer for each recipient */
    TRANSPORT_HOW_EARLY = 1u << 4,     /* EHLO went ahead of the greeting */
    TRANSPORT_HOW_FAST_OPEN = 1u << 5, /* TCP fast open saved time */
    TRANSPORT_HOW_FAST_DATA = 1u << 6, /* with data in the first packet */
    TRANSPORT_HOW_DOUBTFUL = 1u << 7,  /* the message was sent whole and got no answer */
};

/* What became of one address. */
struct transport_answer {
    struct why
        why; /* outcome OUT_OK, OUT_DEFER, OUT_FAIL, OUT_ERROR (a fault of the configuration: a deferral, frozen if freeze) */
    struct str
        log_note; /* of a good delivery: what stands behind (C="…", for local files nothing) */
    struct str confirmation; /* what a server said of a good delivery, for events; or unset */
    int64_t host_port;       /* of why.host, for events; 0: none */
    int64_t
        detail; /* of the errno: seconds for quota (age of the mailbox), exit status of a pipe */
    bool freeze; /* the message must be looked at */
    bool
        retry_message; /* the failure is the message's, not the host's or mailbox's: no retry record for the latter */
    struct str transport; /* that did it in place of the job's (file_format), or unset */
    struct str output;    /* of a pipe, for a bounce: the text itself; or unset */
    struct str log_line;  /* a line for the main log before that of the delivery, or unset */
    struct str warning;   /* quota_warn_message: a whole message to be sent, or unset */
    struct str warning_to;
    struct str reply;    /* autoreply: a whole message to be sent, or unset */
    struct str reply_to; /* its recipients, separated by commas */

    /* Of a remote delivery: what the log says of it. why.host and why.host_ip name the host of a failure too. */
    struct str own_ip; /* our end of the connection */
    int64_t own_port;
    struct str proxy_ip; /* that the connection went through, or unset */
    int64_t proxy_port;
    int64_t how;          /* bits of enum transport_how */
    struct tls_state tls; /* of the connection; no cipher: none */
    struct str auth_name, auth_id,
        auth_sender;  /* how we authenticated, and AUTH= of MAIL; unset: not */
    struct str steps; /* PS=: s (TLS), e (EHLO), a (AUTH), in the order in which they came */
    struct str
        dkim; /* what it was signed with: domain:selector:domain:selector; unset: it was not */
    struct str sent_to, sent_from; /* the envelope when it was converted (A-labels), or unset */
    bool recipient_error; /* the recipient was refused for now, not the message or the host */

    /* Set around the driver. */
    struct str shadow;  /* the shadow transport that ran: its name, or "name (error)" */
    int64_t size;       /* bytes delivered (S=), 0: unknown */
    int64_t took_us;    /* how long the delivery took (DT=) */
    bool additional;    /* not the first address of its delivery (-> and not =>) */
    bool hosts_expired; /* all hosts have been failing for too long: the address is given up */
    bool no_retry;      /* a deferral that no retry rule is asked about: the set-up failed */
    bool freeze_told;   /* freeze: why.peer has the text that is logged with it */
    bool gave_up;       /* the retry time-out is over: said behind the text */
    bool peer_reports;  /* the host that took it tells of its delivery itself (DSN) */
    bool routing_skipped; /* a deferral because the retry time of routing was not reached */
};

/* Outcome per address. */
typedef void transport_fn(const struct transport_job *job, struct transport_answer *answers);

/* Runs before a local delivery becomes the user: expands what users may not be able to read (quotas), leaves it in
 * job->prepared. False: *why has the reason. A deliver function that finds nothing prepared does it itself. */
typedef bool transport_prepare_fn(struct transport_job *job, struct why *why);

struct transport_driver {
    struct driver
        base; /* first, so that a struct driver can be turned into its transport_driver */
    enum transport_place place;
    transport_fn *deliver;         /* local: in a process that is the user */
    transport_prepare_fn *prepare; /* may be NULL */
    /* Whether a message of that size would find room: nothing is written, answers are as of deliver. NULL: there are no limits. */
    transport_fn *room;
    /* The fields of what it leaves, which go along to the user's process, and the size of the struct. */
    struct record_rows prepared;
    size_t prepared_size;
    bool wants_envelope; /* of its recipients: job->envelope */
    bool wants_file;     /* the body as a -D file; otherwise it may be text of the message */
    bool runs_programs;  /* of the user or the administrator, which may be set-uid */
};

extern const struct driver_class transport_class;

/* The driver of an instance of transport_class. */
const struct transport_driver *transport_driver_of(const struct driver_instance *d);

/* Private options that only some drivers have, by name; false, 0, unset when the driver has none of that name. */
bool transport_own_bool(const struct driver_instance *d, const char *option);
int64_t transport_own_number(const struct driver_instance *d, const char *option);
struct xstr transport_own_text(const struct driver_instance *d, const char *option);
/* True if a text option of the instance refers to the variable ($name, ${name}, also within items). */
bool transport_uses(const struct driver_instance *d, const char *variable);

#define TRANSPORT(name) extern const struct transport_driver transport_##name;
#include "transports/transports.def"
#undef TRANSPORT

/* The part of every transport's check: defaults of generic options, and combinations of them
 * that make no sense. A transport's own check ends with it. */
bool transport_check_generic(struct driver_instance *d, enum transport_place place,
                             struct diags *diags);
/* The check of local transports that have nothing to add. */
bool transport_check(struct arena *a, struct driver_instance *d, struct diags *diags);

#endif
