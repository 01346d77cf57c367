/* Variables about the program, its configuration and the machine. */
#include "base/arena.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "conf/model.h"
#include "conf/vars.h"
#include "sys/machine.h"
#include "sys/site.h"

#include <time.h>

/* --- the time of day --- */

static enum vm_status
put_time(void *env, struct vm *vm, enum clock_form form, struct str *out)
{
    struct eval *e = env;
    struct timespec now;
    char text[CLOCK_TEXT_MAX];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    size_t n = clock_format(&e->clock, form, now, text);
    *out = str_dup(vm_scratch(vm), str_from(text, n));
    return VM_OK;
}

#define TIME_VARIABLE(name, form)                                                              \
    enum vm_status var_tod_##name(void *env, struct vm *vm, struct str rest, struct str *out)  \
    {                                                                                          \
        (void)rest;                                                                            \
        return put_time(env, vm, form, out);                                                   \
    }
TIME_VARIABLE(bsdinbox, CLOCK_BSDINBOX)
TIME_VARIABLE(epoch, CLOCK_EPOCH)
TIME_VARIABLE(epoch_l, CLOCK_EPOCH_L)
TIME_VARIABLE(full, CLOCK_FULL)
TIME_VARIABLE(log, CLOCK_LOG)
TIME_VARIABLE(logfile, CLOCK_LOGFILE)
TIME_VARIABLE(zone, CLOCK_ZONE)
TIME_VARIABLE(zulu, CLOCK_ZULU)

/* --- settings --- */

static const struct conf_main *
main_of(void *env)
{
    const struct eval *e = env;
    return e->conf == NULL ? NULL : e->conf->main;
}

#define SETTING(name, field)                                                                   \
    enum vm_status var_conf_##name(void *env, struct vm *vm, struct str rest, struct str *out) \
    {                                                                                          \
        const struct conf_main *m = main_of(env);                                              \
        (void)vm;                                                                              \
        (void)rest;                                                                            \
        *out = m == NULL ? STR_NULL : m->field;                                                \
        return VM_OK;                                                                          \
    }
SETTING(primary_hostname, primary_hostname)
SETTING(qualify_domain, qualify_domain)
SETTING(qualify_recipient, qualify_recipient)
SETTING(spool_directory, spool_directory.text)
SETTING(spf_guess, spf_guess)

enum vm_status
var_conf_bounce_limit(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct conf_main *m = main_of(env);
    (void)rest;
    return var_put_int(vm, m == NULL ? 0 : m->bounce_return_size_limit, out);
}

enum vm_status
var_conf_localhost_number(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct conf_main *m = main_of(env);
    struct str text = STR_NULL;
    (void)rest;
    if (m != NULL && vm_expand_x(vm, &m->localhost_number, &text) == VM_OK && text.n > 0) {
        *out = text;
        return VM_OK;
    }
    *out = STR_LIT("0");
    return VM_OK;
}

enum vm_status
var_config_file(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    (void)rest;
    *out = e->conf == NULL ? STR_NULL : e->conf->file;
    return VM_OK;
}

enum vm_status
var_config_dir(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)var_config_file(env, vm, rest, out);
    size_t slash = str_rchr(*out, '/');
    *out = slash == STR_NPOS ? STR_LIT(".") : str_sub(*out, 0, slash == 0 ? 1 : slash);
    return VM_OK;
}

enum vm_status
var_smtp_active_hostname(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    if (e->session == NULL || !str_is_set(e->session->active_hostname))
        return var_conf_primary_hostname(env, vm, rest, out);
    *out = e->session->active_hostname;
    return VM_OK;
}

/* --- the process --- */

#define PROCESS_NUMBER(name, field)                                                            \
    enum vm_status var_##name(void *env, struct vm *vm, struct str rest, struct str *out)      \
    {                                                                                          \
        const struct eval *e = env;                                                            \
        (void)rest;                                                                            \
        return var_put_int(vm, e->process.field, out);                                         \
    }
PROCESS_NUMBER(caller_uid, caller_uid)
PROCESS_NUMBER(caller_gid, caller_gid)
PROCESS_NUMBER(pid, pid)

/* The mail user, looked up when somebody asks, since that costs more than most starts. */
static void
find_mail_user(const struct eval *e, struct vm *vm, uid_t *uid, gid_t *gid)
{
    *uid = 0;
    *gid = 0;
    if (e->process.site != NULL && !site_find_user(vm_scratch(vm), e->process.site, uid, gid)) {
        *uid = 0;
        *gid = 0;
    }
}

