/* Transports: what all of them have in common as the configuration sees them.
 *
 * A transport is one file with its option struct, its rows and a const object transport_NAME,
 * and one line in transports.def. The functions that deliver come to the same objects later.
 */
#ifndef REMEX_TRANSPORTS_TRANSPORT_H
#define REMEX_TRANSPORTS_TRANSPORT_H

#include "conf/conf.h"
#include "conf/driver_check.h"

/* Options of every transport. */
struct transport_generic {
    bool body_only;
    struct xstr current_directory, debug_print;
    bool delivery_date_add, disable_logging;
    struct str driver;
    bool envelope_to_add;
    struct xstr event_action;
    struct opt_id group;
    struct xstr headers_add;
    bool headers_only;
    struct xstr headers_remove, headers_rewrite, home_directory;
    bool initgroups;
    struct xstr max_parallel, message_size_limit;
    bool rcpt_include_affixes, retry_use_local_part;
    struct xstr return_path;
    bool return_path_add;
    struct xstr shadow_condition;
    struct str shadow_transport;
    struct xstr transport_filter;
    int64_t transport_filter_timeout;
    struct opt_id user;
};

enum transport_place { TRANSPORT_LOCAL, TRANSPORT_REMOTE };

extern const struct driver_class transport_class;

#define TRANSPORT(name) extern const struct driver transport_##name;
#include "transports/transports.def"
#undef TRANSPORT

/* The part of every transport's check: defaults of generic options, and combinations of them
 * that make no sense. A transport's own check ends with it. */
bool transport_check_generic(struct driver_instance *d, enum transport_place place,
                             struct diags *diags);
/* The check of local transports that have nothing to add. */
bool transport_check(struct arena *a, struct driver_instance *d, struct diags *diags);

#endif
