/* A redirection list, with the lists that it includes, becomes a result. Source: specification, sections 22.4 to 22.6. */
#include "routers/redirect.h"

#include "conf/eval.h"
#include "conf/main_options.h"
#include "mail/address.h"
#include "mail/redirect_list.h"
#include "sys/checked_file.h"

#include <errno.h>

enum { INCLUDE_DEPTH_MAX = 20, INCLUDE_FILES_MAX = 10000 };

/* Where the reading of one redirection is. */
struct walk {
    const struct redirection *r;
    struct redirect_result *out;
    unsigned depth, files;
    unsigned flags; /* of addresses */
};

/* False ends the list. */
static bool __attribute__((format(printf, 2, 3))) bad(struct walk *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(w->r->arena, fmt, ap);
    va_end(ap);
    w->out->end = REDIRECT_END_BAD;
    w->out->text = text;
    w->out->children.n = 0;
    return false;
}

static bool
add(struct walk *w, enum address_item item, struct str text, bool own_domain)
{
    struct redirect_child c = {
        .item = item, .text = text, .own_domain = own_domain, .mode = -1};
    if (w->out->children.n == REDIRECT_CHILDREN_MAX)
        return bad(w, "too many new addresses");
    vec_push(w->r->arena, &w->out->children, c);
    return true;
}

static bool
add_file(struct walk *w, struct str path)
{
    bool folder = path.p[path.n - 1] == '/';
    return add(w, folder ? ADDRESS_ITEM_DIRECTORY : ADDRESS_ITEM_FILE, path, false);
}

/* A syntax error: passed over if the options say so. */
static bool
fault(struct walk *w, const struct redirect_item *item)
{
    struct redirect_fault f = {.text = item->text, .given = item->given};
    if (w->r->o->skip_syntax_errors) {
        if (w->out->faults.n < REDIRECT_FAULTS_MAX)
            vec_push(w->r->arena, &w->out->faults, f);
        return true;
    }
    return bad(w, "%.*s in \"%.*s\"", STR_ARG(f.text), STR_ARG(f.given));
}

/* :blackhole:, :defer: and :fail: are about the whole redirection. */
static bool
end(struct walk *w, enum redirect_end how, bool permitted, const struct redirect_item *item)
{
    struct str shown = how == REDIRECT_END_BLACKHOLE ? STR_LIT(":blackhole:") : item->given;
    if (!permitted)
        return bad(w, "\"%.*s\" is not permitted", STR_ARG(shown));
    w->out->end = how;
    w->out->text = item->text;
    w->out->children.n = 0;
    return false;
}

/* --- :include: --- */

static bool
include_fault(struct walk *w, enum checked_file_end e, struct str path)
{
    struct arena *a = w->r->arena;
    struct str reason = redirect_errno_text(a, errno);
    switch (e) {
    case CHECKED_FILE_OK:
        return true;
    case CHECKED_FILE_NO_OPEN:
        return bad(w, "failed to open included file %.*s: %.*s", STR_ARG(path),
                   STR_ARG(reason));
    case CHECKED_FILE_NO_READ:
        return bad(w, "error while reading included file %.*s: %.*s", STR_ARG(path),
                   STR_ARG(reason));
    case CHECKED_FILE_TOO_BIG:
        return bad(w, "included file %.*s is too big (max %d)", STR_ARG(path),
                   (int)REDIRECT_FILE_MAX);
    case CHECKED_FILE_CHANGED:
        return bad(w, "included file %.*s changes while it is read", STR_ARG(path));
    case CHECKED_FILE_NOT_REGULAR:
    case CHECKED_FILE_BAD_MODE:
    case CHECKED_FILE_BAD_OWNER:
    case CHECKED_FILE_BAD_GROUP:
        break;
    }
    return bad(w, "included file %.*s is not a regular file", STR_ARG(path));
}

/* "/a/b" lies in "/a" and in "/a/". */
static bool
lies_in(struct str path, struct str folder)
{
    while (folder.n > 0 && folder.p[folder.n - 1] == '/')
        folder.n--;
    return path.n > folder.n && str_eq(str_sub(path, 0, folder.n), folder) &&
           path.p[folder.n] == '/';
}

