/* The context in which a string of the configuration is evaluated: what the host's functions get as env. */
#ifndef REMEX_CONF_EVAL_H
#define REMEX_CONF_EVAL_H

#include "base/clock.h"
#include "base/outcome.h"
#include "base/str.h"

struct arena;
struct conf;
struct message;
struct session;
struct address;
struct map;
struct list_cache;
struct lookup_cache;
struct filter_cache;
struct host_extern;
struct inspect_service;
struct acl_runner;
struct dns;
struct suffixes;
struct site;
struct tls;

/* What variables show of the process. */
struct eval_process {
    int64_t caller_uid, caller_gid; /* real ids at start */
    const struct site *site;        /* names the mail user; NULL: root */
    int64_t pid;
    struct str program;          /* path of the program */
    struct str directory;        /* working directory at start */
    struct str plugin_directory; /* of the site file; STR_NULL: the default */
};

struct eval {
    const struct conf *conf; /* NULL only in unit tests */
    struct message *message; /* any of the three may be NULL */
    struct session *session;
    struct address *address;
    struct map *acl_c; /* $acl_c_*: name (after "acl_") -> struct str *, or NULL */
    struct map *acl_m;
    struct map *router_vars;      /* $r_*: name -> struct str * */
    struct list_cache *lists;     /* compiled lists and results; conf/list.h */
    struct lookup_cache *lookups; /* handles and results; lookups/lookup.h */
    struct filter_cache *filters; /* compiled filters; routers/filter_cache.h. NULL: none yet */
    struct acl_runner *acls;      /* compiled ACLs; acl/acl_run.h */
    struct dns *dns; /* the resolver with its cache; threads share one. conf/resolve.h */
    struct suffixes *suffixes; /* the list of public suffixes; likewise. conf/organisation.h */
    struct host_extern
        *external;       /* plugins, Perl and shared objects in use; proc/host_extern.h */
    /* how the inspect process is asked; sys/inspect.h. NULL: there is none */
    const struct inspect_service *inspect;
    struct tls *tls;     /* of this process; sys/tls.h. NULL: not loaded */
    struct arena *arena; /* for what must outlive one evaluation (results kept in variables) */
    struct str domain_data, local_part_data, sender_data, host_data,
        recipient_data;              /* of list matches */
    struct str ldap_dn;              /* of the last LDAP lookup; in memory of lookups */
    struct str atrn_mode, atrn_host; /* "P" or "C", and the other side; unset: no ATRN */
    struct str lookup_dnssec;        /* of the last answer of the DNS: yes, no or empty */
    struct eval_process process;
    struct clock clock; /* zone of the $tod_ variables */
    bool queue_running; /* deliveries of a queue run: the condition of that name */
    bool debug_expand;
    bool dns_failed; /* a failure of the DNS is told at the moment: dns:fail raises no other */
    /* event_action of the transport at work and its name; NULL: none, events that both can have are those of the main configuration. */
    const struct xstr *event_action;
    struct str event_where;
    uint64_t log_selectors; /* bits by enum log_selector */
    uint64_t debug;         /* topics of -d, bits of conf/debug.h; 0: none */
    /* Where lines for the logs go; NULL: to the standard error and the panic log, as tests of strings do. */
    void (*log)(void *ctx, bool panic, struct str text);
    void *log_ctx;
    /* Looks up the name of the session's host, once (log_ctx): OUT_OK, OUT_FAIL, OUT_DEFER. NULL: there is nobody to. */
    enum outcome (*find_peer)(void *ctx);
    /* A list could not be used at all: Exim ends with this text in its logs, and so do tests of the command
     * line. STR_NULL otherwise; in scratch. */
    struct str fatal;
};

#endif
