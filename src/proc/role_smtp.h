/* What the files of the smtp role share. For role_smtp.c and smtp_child.c only. */
#ifndef REMEX_PROC_ROLE_SMTP_H
#define REMEX_PROC_ROLE_SMTP_H

#include "base/vec.h"
#include "mail/ip.h"
#include "proc/job_list.h"
#include "proc/role.h"
#include "sys/seats.h"

struct smtp_listener {
    int fd;
    bool tls;
};

/* A session in a process of its own. */
struct smtp_child {
    int fd; /* -1: it has closed its side */
    pid_t pid;
    int seat;
    uint64_t ticket; /* of its questions */
    struct ip ip;
};

struct smtp_role {
    struct role *role;
    struct seats *seats;
    unsigned owner;
    VEC(struct smtp_listener) listeners;
    VEC(struct smtp_child) children;
    int queue;               /* socket to the queue process; -1: none now */
    struct job_list pending; /* arrivals that it has not been told of */
    uint64_t tickets;
};

/* A connection that was accepted. */
struct smtp_connection {
    int fd;
    int seat;
    struct ip ip;
    int port;
    unsigned connected; /* connections of all processes, this one too */
    bool tls;           /* TLS starts at once */
};

/* Serves the connection in this process, a child of the role, and ends it. up: socket to the role. */
_Noreturn void smtp_child_live(struct smtp_role *s, const struct smtp_connection *c, int up);

#endif