static bool
may_include(struct walk *w, struct str path)
{
    const struct router_redirect *o = w->r->o;
    if (o->forbid_include)
        return bad(w, "included files not permitted");
    if (path.n == 0 || path.p[0] != '/')
        return bad(w, "included file \"%.*s\" is not an absolute path", STR_ARG(path));
    if (str_is_tainted(path))
        return bad(w, "Tainted name '%.*s' for included file not permitted", STR_ARG(path));
    if (str_is_set(o->include_directory) && !lies_in(path, o->include_directory)) {
        return bad(w, "included file %.*s is not in directory %.*s", STR_ARG(path),
                   STR_ARG(o->include_directory));
    }
    if (w->depth == INCLUDE_DEPTH_MAX || ++w->files > INCLUDE_FILES_MAX)
        return bad(w, "included file %.*s: too many files include each other", STR_ARG(path));
    return true;
}

static bool read_list(struct walk *w, struct str text);

static bool
include(struct walk *w, struct str path)
{
    struct str text;
    if (!may_include(w, path))
        return false;
    const char *z = str_cstr(w->r->arena, path);
    if (z == NULL)
        return bad(w, "included file \"%.*s\" has a NUL in its name", STR_ARG(path));
    struct str beneath = w->r->o->include_directory;
    struct checked_file_rules rules = {
        .max = REDIRECT_FILE_MAX,
        .beneath = str_is_set(beneath) ? str_cstr(w->r->arena, beneath) : NULL,
    };
    if (!include_fault(w, checked_file_read(w->r->arena, z, &rules, &text, NULL), path))
        return false;
    text =
        str_untaint_by_rule(text, "a list belongs to who names it in a configuration or list");
    w->depth++;
    bool more = read_list(w, text);
    w->depth--;
    return more;
}

/* --- items --- */

static bool
take(struct walk *w, const struct redirect_item *item)
{
    const struct router_redirect *o = w->r->o;
    switch (item->kind) {
    case REDIRECT_ADDRESS:
        return add(w, ADDRESS_ITEM_MAIL, item->text, false);
    case REDIRECT_LOCAL:
        return add(w, ADDRESS_ITEM_MAIL, item->text, true);
    case REDIRECT_FILE:
        return add_file(w, item->text);
    case REDIRECT_PIPE:
        return add(w, ADDRESS_ITEM_PIPE, item->text, false);
    case REDIRECT_INCLUDE:
        return include(w, item->text);
    case REDIRECT_BLACKHOLE:
        return end(w, REDIRECT_END_BLACKHOLE, !o->forbid_blackhole, item);
    case REDIRECT_DEFER:
        return end(w, REDIRECT_END_DEFER, o->allow_defer, item);
    case REDIRECT_FAIL:
        return end(w, REDIRECT_END_FAIL, o->allow_fail, item);
    case REDIRECT_UNKNOWN:
    case REDIRECT_EMPTY:
        return true;
    case REDIRECT_BAD:
        break;
    }
    return fault(w, item);
}

/* False: the whole redirection ends here. Nested as deep as INCLUDE_DEPTH_MAX says. */
static bool
read_list(struct walk *w, struct str text)
{
    struct redirect_list l = redirect_list_start(text, w->flags);
    struct redirect_item item;
    while (redirect_list_next(&l, w->r->arena, &item)) {
        if (!take(w, &item))
            return false;
    }
    return true;
}

static unsigned
address_flags(const struct conf_main *m)
{
    return (m->allow_domain_literals ? ADDRESS_LITERAL : 0u) |
           (m->allow_utf8_domains ? ADDRESS_UTF8_DOMAIN : 0u) |
           (m->strip_excess_angle_brackets ? ADDRESS_STRIP_ANGLES : 0u) |
           (m->strip_trailing_dot ? ADDRESS_STRIP_DOT : 0u);
}

void
redirect_items(const struct redirection *r, struct redirect_result *out)
{
    struct walk w = {.r = r, .out = out, .flags = address_flags(r->call->eval->conf->main)};
    if (read_list(&w, r->text))
        out->end = out->children.n > 0 ? REDIRECT_END_ITEMS : REDIRECT_END_NONE;
}
