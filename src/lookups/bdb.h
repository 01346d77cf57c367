/* Reads Berkeley DB files (hash and btree) that other programs made. Read only, whole file in memory, no
 * library. Every offset is checked: the file may be anything. */
#ifndef REMEX_LOOKUPS_BDB_H
#define REMEX_LOOKUPS_BDB_H

#include "base/str.h"

struct arena;
struct bdb;

enum { BDB_MAX = 256 << 20 }; /* bytes of a file */

/* True if the first n bytes (64 are enough) begin such a file. */
bool bdb_recognise(const unsigned char *p, size_t n);
/* Indexes the n bytes at p, which must live as long as the result. NULL with *why (static text). */
struct bdb *bdb_open(struct arena *a, const unsigned char *p, size_t n, const char **why);
/* The data of the key, the first if there are several; copied to a when it is in pieces. VM-free: false when
 * the key is not there. */
bool bdb_find(const struct bdb *db, struct arena *a, struct str key, struct str *data);
size_t bdb_count(const struct bdb *db);

#endif
