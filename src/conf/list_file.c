/* Files as list items: every line an item.
 *
 * The file is looked at each time the list is processed, as documented, but it is read again only when it has
 * changed. A file that changed within the last moments could change again without a new time, so its content
 * is not kept. A name that a stranger could have chosen is refused.
 */
#include "conf/list_state.h"

#include "base/map.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SETTLED_NS = 1000000000 }; /* one second: the coarsest stamp of common file systems */

static int64_t
ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static enum step
cannot_open(struct list_run *r, struct str path, int error)
{
    struct arena *a = vm_scratch(r->vm);
    struct str what = r->q->what;
    if (!str_is_set(what))
        what = str_printf(a, "\"%.*s\"", STR_ARG(r->q->list));
    struct str who = STR_EMPTY;
    if (error == EACCES)
        who = str_printf(a, " (euid=%ld egid=%ld)", (long)geteuid(), (long)getegid());
    (void)vm_fail(r->vm, "failed to open %.*s when checking %.*s: %s%.*s", STR_ARG(path),
                  STR_ARG(what), strerror(error), STR_ARG(who));
    list_log(r, true, "%.*s", STR_ARG(vm_error(r->vm)));
    return STEP_ERROR;
}

static bool
is_current(const struct list_file *f, const struct stat *st)
{
    return f->dev == (uint64_t)st->st_dev && f->inode == (uint64_t)st->st_ino &&
           f->size == (uint64_t)st->st_size && f->mtime_ns == ns_of(st->st_mtim) &&
           f->read_ns - f->mtime_ns > SETTLED_NS;
}

/* The content, compiled in a. A directory is an empty file, as in the reference. */
static enum step
compile_fd(struct list_run *r, struct arena *a, int fd, struct str path, enum list_kind kind,
           const struct list **out)
{
    struct str text = STR_EMPTY;
    switch (file_read_fd(a, fd, LIST_FILE_MAX, &text)) {
    case FILE_OK:
        break;
    case FILE_TOO_BIG:
        return cannot_open(r, path, EFBIG);
    case FILE_NO_OPEN:
    case FILE_NO_READ:
        if (errno != EISDIR)
            return cannot_open(r, path, errno);
        text = STR_EMPTY;
        break;
    }
    text = str_untaint_by_rule(text, "file named by the configuration");
    *out = list_compile_lines(a, kind, text);
    return STEP_YES;
}

static void
keep_file(struct list_cache *c, enum list_kind kind, struct str path, struct list_file *old,
          const struct list_file *f)
{
    if (old == NULL) {
        if (c->files[kind] == NULL)
            c->files[kind] = map_new(c->arena, MAP_CASEFUL);
        old = ARENA_NEW(c->arena, struct list_file);
        map_set(c->files[kind], str_dup(c->arena, path), old);
    } else {
        c->file_bytes -= arena_used(old->arena);
        arena_free(old->arena);
    }
    *old = *f;
    c->file_bytes += arena_used(f->arena);
    list_cache_grown(c);
}

static enum step
read_file(struct list_run *r, int fd, const struct stat *st, struct str path,
          enum list_kind kind, const struct list **out)
{
    struct list_cache *c = r->cache;
    if (c == NULL || c->file_bytes + (uint64_t)st->st_size > LIST_CACHE_MAX)
        return compile_fd(r, vm_scratch(r->vm), fd, path, kind, out);
    struct list_file *old = c->files[kind] == NULL ? NULL : map_get(c->files[kind], path);
    if (old != NULL && is_current(old, st)) {
        *out = old->list;
        return STEP_YES;
    }
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    struct list_file f = {.arena = arena_new(),
                          .dev = (uint64_t)st->st_dev,
                          .inode = (uint64_t)st->st_ino,
                          .size = (uint64_t)st->st_size,
                          .mtime_ns = ns_of(st->st_mtim),
                          .read_ns = ns_of(now)};
    enum step s = compile_fd(r, f.arena, fd, path, kind, &f.list);
    if (s != STEP_YES) {
        arena_free(f.arena);
        return s;
    }
    keep_file(c, kind, path, old, &f);
    *out = f.list;
    return s;
}

static enum step
open_file(struct list_run *r, struct str path, enum list_kind kind, const struct list **out)
{
    if (str_is_tainted(path)) {
        list_log(r, true, "Tainted filename '%.*s'", STR_ARG(path));
        return cannot_open(r, path, EACCES);
    }
    const char *z = str_cstr(vm_scratch(r->vm), path);
    if (z == NULL)
        return cannot_open(r, path, ENOENT);
    int fd = open(z, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0)
        return cannot_open(r, path, errno);
    enum step s = STEP_ERROR;
    if (fstat(fd, &st) != 0)
        s = cannot_open(r, path, errno);
    else
        s = read_file(r, fd, &st, path, kind, out);
    (void)close(fd);
    return s;
}

enum verdict
list_file_walk(struct list_run *r, const struct walk *w, const struct list_item *item,
               const struct list *l, bool *ends_negated)
{
    const struct list *file = NULL;
    if (open_file(r, item->text, l->kind, &file) != STEP_YES)
        return VERDICT_ERROR;
    struct walk own = {.unknown = w->unknown, .defer = w->defer};
    enum verdict v = list_walk(r, &own, file);
    *ends_negated = file->ends_negated;
    return v;
}
