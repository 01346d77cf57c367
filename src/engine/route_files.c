/* require_files: files that must exist, or must not. */
#include "engine/route_step.h"

#include "base/strlist.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* One item, expanded. */
static enum outcome
check_item(struct route_step *s, struct str item)
{
    struct stat st;
    bool absent = item.n > 0 && item.p[0] == '!';
    struct str path = absent ? str_trim_left(str_sub(item, 1, item.n)) : item;
    const char *z = str_cstr(s->r->arena, path);
    if (z == NULL || path.n == 0 || path.p[0] != '/')
        return route_say(s, OUT_DEFER, "require_files: \"%.*s\" is not a fully qualified path",
                         STR_ARG(path));
    bool there = stat(z, &st) == 0;
    if (!there && errno != ENOENT && errno != ENOTDIR)
        return route_say(s, OUT_DEFER, "require_files: error for %s: %s", z, strerror(errno));
    return there != absent ? OUT_OK : OUT_DECLINE;
}

enum outcome
route_files(struct route_step *s)
{
    struct strlist_split split = strlist_split_start(s->g->require_files.text, ':');
    struct str item, text;
    while (strlist_split_next(&split, s->r->arena, &item)) {
        enum outcome o = route_expand(s, "require_files", item, &text);
        if (o == OUT_DEFER)
            return o;
        if (o == OUT_DECLINE || text.n == 0)
            continue;
        o = check_item(s, text);
        if (o != OUT_OK)
            return o;
    }
    return OUT_OK;
}