enum vm_status
var_exim_uid(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct conf_main *m = main_of(env);
    uid_t uid;
    gid_t gid;
    (void)rest;
    if (m != NULL && m->exim_user.set)
        return var_put_int(vm, m->exim_user.id, out);
    find_mail_user(env, vm, &uid, &gid);
    return var_put_int(vm, uid, out);
}

enum vm_status
var_exim_gid(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct conf_main *m = main_of(env);
    uid_t uid;
    gid_t gid;
    (void)rest;
    if (m != NULL && m->exim_group.set)
        return var_put_int(vm, m->exim_group.id, out);
    find_mail_user(env, vm, &uid, &gid);
    return var_put_int(vm, gid, out);
}

enum vm_status
var_exim_path(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    const struct conf_main *m = main_of(env);
    (void)vm;
    (void)rest;
    *out = m != NULL && str_is_set(m->exim_path) ? m->exim_path : e->process.program;
    return VM_OK;
}

enum vm_status
var_initial_cwd(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    (void)rest;
    *out = e->process.directory;
    return VM_OK;
}

enum vm_status
var_regex_cachesize(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)env;
    (void)rest;
    return var_put_int(vm, (int64_t)vm_patterns_cached(vm), out);
}

/* --- the machine --- */

enum vm_status
var_load_average(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)env;
    (void)rest;
    return var_put_int(vm, machine_load_average(), out);
}

/* Free space (KiB) or inodes where a setting's directory is. */
static enum vm_status
put_free(struct vm *vm, struct str where, bool inodes, struct str *out)
{
    struct machine_free f = {-1, -1};
    char *path = str_cstr(vm_scratch(vm), where);
    if (path != NULL && where.n > 0)
        f = machine_free_at(path);
    return var_put_int(vm, inodes ? f.inodes : f.kib, out);
}

static struct str
spool_of(void *env)
{
    const struct conf_main *m = main_of(env);
    return m == NULL ? STR_EMPTY : m->spool_directory.text;
}

/* The directory of the first log file that is one; logs in the spool otherwise. */
static struct str
log_directory(void *env)
{
    const struct conf_main *m = main_of(env);
    if (m == NULL || m->log_file_path.text.n == 0 || m->log_file_path.text.p[0] != '/')
        return spool_of(env);
    struct str path = m->log_file_path.text;
    path = str_trim(str_sub(path, 0, str_chr(path, ':', 0)));
    size_t slash = str_rchr(path, '/');
    return str_sub(path, 0, slash == 0 || slash == STR_NPOS ? 1 : slash);
}

enum vm_status
var_spool_space(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)rest;
    return put_free(vm, spool_of(env), false, out);
}

enum vm_status
var_spool_inodes(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)rest;
    return put_free(vm, spool_of(env), true, out);
}

enum vm_status
var_log_space(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)rest;
    return put_free(vm, log_directory(env), false, out);
}

enum vm_status
var_log_inodes(void *env, struct vm *vm, struct str rest, struct str *out)
{
    (void)rest;
    return put_free(vm, log_directory(env), true, out);
}

struct str
vars_setting(void *env, const char *name)
{
    const struct conf_main *m = main_of(env);
    struct str wanted = str_from_cstr(name);
    if (m == NULL)
        return STR_NULL;
    int row = opt_find(&conf_main_opts, wanted);
    if (row < 0)
        return STR_NULL;
    const struct opt *o = &conf_main_opts.rows[row];
    const char *field = (const char *)m + o->offset;
    if (o->type == OPT_T_BOOL)
        return *(const bool *)(const void *)field ? STR_LIT("true") : STR_LIT("false");
    if (o->type == OPT_T_STR)
        return *(const struct str *)(const void *)field;
    if (o->type == OPT_T_XSTR || o->type == OPT_T_LIST)
        return ((const struct xstr *)(const void *)field)->text;
    return STR_NULL;
}

enum vm_status
vars_delivering(void *env, struct vm *vm, struct str which)
{
    const struct eval *e = env;
    (void)vm;
    bool holds = str_eqz(which, "queue_running")
                     ? e->queue_running
                     : e->message != NULL && e->message->first_delivery;
    return holds ? VM_OK : VM_NO;
}

/* --- ATRN --- */

enum vm_status
var_atrn_host(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    (void)rest;
    *out = str_is_set(e->atrn_host) ? str_tainted(e->atrn_host) : STR_EMPTY;
    return VM_OK;
}

enum vm_status
var_atrn_mode(void *env, struct vm *vm, struct str rest, struct str *out)
{
    const struct eval *e = env;
    (void)vm;
    (void)rest;
    *out = str_is_set(e->atrn_mode) ? e->atrn_mode : STR_EMPTY;
    return VM_OK;
}
