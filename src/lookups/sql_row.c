/* Columns of rows; see sql_row.h. */
#include "lookups/sql_row.h"

static bool
needs_quotes(struct str v)
{
    if (v.n == 0 || v.p[0] == '"')
        return true;
    for (uint32_t i = 0; i < v.n; i++)
        if (ascii_space(v.p[i]))
            return true;
    return false;
}

void
sql_row_add(struct buf *b, struct str name, struct str value)
{
    buf_adds(b, name);
    buf_addc(b, '=');
    if (!needs_quotes(value)) {
        buf_adds(b, value);
        buf_addc(b, ' ');
        return;
    }
    buf_addc(b, '"');
    for (uint32_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            buf_addc(b, '\\');
        buf_addc(b, value.p[i]);
    }
    buf_addz(b, "\" ");
}
