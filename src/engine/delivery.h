/* One attempt to deliver one message: routing, local and remote deliveries, what is logged, retried, bounced.
 *
 * The one who calls has the message's lock for the whole attempt. An address counts as done when the journal says so, which
 * is written before the log line. Nothing here parses what a user owns. Source: specification, chapter "How Exim receives
 * and delivers mail".
 */
#ifndef REMEX_ENGINE_DELIVERY_H
#define REMEX_ENGINE_DELIVERY_H

#include "conf/model.h"
#include "engine/engine.h"
#include "engine/lane_take.h"
#include "engine/route.h"
#include "engine/spool.h"
#include "engine/spool_journal.h"
#include "mail/why.h"

/* Why an attempt is made. */
enum delivery_reason {
    DELIVERY_ARRIVED,   /* first attempt, right after acceptance */
    DELIVERY_QUEUE_RUN, /* retry times count; frozen messages stay, thaw times count */
    DELIVERY_CONTINUED, /* -Mc: as in a queue run, without being one */
    DELIVERY_FORCED,    /* -M: frozen or not, retry times or not */
    DELIVERY_GIVE_UP,   /* -Mg */
};

/* Numbers that stand in log lines and retry records where no system error fits; scripts and people know them. */
enum delivery_errno {
    DELIVERY_NO_ERRNO = -1,
    DELIVERY_ERRNO_REDIRECT = -17,      /* bad redirection data, or a bad filter */
    DELIVERY_ERRNO_QUOTA = -22,         /* mailbox over quota */
    DELIVERY_ERRNO_HELD = -23,          /* hold_domains */
    DELIVERY_ERRNO_LIST = -35,          /* a list could not be evaluated */
    DELIVERY_ERRNO_ROUTE_RETRY = -52,   /* retry time of routing not reached */
    DELIVERY_ERRNO_LOCAL_RETRY = -53,   /* of a local delivery */
    DELIVERY_ERRNO_HOST_RETRY = -54,    /* of every host */
    DELIVERY_ERRNO_LOCAL_ONLY = -55,    /* only local deliveries are made now */
    DELIVERY_ERRNO_QUEUED_DOMAIN = -56, /* queue_domains */
    DELIVERY_ERRNO_CONCURRENCY = -57,   /* max_parallel */
};

struct delivery {
    struct engine *engine;
    struct arena *arena; /* of this attempt */
    enum delivery_reason reason;
    struct spool_entry entry;   /* in the fast lane: a copy of the body, and no directory */
    struct lane_taken *lane;    /* the message is in the fast lane; NULL: it has files */
    struct buf log_lines;       /* its message log until it has them */
    struct str lane_body;       /* its body */
    bool discarding;            /* what is done now may be done again after a crash */
    struct spool_header header; /* the envelope as it is in the spool */
    struct spool_journal journal;
    bool journal_open;
    struct message *message;
    struct session *session;
    struct str id;
    struct timespec started;

    struct address_vec generated; /* what the system filter set up */
    bool recipients_apart; /* the system filter took care of the recipients of the envelope */
    struct address_vec local, remote; /* routed, in the order of delivery */
    struct address_vec deferred;      /* newest last, as the next three */
    struct address_vec failed;        /* not bounced yet */
    struct address_vec delivered;     /* for success reports (DSN) */
    bool freeze;                      /* something asked for it */
    bool freeze_bounce;               /* a bounce that cannot be delivered */
    struct str freeze_why;            /* for the log: behind "Frozen" */
    struct str freeze_tell;           /* for freeze_tell: behind "has been frozen" */
    bool
        unsettled; /* a bounce was noted and could not be shown: nothing more may be done now */
    bool changed;  /* the -H file is not what it should be */
    struct retry_batch
        *retries; /* engine/retry_hints.h: what to change when the attempt is over */
};

enum delivery_end {
    DELIVERY_DONE,   /* the message is gone: all delivered, bounced or discarded */
    DELIVERY_WAITS,  /* some addresses are left */
    DELIVERY_FAILED, /* the message is gone, and was not delivered (mua_wrapper) */
    DELIVERY_FROZEN,
    DELIVERY_BUSY, /* someone else works on it */
    DELIVERY_ABSENT,
    DELIVERY_ERROR,
};

/* Makes the attempt. What happened is in the logs. */
enum delivery_end delivery_run(struct engine *e, struct str id, enum delivery_reason reason);

/* The first attempt for a message of the fast lane. e->lane is where it notes what is done. What it does not finish is in the
 * standing lane afterwards. */
enum delivery_end delivery_run_lane(struct engine *e, const struct lane_ref *ref);

/* Delivers the messages that wait for the host of e->kept. */
void delivery_run_kept(struct engine *e);

/* Nothing is to be done at present: connections of e->pool whose time is up get the messages that wait for their host, and are closed. */
void delivery_run_idle(struct engine *e);

/* --- between the files of the delivery --- */

/* Takes a message of the fast lane, as far as header and entry. WAITS: it is there. delivery_lane.c */
enum delivery_end delivery_lane_open(struct delivery *d, const struct lane_ref *ref);
/* Makes the body of a message of the fast lane a file in memory that looks like a -D file, which the entry then has. False with errno.
 * Does nothing for others. */
