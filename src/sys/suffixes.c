/* Public suffixes; see suffixes.h. The lock covers everything, a question takes about a microsecond. */
#include "sys/suffixes.h"

#include "base/arena.h"
#include "sys/plugin.h"
#include "sys/suffix_plugin.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct suffixes {
    pthread_mutex_t lock;
    const struct suffix_plugin *plugin;
    struct suffix_list *list; /* NULL: nothing was read yet */
    char *path;               /* of list */
    struct stat st;
};

struct suffixes *
suffixes_new(void)
{
    struct suffixes *s = calloc(1, sizeof *s);
    if (s != NULL)
        pthread_mutex_init(&s->lock, NULL);
    return s;
}

static void
forget(struct suffixes *s)
{
    if (s->list != NULL)
        s->plugin->unload(s->list);
    free(s->path);
    s->list = NULL;
    s->path = NULL;
}

void
suffixes_free(struct suffixes *s)
{
    if (s == NULL)
        return;
    forget(s);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* --- the lock is held --- */

static bool
is_current(const struct suffixes *s, const char *path, const struct stat *st)
{
    return s->list != NULL && strcmp(s->path, path) == 0 && s->st.st_dev == st->st_dev &&
           s->st.st_ino == st->st_ino && s->st.st_size == st->st_size &&
           s->st.st_mtim.tv_sec == st->st_mtim.tv_sec &&
           s->st.st_mtim.tv_nsec == st->st_mtim.tv_nsec;
}

static bool
load_plugin(struct suffixes *s, struct arena *a, struct str plugins, struct str *why)
{
    if (s->plugin != NULL)
        return true;
    const struct plugin *p = plugin_load(a, plugins, "suffixes", PLUGIN_KIND_OTHER, why);
    if (p != NULL)
        s->plugin = p->objects[0];
    return p != NULL;
}

static bool
read_list(struct suffixes *s, struct arena *a, const char *path, struct str *why)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        *why = str_printf(a, "%s: %s", path, strerror(errno));
        return false;
    }
    if (is_current(s, path, &st))
        return true;
    struct suffix_list *list = s->plugin->load(path);
    char *copy = strdup(path);
    if (list == NULL || copy == NULL) {
        *why = str_printf(a, "%s: cannot be read as a list of public suffixes", path);
        if (list != NULL)
            s->plugin->unload(list);
        free(copy);
        return false;
    }
    forget(s);
    s->list = list;
    s->path = copy;
    s->st = st;
    return true;
}

bool
suffixes_organisation(struct suffixes *s, struct arena *a, struct str plugins, struct str file,
                      struct str domain, struct str *out, struct str *why)
{
    const char *path = str_cstr(a, file);
    const char *name = str_cstr(a, str_lower(a, domain));
    if (s == NULL || path == NULL || name == NULL) {
        *why = STR_LIT("no memory, or a name with a NUL byte");
        return false;
    }
    pthread_mutex_lock(&s->lock);
    bool ok = load_plugin(s, a, plugins, why) && read_list(s, a, path, why);
    if (ok) {
        const char *found = s->plugin->registered(s->list, name);
        *out = str_from_cstr(found != NULL ? found : name);
        out->taint = domain.taint;
    }
    pthread_mutex_unlock(&s->lock);
    return ok;
}
