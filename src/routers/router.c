/* Options and checks that all routers have in common; see the header. */
#include "routers/router.h"

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct router_generic, address_data, NULL, 0,
        "Text that later steps find in $address_data when this router accepts an address."),
    OPT_BOOL(struct router_generic, address_test, true, 0,
        "Lets the router take part in address tests with -bt."),
    OPT_XSTR(struct router_generic, cannot_route_message, NULL, 0,
        "Text of the failure when no router handles an address and this one came last."),
    OPT_BOOL(struct router_generic, caseful_local_part, false, 0,
        "Keeps the case of the local part while this router runs."),
    OPT_BOOL(struct router_generic, check_local_user, false, 0,
        "Runs the router only if the local part is a user of this machine."),
    OPT_XSTR(struct router_generic, condition, NULL, OPT_REPEATABLE,
        "Runs the router only if this expands to true; several settings must all hold."),
    OPT_XSTR(struct router_generic, debug_print, NULL, 0,
        "Text that is shown when the router runs with debugging on."),
    OPT_BOOL(struct router_generic, disable_logging, false, 0,
        "Leaves deliveries that come from this router out of the logs."),
    OPT_DOMAINS(struct router_generic, dnssec_request_domains, "*", 0,
        "Domains for which look-ups ask for DNSSEC."),
    OPT_DOMAINS(struct router_generic, dnssec_require_domains, NULL, 0,
        "Domains for which look-ups fail unless DNSSEC secured them."),
    OPT_DOMAINS(struct router_generic, domains, NULL, 0,
        "Domains for which the router runs."),
    OPT_STR(struct router_generic, driver, NULL, 0,
        "Kind of router; it decides which further options there are."),
    OPT_BOOL(struct router_generic, dsn_lasthop, false, 0,
        "Treats the delivery as the last one that can report its success."),
    OPT_XSTR(struct router_generic, errors_to, NULL, 0,
        "Address to which bounces of this router's deliveries go."),
    OPT_BOOL(struct router_generic, expn, true, 0,
        "Lets the router take part in EXPN commands."),
    OPT_BOOL_VERIFY(struct router_generic, "fail_verify", fail_verify,
        0,
        "Makes the address fail when the router accepts it while verifying."),
    OPT_ALIAS(struct router_generic, "fail_verify_recipient", fail_verify[0],
        bool, OPT_T_BOOL, false, NULL, 0,
        "Makes a recipient fail when the router accepts it while verifying."),
    OPT_ALIAS(struct router_generic, "fail_verify_sender", fail_verify[1],
        bool, OPT_T_BOOL, false, NULL, 0,
        "Makes a sender fail when the router accepts it while verifying."),
    OPT_LIST(struct router_generic, fallback_hosts, NULL, 0,
        "Hosts that are tried when all others have failed."),
    OPT_XGID(struct router_generic, group, NULL, 0,
        "Group for the local delivery."),
    OPT_LIST(struct router_generic, headers_add, NULL, OPT_REPEATABLE,
        "Header lines that are added to the copies that this router sends on."),
    OPT_LIST(struct router_generic, headers_remove, NULL, OPT_REPEATABLE,
        "Names of header lines that are removed from the copies that this router sends on."),
    OPT_HOSTS(struct router_generic, ignore_target_hosts, NULL, 0,
        "Addresses of hosts that are left out, as if the DNS did not have them."),
    OPT_BOOL(struct router_generic, initgroups, false, 0,
        "Gives the local delivery all the groups of its user."),
    OPT_LIST(struct router_generic, local_part_prefix, NULL, 0,
        "Prefixes that the local part must have for the router to run."),
    OPT_BOOL(struct router_generic, local_part_prefix_optional, false, 0,
        "Lets the router run without a prefix too."),
    OPT_LIST(struct router_generic, local_part_suffix, NULL, 0,
        "Suffixes that the local part must have for the router to run."),
    OPT_BOOL(struct router_generic, local_part_suffix_optional, false, 0,
        "Lets the router run without a suffix too."),
    OPT_LOCALPARTS(struct router_generic, local_parts, NULL, 0,
        "Local parts for which the router runs."),
    OPT_BOOL(struct router_generic, log_as_local, false, 0,
        "Writes the address in logs as for a local delivery, without the domain."),
    OPT_XBOOL(struct router_generic, more, true, 0,
        "Passes an address that the router declines on to the next router."),
    OPT_BOOL(struct router_generic, pass_on_timeout, false, 0,
        "Passes an address on to the next router when a look-up timed out."),
    OPT_STR(struct router_generic, pass_router, NULL, 0,
        "Router that goes on when this one passes an address."),
    OPT_STR(struct router_generic, redirect_router, NULL, 0,
        "Router at which new addresses from this one begin."),
    OPT_LIST(struct router_generic, require_files, NULL, 0,
        "Files that must exist, or with an exclamation mark must not, for the router to run."),
    OPT_BOOL(struct router_generic, retry_use_local_part, false, 0,
        "Keeps retry times of routing by whole address and not by domain."),
    OPT_XSTR(struct router_generic, router_home_directory, NULL, 0,
        "Home folder while the router runs."),
    OPT_STR(struct router_generic, self, "freeze", 0,
        "What to do when the best host for a domain is this one."),
    OPT_ADDRESSES(struct router_generic, senders, NULL, 0,
        "Sender addresses for which the router runs."),
    OPT_LIST(struct router_generic, set, NULL, OPT_REPEATABLE,
        "Sets a variable, as name = value, for this address from here on."),
    OPT_XSTR(struct router_generic, translate_ip_address, NULL,
        OPT_HIDDEN,
        "Another IP address to use instead of the one that was found."),
    OPT_XSTR(struct router_generic, transport, NULL, 0,
        "Transport that delivers what the router accepts."),
    OPT_XSTR(struct router_generic, transport_current_directory, NULL, 0,
        "Current folder for the transport."),
    OPT_XSTR(struct router_generic, transport_home_directory, NULL, 0,
        "Home folder for the transport."),
    OPT_XBOOL(struct router_generic, unseen, false, 0,
        "Goes on with the next router too, as if this one had not accepted."),
    OPT_XUID(struct router_generic, user, NULL, 0,
        "User as whom the local delivery runs."),
    OPT_BOOL_VERIFY(struct router_generic, "verify", verify, 0,
        "Lets the router take part in verifying senders and recipients."),
    OPT_BOOL(struct router_generic, verify_only, false, 0,
        "Runs the router for verifying only, never for delivery."),
    OPT_ALIAS(struct router_generic, "verify_recipient", verify[0],
        bool, OPT_T_BOOL, true, NULL, 0,
        "Lets the router take part in verifying recipients."),
    OPT_ALIAS(struct router_generic, "verify_sender", verify[1],
        bool, OPT_T_BOOL, true, NULL, 0,
        "Lets the router take part in verifying senders."),
};
/* clang-format on */

