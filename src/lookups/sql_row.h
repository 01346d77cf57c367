/* Rows of a database as text: one column as it is, several as name="value" pairs.
 * Source: specification, section "SQL lookups". */
#ifndef REMEX_LOOKUPS_SQL_ROW_H
#define REMEX_LOOKUPS_SQL_ROW_H

#include "base/buf.h"

PLUGIN_API_BEGIN

enum { SQL_RESULT_MAX = 64 << 20 }; /* bytes of a result */

/* Appends a column of a row of several: name, equals sign, value (in quotes when it is empty, has white space or begins
 * with a quote), space. */
void sql_row_add(struct buf *b, struct str name, struct str value);

PLUGIN_API_END

#endif
