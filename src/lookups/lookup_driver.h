/* What a lookup driver is: a const object, one per driver file or plugin. */
#ifndef REMEX_LOOKUPS_LOOKUP_DRIVER_H
#define REMEX_LOOKUPS_LOOKUP_DRIVER_H

#include "base/outcome.h"
#include "base/plugin_export.h"
#include "base/str.h"
#include "filter/vm.h"

struct eval;

enum {
    LOOKUP_QUERY = 1u << 0,        /* query style */
    LOOKUP_ABS_FILE = 1u << 1,     /* file name must be absolute */
    LOOKUP_FILE_QUERY = 1u << 2,   /* query style, with a file (sqlite) */
    LOOKUP_DIR = 1u << 3,          /* "file" is a directory (dsearch) */
    LOOKUP_TAINT_OK = 1u << 4,     /* an unquoted tainted query is allowed */
    LOOKUP_NO_RESULTS = 1u << 5,   /* finds again as fast as a result cache would */
    LOOKUP_TAINTED_DATA = 1u << 6, /* what is found comes from strangers (dnsdb) */
};

/* One lookup as the driver sees it. */
struct lookup_ctx {
    struct eval *eval;
    struct vm *vm;      /* for errors (vm_fail, vm_defer), captures, scratch */
    struct str options; /* text after the first comma of the type, or empty */
    int lock_wait_ms;   /* how long a driver may wait for a database that is locked */
    bool no_cache;      /* the driver sets it: this result must not be kept */
};

PLUGIN_API_BEGIN

/* The value of `name=` among the options (comma separated), or STR_NULL. */
struct str lookup_option(struct str options, const char *name);
/* What $ldap_dn shows from now on; copied. */
void lookup_show_ldap_dn(struct lookup_ctx *c, struct str dn);

PLUGIN_API_END

/* What a driver answers: OUT_OK found (*data), OUT_FAIL not found, OUT_DEFER (vm_defer was called). data
 * may point into the handle: the engine copies it before anything else happens to the handle. */
struct lookup_driver {
    struct str name;
    unsigned flags;
    /* Opens file; returns the handle or NULL after vm_fail(…). NULL for types with nothing to open. */
    void *(*open)(struct lookup_ctx *c, const char *file);
    /* True: the file still is what the handle was opened on. NULL: compare inode, size and times. */
    bool (*check)(struct lookup_ctx *c, void *handle, const char *file);
    enum outcome (*find)(struct lookup_ctx *c, void *handle, const char *file, struct str key,
                         struct str *data);
    void (*close)(void *handle);
    /* ${quote_NAME:}; NULL: single-key style or no quoting known. VM_OK, or
     * VM_NO when opt is not known. The engine sets the mark of the result. Of a driver in a plugin it is in the
     * table, so that quoting needs no plugin. */
    enum vm_status (*quote)(struct vm *vm, struct str in, struct str opt, struct str *out);
    const char *plugin; /* the plugin that has the functions; NULL: built in */
    const char *doc;
};

#endif
