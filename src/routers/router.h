/* Routers: what all of them have in common as the configuration sees them.
 *
 * A router is one file with its option struct, its rows and a const object router_NAME, and one
 * line in routers.def. The functions that route come to the same objects later.
 */
#ifndef REMEX_ROUTERS_ROUTER_H
#define REMEX_ROUTERS_ROUTER_H

#include "conf/conf.h"
#include "conf/driver_check.h"
#include "conf/model.h"
#include "mail/why.h"

#include <sys/types.h>

struct eval;
struct vm;
struct child_result;  /* sys/child.h */
struct redirect_work; /* routers/redirect_work.h */

/* Options of every router. verify and fail_verify: [0] for recipients, [1] for senders. */
struct router_generic {
    struct xstr address_data;
    bool address_test;
    struct xstr cannot_route_message;
    bool caseful_local_part, check_local_user;
    struct xstr condition, debug_print;
    bool disable_logging;
    struct xstr dnssec_request_domains, dnssec_require_domains, domains;
    struct str driver;
    bool dsn_lasthop;
    struct xstr errors_to;
    bool expn, fail_verify[2];
    struct xstr fallback_hosts;
    struct opt_id group;
    struct xstr headers_add, headers_remove, ignore_target_hosts;
    bool initgroups;
    struct xstr local_part_prefix;
    bool local_part_prefix_optional;
    struct xstr local_part_suffix;
    bool local_part_suffix_optional;
    struct xstr local_parts;
    bool log_as_local;
    struct opt_xbool more;
    bool pass_on_timeout;
    struct str pass_router, redirect_router;
    struct xstr require_files;
    bool retry_use_local_part;
    struct xstr router_home_directory;
    struct str self;
    struct xstr senders, set, translate_ip_address, transport, transport_current_directory,
        transport_home_directory;
    struct opt_xbool unseen;
    struct opt_id user;
    bool verify[2], verify_only;
};

enum router_transport {
    ROUTER_TRANSPORT_OPTIONAL,
    ROUTER_TRANSPORT_REQUIRED, /* unless the router only verifies */
    ROUTER_TRANSPORT_FORBIDDEN,
};

/* Why an address is routed. */
enum route_purpose {
    ROUTE_FOR_DELIVERY,
    ROUTE_FOR_RECIPIENT_CHECK, /* verify = recipient, -bv */
    ROUTE_FOR_SENDER_CHECK,    /* verify = sender, -bvs */
    ROUTE_FOR_EXPN,
    ROUTE_FOR_TEST, /* -bt */
};

/* Where a line goes. */
enum route_log { ROUTE_LOG_MAIN, ROUTE_LOG_BOTH, ROUTE_LOG_PANIC };

/* Where the addresses of hosts come from, beside the bits HOST_FIND_* of conf/host_find.h. Neither: the DNS, then the system. */
enum route_find {
    ROUTE_FIND_BYNAME = 1u << 16, /* what the system knows only */
    ROUTE_FIND_BYDNS = 1u << 17,
};

/* What a process that is a user does for a router. */
struct route_child {
    uid_t uid;
    gid_t gid;
    struct str login;     /* whose groups come with it, or unset */
    struct str directory; /* where it works, or unset */
    int64_t timeout_s;
    size_t max_answer;
    const struct redirect_work *redirect; /* a list or filter; NULL: */
    const struct str *words;              /* a command */
    size_t words_n;
};

/* What a driver may ask of the engine. */
struct route_up {
    void *ctx;
    bool becomes; /* children are the user that they are asked for, else all are who we are */
    bool logs_unknown_hosts; /* log_selector = +host_lookup_failed */
    void (*log)(void *ctx, enum route_log to, struct str text);
    void (*run_child)(void *ctx, const struct route_child *rq, struct child_result *out);
    /* The transport of the generic option. OUT_OK (NULL when the option is not set), else the fate of the address in *why. */
    enum outcome (*find_transport)(void *ctx, const struct driver_instance **out,
                                   struct why *why);
};

/* The question to a driver: its preconditions hold, $local_part and the like are set. */
struct route_call {
    struct arena *arena; /* of results */
    struct eval *eval;
    struct vm *vm;
    const struct driver_instance *router;
    struct message *message;
    struct address *address;
    enum route_purpose purpose;
    int64_t uid, gid; /* of check_local_user, user, group; -1: none */
    struct str login; /* of check_local_user, or unset */
    struct str home;  /* $home, or unset */
    const struct route_up *up;
};

/* A driver's answer. The common tail (transport, errors_to, header edits, unseen, more, pass_router, self) runs once, in the engine.
 */
struct route_result {
    /* OUT_OK: accepted (transport, or children); OUT_DECLINE; OUT_PASS: on to pass_router or the next; OUT_DEFER; OUT_FAIL; OUT_ERROR: a
     * fault of the configuration, treated as a deferral and logged in the panic log. */
    enum outcome outcome;
    struct why why;
    const struct driver_instance *transport; /* NULL: what the generic option says */
    struct host_targets hosts;
    /* Of this address; text, item, reply, errors_to, ignore_error, mode are set, and transport unless it is a mail address; an
     * answer that is set is its fate. With OUT_DEFER and OUT_FAIL too: what a filter set up before. */
    VEC(struct address *)
    children;
    bool discard;          /* accepted, and nothing is delivered */
    bool discard_seen;     /* a filter said "seen finish": as discard, logged otherwise */
    bool freeze;           /* with OUT_DEFER */
    bool rewrite_children; /* the rewriting rules apply to them */
    bool
        unseen; /* a filter without significant delivery: go on, and deliver the children too */
    bool copies_routing;        /* same_domain_copy_routing */
    struct str rerouted_domain; /* self = reroute: */
    struct str mail,
        mail_to; /* a message about the redirection (syntax_errors_to), or unset; sent at once */
    bool rewrite_headers; /* self = reroute:rewrite: the old domain in header lines too */
};

struct router_driver {
    struct driver
        base; /* first, so that a struct driver can be turned into its router_driver */
    void (*route)(const struct route_call *c, struct route_result *out);
    bool
        needs_user; /* uid and gid of the call are those of user and group, expanded before it runs */
};

extern const struct driver_class router_class;

/* The driver of an instance of router_class. */
const struct router_driver *router_driver_of(const struct driver_instance *d);

#define ROUTER(name) extern const struct router_driver router_##name;
#include "routers/routers.def"
#undef ROUTER

/* The part of every router's check: defaults of generic options that depend on others, and
 * their values. A router's own check ends with it. */
bool router_check_generic(struct driver_instance *d, enum router_transport transport,
                          struct diags *diags);

#endif
