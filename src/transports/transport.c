/* Options and checks that all transports have in common; see the header. */
#include "transports/transport.h"

/* clang-format off */
static const struct opt rows[] = {
    OPT_BOOL(struct transport_generic, body_only, false, OPT_NO_EFFECT,
        "Delivers the body without the header."),
    OPT_XSTR(struct transport_generic, current_directory, NULL, OPT_NO_EFFECT,
        "Folder in which a local delivery runs."),
    OPT_XSTR(struct transport_generic, debug_print, NULL, OPT_NO_EFFECT,
        "Text that is shown when the transport runs with debugging on."),
    OPT_BOOL(struct transport_generic, delivery_date_add, false, OPT_NO_EFFECT,
        "Adds a Delivery-date: header line."),
    OPT_BOOL(struct transport_generic, disable_logging, false, OPT_NO_EFFECT,
        "Leaves deliveries by this transport out of the logs."),
    OPT_STR(struct transport_generic, driver, NULL, 0,
        "Kind of transport; it decides which further options there are."),
    OPT_BOOL(struct transport_generic, envelope_to_add, false, OPT_NO_EFFECT,
        "Adds an Envelope-to: header line."),
    OPT_XSTR(struct transport_generic, event_action, NULL, OPT_NO_EFFECT,
        "Expanded when something happens to a delivery by this transport."),
    OPT_XGID(struct transport_generic, group, NULL, OPT_NO_EFFECT,
        "Group under which the transport runs."),
    OPT_LIST(struct transport_generic, headers_add, NULL, OPT_NO_EFFECT | OPT_REPEATABLE,
        "Header lines that are added to what is delivered."),
    OPT_BOOL(struct transport_generic, headers_only, false, OPT_NO_EFFECT,
        "Delivers the header without the body."),
    OPT_LIST(struct transport_generic, headers_remove, NULL, OPT_NO_EFFECT | OPT_REPEATABLE,
        "Names of header lines that are removed from what is delivered."),
    OPT_REWRITE(struct transport_generic, headers_rewrite, NULL, OPT_NO_EFFECT,
        "Rewriting rules for the header lines that are delivered."),
    OPT_XSTR(struct transport_generic, home_directory, NULL, OPT_NO_EFFECT,
        "Home folder for the transport."),
    OPT_BOOL(struct transport_generic, initgroups, false, OPT_NO_EFFECT,
        "Gives the transport all the groups of its user."),
    OPT_XSTR(struct transport_generic, max_parallel, NULL, OPT_NO_EFFECT,
        "How many deliveries by this transport may go on at once."),
    OPT_XSTR(struct transport_generic, message_size_limit, NULL, OPT_NO_EFFECT,
        "Largest message that the transport delivers; zero means no limit."),
    OPT_BOOL(struct transport_generic, rcpt_include_affixes, false, OPT_NO_EFFECT,
        "Sends local parts with their prefixes and suffixes."),
    OPT_BOOL(struct transport_generic, retry_use_local_part, false, OPT_NO_EFFECT,
        "Keeps retry times by whole address and not by domain."),
    OPT_XSTR(struct transport_generic, return_path, NULL, OPT_NO_EFFECT,
        "Sender address to deliver with in place of the message's own."),
    OPT_BOOL(struct transport_generic, return_path_add, false, OPT_NO_EFFECT,
        "Adds a Return-path: header line."),
    OPT_XSTR(struct transport_generic, shadow_condition, NULL, OPT_NO_EFFECT,
        "Delivers by the shadow transport too only if this expands to true."),
    OPT_STR(struct transport_generic, shadow_transport, NULL, OPT_NO_EFFECT,
        "Local transport that gets a copy after a successful delivery."),
    OPT_XSTR(struct transport_generic, transport_filter, NULL, OPT_NO_EFFECT,
        "Command through which the message passes while it is delivered."),
    OPT_TIME(struct transport_generic, transport_filter_timeout, 5 * 60, OPT_NO_EFFECT,
        "Time limit for the transport filter."),
    OPT_XUID(struct transport_generic, user, NULL, OPT_NO_EFFECT,
        "User as whom the transport runs."),
};
/* clang-format on */

static const struct opt_table generic = {
    .what = "transport",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct transport_generic),
};

#define TRANSPORT(name) &transport_##name.base,
static const struct driver *const drivers[] = {
#include "transports/transports.def"
};
#undef TRANSPORT

const struct driver_class transport_class = {
    .what = "transport",
    .generic = &generic,
    .drivers = drivers,
    .n = sizeof drivers / sizeof drivers[0],
};

bool
transport_check_generic(struct driver_instance *d, enum transport_place place,
                        struct diags *diags)
{
    struct transport_generic *g = d->generic.fields;
    bool ok = true;
    if (!driver_sets_generic(d, "retry_use_local_part"))
        g->retry_use_local_part = place == TRANSPORT_LOCAL;
    if (g->body_only && g->headers_only)
        ok = driver_fault(diags, d, "headers_only", DRIVER_WORDS_PLAIN,
                          "%.*s transport: body_only and headers_only are mutually exclusive",
                          STR_ARG(d->name));
    if (place == TRANSPORT_LOCAL && g->user.number && !g->group.set)
        ok = driver_fault(diags, d, "user", DRIVER_WORDS_PLAIN,
                          "user set without group for the %.*s transport", STR_ARG(d->name));
    if (place == TRANSPORT_REMOTE && str_is_set(g->shadow_transport))
        ok = driver_fault(diags, d, "shadow_transport", DRIVER_WORDS_PLAIN,
                          "shadow transport not allowed on non-local transport %.*s",
                          STR_ARG(d->name));
    return ok;
}

bool
transport_check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    return transport_check_generic(d, TRANSPORT_LOCAL, diags);
}

const struct transport_driver *
transport_driver_of(const struct driver_instance *d)
{
    return (const struct transport_driver *)d->driver;
}
