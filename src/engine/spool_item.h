/* The rows of the hyphen items in a -H file: name, kind and place, in the order in which Exim writes them.
 * Reader and writer are driven by the same rows. */
#ifndef REMEX_ENGINE_SPOOL_ITEM_H
#define REMEX_ENGINE_SPOOL_ITEM_H

#include "base/str.h"

struct spool_header;

enum spool_item_kind {
    SPOOL_ITEM_FLAG,     /* bool */
    SPOOL_ITEM_TEXT,     /* struct str */
    SPOOL_ITEM_NUMBER,   /* int64_t, not negative */
    SPOOL_ITEM_FRACTION, /* int64_t, ".123456" */
    SPOOL_ITEM_STAMP,    /* int64_t, "1795414141.123456" */
    SPOOL_ITEM_HOST,     /* struct spool_host, "[address]:port" */
    SPOOL_ITEM_ACL,      /* where the writer puts the ACL variables */
};

struct spool_item {
    const char *name;
    size_t name_n;
    enum spool_item_kind kind;
    size_t offset;
};

/* NULL-terminated by name. */
extern const struct spool_item spool_items[];
/* The row of that name or NULL; the row for ACL variables has no name that can be found. */
const struct spool_item *spool_item_find(struct str name);

/* The name of the lookup whose quoting a STR_QUOTED mark stands for; the reverse gives the mark, plain
 * STR_TAINTED for a name that is not known. */
struct str spool_item_quoter_name(uint32_t taint);
uint32_t spool_item_quoter_mark(struct str name);

/* The item of a message that nobody has tried to deliver, as it stands in the file, and the same when somebody has: the one byte that
 * differs is written in place. Who does not know the second one leaves it alone. */
#define SPOOL_ITEM_FIRST "-deliver_firsttime"
#define SPOOL_ITEM_TRIED "-deliver_firsttim_"

#endif
