/* Finds and reads the configuration; see config.h.
 *
 * Rules for -C and -D are Exim's: whoever names a configuration acts with their own power only, unless
 * root's site file says otherwise. The decision is taken before anything is read.
 */
#include "proc/config.h"

#include "conf/conf.h"
#include "conf/main_options.h"
#include "engine/retry.h"
#include "engine/rewrite.h"
#include "proc/builtin_macros.h"
#include "proc/notice.h"
#include "proc/report.h"
#include "proc/wire.h"
#include "sys/environ.h"
#include "sys/host_name.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MAX = 64 };

/* --- trust --- */

/* The next item of a colon-separated list of files; false at the end. */
static bool
next_file(struct str *list, struct str *file)
{
    while (list->n > 0) {
        size_t end = str_chr(*list, ':', 0);
        end = end == STR_NPOS ? list->n : end;
        *file = str_trim(str_sub(*list, 0, end));
        *list = str_sub(*list, end + 1, list->n);
        if (file->n > 0)
            return true;
    }
    return false;
}

static bool
files_are_trusted(const struct mode *m)
{
    struct str list = m->cli->config_list, file;
    while (next_file(&list, &file)) {
        if (!site_trusts_config(m->site, file))
            return false;
    }
    return true;
}

static bool
value_is_harmless(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!ascii_alnum(c) && c != '_' && c != '/' && c != '.' && c != '-')
            return false;
    }
    return true;
}

static bool
macros_are_trusted(const struct mode *m)
{
    for (size_t i = 0; i < m->cli->macros.n; i++) {
        const struct cli_macro *one = &m->cli->macros.v[i];
        if (!site_trusts_macro(m->site, one->name) || !value_is_harmless(one->text))
            return false;
    }
    return true;
}

/* The mail user, or who owns the configuration. */
static bool
caller_is_known(const struct mode *m)
{
    uid_t uid;
    gid_t gid;
    if (site_find_user(m->arena, m->site, &uid, &gid) && m->caller.uid == uid)
        return true;
    return site_find_owner(m->arena, m->site, &uid) && m->caller.uid == uid;
}

bool
config_is_trusted(struct mode *m)
{
    bool named = str_is_set(m->cli->config_list) || m->cli->macros.n > 0;
    if (!named || m->caller.uid == 0)
        return true;
    return files_are_trusted(m) && macros_are_trusted(m) && caller_is_known(m);
}

/* --- who the caller is --- */

static bool
in_ids(const struct opt_ids *ids, int64_t id)
{
    for (uint32_t i = 0; i < ids->n; i++) {
        if (ids->v[i] == id)
            return true;
    }
    return false;
}

static bool
in_groups(const struct mode *m, const struct opt_ids *groups)
{
    for (uint32_t i = 0; i < groups->n; i++) {
        if (priv_caller_in_group(&m->caller, (gid_t)groups->v[i]))
            return true;
    }
    return false;
}

static void
find_rank(struct mode *m)
{
    const struct conf_main *c = m->conf->main;
    uid_t uid = 0;
    gid_t gid = 0;
    if (m->caller.uid == 0) {
        m->admin = m->trusted = true;
        return;
    }
    bool known = site_find_user(m->arena, m->site, &uid, &gid);
    bool mail_user = known && m->caller.uid == uid;
    m->admin = mail_user || (known && priv_caller_in_group(&m->caller, gid)) ||
               in_groups(m, &c->admin_groups);
    m->trusted = mail_user || in_ids(&c->trusted_users, m->caller.uid) ||
                 in_groups(m, &c->trusted_groups);
}

/* --- reading --- */

static size_t
list_files(struct mode *m, const char **files)
{
    /* A name that the caller typed is trusted or read with the caller's own power. */
    struct str list = str_is_set(m->cli->config_list)
                          ? str_untaint_by_rule(m->cli->config_list, "file that -C names")
                          : m->site->configure_file;
    struct str file;
    size_t n = 0;
    while (n < FILES_MAX && next_file(&list, &file)) {
        files[n] = str_cstr(m->arena, file);
        if (files[n] != NULL)
            n++;
    }
    return n;
}

static struct macro *
list_macros(struct mode *m)
{
    size_t n = m->cli->macros.n;
    struct macro *v = ARENA_ARRAY(m->arena, struct macro, n);
    for (size_t i = 0; i < n; i++) {
        v[i].name = str_untaint_by_rule(m->cli->macros.v[i].name, "macro of the caller");
        v[i].text = str_untaint_by_rule(m->cli->macros.v[i].text, "macro of the caller");
        v[i].from_command_line = true;
    }
    return v;
}

static void
show_macro(const struct macro *macro)
{
    (void)printf("macro '%.*s' -> '%.*s'\n", STR_ARG(macro->name), STR_ARG(macro->text));
}

static void
add_owner(struct mode *m, struct conf_request *rq)
{
    uid_t uid;
    gid_t gid;
    rq->owner.check = !str_is_set(m->cli->config_list) || geteuid() == 0;
    if (!rq->owner.check || !site_find_owner(m->arena, m->site, &uid))
        return;
    rq->owner.has_uid = true;
    rq->owner.uid = uid;
    if (site_find_user(m->arena, m->site, &uid, &gid)) {
        rq->owner.has_gid = true;
        rq->owner.gid = gid;
    }
}

