/* -bV: version, features and drivers, in Exim's form. */
#ifndef REMEX_PROC_VERSION_H
#define REMEX_PROC_VERSION_H

#include "proc/mode.h"

#define VERSION_REMEX "0.1"
#define VERSION_EXIM "4.99"

/* Prints, warns of what the configuration sets without effect, and checks every string that is expanded. */
int version_run(struct mode *m);

#endif
