/* What ACLs have decided beside yes and no: of the message that is being received, and of the connection.
 *
 * Controls and modifiers write here; whoever receives, stores and answers reads. A struct acl_message lives in
 * its message's arena and is new for each message, a struct acl_connection lives in the session's.
 */
#ifndef REMEX_ACL_ACL_STATE_H
#define REMEX_ACL_ACL_STATE_H

#include "base/str.h"
#include "base/vec.h"

struct message;
struct cutthrough;
struct acl_verified_sender; /* acl/acl_run.h */
struct session;

enum acl_header_place {
    ACL_HEADER_AT_END,
    ACL_HEADER_AT_START,
    ACL_HEADER_AFTER_RECEIVED, /* behind the first block of Received: lines */
    ACL_HEADER_AT_START_RFC, /* before the first line that is neither Received: nor Resent-: */
};

/* A header line that an ACL wants; text ends with a newline. */
struct acl_header {
    struct str text;
    enum acl_header_place place;
};

/* control = submission */
struct acl_submission {
    bool on;
    bool sender_retain;
    struct str domain; /* unset: qualify_domain; "": the authenticated id is a whole address */
    struct str name;   /* unset: none was given */
};

/* A message of our own that an ACL gives rise to; sent once the ACL has ended. */
struct acl_letter {
    struct str sender; /* "": none */
    VEC(struct str) recipients;
    struct str text; /* header and body */
};

struct acl_message {
    VEC(struct acl_header) added; /* not yet in the message */
    VEC(struct str) removed;      /* names of header lines, not yet taken out of the message */
    VEC(struct str) warned;       /* lines that warn statements have logged: once a message */
    VEC(struct acl_verified_sender *) senders; /* that were verified */
    struct map
        *rates; /* what ratelimit has measured for this message: key -> double *, or NULL */
    struct str discarded_by; /* "RCPT ACL": who threw recipients away; unset: nobody did */
    bool freeze;
    bool freeze_tell;      /* at least one of the controls lacked no_tell */
    bool queue_only;       /* no delivery at once */
    bool first_pass_route; /* delivery at once, up to remote transports */
    struct acl_submission submission;
    bool suppress_local_fixups;
    int fake_code; /* 450 or 550: answered although the message is accepted; 0: none */
    struct str fake_text;
    bool no_mbox_unspool;
    bool dkim_disable_verify, dmarc_disable_verify, dmarc_enable_forensic;
    bool cutthrough, cutthrough_defer_pass;
    VEC(struct acl_letter) letters;
    struct cutthrough *held; /* engine/cutthrough.h: the connection to the next hop, or NULL */
};

struct acl_connection {
    bool sync_set, enforce_sync; /* sync_set: enforce_sync holds instead of smtp_enforce_sync */
    bool no_pipelining, no_multiline_responses, no_delay_flush, no_callout_flush;
    bool allow_auth_unadvertised;
    /* What the client may leave without a domain; qualified_set: it is known. */
    bool qualified_set, unqualified_sender, unqualified_recipient;
    struct map *rates; /* what ratelimit has measured for this connection */
};

/* The state of a message or session; made when it is not there yet. */
struct acl_message *acl_message_of(struct message *m);
struct acl_connection *acl_connection_of(struct session *s);

/* Takes out and puts in the header lines that were asked for so far, the latter without duplicates, and forgets them. Called
 * before and after the ACLs that see the whole message. s may be NULL. */
void acl_apply_headers(struct message *m, struct session *s);
/* The lines that were asked for and are not in the message yet, as $headers_added shows them (no newline at the
 * end); STR_NULL when there are none. */
struct str acl_headers_added(struct arena *a, const struct message *m);

#endif
