/* Logical lines of a configuration: comments, continuations, includes, conditionals, macros.
 *
 * Hands out one logical line after the other and knows nothing of what stands in them, save that a macro
 * definition keeps its name unreplaced. A line that lies whole in the file is handed out as a part of the
 * file's text, without a copy. Every fault is reported where it stands and reading goes on, except for the
 * caps (bytes, memory, depth, expansion), which end it.
 */
#ifndef REMEX_CONF_READER_H
#define REMEX_CONF_READER_H

#include "conf/conf.h"
#include "conf/macro.h"

enum {
    READER_INCLUDE_DEPTH = 100,
    READER_FILES = 10000, /* together; default of conf_request.max_files */
    READER_IF_DEPTH = 1000,
    READER_BYTES = 64 << 20, /* default of conf_request.max_bytes */
    READER_MEMORY = 8,       /* a configuration may need this many times max_bytes of memory */
};

struct reader;

/* Opens the first file of the request that exists. NULL: none; reported. c gets the texts for -bP config and the
 * sources. */
struct reader *reader_new(struct conf *c, const struct conf_request *rq,
                          struct macro_table *macros, struct diags *diags);
/* The next logical line, never empty. False at the end of everything. */
bool reader_next(struct reader *r, struct conf_line *out);
/* Ends the reading: the next reader_next returns false. */
void reader_stop(struct reader *r);

#endif
