/* Verification by routing; see route_verify.h. */
#include "engine/route_verify.h"

enum outcome
route_verify(struct routing *r, struct address *a, unsigned flags)
{
    for (;;) {
        size_t deliver_n = r->deliver.n, again_n = r->again.n;
        switch (route_address(r, a)) {
        case ROUTE_DELIVER:
        case ROUTE_DISCARDED:
            return OUT_OK;
        case ROUTE_FAILED:
            return OUT_FAIL;
        case ROUTE_DEFERRED:
            return OUT_DEFER;
        case ROUTE_REDIRECTED:
            break;
        }
        if ((flags & ROUTE_SUCCESS_ON_REDIRECT) != 0 || r->again.n != again_n + 1 ||
            r->deliver.n != deliver_n)
            return OUT_OK;
        a = r->again.v[again_n];
        r->again.n = again_n;
    }
}
