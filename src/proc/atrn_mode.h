/* -atrn: a customer fetches its mail from a provider. */
#ifndef REMEX_PROC_ATRN_MODE_H
#define REMEX_PROC_ATRN_MODE_H

#include "proc/mode.h"

mode_fn atrn_mode_run;

#endif
