/* Between the files that route one address: what is known while one router has it.
 *
 * Lives on the stack of route_address. Texts that outlive the address's evaluation are copied into r->arena.
 */
#ifndef REMEX_ENGINE_ROUTE_STEP_H
#define REMEX_ENGINE_ROUTE_STEP_H

#include "engine/route.h"

#include <stdarg.h>

struct route_step {
    struct routing *r;
    struct eval *eval;
    struct vm *vm;
    struct address *a;
    const struct driver_instance *router;
    const struct router_generic *g;
    size_t at;                  /* number of the router */
    struct str as_given, lower; /* the local part without quotes, affixes included */
    struct str declined; /* what the router that ran last said when it declined, or unset */
    struct str declined_peer; /* what of that is for strangers, or unset: nothing */
    /* What check_local_user, router_home_directory, user and group found out. */
    int64_t uid, gid;
    struct str login, user_home;
};

/* How one step ended: OUT_OK goes on, OUT_DECLINE skips the router, the others are the fate of the address (r->why). */

/* r->why.log and the outcome, which is returned. */
enum outcome route_say(struct route_step *s, enum outcome o, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A line for the main and the panic log. */
void route_panic(struct route_step *s, struct str text);
/* Expands text of an option; the value is in r->arena. */
enum vm_status route_expand(struct route_step *s, struct str text, struct str *out);
/* An option that is true, false, or text to expand; by_default: its value when the expansion is forced to fail. */
enum outcome route_expand_bool(struct route_step *s, const char *option,
                               const struct opt_xbool *x, bool by_default, bool *out);
/* True if the text is set. */
static inline bool
route_has(const struct xstr *x)
{
    return str_is_set(x->text);
}

enum {
    ROUTE_ERRNO_UNKNOWN = -1,
    ROUTE_ERRNO_TRANSPORT = -30, /* no such transport */
};

/* route_check.c: the preconditions, in their order. */
enum outcome route_check(struct route_step *s);
/* route_affix.c: takes prefix and suffix off the local part. OUT_OK or OUT_DECLINE. */
enum outcome route_affix(struct route_step *s);
/* route_files.c: require_files. */
enum outcome route_files(struct route_step *s);
/* route_user.c: check_local_user, and user and group of a router. */
enum outcome route_local_user(struct route_step *s);
enum outcome route_set_user(struct route_step *s);
/* route_data.c: set, address_data. */
enum outcome route_data(struct route_step *s);
/* route_tail.c: errors_to, headers_add, headers_remove. */
enum outcome route_tail(struct route_step *s);
/* route_result.c: what an accepting router's generic options add to the address, and its children. */
enum route_end route_accept(struct route_step *s, struct route_result *res);
/* Of one that deferred or failed the address: what a filter set up before is delivered all the same. */
void route_take_children(struct route_step *s, struct route_result *res);
/* The transport that the generic option names; NULL when it is not set. */
enum outcome route_find_transport(struct route_step *s, const struct driver_instance **out);
/* route_hosts.c: fallback_hosts of a remote transport; translate_ip_address; a domain in all header lines of the message. */
void route_fallback(struct route_step *s, struct address *a);
enum outcome route_translate(struct route_step *s, struct host_targets *hosts);
void route_rewrite_headers(struct route_step *s, struct str from, struct str to);
/* route_up.c: what drivers may ask, for this step. */
struct route_up route_up_for(struct route_step *s);

#endif
