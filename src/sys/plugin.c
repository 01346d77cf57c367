/* The plugin loader. With privilege the file and its folder are looked at through descriptors first; since
 * then only root can put another file in its place, it is loaded by its path. (Loading it through
 * /proc/self/fd would confuse the dynamic linker, which knows objects by name.) */
#include "sys/plugin.h"

#include "base/arena.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INSTALLED "/usr/lib/remex/plugins"

struct str
plugin_directory_default(struct arena *a)
{
    char self[PATH_MAX];
    struct stat st;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    if (n <= 0 || (size_t)n >= sizeof self)
        return STR_LIT(INSTALLED);
    size_t slash = str_rchr(str_from(self, (size_t)n), '/');
    if (slash == STR_NPOS)
        return STR_LIT(INSTALLED);
    struct str dir = str_printf(a, "%.*s/plugins", (int)slash, self);
    const char *z = str_cstr(a, dir);
    return z != NULL && stat(z, &st) == 0 && S_ISDIR(st.st_mode) ? dir : STR_LIT(INSTALLED);
}

static bool
name_ok(const char *name)
{
    size_t n = 0;
    for (; name[n] != '\0'; n++)
        if ((!ascii_alnum(name[n]) && name[n] != '_') || n >= 64)
            return false;
    return n > 0;
}

/* With privilege: root owns it and nobody else may write it. */
static bool
owner_ok(int fd)
{
    struct stat st;
    if (geteuid() != 0 && geteuid() == getuid())
        return true;
    return fstat(fd, &st) == 0 && st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Checks dir/name.so; the path, or NULL with *why. */
static const char *
checked_path(struct arena *a, struct str dir, const char *name, struct str *why)
{
    const char *dir_z = str_cstr(a, dir);
    if (dir_z == NULL || dir_z[0] != '/' || str_is_tainted(dir) || !name_ok(name)) {
        *why = STR_LIT("bad plugin directory or name");
        return NULL;
    }
    const char *path = str_printf(a, "%s/%s.so", dir_z, name).p;
    int dir_fd = open(dir_z, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = false;
    if (dir_fd < 0 || fd < 0)
        *why = str_printf(a, "cannot open plugin %s: %s", path, strerror(errno));
    else if (!owner_ok(dir_fd) || !owner_ok(fd))
        *why =
            str_printf(a, "plugin %s or its folder is not root's or others may write it", path);
    else
        ok = true;
    if (fd >= 0)
        close(fd);
    if (dir_fd >= 0)
        close(dir_fd);
    return ok ? path : NULL;
}

const struct plugin *
plugin_load(struct arena *a, struct str directory, const char *name, enum plugin_kind kind,
            struct str *why)
{
    struct str dir = directory.n > 0 ? directory : plugin_directory_default(a);
    const char *path = checked_path(a, dir, name, why);
    if (path == NULL)
        return NULL;
    void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (so == NULL) {
        const char *e = dlerror();
        *why =
            str_printf(a, "cannot load plugin %s: %s", name, e != NULL ? e : "unknown error");
        return NULL;
    }
    const struct plugin *p = dlsym(so, PLUGIN_SYMBOL);
    if (p != NULL && p->abi == PLUGIN_ABI && p->kind == (uint32_t)kind &&
        strcmp(p->name, name) == 0)
        /* cppcheck-suppress resourceLeak ; a plugin that is in use stays loaded */
        return p;
    *why = str_printf(a, "plugin %s was made for another version of this program", name);
    dlclose(so);
    return NULL;
}
