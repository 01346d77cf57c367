/* Authenticated Received Chain: the sets of header lines that those who handled a message have put on it, one on the other. Header lines
 * in, a chain or header lines out; no I/O, no keys.
 *
 * Source: RFC 8617.
 */
#ifndef REMEX_MAIL_ARC_H
#define REMEX_MAIL_ARC_H

#include "base/buf.h"
#include "mail/dkim_canon.h"
#include "mail/dkim_signature.h"
#include "mail/header.h"

enum { ARC_SETS_MAX = 50 }; /* RFC 8617, section 4.2.1; a longer chain is none */

/* What has an instance number: the lines of a set. */
enum arc_line { ARC_RESULTS, ARC_MESSAGE, ARC_SEALED, ARC_LINES };

struct arc_set {
    const struct header *line[ARC_LINES]; /* NULL: missing */
    struct dkim_signature message, seal;  /* of the lines that are there */
};

struct arc_chain {
    size_t n;                         /* the largest instance; 0: there are no sets */
    struct arc_set set[ARC_SETS_MAX]; /* set[0] is that of instance 1 */
};

/* Whether a line is one of a set, and which. */
bool arc_line_kind(const struct header *h, enum arc_line *kind);
/* The instance of a line of a set: its i=, 0 when there is none to be used. Of ARC-Authentication-Results *results (may be NULL) is
 * what follows: "authserv-id; …". */
unsigned arc_line_instance(enum arc_line kind, const struct header *h, struct str *results);

/* Sorts the visible lines of a header into sets. False: they make no chain, *why says in what they do not; what could be read is in the
 * chain all the same. */
bool arc_chain_read(struct arena *a, const struct header_list *l, struct arc_chain *out,
                    struct str *why);
/* What a chain must be before a signature is looked at: every set whole, one for each instance, and nobody has found it broken.
 * False: *why. */
bool arc_chain_check(struct arena *a, const struct arc_chain *c, struct str *why);

/* True if every line of the sets from `from` to `until` is there. */
bool arc_chain_is_whole(const struct arc_chain *c, unsigned from, unsigned until);
/* The bytes that the seal of an instance signs: all sets from `from` on, which are whole, their lines in order, the seal itself without b=. */
void arc_seal_feed(const struct arc_chain *c, unsigned from, unsigned instance,
                   struct dkim_sink to);

/* "a.example:b.example", in the order of the chain: $arc_domains. A set without a usable seal has an empty item. */
struct str arc_chain_domains(struct arena *a, const struct arc_chain *c);

/* --- results --- */

enum arc_state { ARC_UNCHECKED, ARC_NONE, ARC_FAIL, ARC_PASS };

/* What a check of a message came to. Texts are tainted. */
struct arc_check {
    enum arc_state state;
    struct str reason; /* why it failed */
    struct arc_chain *chain;
    unsigned
        oldest_pass; /* the first instance from which on message signatures are good; 0: none */
};

/* "none", "fail", "pass"; empty for ARC_UNCHECKED. */
struct str arc_state_name(enum arc_state s);

/* A method's result in the value of an Authentication-Results: field ("arc=pass (i=1) …"): the word. Unset: it has none. */
struct str arc_results_find(struct str value, const char *method);
/* The value of a property there ("smtp.remote-ip=127.0.0.1"). Unset: it has none. */
struct str arc_results_property(struct str value, const char *property);
/* The authserv-id of such a value (without i= in front). */
struct str arc_results_server(struct str value);

/* --- new sets --- */

struct arc_new {
    unsigned instance;
    struct str chain; /* cv= */
    struct str domain, selector, algorithm;
    int64_t created, expires; /* t=, x=; -1: not said */
};

/* The lines of a new set, without what is signed later: they end in "b=" and ";\n". names: what h= says. */
struct str arc_new_results(struct arena *a, const struct arc_new *n, struct str results,
                           struct str remote_ip);
struct str arc_new_message(struct arena *a, const struct arc_new *n, struct str body_hash,
                           struct str names);
struct str arc_new_seal(struct arena *a, const struct arc_new *n);
/* Puts a signature (base 64) into such a line, folded. */
struct str arc_new_sign(struct arena *a, struct str line, struct str signature);

#endif
