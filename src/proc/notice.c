/* Lines for the logs; see notice.h. */
#include "proc/notice.h"

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "sys/site.h"

#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name;
    int facility;
} facilities[] = {
    {"mail", LOG_MAIL},     {"user", LOG_USER},     {"news", LOG_NEWS},
    {"uucp", LOG_UUCP},     {"daemon", LOG_DAEMON}, {"local0", LOG_LOCAL0},
    {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
    {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},
    {"local7", LOG_LOCAL7},
};

static int
facility_of(struct str name)
{
    for (size_t i = 0; i < sizeof facilities / sizeof *facilities; i++) {
        if (str_eqz(name, facilities[i].name))
            return facilities[i].facility;
    }
    return LOG_MAIL;
}

static void
add_owner(struct arena *a, struct log_settings *s, const struct site *site)
{
    struct site none = {.user = STR_LIT("remex"), .group = STR_LIT("remex")};
    if (geteuid() == 0)
        s->own = site_find_user(a, site != NULL ? site : &none, &s->uid, &s->gid);
}

/* A file that root makes must be one that the mail user can write to. */
static void
set_owner(struct log_settings *s, const struct conf_main *m)
{
    if (geteuid() != 0)
        return;
    if (m->exim_user.set)
        s->uid = (uid_t)m->exim_user.id;
    if (m->exim_group.set)
        s->gid = (gid_t)m->exim_group.id;
    s->own = s->own || (m->exim_user.set && m->exim_group.set);
}

struct log_settings
notice_settings(struct arena *a, const struct conf *conf, const struct site *site)
{
    struct log_settings s = {.default_path = STR_LIT("/var/log/remex/%slog")};
    add_owner(a, &s, site);
    if (conf == NULL || conf->main == NULL)
        return s;
    const struct conf_main *m = conf->main;
    set_owner(&s, m);
    s.file_path = m->log_file_path.text;
    s.zone = m->log_timezone;
    s.syslog_name = str_cstr(a, m->syslog_processname);
    s.syslog_facility = facility_of(m->syslog_facility);
    s.syslog_pid = m->syslog_pid;
    s.syslog_timestamp = m->syslog_timestamp;
    return s;
}

static void
to_stderr(struct arena *a, struct str text)
{
    struct str stamp = log_stamp(a, time(NULL), false);
    (void)fprintf(stderr, "%.*s%.*s\n", STR_ARG(stamp), STR_ARG(text));
}

void
notice_main(struct str text)
{
    struct arena *a = arena_new();
    to_stderr(a, text);
    arena_free(a);
}

void
notice_panic(struct arena *a, const struct conf *conf, struct str text)
{
    struct log_settings s = notice_settings(a, conf, NULL);
    struct str error;
    if (!log_write(a, &s, LOGFILE_PANIC, &text, 1, &error))
        to_stderr(a, text);
}