static bool
check_headers_rewrite(struct arena *a, struct str text, const struct textmap *map,
                      struct diags *diags)
{
    struct rewrite_rules rules;
    struct str fault;
    if (rewrite_parse_list(a, text, &rules, &fault))
        return true;
    diags_error(diags, textmap_span(map, 0, text.n), "%.*s", STR_ARG(fault));
    return false;
}

/* Depth of a source below the main file. */
static unsigned
include_depth(const struct source *s)
{
    unsigned n = 0;
    for (; s != NULL && s->included_from != NULL; s = s->included_from)
        n++;
    return n;
}

/* Does place a come before b in the order of reading? Includes stand where they are included. */
static bool
is_before(struct span a, struct span b)
{
    unsigned na = include_depth(a.source), nb = include_depth(b.source);
    for (; na > nb; na--, a.source = a.source->included_from)
        a.line = a.source->included_line;
    for (; nb > na; nb--, b.source = b.source->included_from)
        b.line = b.source->included_line;
    while (a.source != b.source && a.source != NULL && b.source != NULL &&
           a.source->included_from != NULL && b.source->included_from != NULL) {
        a.line = a.source->included_line;
        a.source = a.source->included_from;
        b.line = b.source->included_line;
        b.source = b.source->included_from;
    }
    return a.line < b.line;
}

/* Reading goes on after an error; where the log goes is what was known when the first one was found. */
static const struct conf *
known_at_error(const struct conf *partial, const struct diags *d)
{
    if (partial == NULL)
        return NULL;
    struct span log = opt_where(&partial->main_set,
                                opt_find(partial->main_set.table, STR_LIT("log_file_path")));
    const struct diag *first = report_first_error(d);
    if (log.source == NULL || first == NULL || first->at.source == NULL)
        return partial;
    return is_before(log, first->at) ? partial : NULL;
}

bool
config_load(struct mode *m)
{
    const char *files[FILES_MAX];
    struct conf *partial = NULL;
    struct wiring w = wire_command_line(m->arena, NULL);
    w.eval->process.plugin_directory = m->site->plugin_directory;
    struct conf_request rq = {
        .files = files,
        .files_n = list_files(m, files),
        .macros = list_macros(m),
        .macros_n = m->cli->macros.n,
        .retry = &retry_section,
        .rewrite = &rewrite_section,
        .vm = w.vm,
        .headers_rewrite = check_headers_rewrite,
        .partial = &partial,
    };
    builtin_macros_request(m->arena, &rq);
    rq.keep_text =
        m->cli->mode == CLI_SHOW && m->cli->args.n > 0 && str_eqz(m->cli->args.v[0], "config");
    if (m->cli->debug && m->cli->mode == CLI_EXPAND)
        rq.macro_used = show_macro;
    add_owner(m, &rq);
    struct conf *c = conf_read(m->arena, &rq, m->diags);
    (void)fflush(stdout);
    if (c == NULL) {
        struct log_settings log =
            notice_settings(m->arena, known_at_error(partial, m->diags), m->site);
        report_bad_config(m->arena, m->cli, m->diags, &log);
        return false;
    }
    conf_main_complete(c->main, host_name_get(m->arena));
    m->conf = w.eval->conf = c;
    vm_forget_settings(w.vm);
    m->vm = w.vm;
    m->eval = w.eval;
    m->eval->debug_expand = m->cli->debug;
    find_rank(m);
    return true;
}

/* --- environment --- */

struct keeping {
    struct str list;
};

/* One item of keep_environment: a name, or one that begins or ends with an asterisk. */
static bool
item_fits(struct str item, struct str name)
{
    if (item.n > 0 && item.p[0] == '*')
        return str_ends(name, str_sub(item, 1, item.n));
    if (item.n > 0 && item.p[item.n - 1] == '*') {
        struct str stem = str_sub(item, 0, item.n - 1);
        return name.n >= stem.n && str_eq(str_sub(name, 0, stem.n), stem);
    }
    return str_eq(item, name);
}

static bool
keeps(void *ctx, struct str name)
{
    const struct keeping *k = ctx;
    struct str list = k->list, item;
    while (next_file(&list, &item)) {
        bool negative = item.p[0] == '!';
        if (item_fits(negative ? str_trim_left(str_sub(item, 1, item.n)) : item, name))
            return !negative;
    }
    return false;
}

bool
config_clean_environment(struct mode *m)
{
    const struct conf_main *c = m->conf->main;
    struct keeping k = {.list = c->keep_environment.text};
    bool unset = !str_is_set(k.list);
    bool had = !environ_is_empty();
    if (!str_eqz(str_trim(k.list), "*"))
        environ_purge(keeps, &k);
    struct str list = c->add_environment.text, item;
    while (next_file(&list, &item))
        environ_add(m->arena, item);
    return unset && had;
}
