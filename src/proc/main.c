/* remex: what the program does first.
 *
 * The command line, the site file, the decision about privilege, the configuration, then the function of the
 * mode. Privilege that came with the program (effective, not real) is given up before anything is
 * expanded, save for modes that handle messages: those work as the mail user (engine_start.h).
 */
#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "proc/aliases.h"
#include "proc/atrn_mode.h"
#include "proc/be.h"
#include "proc/config.h"
#include "proc/daemon.h"
#include "proc/host_extern.h"
#include "proc/info.h"
#include "proc/queue_mode.h"
#include "proc/report.h"
#include "proc/role.h"
#include "proc/show.h"
#include "proc/smtp_mode.h"
#include "proc/submit.h"
#include "proc/test_filter.h"
#include "proc/test_malware.h"
#include "proc/test_retry.h"
#include "proc/test_rewrite.h"
#include "proc/test_route.h"
#include "proc/version.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
/* The processes of the daemon have no environment that would say so, and in the jail nobody can look for leaks. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
    return "detect_leaks=0:exitcode=99";
}
#endif

enum mode_flags {
    MODE_OWN_CONFIG = 1u << 0, /* reads the configuration itself, or none */
    MODE_DROP_FIRST = 1u << 1, /* runs what the caller wrote: no privilege even while reading */
    MODE_FILES = 1u << 2,  /* opens files that the caller named: relative to where that is */
    MODE_ENGINE = 1u << 3, /* handles messages: keeps root, if it is there, for engine_start */
};

/* -bD: of strings, or of a filter file. */
static int
list_code(struct mode *m)
{
    const struct cli *cli = m->cli;
    bool filter =
        cli->args.n == 2 && (str_eqz(cli->args.v[0], "-bf") || str_eqz(cli->args.v[0], "-bF"));
    return filter ? test_filter_list(m) : be_list(m);
}

/* What there is to do in each mode. NULL: comes in a later version. */
static const struct {
    mode_fn *run;
    unsigned flags;
    const char *what; /* for the answer when there is no function */
} modes[CLI_MODES] = {
    [CLI_RECEIVE] = {submit_run, MODE_ENGINE, NULL},
    [CLI_SMTP] = {smtp_mode_interactive, MODE_ENGINE, NULL},
    [CLI_BATCH_SMTP] = {smtp_mode_batch, MODE_ENGINE, NULL},
    [CLI_DAEMON] = {daemon_run, MODE_ENGINE, NULL},
    [CLI_WAIT_DAEMON] = {daemon_run, MODE_ENGINE, NULL},
    [CLI_ROLE] = {role_run, MODE_OWN_CONFIG, NULL},
    [CLI_QUEUE_RUN] = {queue_mode_run, MODE_ENGINE, NULL},
    [CLI_QUEUE_LIST] = {queue_mode_list, MODE_ENGINE, NULL},
    [CLI_MESSAGE] = {queue_mode_message, MODE_ENGINE, NULL},
    [CLI_ALIASES] = {aliases_run, MODE_FILES, NULL},
    [CLI_ATRN] = {atrn_mode_run, MODE_ENGINE, NULL},
    [CLI_LOG_TEXT] = {queue_mode_log, MODE_ENGINE, NULL},
    [CLI_MALWARE] = {test_malware_run, MODE_ENGINE, NULL},
    [CLI_ROUTE] = {test_route_run, MODE_ENGINE, NULL},
    [CLI_VERIFY] = {test_verify_run, MODE_ENGINE, NULL},
    [CLI_FILTER] = {test_filter_run, MODE_DROP_FIRST | MODE_FILES, NULL},
    [CLI_FAKE_SMTP] = {smtp_mode_test, MODE_ENGINE, NULL},
    [CLI_EXPAND] = {be_run, MODE_DROP_FIRST, NULL},
    [CLI_LISTING] = {list_code, MODE_DROP_FIRST | MODE_FILES, NULL},
    [CLI_SHOW] = {show_run, 0, NULL},
    [CLI_RETRY] = {test_retry_run, 0, NULL},
    [CLI_REWRITE] = {test_rewrite_run, 0, NULL},
    [CLI_VERSION] = {version_run, MODE_OWN_CONFIG | MODE_DROP_FIRST, NULL},
    [CLI_HELP] = {info_help, MODE_OWN_CONFIG, NULL},
    [CLI_INFO_HELP] = {info_topics, MODE_OWN_CONFIG, NULL},
    [CLI_INFO_OTHER] = {info_unknown_topic, MODE_OWN_CONFIG, NULL},
    [CLI_INFO_DSCP] = {info_dscp, MODE_OWN_CONFIG, NULL},
    [CLI_INFO_MODULES] = {info_modules, MODE_OWN_CONFIG, NULL},
    [CLI_INFO_SIEVE] = {info_sieve, MODE_OWN_CONFIG, NULL},
};

