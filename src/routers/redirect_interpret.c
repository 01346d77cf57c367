/* From a file or text to the result of a redirection. Where there is a user it runs in a process that is that user; what is
 * read here is the user's, so every fault becomes a text in the result and none ends more than this one redirection.
 */
#include "routers/redirect.h"

#include "filter/filter_compile.h"
#include "sys/checked_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
redirect_say(struct redirect_result *out, struct arena *a, enum redirect_end end,
             const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(a, fmt, ap);
    va_end(ap);
    out->end = end;
    out->text = text;
    out->children.n = 0;
}

struct str
redirect_errno_text(struct arena *a, int error)
{
    if (error != EACCES)
        return str_from_cstr(strerror(error));
    return str_printf(a, "%s (euid=%ld egid=%ld)", strerror(error), (long)geteuid(),
                      (long)getegid());
}

/* --- the file --- */

/* There is no file; its folder must be there, or it may only not be mounted. */
static void
check_folder(const struct redirection *r, struct redirect_result *out)
{
    struct stat st;
    struct str folder = str_sub(r->file, 0, str_rchr(r->file, '/'));
    const char *z = str_cstr(r->arena, str_cat(r->arena, folder, STR_LIT("/.")));
    out->end = REDIRECT_END_ABSENT;
    if (!r->o->ignore_enotdir && stat(z, &st) != 0)
        redirect_say(out, r->arena, REDIRECT_END_TROUBLE, "failed to stat %s (%s)", z,
                     strerror(errno));
}

struct str
redirect_file_text(struct arena *a, struct str path, enum checked_file_end end, unsigned mode,
                   unsigned mask)
{
    const char *words = "is not a regular file";
    int error = errno;
    switch (end) {
    case CHECKED_FILE_NO_OPEN:
        return str_printf(a, "failed to open %.*s: %.*s", STR_ARG(path),
                          STR_ARG(redirect_errno_text(a, error)));
    case CHECKED_FILE_NO_READ:
        return str_printf(a, "error while reading %.*s: %s", STR_ARG(path), strerror(error));
    case CHECKED_FILE_BAD_MODE:
        return str_printf(a, "bad mode (0%o) for %.*s: 0%o bit(s) unexpected", mode,
                          STR_ARG(path), mode & mask);
    case CHECKED_FILE_BAD_OWNER:
        return str_printf(a, "bad owner for %.*s", STR_ARG(path));
    case CHECKED_FILE_BAD_GROUP:
        return str_printf(a, "bad group for %.*s", STR_ARG(path));
    case CHECKED_FILE_TOO_BIG:
        return str_printf(a, "%.*s is too big (max %d)", STR_ARG(path), (int)REDIRECT_FILE_MAX);
    case CHECKED_FILE_CHANGED:
        words = "changes while it is read";
        break;
    case CHECKED_FILE_OK:
    case CHECKED_FILE_NOT_REGULAR:
        break;
    }
    return str_printf(a, "%.*s %s", STR_ARG(path), words);
}

/* True if the router behaves as if there were no file. */
static bool
is_absent(const struct redirection *r, int error)
{
    return (error == ENOTDIR && r->o->ignore_enotdir) ||
           (error == EACCES && r->o->ignore_eacces);
}

static void
file_fault(const struct redirection *r, enum checked_file_end end, unsigned mode,
           struct redirect_result *out)
{
    if (end == CHECKED_FILE_NO_OPEN && errno == ENOENT) {
        check_folder(r, out);
        return;
    }
    out->end = REDIRECT_END_ABSENT;
    if (end == CHECKED_FILE_NO_OPEN && is_absent(r, errno))
        return;
    out->end = REDIRECT_END_TROUBLE;
    out->text = redirect_file_text(r->arena, r->file, end, mode, (unsigned)r->o->modemask);
}

/* The ids of a list, and one more if it is one. */
static const int64_t *
with_user(struct arena *a, const struct opt_ids *list, int64_t id, size_t *n)
{
    int64_t *v = arena_alloc(a, (list->n + 1) * sizeof *v);
    if (list->n > 0)
        memcpy(v, list->v, list->n * sizeof *v);
    *n = list->n;
    if (id >= 0)
        v[(*n)++] = id;
    return v;
}

static bool
read_file(struct redirection *r, struct redirect_result *out)
{
    const struct router_generic *g = r->call->router->generic.fields;
    const char *path = str_cstr(r->arena, r->file);
    const struct address *who = r->call->address;
    int64_t uid = g->check_local_user ? who->local_uid : -1;
    int64_t gid = g->check_local_user ? who->local_gid : -1;
    unsigned mode = 0;
    struct checked_file_rules rules = {
        .max = REDIRECT_FILE_MAX,
        .forbidden_mode = (unsigned)r->o->modemask,
        .check_owner = r->o->check_owner,
        .check_group = r->o->check_group,
    };
    rules.owners = with_user(r->arena, &r->o->owners, uid, &rules.owners_n);
    rules.groups = with_user(r->arena, &r->o->owngroups, gid, &rules.groups_n);
    errno = EINVAL;
    enum checked_file_end end =
        path == NULL ? CHECKED_FILE_NO_OPEN
                     : checked_file_read(r->arena, path, &rules, &r->text, &mode);
    if (end != CHECKED_FILE_OK) {
        file_fault(r, end, mode, out);
        return false;
    }
    r->text = str_untaint_by_rule(r->text, "the file is of a user whom the options permit");
    return true;
}

/* --- what it is --- */

static void
interpret_filter(struct redirection *r, enum filter_kind kind, struct redirect_result *out)
{
    const struct router_redirect *o = r->o;
    const char *refusal = NULL;
    out->filter = true;
    if (!o->allow_filter)
        refusal = "filtering not enabled";
    else if (kind == FILTER_KIND_EXIM && o->forbid_exim_filter)
        refusal = "Exim filtering not enabled";
    else if (kind == FILTER_KIND_SIEVE && o->forbid_sieve_filter)
        refusal = "Sieve filtering not enabled";
    else if (kind == FILTER_KIND_SIEVE)
        refusal = "Sieve filters come in a later version";
    if (refusal != NULL)
        redirect_say(out, r->arena, REDIRECT_END_BAD, "%s", refusal);
    else
        redirect_filter(r, out);
}

void
redirect_interpret(struct redirection *r, struct redirect_result *out)
{
    *out = (struct redirect_result){.end = REDIRECT_END_NONE};
    if (str_is_set(r->file) && !read_file(r, out))
        return;
    enum filter_kind kind = filter_kind(r->text);
    if (kind == FILTER_KIND_NONE)
        redirect_items(r, out);
    else
        interpret_filter(r, kind, out);
}
