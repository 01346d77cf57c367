/* Reads single-file LMDB databases, without locks: for files that are replaced by renaming, and for
 * live ones in transactions of microseconds. The file's length is compared with what its header claims before
 * anything is read from the mapping. */
#ifndef REMEX_LOOKUPS_LMDB_FILE_H
#define REMEX_LOOKUPS_LMDB_FILE_H

#include "base/outcome.h"
#include "base/str.h"

struct arena;
struct lmdb_file;

/* True if the first n bytes (32 are enough) begin such a file. */
bool lmdb_file_recognise(const unsigned char *p, size_t n);
/* NULL with *why (static text). */
struct lmdb_file *lmdb_file_open(const char *path, const char **why);
/* OUT_OK with *data copied to a, OUT_FAIL, or OUT_DEFER with *why. */
enum outcome lmdb_file_find(struct lmdb_file *f, struct arena *a, struct str key,
                            struct str *data, const char **why);
void lmdb_file_close(struct lmdb_file *f);

#endif
