/* The hints store: what is good to know and may be lost. One LMDB environment under the spool, one table a kind.
 *
 * A record is a header (type, version, length) and bytes that the caller defines; a record that does not fit its header,
 * or is of another type or version, is as good as none. A kind whose mark has been removed (hints_mark.h) has lost its records: that is looked
 * at before they are used. Opening, locking and syncing are in here; no caller waits for the disk. An
 * environment belongs to one process; after a fork the child opens its own. Threads may share it.
 */
#ifndef REMEX_SYS_HINTS_H
#define REMEX_SYS_HINTS_H

#include "base/str.h"

#include <stdint.h>

enum hints_kind {
    HINTS_RETRY,
    HINTS_WAIT,
    HINTS_CALLOUT,
    HINTS_RATELIMIT,
    HINTS_SEEN,
    HINTS_TLS,
    HINTS_ONCE,
    HINTS_MISC,
    HINTS_KINDS,
};

enum {
    HINTS_KEY_MAX = 480,    /* longer keys are kept under their hash */
    HINTS_VALUE_MAX = 65536 /* bytes of a record */
};

struct hints;

/* The store in directory (made if need be; <spool>/db). Never NULL; one that cannot be opened has nothing and keeps nothing, and
 * *error says why (STR_NULL: all is well). Closed with the arena. */
struct hints *hints_open(struct arena *a, const char *directory, struct str *error);

/* The same of a store that is there, to look at alone, also for who may not write to it: then what is read may be wrong if somebody writes
 * meanwhile, so this is for tools. */
struct hints *hints_open_to_read(struct arena *a, const char *directory, struct str *error);

/* "retry", as the tools call it. */
const char *hints_kind_name(enum hints_kind k);

/* Copies the bytes of the record into a. False: there is none of that version. */
bool hints_get(struct hints *h, struct arena *a, enum hints_kind k, struct str key,
               uint16_t version, struct str *value);
/* Writes or replaces. False: not written (the reason is in hints_error). */
bool hints_put(struct hints *h, enum hints_kind k, struct str key, uint16_t version,
               struct str value);
/* Adds records without bytes in one transaction; those that are there already stay. Nothing is written if all of them are. */
bool hints_add(struct hints *h, enum hints_kind k, const struct str *keys, size_t n,
               uint16_t version);
bool hints_delete(struct hints *h, enum hints_kind k, struct str key);

/* Reads, lets fn change, and writes in one transaction, so that two processes cannot count the same thing. old is STR_NULL when there
 * is none. fn returns false to leave the record as it is; *value (in a) is what is written, STR_NULL removes the record. fn must not
 * use the store. */
bool hints_update(struct hints *h, struct arena *a, enum hints_kind k, struct str key,
                  uint16_t version, bool (*fn)(void *ctx, struct str old, struct str *value),
                  void *ctx);

/* Calls fn for every record in order of keys until it returns false; the texts are only good during the call. */
void hints_each(struct hints *h, enum hints_kind k,
                bool (*fn)(void *ctx, struct str key, uint16_t version, struct str value),
                void *ctx);

/* The first key, in order, that begins with prefix and is not before `from`; a copy in a. STR_NULL: there is none. Not for keys longer
 * than HINTS_KEY_MAX. */
struct str hints_first(struct hints *h, struct arena *a, enum hints_kind k, struct str prefix,
                       struct str from);

/* This process is going to read a lot, one record after the other: it keeps one of the places of readers, of which the store has 126 for all
 * processes. Of the process alone, not of its children. */
void hints_reads_often(struct hints *h);

struct str hints_error(const struct hints *h);

#endif
