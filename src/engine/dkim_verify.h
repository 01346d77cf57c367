/* DKIM of a message that comes in: signatures are found when its header is there, its body is hashed while it is read, keys are
 * looked up when it has ended. Nothing is read twice.
 *
 * Only what arrives by SMTP is verified. Source: RFC 6376 section 6, RFC 8301, RFC 8463; specification, "Verifying DKIM signatures in
 * incoming mail"; what these leave open is as the reference has it.
 */
#ifndef REMEX_ENGINE_DKIM_VERIFY_H
#define REMEX_ENGINE_DKIM_VERIFY_H

#include "acl/acl_run.h"
#include "engine/engine.h"
#include "mail/dkim_result.h"

struct dkim_check;

enum {
    DKIM_LINES_MAX = 19, /* signatures of one message; with more none is verified */
    DKIM_KEYS_WAIT_S =
        60, /* for all keys of a message together: those that are left are unavailable */
    DKIM_SIGNERS_MAX = 1000, /* items of dkim_verify_signers for which the ACL runs */
};

/* The header is there as it was sent: e->eval->message. m->dkim is set. */
struct dkim_check *dkim_check_start(struct engine *e, struct arena *a);
/* What has been read of the body; lines end in LF. */
void dkim_check_feed(struct dkim_check *c, const char *p, size_t n);
/* The body has ended; longest: bytes of its longest line. Fetches keys; m->dkim has the results. */
void dkim_check_end(struct dkim_check *c, int64_t longest);
/* dkim_policy.c: runs acl_smtp_dkim for each of dkim_verify_signers, and logs (dkim_verbose). ACL_ACCEPT: the message may go on. */
enum acl_result dkim_check_judge(struct dkim_check *c, struct acl_answer *out);

/* --- between the two files --- */

struct dkim_check {
    struct engine *e;
    struct message *m;
    struct arena *a; /* of the message */
    struct dkim_results *results;
    struct dkim_bodies *bodies;
    VEC(struct dkim_pending *) pending; /* in the order of results->all */
    int64_t deadline_ms;
    bool excess; /* of signatures */
};

#endif
