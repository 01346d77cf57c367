/* The jail of a role; see role_jail.h.
 *
 * Files: what belongs to the system can be read; spool and logs can be written, and so can the directories that the configuration names,
 * as far as the mail user may (they hold lookup files and databases). Homes are not among them, unless a file there is named in full, nor is
 * what transports name for deliveries to files: those are made by processes that are the user.
 * Programs can be executed only where the configuration has something that runs one: those of the system, those that it names, and
 * what lies in a directory that it names and the mail user cannot write.
 */
#include "proc/role_jail.h"

#include "base/arena.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "conf/path_scan.h"
#include "engine/maillog.h"
#include "sys/clamav_plugin.h"
#include "sys/jail.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATHS_MAX = 512 };

struct jail_plan {
    struct arena *arena;
    struct jail_path v[PATHS_MAX];
    size_t n;
    bool programs;
    bool transports; /* the line is one of that section */
};

static const char *const system_paths[] = {"/etc",  "/usr",  "/lib", "/lib64", "/bin",
                                           "/sbin", "/proc", "/sys", "/run",   "/opt"};

/* What runs a program when it is used. */
static const char *const runs_programs[] = {
    "${run",        "queryprogram",     "${perl",
    "perl_startup", "transport_filter", "smtp_etrn_command",
    "${dlfunc",     "cmdline"};

/* Options of transports that name what only a process of the user opens. */
static const char *const of_users[] = {
    "command", "current_directory", "directory", "file", "home_directory",
    "log",     "maildir_tag",       "once",      "path", "quota_directory"};

static void
add(struct jail_plan *p, const char *path, unsigned access)
{
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->v[i].path, path) == 0) {
            p->v[i].access |= access;
            return;
        }
    }
    if (p->n < PATHS_MAX)
        p->v[p->n++] = (struct jail_path){.path = path, .access = access};
}

