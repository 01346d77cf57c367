/* dsearch: a name that exists in a directory. The usual way to make a name clean.
 *
 * The directory needs to be searchable only, not readable; nothing is kept open. The entry itself is looked
 * at, never what a link points to. With key=path the key may have several components, but none that
 * leads upwards.
 */
#include "lookups/drivers.h"
#include "lookups/open_error.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { KEY_MAX = 4096 };

static void *
dsearch_open(struct lookup_ctx *c, const char *file)
{
    static const char is_open = 0;
    struct stat st;
    int error = stat(file, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
    if (error != 0) {
        open_error(c->vm, file, "for directory search", error);
        return NULL;
    }
    if (file[0] != '/') {
        vm_fail(c->vm, "dirname '%s' for dsearch is not absolute", file);
        return NULL;
    }
    union {
        const char *in;
        void *out;
    } handle = {.in = &is_open};
    return handle.out;
}

/* Results stay until the caches are flushed: the directory's times say too little about an entry. */
static bool
dsearch_check(struct lookup_ctx *c, void *handle, const char *file)
{
    (void)c, (void)handle, (void)file;
    return true;
}

/* A path of several components without ".." and not absolute. */
static bool
path_ok(struct str key)
{
    for (size_t from = 0; from <= key.n;) {
        size_t slash = str_chr(key, '/', from);
        size_t end = slash == STR_NPOS ? key.n : slash;
        if ((end == from && from == 0) || str_eqz(str_sub(key, from, end - from), ".."))
            return false;
        from = end + 1;
    }
    return true;
}

static bool
type_ok(struct str filter, struct str key, mode_t mode)
{
    if (str_eqz(filter, "file"))
        return S_ISREG(mode);
    if (str_eqz(filter, "dir"))
        return S_ISDIR(mode);
    if (str_eqz(filter, "subdir"))
        return S_ISDIR(mode) && !str_eqz(key, ".") && !str_eqz(key, "..");
    return true;
}

static enum outcome
dsearch_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
             struct str *data)
{
    (void)handle;
    struct stat st;
    bool slash = str_chr(key, '/', 0) != STR_NPOS;
    if (slash && !str_eqz(lookup_option(c->options, "key"), "path")) {
        vm_defer(c->vm, "key for dsearch lookup contains a slash: %.*s", STR_ARG(key));
        return OUT_DEFER;
    }
    if (key.n > KEY_MAX || str_has_nul(key) || (slash && !path_ok(key)))
        return OUT_FAIL;
    struct str full = str_printf(vm_scratch(c->vm), "%s/%.*s", file, STR_ARG(key));
    if (lstat(full.p, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return OUT_FAIL;
        int error = errno;
        vm_defer(c->vm, "%.*s: lstat: %s", STR_ARG(full), strerror(error));
        return OUT_DEFER;
    }
    if (!type_ok(lookup_option(c->options, "filter"), key, st.st_mode))
        return OUT_FAIL;
    *data = str_eqz(lookup_option(c->options, "ret"), "full") ? full : key;
    return OUT_OK;
}

const struct lookup_driver lookup_dsearch = {
    .name = STR_INIT("dsearch"),
    .flags = LOOKUP_DIR,
    .open = dsearch_open,
    .check = dsearch_check,
    .find = dsearch_find,
    .doc = "entry of a directory",
};
