/* The text of a configuration as -bP config prints it: kept while it is read, and printed. */
#ifndef REMEX_CONF_KEEP_H
#define REMEX_CONF_KEEP_H

#include "conf/conf.h"

/* A logical line. */
void keep_line(struct conf *c, struct str line);
/* `# line "file"`: from here on lines come from there. */
void keep_mark(struct conf *c, struct str file, uint32_t line);

#endif