static const struct opt_table generic = {
    .what = "router",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct router_generic),
};

#define ROUTER(name) &router_##name.base,
static const struct driver *const drivers[] = {
#include "routers/routers.def"
};
#undef ROUTER

static bool
self_valid(struct str s)
{
    static const char *const words[] = {"defer", "fail", "freeze", "pass", "send"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eqz(s, words[i]))
            return true;
    return str_starts(s, "reroute:");
}

/* Retry times go by whole addresses when who gets mail depends on more than the domain. */
static bool
depends_on_local_part(const struct router_generic *g)
{
    return g->check_local_user || driver_has(g->local_parts) || driver_has(g->condition) ||
           driver_has(g->local_part_prefix) || driver_has(g->local_part_suffix) ||
           driver_has(g->senders) || driver_has(g->require_files);
}

static bool
check_transport(const struct driver_instance *d, enum router_transport transport,
                struct diags *diags)
{
    const struct router_generic *g = d->generic.fields;
    bool has = str_is_set(g->transport.text);
    if (transport == ROUTER_TRANSPORT_REQUIRED && !has && !g->verify_only)
        return driver_fault(diags, d, NULL, DRIVER_WORDS_NAME,
                            "a transport is required for this router");
    if (transport == ROUTER_TRANSPORT_FORBIDDEN && has)
        return driver_fault(diags, d, "transport", DRIVER_WORDS_NAME,
                            "a transport must not be defined for this router");
    return true;
}

bool
router_check_generic(struct driver_instance *d, enum router_transport transport,
                     struct diags *diags)
{
    struct router_generic *g = d->generic.fields;
    if (!driver_sets_generic(d, "retry_use_local_part"))
        g->retry_use_local_part = depends_on_local_part(g);
    bool ok = check_transport(d, transport, diags);
    if (!self_valid(g->self))
        ok = driver_fault(diags, d, "self", DRIVER_WORDS_FOR,
                          "%.*s is not valid for the self option", STR_ARG(g->self));
    return ok;
}

/* Index of the router of that name, or c->routers.n. */
static size_t
find(const struct conf *c, struct str name)
{
    size_t i = 0;
    while (i < c->routers.n && !str_eq(c->routers.v[i]->name, name))
        i++;
    return i;
}

/* The router that router number `at` names in an option must exist; for pass_router it must
 * also come later, or mail would go round in circles. */
static bool
check_link(const struct conf *c, size_t at, const char *option, struct str name,
           struct diags *diags)
{
    if (!str_is_set(name))
        return true;
    const struct driver_instance *d = c->routers.v[at];
    size_t to = find(c, name);
    bool exists = to < c->routers.n;
    if (exists && (to > at || str_eqz(str_from_cstr(option), "redirect_router")))
        return true;
    return driver_fault(diags, d, option, DRIVER_WORDS_PLAIN,
                        "new_router \"%.*s\" %s \"%.*s\" router", STR_ARG(name),
                        exists ? "does not follow" : "not found for", STR_ARG(d->name));
}

/* What routers say of each other: pass_router and redirect_router. */
static bool
check_all(const struct conf *c, struct diags *diags)
{
    bool ok = true;
    for (size_t i = 0; i < c->routers.n; i++) {
        const struct router_generic *g = c->routers.v[i]->generic.fields;
        ok = check_link(c, i, "pass_router", g->pass_router, diags) && ok;
        ok = check_link(c, i, "redirect_router", g->redirect_router, diags) && ok;
    }
    return ok;
}

const struct driver_class router_class = {
    .what = "router",
    .generic = &generic,
    .drivers = drivers,
    .n = sizeof drivers / sizeof drivers[0],
    .check_all = check_all,
};

const struct router_driver *
router_driver_of(const struct driver_instance *d)
{
    return (const struct router_driver *)d->driver;
}
