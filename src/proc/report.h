/* How faults of the configuration are told: to a person in full, to scripts in Exim's words. */
#ifndef REMEX_PROC_REPORT_H
#define REMEX_PROC_REPORT_H

#include "base/diag.h"
#include "sys/log.h"

struct cli;

/* Prints every diagnostic in the long form on the standard error. */
void report_diags(const struct diags *d);

/* A configuration that cannot be used. Called as remex: everything, in the long form. Called by one of Exim's names: the
 * first error as Exim words it, on the standard error and in the panic log (which may fail in silence,
 * since nothing better is left). Returns the exit status. */
int report_bad_config(struct arena *a, const struct cli *cli, const struct diags *d,
                      const struct log_settings *log);

/* The first error, or NULL. */
const struct diag *report_first_error(const struct diags *d);

/* "in line 3 of /etc/x:\n  text" and the like, without time and newline at the end. */
struct str report_exim_text(struct arena *a, const struct diag *one);

#endif
