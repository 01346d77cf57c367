/* Runs an Exim filter and turns its list of actions into the result of a redirection.
 *
 * Serves the filters of users (in a process that is the user) and the system filter. What the filter may not do is refused by
 * the table of the machine (a null entry) or here; nothing is delivered.
 */
#ifndef REMEX_ROUTERS_FILTER_ACTIONS_H
#define REMEX_ROUTERS_FILTER_ACTIONS_H

#include "conf/eval.h"
#include "filter/filter_compile.h"
#include "routers/redirect_result.h"

/* The text of a reply whose recipients are no addresses: it is set up to fail. */
#define FILTER_BAD_REPLY ">**bad-reply**"
#define FILTER_BAD_REPLY_WHY "filter autoreply generated syntactically invalid recipient"

/* One filter for one message. */
struct filter_job {
    struct arena *arena;
    struct eval *eval; /* message and address are set */
    struct vm *vm;
    struct str name, text; /* the file's name is for messages */
    unsigned compile;      /* FILTER_SYSTEM and so on */
    unsigned refuse;       /* HOST_REFUSE_* of filter/host_refuse.h */
    bool logs;             /* logwrite writes; else (tests, verification) it is passed over */
    bool forbid_logwrite;
    struct str home; /* put before relative names of "save"; unset: they stay as they are */
    struct filter_run run; /* for whom: local_part, domain, qualify and so on */
};

/* Compiles (or takes the program that this process compiled from the same file) and runs it. The message's counters are 0
 * for it and in out->counters afterwards; the message itself only changes in its header, by a system filter. */
void filter_actions_run(struct filter_job *job, struct redirect_result *out);

/* What later expansions of the same filter see of an action: counters, header lines, $thisaddress. ctx: struct eval. */
void filter_apply(void *ctx, const struct filter_action *a);
/* Adds header lines (leading white space is dropped; nothing else: no lines) and removes those of names separated by
 * colons. */
struct message;
void filter_headers_add(struct message *msg, struct str text);
void filter_headers_remove(struct message *msg, struct str names);

#endif
