/* What the parts of receive.c share: a message on its way in. */
#ifndef REMEX_ENGINE_RECEIVE_STATE_H
#define REMEX_ENGINE_RECEIVE_STATE_H

#include "engine/maillog.h"
#include "engine/receive_text.h"

#include <time.h>

struct receiving {
    struct engine *e;
    const struct receive_request *rq;
    struct receive_result *out;
    struct message *m;
    struct session *s;
    struct arena *a; /* of the message */
    struct receive_text text;
    struct message_id_source id_source;
    struct timespec started;
    struct spool_entry entry;
    bool created; /* entry is good */
    bool lane;    /* on the way to the fast lane: the body is here, there are no files */
    struct buf body, log;
    struct dkim_check *dkim; /* dkim_verify.h; NULL: it is not verified */
    int64_t body_longest;    /* bytes of the longest line of the body */
    bool resent;                  /* there are Resent- lines, to which what is added belongs */
    bool own_message_id;          /* the Message-Id: line is ours */
    bool sender_given;            /* as in the request, or by a "From " line */
    bool sender_untrusted;        /* likewise */
    struct str received;          /* text of our Received: line; unset: none */
    struct str discard_why;       /* for the log */
    struct str discarded_by;      /* unset: what the ACLs say */
    bool scan_froze, scan_queued; /* local_scan said so */
    bool decided;                 /* an ACL has thrown the message away: no other one is asked */
    struct str body_first;        /* text read as a header line that is the body's */
    struct str original_sender;   /* before rewriting */
    struct str partial;           /* the header line at which a cap was exceeded */
    bool all_removed;             /* -t: the command line took every address off */
    VEC(struct str) to;           /* recipients as they were given, for the log */
    VEC(struct str) removed;      /* -t: those of the command line */
};

/* receive_header.c: reads the header up to the body, without what must not be in transit. */
enum receive_text_end receive_header_read(struct receiving *r);
/* -t. */
void receive_header_recipients(struct receiving *r);

/* receive_fixup.c: the address of the submitter. */
struct str receive_fixup_own_address(const struct receiving *r);
/* Adds and corrects header lines of submitted messages. False: out says why not. */
bool receive_fixup(struct receiving *r);
/* The Received: line, first with the time at which the message began to come; then with that of acceptance. */
bool receive_fixup_received(struct receiving *r, time_t when);
/* Where it is now (others may have been put before it), or STR_NPOS. */
size_t receive_fixup_find_received(const struct receiving *r);

/* receive_rewrite.c: completes and rewrites addresses of header lines, and the recipients of the envelope. */
void receive_rewrite_headers(struct receiving *r);
void receive_rewrite_recipients(struct receiving *r);
void receive_rewrite_sender(struct receiving *r);

/* receive_log.c: the line of arrival in the main log and the message's own. */
/* The id in the Message-Id: line, without its brackets; unset: there is none. */
struct str receive_log_message_id(const struct receiving *r);
void receive_log_arrival(struct receiving *r);
/* Its first line in the message log, for the fast lane, where that goes with the message. */
void receive_log_message(struct receiving *r);

/* receive_lane.c: true if it may go to the fast lane, as far as is known before the body. */
bool receive_lane_wants(const struct receiving *r);
void receive_lane_start(struct receiving *r);
/* False: too much for it. */
bool receive_lane_put_body(struct receiving *r, const char *p, size_t n);
/* Appends the message and waits until it is durable. ABSENT: it is not for the lane, nothing was done. */
enum spool_result receive_lane_commit(struct receiving *r, const struct spool_header *h,
                                      struct spool_fault *f);
/* receive.c: it needs files after all. False: out says why not. */
bool receive_leave_lane(struct receiving *r);

/* receive_policy.c: ACLs. The first one sees nothing of the message. */
void receive_policy_start(struct receiving *r);
/* False: out says why the message is refused. */
bool receive_policy_end(struct receiving *r);
/* An ACL said no to the whole message: logged, and out says so. stage: "after DATA". Always false. */
bool receive_policy_refuse(struct receiving *r, const struct acl_answer *a, const char *stage);
/* What they have decided beside yes and no, for the log of an accepted message. */
void receive_policy_log(struct receiving *r);

/* receive_mime.c: the MIME ACL, part by part. False: out says why the message is refused. */
bool receive_mime(struct receiving *r);

/* receive_scan.c: local_scan. False: out says why the message is refused. */
bool receive_scan(struct receiving *r);

/* Writes to the sender what is wrong. */
void receive_tell_sender(struct receiving *r, enum receive_fault fault);

/* Ends as refused. Always false. */
bool receive_refuse(struct receiving *r, enum receive_fault fault, int code, struct str peer,
                    struct str log);

/* True for root, the mail user and those of trusted_users. receive_own.c */
bool receive_is_trusted_user(const struct engine *e, int64_t uid);

#endif
