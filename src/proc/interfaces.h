/* Where the daemon listens: local_interfaces, daemon_smtp_ports and -oX. Source: specification, chapter "Starting the daemon
 * and the use of network interfaces". */
#ifndef REMEX_PROC_INTERFACES_H
#define REMEX_PROC_INTERFACES_H

#include "base/vec.h"
#include "sys/listen.h"

struct conf_main;

struct interface {
    struct listen_request at;
    bool tls;  /* TLS starts at once */
    int fd;    /* -1: not open yet */
    bool keep; /* of a reload: goes on in the new generation */
};

struct interfaces {
    VEC(struct interface) v;
};

/* What the options say; over: the value of -oX, or unset. all_tls: -tls-on-connect. False with *error. */
bool interfaces_find(struct arena *a, const struct conf_main *c, struct str over, bool all_tls,
                     struct interfaces *out, struct str *error);

/* "SMTP on port 25 (IPv6 and IPv4) [127.0.0.1]:26 and for SMTPS on port 465", for the log. */
struct str interfaces_text(struct arena *a, const struct interfaces *i);

/* "127.0.0.1", "(any IPv4)", "(any IPv6)", for messages. */
struct str interfaces_address(struct arena *a, const struct interface *i);

bool interfaces_same(const struct interface *x, const struct interface *y);

#endif
