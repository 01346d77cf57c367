/* Between the files of the redirect router: its options, and the question to a list or filter. */
#ifndef REMEX_ROUTERS_REDIRECT_H
#define REMEX_ROUTERS_REDIRECT_H

#include "routers/redirect_result.h"
#include "routers/router.h"
#include "sys/checked_file.h"

struct router_redirect {
    bool allow_defer, allow_fail, allow_filter, allow_freeze, check_ancestor, check_group,
        check_owner;
    struct xstr data, directory_transport, file, file_transport;
    bool filter_prepend_home, forbid_blackhole, forbid_exim_filter, forbid_file,
        forbid_filter_dlfunc, forbid_filter_existstest, forbid_filter_logwrite,
        forbid_filter_lookup, forbid_filter_perl, forbid_filter_readfile,
        forbid_filter_readsocket, forbid_filter_reply, forbid_filter_run, forbid_include,
        forbid_pipe, forbid_sieve_filter, forbid_smtp_code, hide_child_in_errmsg, ignore_eacces,
        ignore_enotdir;
    struct str include_directory;
    int64_t modemask;
    bool one_time;
    struct opt_ids owners, owngroups;
    struct xstr pipe_transport, qualify_domain;
    bool qualify_preserve_domain, repeat_use;
    struct xstr reply_transport;
    bool rewrite;
    struct xstr sieve_enotify_mailto_owner, sieve_inbox, sieve_subaddress, sieve_useraddress,
        sieve_vacation_directory;
    bool skip_syntax_errors;
    struct xstr syntax_errors_text;
    struct str syntax_errors_to;
};

/* One redirection, from its text or file to its result. */
struct redirection {
    const struct route_call *call;
    const struct router_redirect *o;
    struct arena *arena;
    struct str text;    /* of data, or of the file once it is read */
    struct str file;    /* name of the file, or unset */
    struct str qualify; /* domain of new addresses that have none */
    bool logs;          /* for a delivery: a filter writes its logs */
};

/* Files of lists and filters, and of :include: items: larger ones are refused. */
enum { REDIRECT_FILE_MAX = 1024 * 1024 };

/* Reads the file, if there is one, and makes a list or a filter of the text. Runs in the process that is the user. */
void redirect_interpret(struct redirection *r, struct redirect_result *out);
/* The list alone. redirect_items.c */
void redirect_items(const struct redirection *r, struct redirect_result *out);
/* The filter alone. redirect_filter.c */
void redirect_filter(const struct redirection *r, struct redirect_result *out);
/* What its expansions may not ask for: HOST_REFUSE_*. */
unsigned redirect_refused(const struct router_redirect *o);
/* The new addresses of a result: children of the address. redirect_children.c */
void redirect_children(const struct redirection *r, const struct redirect_result *res,
                       struct route_result *out);
/* The mail that tells of syntax errors, and the log lines. redirect_faults.c */
void redirect_faults(const struct redirection *r, const struct redirect_result *res,
                     struct route_result *out);

/* Sets end and text. */
void redirect_say(struct redirect_result *out, struct arena *a, enum redirect_end end,
                  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* "Permission denied (euid=8 egid=8)": the reason, and who was refused. */
struct str redirect_errno_text(struct arena *a, int error);
/* Why a file cannot be used, in Exim's words; errno is that of the end. mask: permissions that it must not have. */
struct str redirect_file_text(struct arena *a, struct str path, enum checked_file_end end,
                              unsigned mode, unsigned mask);

#endif