static bool
is_beneath(const char *path, const char *top)
{
    size_t n = strlen(top);
    return strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

bool
role_jail_is_open(const char *path)
{
    for (size_t i = 0; i < sizeof system_paths / sizeof system_paths[0]; i++) {
        if (is_beneath(path, system_paths[i]))
            return true;
    }
    return false;
}

/* What can be executed there besides reading and writing. */
static void
add_program(struct jail_plan *p, const char *path, const struct stat *st)
{
    bool file = S_ISREG(st->st_mode);
    if (access(path, X_OK) == 0 && (file || access(path, W_OK) != 0))
        add(p, path, JAIL_READ | JAIL_EXECUTE);
}

/* A path that the configuration names, or its directory; whole: nothing is put behind it when it is used. */
static void
add_named(struct jail_plan *p, struct str path, bool whole)
{
    struct stat st;
    char *z = str_cstr(p->arena, path);
    if (z == NULL || role_jail_is_open(z) ||
        (!whole && (is_beneath(z, "/home") || is_beneath(z, "/root"))))
        return;
    bool there = stat(z, &st) == 0;
    if (there && whole)
        add_program(p, str_cstr(p->arena, path), &st);
    if (!there || !S_ISDIR(st.st_mode)) {
        char *slash = strrchr(z, '/');
        *slash = '\0';
    }
    size_t n = strlen(z);
    while (n > 1 && z[n - 1] == '/')
        z[--n] = '\0';
    if (n <= 1 || strcmp(z, "/home") == 0)
        return;
    add(p, z, JAIL_READ | JAIL_WRITE);
    if (!whole && stat(z, &st) == 0)
        add_program(p, z, &st);
}

/* True for `name = ...` of a transport that only a process of the user looks at. Also keeps count of the sections. */
static bool
is_for_users(struct jail_plan *p, struct str line)
{
    if (str_starts(line, "begin ")) {
        p->transports = str_ieqz(str_trim(str_sub(line, 6, line.n)), "transports");
        return false;
    }
    if (str_starts(line, "hide "))
        line = str_sub(line, 5, line.n);
    size_t end = 0;
    while (end < line.n && (ascii_alnum(line.p[end]) || line.p[end] == '_'))
        end++;
    for (size_t i = 0; p->transports && i < sizeof of_users / sizeof of_users[0]; i++)
        if (str_eqz(str_sub(line, 0, end), of_users[i]))
            return true;
    return false;
}

static void
scan_line(struct jail_plan *p, struct str line)
{
    struct path_scan s = {.text = line};
    bool users = is_for_users(p, line);
    while (!users && path_scan_next(&s))
        add_named(p, s.path, !s.begins);
    for (size_t i = 0; i < sizeof runs_programs / sizeof runs_programs[0]; i++)
        p->programs |= str_find(line, str_from_cstr(runs_programs[i]), 0) != STR_NPOS;
}

/* The directory of this program: plugins lie beside it where it was built. */
static void
add_own(struct jail_plan *p)
{
    char *path = arena_zalloc(p->arena, PATH_MAX, 1);
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
    char *slash = n > 0 ? strrchr(path, '/') : NULL;
    if (slash == NULL || slash == path)
        return;
    *slash = '\0';
    add(p, path, JAIL_READ);
}

static void
make_plan(const struct role *r, struct jail_plan *p)
{
    const struct conf *c = r->m->conf;
    for (size_t i = 0; i < c->text.n; i++)
        if (!c->text.v[i].mark) /* where the configuration lies is nobody's business now */
            scan_line(p, c->text.v[i].text);
    unsigned execute = p->programs ? (unsigned)JAIL_EXECUTE : 0u;
    for (size_t i = 0; i < p->n; i++)
        p->v[i].access &= ~(unsigned)JAIL_EXECUTE | execute;
    for (size_t i = 0; i < sizeof system_paths / sizeof system_paths[0]; i++)
        add(p, system_paths[i], JAIL_READ | execute);
    add(p, "/dev", JAIL_READ | JAIL_WRITE);
    const char *spool = str_cstr(p->arena, c->main->spool_directory.text);
    if (spool != NULL)
        add(p, spool, JAIL_READ | JAIL_WRITE);
    add_named(p, r->e->log.default_path, true);
    const char *plugins = str_cstr(p->arena, r->m->site->plugin_directory);
    if (plugins != NULL)
        add(p, plugins, JAIL_READ);
    add_own(p);
}

static bool
failed(const struct role *r, const char *what)
{
    bool unable = jail_is_unable();
    maillog(r->e, MAILLOG_MAIN | (unable ? 0u : (unsigned)MAILLOG_PANIC), STR_NULL,
            "%s process: %s: %s", ipc_kind_name(r->kind), what, strerror(errno));
    return unable;
}

static bool
enter(const struct role *r, const struct jail_plan *p, unsigned calls)
{
    return (jail_files(p->v, p->n) || failed(r, "files cannot be closed off")) &&
           (jail_calls(calls) || failed(r, "system calls cannot be limited"));
}

bool
role_jail(const struct role *r, bool network)
{
    struct arena *a = arena_new();
    struct jail_plan *p = ARENA_NEW(a, struct jail_plan);
    p->arena = a;
    make_plan(r, p);
    unsigned calls = (network ? JAIL_NETWORK | JAIL_CHILDREN : 0u) |
                     (p->programs && network ? (unsigned)JAIL_PROGRAMS : 0u);
    bool ok = enter(r, p, calls);
    arena_free(a);
    return ok;
}

/* --- the inspect role --- */

/* A folder of its own in the spool; NULL: it cannot be made. */
static const char *
make_scratch(const struct role *r)
{
    struct str spool = r->m->conf->main->spool_directory.text;
    const char *path =
        str_cstr(r->m->arena, str_printf(r->m->arena, "%.*s/inspect", STR_ARG(spool)));
    bool there = path != NULL && (mkdir(path, 0700) == 0 || errno == EEXIST);
    return there && access(path, W_OK) == 0 ? path : NULL;
}

/* Every absolute path in a text. */
static void
add_read_only(struct jail_plan *p, struct str text)
{
    struct path_scan s = {.text = text};
    while (path_scan_next(&s))
        add(p, str_cstr(p->arena, s.path), JAIL_READ);
}

bool
role_jail_inspect(const struct role *r, const char **scratch)
{
    static const char *const libraries[] = {
        "/usr",      "/lib",         "/lib64",        "/etc/ld.so.cache",
        "/dev/null", "/dev/urandom", CLAMAV_DIRECTORY};
    struct arena *a = arena_new();
    struct jail_plan *p = ARENA_NEW(a, struct jail_plan);
    p->arena = a;
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        add(p, libraries[i], JAIL_READ);
    add_own(p);
    const char *plugins = str_cstr(a, r->m->site->plugin_directory);
    if (plugins != NULL)
        add(p, plugins, JAIL_READ);
    if (str_find(r->m->conf->main->av_scanner, STR_LIT("libclamav"), 0) != STR_NPOS)
        add_read_only(p, r->m->conf->main->av_scanner);
    *scratch = make_scratch(r);
    if (*scratch != NULL)
        add(p, *scratch, JAIL_READ | JAIL_WRITE);
    bool ok = enter(r, p, JAIL_CHILDREN | JAIL_NO_SOCKETS | JAIL_TIGHTER);
    arena_free(a);
    return ok;
}
