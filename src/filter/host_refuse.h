/* Tables of a machine that may do less: capabilities are refused by taking their entries away.
 *
 * For what users write: filters, and files that are expanded in their name.
 */
#ifndef REMEX_FILTER_HOST_REFUSE_H
#define REMEX_FILTER_HOST_REFUSE_H

#include "filter/host.h"

struct arena;

/* What may be refused; bits. */
enum {
    HOST_REFUSE_DLFUNC = 1u << 0,
    HOST_REFUSE_EXISTS = 1u << 1, /* and ${stat: */
    HOST_REFUSE_LOOKUP = 1u << 2,
    HOST_REFUSE_PERL = 1u << 3,
    HOST_REFUSE_READFILE = 1u << 4,
    HOST_REFUSE_READSOCKET = 1u << 5,
    HOST_REFUSE_RUN = 1u << 6,
    HOST_REFUSE_ALL = (1u << 7) - 1,
};

/* A copy of the table without what is refused; full itself when that is nothing. For vm_set_host. */
const struct host *host_refuse(struct arena *a, const struct host *full, unsigned refuse);

#endif
