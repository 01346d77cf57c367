/* Takes messages from ordinary users on behalf of the daemon: each call is a child of the deliver role, which acts for the user
 * that the kernel names, with that user's rank and standing, and no privilege. Only calls that take a message from the
 * standard input are made, with options that anybody may give. */
#ifndef REMEX_PROC_SUBMIT_SERVER_H
#define REMEX_PROC_SUBMIT_SERVER_H

#include "proc/role.h"

enum { SUBMIT_SERVER_MAX = 64 /* calls at a time; more of them wait */ };

/* Accepts one call on the socket and starts its child. arrivals: the socket to the queue process (-1: nobody is told). The child's
 * process number; 0: there was none. */
pid_t submit_server_take(struct role *r, int listener, int arrivals);

#endif
