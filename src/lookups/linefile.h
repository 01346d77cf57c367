/* Text files of the lsearch family: an entry a line, a key, an optional colon, data that goes on in lines
 * which begin with white space.
 *
 * The file is read into memory as a whole: a mapping would crash when somebody cuts the file short.
 * Source: specification, section "Single-key lookup types", lsearch.
 */
#ifndef REMEX_LOOKUPS_LINEFILE_H
#define REMEX_LOOKUPS_LINEFILE_H

#include "lookups/lookup_driver.h"

struct arena;

enum { LINEFILE_MAX = 512 << 20 }; /* bytes; a longer file is refused */

struct linefile {
    const char *p;
    size_t n;
};

/* One entry: where it is and its key. */
struct line_entry {
    uint32_t at;    /* of the first byte of the line */
    uint32_t rest;  /* offset of what follows the key */
    uint32_t end;   /* end of the first line, trailing white space cut off */
    uint32_t next;  /* offset of the next line */
    bool quoted;    /* key is escaped text between quotes, see linefile_key */
    struct str key; /* bytes in the file, without the quotes */
};

/* Reads file (NUL-terminated path), which must be regular. False after vm_fail with Exim's text, which
 * speaks of lsearch for every type. Freed by linefile_free. */
bool linefile_load(struct lookup_ctx *c, const char *file, struct linefile *out);
void linefile_free(struct linefile *f);

/* The next entry at or after *at (start with 0), and *at moved past its first line. False at the end. */
bool linefile_next(const struct linefile *f, size_t *at, struct line_entry *e);
/* The key with quoting resolved; unquoted keys are spans of the file. */
struct str linefile_key(struct arena *a, const struct line_entry *e);
/* The data: continuation lines joined by one space each, comments and empty lines left out. A span of the
 * file when there is one line only. full: the whole entry with the key (unquoted) instead. */
struct str linefile_data(struct arena *a, const struct linefile *f, const struct line_entry *e,
                         bool full);

#endif
