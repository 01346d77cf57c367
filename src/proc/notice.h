/* Lines for the logs from a process of the command line. */
#ifndef REMEX_PROC_NOTICE_H
#define REMEX_PROC_NOTICE_H

#include "base/str.h"
#include "sys/log.h"

struct conf;
struct site;

/* What the configuration (NULL: none yet) and the site say about logs. Names are looked up only when this
 * process could write as somebody else. */
struct log_settings notice_settings(struct arena *a, const struct conf *conf,
                                    const struct site *site);

/* A line for the main log: tests show it on the standard error instead. */
void notice_main(struct str text);
/* A line for the panic log; when that cannot be written, for the standard error. */
void notice_panic(struct arena *a, const struct conf *conf, struct str text);

#endif
