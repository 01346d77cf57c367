/* What main.c hands to the function of a mode: everything that was found out at start. */
#ifndef REMEX_PROC_MODE_H
#define REMEX_PROC_MODE_H

#include "base/diag.h"
#include "proc/cli.h"
#include "sys/priv.h"
#include "sys/service_notify.h"
#include "sys/site.h"

struct bundle; /* proc/bundle.h */
struct conf;
struct vm;
struct eval;

struct mode {
    struct arena *arena; /* of the configuration */
    int argc;
    char **argv;
    const struct cli *cli;
    const struct site *site;
    const struct bundle *bundle; /* a process of the daemon: what the master read; else NULL */
    struct service service;
    struct priv_caller caller; /* as it was before privilege was given up */
    struct diags *diags;       /* of the configuration: warnings, when it was read */
    const struct conf *conf;   /* NULL for modes that need none */
    struct vm *vm;             /* NULL with conf */
    struct eval *eval;
    bool admin;
    bool trusted;
};

/* Returns the exit status. */
typedef int mode_fn(struct mode *m);

#endif
