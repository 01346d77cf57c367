/* Finds and reads the configuration; see config.h.
 *
 * Rules for -C and -D are Exim's: whoever names a configuration acts with their own power only, unless
 * root's site file says otherwise. The decision is taken before anything is read.
 */
#include "proc/config.h"

#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/list.h"
#include "conf/main_options.h"
#include "engine/retry.h"
#include "engine/rewrite.h"
#include "proc/builtin_macros.h"
#include "proc/bundle.h"
#include "proc/inspect_service.h"
#include "proc/notice.h"
#include "proc/report.h"
#include "proc/wire.h"
#include "sys/environ.h"
#include "sys/host_name.h"

#include <errno.h>
#include <limits.h>
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

/* A process without any privilege, on a configuration that names its user as the mail user: what it may do to that installation it may do
 * to its files anyway. */
static bool
is_own_instance(const struct mode *m)
{
    const struct opt_id *user = &m->conf->main->exim_user;
    return geteuid() == getuid() && getegid() == getgid() && user->set &&
           user->id == (int64_t)m->caller.uid;
}

void
config_find_rank(struct mode *m)
{
    const struct conf_main *c = m->conf->main;
    uid_t uid = 0;
    gid_t gid = 0;
    if (m->caller.uid == 0) {
        m->admin = m->trusted = true;
        return;
    }
    bool known = site_find_user(m->arena, m->site, &uid, &gid);
    bool mail_user = (known && m->caller.uid == uid) || is_own_instance(m);
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

static void
add_process(struct mode *m, struct eval_process *p)
{
    char directory[PATH_MAX];
    p->caller_uid = m->caller.uid;
    p->caller_gid = m->caller.gid;
    p->pid = getpid();
    p->site = m->site;
    p->plugin_directory = m->site->plugin_directory;
    if (getcwd(directory, sizeof directory) != NULL)
        p->directory = str_dup(m->arena, str_from_cstr(directory));
}

/* True if -bP is to show the option. */
static bool
shows(const struct mode *m, const char *name)
{
    if (m->cli->mode != CLI_SHOW)
        return false;
    for (size_t i = 0; i < m->cli->args.n; i++) {
        if (str_eqz(m->cli->args.v[i], name))
            return true;
    }
    return m->cli->args.n == 0;
}

/* exim_user and exim_group are the site file's where the configuration is silent. */
static void
complete_mail_user(struct mode *m, struct conf_main *c)
{
    uid_t uid;
    gid_t gid;
    bool wanted = shows(m, "exim_user") || shows(m, "exim_group");
    if (!wanted || !site_find_user(m->arena, m->site, &uid, &gid))
        return;
    if (!c->exim_user.set)
        c->exim_user = (struct opt_id){.set = true, .id = uid};
    if (!c->exim_group.set)
        c->exim_group = (struct opt_id){.set = true, .id = gid};
}

/* Called as remex on a machine where nothing is set up yet, expansions can be tried out all the same: with the
 * defaults of every option. Under Exim's names a missing file is an error as there. */
static void
use_built_in(const struct mode *m, struct conf_request *rq)
{
    if (m->cli->called_as_exim || str_is_set(m->cli->config_list))
        return;
    for (size_t i = 0; i < rq->files_n; i++) {
        if (access(rq->files[i], F_OK) == 0 || errno != ENOENT)
            return;
    }
    rq->source = ARENA_NEW(m->arena, struct source);
    rq->source->name = STR_LIT("(none: the built-in defaults)");
    rq->source->text = STR_LIT("keep_environment =\n");
}

/* A process of the daemon reads what the master has read, and no file. */
static void
use_bundle(const struct mode *m, struct conf_request *rq)
{
    rq->source = ARENA_NEW(m->arena, struct source);
    *rq->source = m->bundle->sources.v[0];
    rq->keep_text = true; /* what it names is what the process may open: role_jail.c */
    rq->given = &m->bundle->set;
}

bool
config_load(struct mode *m)
{
    const char *files[FILES_MAX];
    struct conf *partial = NULL;
    struct wiring w = m->cli->debug
                          ? wire_command_line_debug(m->arena, NULL, m->cli->debug_selector)
                          : wire_command_line(m->arena, NULL);
    add_process(m, &w.eval->process);
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
    /* of the daemon: what it has for the inspect process; inspect_library.c */
    rq.keep_text = m->cli->mode == CLI_DAEMON || m->cli->mode == CLI_WAIT_DAEMON ||
                   (m->cli->mode == CLI_SHOW && m->cli->args.n > 0 &&
                    str_eqz(m->cli->args.v[0], "config"));
    if (m->cli->debug && m->cli->mode == CLI_EXPAND)
        rq.macro_used = show_macro;
    add_owner(m, &rq);
    if (m->bundle != NULL)
        use_bundle(m, &rq);
    else
        use_built_in(m, &rq);
    struct conf *c = conf_read(m->arena, &rq, m->diags);
    (void)fflush(stdout);
    if (c == NULL) {
        struct log_settings log =
            notice_settings(m->arena, known_at_error(partial, m->diags), m->site);
        report_bad_config(m->arena, m->cli, m->diags, &log);
        return false;
    }
    bool named = str_is_set(c->main->primary_hostname);
    conf_main_complete(c->main, named ? STR_NULL : host_name_full(m->arena));
    complete_mail_user(m, c->main);
    m->conf = w.eval->conf = c;
    vm_forget_settings(w.vm);
    m->vm = w.vm;
    m->eval = w.eval;
    m->eval->debug_expand = m->cli->debug;
    if (m->bundle == NULL) /* processes of the daemon have theirs */
        m->eval->inspect = inspect_service_of_own(m);
    config_find_rank(m);
    return true;
}

/* --- environment --- */

struct keeping {
    struct mode *mode;
    struct str list;
};

/* keep_environment is a list of patterns as any other, save that it is not expanded. One that is in error keeps
 * nothing. */
static bool
keeps(void *ctx, struct str name)
{
    const struct keeping *k = ctx;
    const struct list_question q = {
        .kind = LIST_LOCALPART,
        .subject = name,
        .list = k->list,
        .what = STR_LIT("keep_environment"),
        .caseful = true,
    };
    struct list_answer answer;
    return list_match(k->mode->eval, k->mode->vm, &q, &answer) == OUT_OK;
}

bool
config_clean_environment(struct mode *m)
{
    const struct conf_main *c = m->conf->main;
    struct keeping k = {.mode = m, .list = c->keep_environment.text};
    bool unset = !str_is_set(k.list);
    bool had = !environ_is_empty();
    struct str keep = str_trim(k.list), item;
    if (!str_eqz(keep, "*"))
        environ_purge(keep.n > 0 ? keeps : NULL, &k);
    struct strlist_split add = strlist_split_start(c->add_environment.text, ':');
    while (strlist_split_next(&add, m->arena, &item))
        environ_add(m->arena, item);
    return unset && had;
}
