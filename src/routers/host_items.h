/* Lists of hosts as routers and fallback_hosts write them: names or addresses, with ports, /MX and groups. Source:
 * specification, section "Format of one host item".
 */
#ifndef REMEX_ROUTERS_HOST_ITEMS_H
#define REMEX_ROUTERS_HOST_ITEMS_H

#include "base/str.h"
#include "base/vec.h"

struct host_item {
    struct str name; /* or an IP address, without brackets */
    int64_t port;    /* 0: none */
    bool mx;         /* name/MX: the hosts of its MX records */
    int64_t
        preference; /* -1; in a shuffled list another negative number for each group, whose order means nothing */
};

struct host_items {
    VEC(struct host_item) v;
};

enum { HOST_ITEMS_MAX = 10000 }; /* what is beyond is dropped */

/* Splits a list. With shuffle the items within each group (between "+" items) come in random order. */
enum host_order { HOST_ORDER_KEEP, HOST_ORDER_SHUFFLE };
struct host_items host_items_read(struct arena *a, struct str list, enum host_order order);

#endif