bool delivery_lane_body_file(struct delivery *d);
/* Writes the lines of the message log that have been kept (queue runs keep them until it is known what becomes of the message), and keeps
 * no more. delivery.c */
void delivery_write_log(struct delivery *d);
/* Notes that addresses are done, together, before anything is said of them. */
bool delivery_lane_note(struct delivery *d, const struct str *keys, size_t n,
                        struct durable_fault *f);
/* If something is left to be done, or to be told to the sender, the message moves to the standing lane, where d then has it locked.
 * False: that failed (logged); the attempt must end. */
bool delivery_lane_leave(struct delivery *d);
/* Ends a message of which nothing is left. */
void delivery_lane_complete(struct delivery *d);

/* Routes the recipients that are not done: fills local and remote, ends the others. delivery_route.c */
void delivery_route(struct delivery *d);
/* Whether a list of domains of the main section has the domain. OUT_OK, OUT_FAIL, OUT_DEFER with *text. */
enum outcome delivery_in_domains(struct delivery *d, const struct xstr *list, const char *name,
                                 struct str domain, struct str *text);
/* Runs the transports. delivery_batch.c, remote_delivery.c */
void delivery_local(struct delivery *d);
void delivery_remote(struct delivery *d);
/* Those with the same key got the same delivery: they end as it did. */
void delivery_end_duplicates(struct delivery *d, struct address *a);

/* What became of an address; a->answer says it. Logged, and in the journal where it is for good. delivery_end.c */
void delivery_address_ended(struct delivery *d, struct address *a);
/* The same for one that was routed to nothing (:blackhole:). */
void delivery_address_discarded(struct delivery *d, struct address *a, bool by_filter);
/* Puts a deferral or failure that is not a transport's into a->answer. */
void delivery_answer(struct delivery *d, struct address *a, enum outcome outcome,
                     int64_t number, struct str text);
/* A host has taken the message for the address: into the journal at once, whatever happens to the others. */
void delivery_taken(struct delivery *d, struct address *a);
/* The address (and ancestors whose children are all done) needs nothing more: into the journal. */
void delivery_address_done(struct delivery *d, struct address *a);
/* Those of the batch that were delivered, which are one message in one mailbox, into the journal together: an attempt that comes after a
 * crash finds all of them done, or all to be done. */
void delivery_batch_done(struct delivery *d, struct address **batch, size_t n);
/* Notes that message `bounce`, which is held, tells of the addresses, so that they are done. False: it is not noted, which was
 * logged. */
bool delivery_note_bounce(struct delivery *d, struct str bounce,
                          const struct address_vec *told);

/* False: disable_logging of its router or transport is set. */
bool delivery_is_logged(const struct address *a);

/* The recipient of the envelope that an address comes from. */
const struct address *delivery_ancestor(const struct address *a);
/* For QT=: microseconds since the message came in, or since it was there (queue_time_exclusive). delivery_line.c */
int64_t delivery_queue_time(const struct delivery *d, struct timespec now);
/* "addr (parent) <top> F=<> R=x T=y …": what stands behind the flag of a line. delivery_line.c */
struct str delivery_line(struct delivery *d, const struct address *a, enum outcome outcome);
/* The same for a refusal by the next hop in a cutthrough delivery; how: what it was. */
struct str delivery_refusal_line(struct delivery *d, const struct address *a, const char *how);
/* The same for the message log, which has no flags. */
struct str delivery_message_line(struct delivery *d, const struct address *a);

/* A server got the message whole and gave no answer: it may have taken it, and will be given it again. who: the server as lines show it. The
 * reference has no line for this, so the main log has it only when asked (possible_repeat); the log of the message always. */
void delivery_note_doubt(struct delivery *d, const struct address *a, struct str who);

/* Events of what ended; they change nothing. delivery_event.c */
void delivery_event_delivered(struct delivery *d, const struct address *a);
/* A failure: that of a transport, or an internal one when none was reached. */
void delivery_event_failed(struct delivery *d, const struct address *a);
void delivery_event_deferred(struct delivery *d, const struct address *a);
/* A recipient that somebody took out of the queue; why: $event_data. */
void delivery_event_cancelled(struct delivery *d, const struct address *a, struct str why);
/* The message is done with; engine->eval still shows it. */
void delivery_event_complete(struct engine *e);

/* Sends what there is to send: bounces for failed, warnings for deferred addresses, DSN for delivered ones. bounce.c, warning.c */
void delivery_bounce(struct delivery *d);
/* True if a failure of the address cannot be told: no sender, or NOTIFY=NEVER and the like. */
bool delivery_tells_nobody(const struct delivery *d, const struct address *a);
/* True if a failure of the address is ignored: it is forgotten, with a line in the log. */
bool delivery_ignores_failure(const struct delivery *d, const struct address *a);
void delivery_warn(struct delivery *d);
void delivery_report_success(struct delivery *d);
void delivery_tell_frozen(struct delivery *d);
/* Starts the delivery of another message (a report) in a process of its own. A queue run, or somebody who waits for this delivery, waits for
 * that one too, once this message is done with: what it finds out of a host counts for the next message. */
void delivery_start_other(struct delivery *d, struct str id);

#endif
