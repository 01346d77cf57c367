/* Lookups: the drivers, the type syntax (partial-, *, *@, options), handles and result caches.
 *
 * A driver is one .c file and one line in lookups.def. Handles stay open in struct lookup_cache (at most
 * lookup_open_max); a file that changed is opened again. Results are cached per handle.
 */
#ifndef REMEX_LOOKUPS_LOOKUP_H
#define REMEX_LOOKUPS_LOOKUP_H

#include "base/outcome.h"
#include "conf/eval.h"
#include "filter/host.h"

enum {
    LOOKUP_QUERY = 1u << 0,    /* query style */
    LOOKUP_ABS_FILE = 1u << 1, /* file name must be absolute */
    LOOKUP_FILE_QUERY = 1u << 2, /* query style, with a file (sqlite) */
    LOOKUP_DIR = 1u << 3,      /* "file" is a directory (dsearch) */
    LOOKUP_TAINT_OK = 1u << 4, /* an unquoted tainted query is allowed */
};

struct lookup_ctx {
    struct eval *eval;
    struct vm *vm;       /* for errors (vm_fail, vm_defer), captures, scratch */
    struct str options;  /* text after the first comma of the type, or empty */
};

/* What a driver answers: OUT_OK found (*data), OUT_FAIL not found, OUT_DEFER (vm_defer was called). */
struct lookup_driver {
    struct str name;
    unsigned flags;
    /* Opens file; returns the handle or NULL after vm_defer(…). NULL for types with nothing to open. */
    void *(*open)(struct lookup_ctx *c, const char *file);
    /* VM_OK the file still is what the handle was opened on. NULL: compare inode, size, mtime. */
    bool (*check)(struct lookup_ctx *c, void *handle, const char *file);
    enum outcome (*find)(struct lookup_ctx *c, void *handle, const char *file, struct str key,
                         struct str *data);
    void (*close)(void *handle);
    /* ${quote_NAME:}; NULL: no quoting known. VM_OK / VM_ERROR. */
    enum vm_status (*quote)(struct vm *vm, struct str in, struct str opt, struct str *out);
    const char *doc;
};

/* A type as written, taken apart. */
struct lookup_type {
    const struct lookup_driver *driver;
    int partial;         /* minimum components, -1: not partial */
    struct str affix;    /* "*." by default */
    bool star, star_at;  /* type* and type*@ */
    struct str options;
    uint32_t quoter;     /* number for STR_QUOTED marks */
};

struct lookup_cache *lookup_cache_new(struct arena *a);
/* VM_OK, or VM_ERROR with Exim's text. */
enum vm_status lookup_type_parse(struct vm *vm, struct str text, struct lookup_type *out);
/* Runs it: partial and default keys, caches. OUT_OK (*data), OUT_FAIL, OUT_DEFER, OUT_ERROR. */
enum outcome lookup_find(struct eval *e, struct vm *vm, const struct lookup_type *t,
                         struct str file, struct str key_or_query, struct str *data);

/* Host functions. */
enum vm_status lookup_host_type(void *env, struct vm *vm, struct str type,
                                struct host_lookup_type *out);
enum vm_status lookup_host_find(void *env, struct vm *vm, const struct host_lookup *q,
                                struct str *out);
enum vm_status lookup_host_quote(void *env, struct vm *vm, struct str type, struct str in,
                                 struct str opt, struct str *out);

#endif
