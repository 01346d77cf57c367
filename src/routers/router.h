/* Routers: what all of them have in common as the configuration sees them.
 *
 * A router is one file with its option struct, its rows and a const object router_NAME, and one
 * line in routers.def. The functions that route come to the same objects later.
 */
#ifndef REMEX_ROUTERS_ROUTER_H
#define REMEX_ROUTERS_ROUTER_H

#include "conf/conf.h"
#include "conf/driver_check.h"

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

extern const struct driver_class router_class;

#define ROUTER(name) extern const struct driver router_##name;
#include "routers/routers.def"
#undef ROUTER

/* The part of every router's check: defaults of generic options that depend on others, and
 * their values. A router's own check ends with it. */
bool router_check_generic(struct driver_instance *d, enum router_transport transport,
                          struct diags *diags);

#endif
