/* passwd: an entry of the system's user database, as a line of /etc/passwd with * for the password. */
#include "base/arena.h"
#include "lookups/drivers.h"
#include "lookups/quote.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

enum { ENTRY_MAX = 1 << 20 };

static int
find_user(struct arena *a, const char *name, struct passwd *pw, struct passwd **found)
{
    for (size_t n = 1024; n <= ENTRY_MAX; n *= 4) {
        int error = getpwnam_r(name, pw, arena_alloc(a, n), n, found);
        if (error != ERANGE)
            return error;
    }
    return ERANGE;
}

static enum outcome
passwd_find(struct lookup_ctx *c, void *handle, const char *file, struct str key,
            struct str *data)
{
    (void)handle, (void)file;
    struct arena *a = vm_scratch(c->vm);
    const char *name = str_cstr(a, key);
    struct passwd pw, *found = NULL;
    if (name == NULL || name[0] == '\0')
        return OUT_FAIL;
    int error = find_user(a, name, &pw, &found);
    if (found == NULL) {
        if (error != EIO && error != EMFILE && error != ENFILE && error != ERANGE &&
            error != ENOMEM)
            return OUT_FAIL;
        vm_defer(c->vm, "getpwnam(%s) failed: %s", name, strerror(error));
        return OUT_DEFER;
    }
    *data = str_printf(a, "*:%ld:%ld:%s:%s:%s", (long)found->pw_uid, (long)found->pw_gid,
                       found->pw_gecos, found->pw_dir, found->pw_shell);
    return OUT_OK;
}

const struct lookup_driver lookup_passwd = {
    .name = STR_INIT("passwd"),
    .flags = LOOKUP_QUERY | LOOKUP_TAINT_OK,
    .find = passwd_find,
    .doc = "user of this system",
};
