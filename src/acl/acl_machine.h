/* What the files of the ACL machine share: a runner, an ACL as it is compiled, and an evaluation under way. For acl_*.c only.
 */
#ifndef REMEX_ACL_ACL_MACHINE_H
#define REMEX_ACL_ACL_MACHINE_H

#include "acl/acl_run.h"
#include "conf/model.h"

enum { ACL_DEPTH_MAX = 20, ACL_ARGS_MAX = 9 };

struct acl_code {
    const struct acl_item *item;
    const struct code *
        code; /* of the argument; NULL: it stands for itself, or is expanded in a way of its own */
};

struct acl_program {
    const struct acl *acl;
    struct acl_code **codes; /* by statement, by item */
};

struct acl_runner {
    struct arena *arena;
    struct eval *eval;
    struct vm *vm;
    const struct acl_up *up;
    struct map *
        by_text; /* named: "n" + name, file: "f" + path, text: "t" + text -> struct acl_program */
    size_t texts; /* bytes of texts that are kept */
    unsigned depth;
    enum acl_phase phase; /* of the run under way */
    struct acl_answer *answer;
    struct hints *hints; /* NULL until needed */
    unsigned inside;     /* calls out of expansions: scratch is not ours to release */
};

/* How a condition came out. */
enum acl_test {
    ACL_TEST_TRUE,
    ACL_TEST_FALSE,
    ACL_TEST_DEFER,
    ACL_TEST_ERROR,
    ACL_TEST_DISCARD, /* of another ACL */
    ACL_TEST_DROP,
};

/* A statement under way. */
struct acl_call {
    struct acl_runner *r;
    struct arena *keep; /* of texts that outlive the run */
    enum acl_phase phase;
    enum acl_verb verb;
    const struct acl_code *message, *log_message; /* the last ones seen, unexpanded */
    struct str user, log; /* what conditions have to say so far; STR_NULL: nothing */
    bool endpass;
    bool decided; /* a statement ended the ACL, not its end */
};

/* A condition or modifier; arg is expanded unless its row says otherwise. Texts of faults go to c->log. */
typedef enum acl_test acl_item_fn(struct acl_call *c, const struct acl_item *item,
                                  struct str arg);

/* acl_find.c: the ACL that an expanded text means. NULL: *error says why not. */
const struct acl_program *acl_find_program(struct acl_runner *r, struct str text,
                                           struct str *error);

/* acl_run.c */
enum acl_test acl_run_text(struct acl_call *outer, struct str text);
/* Notes why a condition cannot be decided, in c->keep. */
enum acl_test acl_defer(struct acl_call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum acl_test acl_error(struct acl_call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum acl_test acl_test_of(enum outcome o);
/* A line for logs. */
void acl_log(struct acl_runner *r, unsigned to, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool acl_selected(const struct acl_runner *r, int selector);
struct str acl_peer(const struct acl_runner *r);
/* The arena of what the message, or else the session, owns. */
struct arena *acl_keep(const struct acl_runner *r);

/* Conditions and modifiers, by file. */
acl_item_fn acl_cond_acl, acl_cond_condition; /* acl_run.c */
acl_item_fn acl_cond_authenticated, acl_cond_domains, acl_cond_encrypted, acl_cond_hosts,
    acl_cond_local_parts, acl_cond_recipients, acl_cond_sender_domains, acl_cond_senders,
    acl_cond_dkim_signers, acl_cond_dkim_status, acl_cond_later,
    acl_cond_atrn_domains;                                        /* acl_cond.c */
acl_item_fn acl_cond_decode, acl_cond_mime_regex, acl_cond_regex; /* acl_content.c */
acl_item_fn acl_cond_verify;                                      /* acl_verify.c */
acl_item_fn acl_cond_dmarc_status;                                /* acl_dmarc.c */
acl_item_fn acl_cond_dnslists;                                    /* acl_dnslists.c */
acl_item_fn acl_cond_ratelimit;                                   /* acl_ratelimit.c */
acl_item_fn acl_cond_seen;                                        /* acl_seen.c */
acl_item_fn acl_cond_malware, acl_cond_spam;                      /* acl_scan.c */
acl_item_fn acl_cond_spf, acl_cond_spf_guess;                     /* acl_spf.c */
acl_item_fn acl_mod_add_header, acl_mod_remove_header;            /* acl_header.c */
acl_item_fn acl_mod_control;                                      /* acl_control.c */
acl_item_fn acl_mod_continue, acl_mod_delay, acl_mod_log_reject_target, acl_mod_logwrite,
    acl_mod_queue, acl_mod_set; /* acl_mod.c */
acl_item_fn acl_mod_udpsend;    /* acl_udpsend.c */

/* acl_cond.c: a text in a list of texts: authenticators, ciphers, results. */
enum acl_test acl_ask_text(struct acl_call *c, const struct acl_item *item, struct str subject,
                           struct str arg);
/* acl_header.c: notes lines to be added. */
void acl_add_headers(struct acl_call *c, struct str text);

/* The local part of the recipient at hand in the case that the ACL wants; acl_control.c changes it. */
#endif
