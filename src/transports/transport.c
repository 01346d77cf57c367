/* Options and checks that all transports have in common; see the header. */
#include "transports/transport.h"

/* clang-format off */
static const struct opt rows[] = {
    OPT_BOOL(struct transport_generic, body_only, false, 0,
        "Delivers the body without the header."),
    OPT_XSTR(struct transport_generic, current_directory, NULL, 0,
        "Folder in which a local delivery runs."),
    OPT_XSTR(struct transport_generic, debug_print, NULL, 0,
        "Text that is shown when the transport runs with debugging on."),
    OPT_BOOL(struct transport_generic, delivery_date_add, false, 0,
        "Adds a Delivery-date: header line."),
    OPT_BOOL(struct transport_generic, disable_logging, false, 0,
        "Leaves deliveries by this transport out of the logs."),
    OPT_STR(struct transport_generic, driver, NULL, 0,
        "Kind of transport; it decides which further options there are."),
    OPT_BOOL(struct transport_generic, envelope_to_add, false, 0,
        "Adds an Envelope-to: header line."),
    OPT_XSTR(struct transport_generic, event_action, NULL, 0,
        "Expanded when something happens to a delivery by this transport."),
    OPT_XGID(struct transport_generic, group, NULL, 0,
        "Group under which the transport runs."),
    OPT_LIST(struct transport_generic, headers_add, NULL, OPT_REPEATABLE,
        "Header lines that are added to what is delivered."),
    OPT_BOOL(struct transport_generic, headers_only, false, 0,
        "Delivers the header without the body."),
    OPT_LIST(struct transport_generic, headers_remove, NULL, OPT_REPEATABLE,
        "Names of header lines that are removed from what is delivered."),
    OPT_REWRITE(struct transport_generic, headers_rewrite, NULL, 0,
        "Rewriting rules for the header lines that are delivered."),
    OPT_XSTR(struct transport_generic, home_directory, NULL, 0,
        "Home folder for the transport."),
    OPT_BOOL(struct transport_generic, initgroups, false, 0,
        "Gives the transport all the groups of its user."),
    OPT_XSTR(struct transport_generic, max_parallel, NULL, 0,
        "How many deliveries by this transport may go on at once."),
    OPT_XSTR(struct transport_generic, message_size_limit, NULL, 0,
        "Largest message that the transport delivers; zero means no limit."),
    OPT_BOOL(struct transport_generic, rcpt_include_affixes, false, 0,
        "Sends local parts with their prefixes and suffixes."),
    OPT_BOOL(struct transport_generic, retry_use_local_part, false, 0,
        "Keeps retry times by whole address and not by domain."),
    OPT_XSTR(struct transport_generic, return_path, NULL, 0,
        "Sender address to deliver with in place of the message's own."),
    OPT_BOOL(struct transport_generic, return_path_add, false, 0,
        "Adds a Return-path: header line."),
    OPT_XSTR(struct transport_generic, shadow_condition, NULL, 0,
        "Delivers by the shadow transport too only if this expands to true."),
    OPT_STR(struct transport_generic, shadow_transport, NULL, 0,
        "Local transport that gets a copy after a successful delivery."),
    OPT_XSTR(struct transport_generic, transport_filter, NULL, 0,
        "Command through which the message passes while it is delivered."),
    OPT_TIME(struct transport_generic, transport_filter_timeout, 5 * 60, 0,
        "Time limit for the transport filter."),
    OPT_XUID(struct transport_generic, user, NULL, 0,
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

/* The field of a private option of one of these types, or NULL. */
static const void *
own_field(const struct driver_instance *d, const char *option, unsigned types)
{
    int row = opt_find(d->own.table, str_from_cstr(option));
    if (row < 0 || (types & 1u << d->own.table->rows[row].type) == 0)
        return NULL;
    return (const char *)d->own.fields + d->own.table->rows[row].offset;
}

bool
transport_own_bool(const struct driver_instance *d, const char *option)
{
    const bool *b = own_field(d, option, 1u << OPT_T_BOOL);
    return b != NULL && *b;
}

int64_t
transport_own_number(const struct driver_instance *d, const char *option)
{
    const int64_t *n = own_field(d, option, 1u << OPT_T_INT | 1u << OPT_T_SIZE);
    return n != NULL ? *n : 0;
}

enum {
    EXPANDED_TYPES = 1u << OPT_T_XSTR | 1u << OPT_T_LIST | 1u << OPT_T_DOMAINS |
                     1u << OPT_T_HOSTS | 1u << OPT_T_ADDRESSES | 1u << OPT_T_LOCALPARTS,
    TEXT_TYPES = EXPANDED_TYPES | 1u << OPT_T_STR,
    ID_TYPES = 1u << OPT_T_XUID | 1u << OPT_T_XGID,
};

struct xstr
transport_own_text(const struct driver_instance *d, const char *option)
{
    const struct xstr *x = own_field(d, option, EXPANDED_TYPES);
    return x != NULL ? *x : (struct xstr){.text = STR_NULL};
}

/* "$name" or "${name}" or "${op:$name…", with no longer name. */
static bool
text_uses(struct str text, struct str variable)
{
    for (size_t at = 0; (at = str_find(text, variable, at)) != STR_NPOS; at += variable.n) {
        size_t end = at + variable.n;
        bool starts = at > 0 && (text.p[at - 1] == '$' ||
                                 (at > 1 && text.p[at - 1] == '{' && text.p[at - 2] == '$'));
        bool ends = end == text.n || !(ascii_alnum(text.p[end]) || text.p[end] == '_');
        if (starts && ends)
            return true;
    }
    return false;
}

static bool
set_uses(const struct opt_set *s, struct str variable)
{
    for (size_t i = 0; i < s->table->n; i++) {
        const struct opt *o = &s->table->rows[i];
        const void *field = (const char *)s->fields + o->offset;
        struct str text = STR_NULL;
        if ((1u << o->type & ID_TYPES) != 0)
            text = ((const struct opt_id *)field)->text.text;
        else if (o->type == OPT_T_STR)
            text = *(const struct str *)field;
        else if ((1u << o->type & TEXT_TYPES) != 0)
            text = ((const struct xstr *)field)->text;
        if (text.n > 0 && text_uses(text, variable))
            return true;
    }
    return false;
}

bool
transport_uses(const struct driver_instance *d, const char *variable)
{
    struct str name = str_from_cstr(variable);
    return set_uses(&d->generic, name) || set_uses(&d->own, name);
}
