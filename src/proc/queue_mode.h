/* The modes that work on the queue: -bp…, -M…, -q…, -R, -S. */
#ifndef REMEX_PROC_QUEUE_MODE_H
#define REMEX_PROC_QUEUE_MODE_H

#include "proc/mode.h"

mode_fn queue_mode_list;
mode_fn queue_mode_message;
mode_fn queue_mode_run;
/* -z TEXT: a line for the main log. */
mode_fn queue_mode_log;

#endif
