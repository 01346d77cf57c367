/* Finds, trusts and reads the configuration for a process of the command line. */
#ifndef REMEX_PROC_CONFIG_H
#define REMEX_PROC_CONFIG_H

#include "proc/mode.h"

struct wiring;

/* True if what -C and -D name may keep privilege: nothing is named, the caller is root, or the caller is the mail user or
 * the configuration's owner and the site file trusts every file and macro. */
bool config_is_trusted(struct mode *m);

/* Reads it and completes m (conf, vm, eval, admin, trusted). False: it was reported, the exit status is 1. */
bool config_load(struct mode *m);

/* Sets admin and trusted by who m->caller is. */
void config_find_rank(struct mode *m);

/* Rebuilds the environment as keep_environment and add_environment say. True if something was taken away
 * although keep_environment is not set, which is worth a warning. */
bool config_clean_environment(struct mode *m);

#endif
