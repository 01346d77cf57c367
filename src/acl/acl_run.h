/* Runs ACLs: finds the one that a text means, and evaluates it on the language machine.
 *
 * A runner belongs to one thread, as its struct eval and struct vm do. It keeps what it has compiled: named ACLs,
 * ACLs from files and texts that stand in options. What only the program around can do (logs, verification by routing,
 * waiting) comes through struct acl_up. Source: specification, chapter "Access control lists".
 */
#ifndef REMEX_ACL_ACL_RUN_H
#define REMEX_ACL_ACL_RUN_H

#include "acl/acl.h"
#include "acl/acl_state.h"
#include "base/outcome.h"
#include "conf/eval.h"
#include "filter/expand.h"
#include "filter/host.h"
#include "mail/why.h"

struct acl_runner;
struct hints;

enum acl_result {
    ACL_ACCEPT,
    ACL_DENY,
    ACL_DEFER,
    ACL_DISCARD,
    ACL_DROP,  /* deny, and close the connection */
    ACL_ERROR, /* the ACL is wrong: answered like a deferral */
};

/* Which logs; the bits are those of engine/maillog.h. */
enum {
    ACL_LOG_MAIN = 1u << 0,
    ACL_LOG_REJECT = 1u << 1,
    ACL_LOG_PANIC = 1u << 2,
    ACL_LOG_TABS = 1u << 7,
};

/* What a callout asked for when it failed. */
enum acl_called {
    ACL_CALLED_NONE,
    ACL_CALLED_ADDRESS,
    ACL_CALLED_SETUP,
    ACL_CALLED_POSTMASTER
};

/* How an ACL ended. Texts live in the message's arena, or the session's when there is no message. */
struct acl_answer {
    enum acl_result result;
    struct str message;     /* for the peer, may begin with a code; STR_NULL: none was given */
    struct str log_message; /* for the log; STR_NULL: none */
    unsigned log_to;        /* where a refusal is logged: log_reject_target */
    bool details; /* the texts may be told to the peer although the result is ACL_DEFER */
    bool sender_unverified; /* a failed verify = sender decided */
    struct why sender_why;  /* why that was */
    struct str sender;      /* the address that was verified */
    enum acl_called called; /* what a callout had asked for; NONE: routing decided */
    bool no_details;        /* which are not for the peer */
    bool is_default;        /* no ACL is set for the phase */
};

/* What is verified by routing. */
enum acl_verify_kind { ACL_VERIFY_RECIPIENT, ACL_VERIFY_SENDER, ACL_VERIFY_HEADER_SENDER };

enum { ACL_CALLOUT_WAIT_S = 30 };

/* The options of a callout. Times in seconds, -1: not given. */
struct acl_callout {
    int64_t wait_s;    /* for each answer; ACL_CALLOUT_WAIT_S */
    int64_t connect_s; /* for the connection; as wait_s */
    int64_t maxwait_s; /* before another host is tried; four times wait_s */
    bool no_cache, random, hold;
    bool use_sender, use_postmaster, use_tptsender; /* whom MAIL names */
    bool full_postmaster;
    bool only_cutthrough; /* of no condition: made to deliver while the message comes in */
    struct str postmaster_from; /* of the check of the postmaster; unset: none is made */
    struct str mail_from;       /* of header_sender; unset: none */
};

/* How long answers about the room of a mailbox are good for. */
struct acl_quota {
    int64_t positive_s, negative_s;
};

struct acl_verify {
    enum acl_verify_kind kind;
    struct str address;
    bool header_address; /* an address of a header line, which may lack its domain */
    bool success_on_redirect;
    const struct acl_quota
        *quota; /* recipient: the mailbox has room; NULL: that is not asked */
    const struct acl_callout *callout; /* NULL: none is made */
};

/* What came of it. */
struct acl_verified {
    enum outcome outcome; /* OK, FAIL, DEFER, ERROR */
    struct why why;       /* peer: text for the client; log: for the log */
    /* $sender_verify_failure and its kind: "qualify", "route", "mail", "recipient", "postmaster", "quota"; "random" of a
     * success that says nothing. */
    struct str failure;
    struct str address;      /* as it was rewritten for routing; unset: as it was asked for */
    struct str address_data; /* that routing left, or unset */
    bool in_callout;         /* the callout decided, not routing */
    enum acl_called called;  /* it failed by that */
    bool again;              /* this was found out for the same message before */
    struct str reply;        /* the last refusal of a server, as it said it; unset: none */
    bool details;            /* why.peer may be told even when the outcome is OUT_DEFER */
};

/* A sender whose verification is remembered for the message. */
struct acl_verified_sender {
    struct str address;
    struct str callout; /* options of the callout; unset: none */
    struct acl_verified result;
};

/* What only the program around can do. */
struct acl_up {
    void *ctx;
    void *
        peer_ctx; /* of delay, flush, verify_helo, atrn_domains and set_dscp, which may be NULL */
    void (*log)(void *ctx, unsigned to, struct str text);
    /* "H=name [address]" or "U=login": who the peer is, as log lines show it. In a. */
    struct str (*peer)(void *ctx, struct arena *a);
    bool (*selected)(void *ctx, int selector); /* enum log_selector */
    /* Waits; flush: what is buffered for the peer goes out first. */
    void (*delay)(void *ctx, int64_t seconds, bool flush);
    void (*verify)(void *ctx, const struct acl_verify *q, struct acl_verified *out);
    void (*flush)(
        void *ctx); /* what is buffered for the peer goes out: something will take its time */
    /* verify = helo: OUT_OK, OUT_FAIL, OUT_DEFER. */
    enum outcome (*verify_helo)(void *ctx);
    /* atrn_domains: OUT_OK when mail waits for those of the list that the client may have and wants; OUT_FAIL, OUT_DEFER. */
    enum outcome (*atrn_domains)(void *ctx, struct str list);
    /* verify = reverse_host_lookup; *text says why not. */
    enum outcome (*verify_reverse)(void *ctx, struct str *text);
    bool (*debug)(void *ctx, struct str options); /* control = debug; false: no such option */
    /* A line for that; NULL: nobody reads it. */
    void (*trace)(void *ctx, struct str line);
    bool (*set_dscp)(void *ctx, struct str value, struct str *why);
};

struct acl_runner *acl_runner_new(struct arena *a, struct eval *e, struct vm *vm);
/* Who answers; NULL: nobody (tests of strings): logs go to the host's log, verification defers. */
void acl_runner_set_up(struct acl_runner *r, const struct acl_up *up);

/* The store that ratelimit and seen use, which has to live as long; otherwise the runner opens one when it needs it. */
void acl_runner_set_hints(struct acl_runner *r, struct hints *h);

/* Runs what an option's value means (not yet expanded). Unset, empty or forced to fail: what the phase does without an ACL.
 * $local_part and the like come from the eval's address, message and session. */
void acl_run(struct acl_runner *r, enum acl_phase phase, const struct xstr *option,
             struct acl_answer *out);
/* The same with the option of the phase. */
void acl_run_phase(struct acl_runner *r, enum acl_phase phase, struct acl_answer *out);

/* The main option that names the ACL of a phase. NULL: there is none. */
const struct xstr *acl_phase_option(const struct conf *c, enum acl_phase phase);

/* The function of struct host behind ${acl and the condition acl; e->acls is the runner. */
enum vm_status acl_host_call(void *env, struct vm *vm, const struct str *argv, unsigned argc,
                             struct str *out);

/* "RCPT", "DATA", "non-SMTP": how messages name the phase. */
struct str acl_phase_title(enum acl_phase p);

#endif