/* Gives up what the caller does not have by themselves. */
static bool
drop_privilege(const struct mode *m)
{
    if (geteuid() == getuid() && getegid() == getgid())
        return true;
    if (priv_drop_to_real())
        return true;
    fprintf(stderr, "%s: unable to give up privilege\n", m->cli->program);
    return false;
}

static bool
is_relaxed(const struct mode *m)
{
    const struct conf_main *c = m->conf->main;
    return m->cli->mode == CLI_QUEUE_LIST ? !c->queue_list_requires_admin
                                          : !c->prod_requires_admin;
}

/* Options that only an admin user may give. */
static bool
check_permission(const struct mode *m)
{
    if (m->admin)
        return true;
    for (size_t i = 0; i < m->cli->settings.n; i++) {
        const struct cli_row *row = m->cli->settings.v[i].row;
        if (row->group == CLI_TEST && m->conf->main->commandline_checks_require_admin) {
            fprintf(stderr, "%s: those command-line flags are set to require admin\n",
                    m->cli->program);
            return false;
        }
        if (row->privilege == CLI_ANYBODY ||
            (row->privilege == CLI_ADMIN_UNLESS && is_relaxed(m)))
            continue;
        fprintf(stderr, "%s:%s permission denied\n", m->cli->program,
                row->group == CLI_DEBUG ? " debugging" : "");
        return false;
    }
    return true;
}

static int
answer_later(const struct mode *m)
{
    fprintf(stderr, "%s: %s is not available in this version of remex\n", m->cli->program,
            modes[m->cli->mode].what);
    return 1;
}

/* Relative names of files are those of the spool, whoever calls from wherever. Without one (nothing was ever
 * received) they are left alone. */
static void
enter_spool(const struct mode *m)
{
    const char *path = str_cstr(m->arena, m->conf->main->spool_directory.text);
    if (path == NULL || chdir(path) != 0)
        return;
}

/* -ps and -pd override perl_at_start. */
static void
start_perl(struct mode *m)
{
    if (cli_has(m->cli, "-ps") || (m->conf->main->perl_at_start && !cli_has(m->cli, "-pd")))
        host_extern_start_perl(m->eval, m->vm);
}

static int
run_mode(struct mode *m)
{
    unsigned flags = modes[m->cli->mode].flags;
    if (!config_is_trusted(m) || (flags & MODE_DROP_FIRST) != 0) {
        if (!drop_privilege(m))
            return 1;
    }
    if ((flags & MODE_OWN_CONFIG) != 0)
        return modes[m->cli->mode].run(m);
    if (!config_load(m))
        return 1;
    if (!check_permission(m))
        return 1;
    if ((flags & MODE_ENGINE) == 0 && !drop_privilege(m))
        return 1;
    config_clean_environment(m);
    if ((flags & MODE_FILES) == 0)
        enter_spool(m);
    start_perl(m);
    if (modes[m->cli->mode].run == NULL)
        return answer_later(m);
    return modes[m->cli->mode].run(m);
}

int
main(int argc, char **argv)
{
    if (!priv_keep_standard_fds())
        return 1;
    struct arena *a = arena_new();
    struct cli cli;
    struct site site;
    struct mode m = {.arena = a,
                     .argc = argc,
                     .argv = argv,
                     .cli = &cli,
                     .site = &site,
                     .diags = diags_new(a, 0)};
    int status = 1;
    priv_caller_get(&m.caller);
    service_take(&m.service);
    if (!cli_parse(a, argc, argv, &cli))
        fprintf(stderr, "%.*s\n", STR_ARG(cli.error));
    else if (!site_read(a, NULL, &site, m.diags))
        report_diags(m.diags);
    else
        status = run_mode(&m);
    if (fflush(stdout) != 0 || ferror(stdout))
        status = status != 0 ? status : 1;
    arena_free(a);
    return status;
}
