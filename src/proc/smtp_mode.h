/* SMTP on the standard input: -bs, -bS, and the test of a session, -bh. */
#ifndef REMEX_PROC_SMTP_MODE_H
#define REMEX_PROC_SMTP_MODE_H

#include "proc/mode.h"

mode_fn smtp_mode_interactive, smtp_mode_batch, smtp_mode_test;

#endif
