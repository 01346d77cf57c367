/* Verification of an address by the routers alone (no callouts): verify = recipient, verify = sender, errors_to, -bv.
 *
 * Source: specification, sections "Processing an address for verification", "Redirection while verifying".
 */
#ifndef REMEX_ENGINE_ROUTE_VERIFY_H
#define REMEX_ENGINE_ROUTE_VERIFY_H

#include "engine/route.h"

enum route_verify_flags {
    ROUTE_SUCCESS_ON_REDIRECT = 1u << 0, /* one child is not followed either */
};

/* Routes the address (purpose and results in r). A redirection to just one address is followed. OUT_OK: verified; an
 * address with its transport and hosts, for a callout, is then in r->deliver unless it was redirected to several or discarded.
 * OUT_FAIL, OUT_DEFER: r->why. */
enum outcome route_verify(struct routing *r, struct address *a, unsigned flags);

#endif
