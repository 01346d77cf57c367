/* Keys that too many can read; see key_notice.h. */
#include "proc/key_notice.h"

#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/maillog.h"
#include "proc/role_jail.h"
#include "transports/key_place.h"

#include <string.h>
#include <sys/stat.h>

/* What its mode gives the mail user, who has no groups but his own; what: S_IROTH, S_IXOTH. */
static bool
gives(const struct engine *e, const char *path, mode_t what)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    unsigned shift = st.st_uid == e->mail_uid ? 6 : st.st_gid == e->mail_gid ? 3 : 0;
    return (st.st_mode >> shift & what) != 0;
}

/* The file, and all folders on the way to it. */
static bool
is_readable(const struct engine *e, char *path)
{
    bool good = gives(e, path, S_IROTH);
    for (char *slash = strchr(path + 1, '/'); good && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        good = gives(e, path, S_IXOTH);
        *slash = '/';
    }
    return good;
}

static bool
is_before(const struct key_places *p, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (p->v.v[k].always && str_eq(p->v.v[k].path, p->v.v[i].path))
            return true;
    return false;
}

void
key_notice_log(struct engine *e)
{
    struct arena *a = arena_new();
    struct key_places places;
    struct str first = STR_NULL;
    size_t n = 0;
    if (e->can_become && !e->conf->main->deliver_drop_privilege)
        key_places_find(a, e->conf, &places);
    else
        places = (struct key_places){.v = {NULL, 0, 0}};
    for (size_t i = 0; i < places.v.n; i++) {
        char *path = str_cstr(a, places.v.v[i].path);
        if (!places.v.v[i].always || is_before(&places, i) || !role_jail_is_open(path) ||
            !is_readable(e, path))
            continue;
        first = n++ == 0 ? places.v.v[i].path : first;
    }
    struct str more = n > 1 ? str_printf(a, " (and %zu more)", n - 1) : STR_EMPTY;
    if (n > 0)
        maillog(e, MAILLOG_MAIN, STR_NULL,
                "Warning: the private key %.*s%.*s can be read by the mail user, and so by "
                "processes that talk to strangers: root:root and mode 0600 are enough",
                STR_ARG(first), STR_ARG(more));
    arena_free(a);
}
