/* local_scan: the two processes of receive_scan.c and receive_scan_child.c. */
#ifndef REMEX_ENGINE_RECEIVE_SCAN_H
#define REMEX_ENGINE_RECEIVE_SCAN_H

#include "engine/local_scan.h"
#include "engine/receive_state.h"
#include "sys/site.h"

struct receive_scan_child {
    struct receiving *r;
    struct str directory; /* of plugins; unset: the default */
};

/* The child: loads the function, runs it, writes what came of it. Exit status; not 0: it could not be run. */
int receive_scan_child(void *ctx, int out);

#endif
