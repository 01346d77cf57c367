/* The part of the redirect router that reads what a user owns, for the process that is the user. */
#ifndef REMEX_ROUTERS_REDIRECT_WORK_H
#define REMEX_ROUTERS_REDIRECT_WORK_H

#include "routers/redirect_result.h"
#include "routers/router.h"

struct redirect_work {
    struct str file;    /* name of the file with the list or filter, or unset */
    struct str text;    /* else the list or filter */
    struct str qualify; /* domain of new addresses that have none, or unset */
    bool logs;          /* for a delivery: a filter writes its logs */
};

/* True if the router is one of this driver. */
bool redirect_is(const struct driver_instance *router);
/* Interprets the list or filter; appends the records of the result. Of the call: arena, eval, vm, router, message, address, uid, gid, home. */
void redirect_work(const struct route_call *c, const struct redirect_work *what,
                   struct buf *out);

#endif
