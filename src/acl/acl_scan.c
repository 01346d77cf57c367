/* Conditions that ask programs outside about the content of a message: malware, spam.
 *
 * Source: specification, "Content scanning at ACL time".
 */
#include "acl/acl_machine.h"

#include "base/arena.h"
#include "base/num.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/main_options.h"
#include "scanners/malware.h"
#include "scanners/spam.h"

/* --- what both have --- */

/* $callout_address outlives the message. */
static void
note_address(struct acl_call *c, struct str address)
{
    struct session *s = c->r->eval->session;
    if (s != NULL && str_is_set(address) && !str_eq(s->callout_address, address))
        s->callout_address = str_dup(s->arena != NULL ? s->arena : c->keep, address);
}

static void
log_line(void *ctx, bool panic, struct str line)
{
    struct acl_call *c = ctx;
    acl_log(c->r, panic ? ACL_LOG_MAIN | ACL_LOG_PANIC : ACL_LOG_MAIN | ACL_LOG_TABS, "%.*s",
            STR_ARG(line));
}

/* Logs what there is to tell, and lets go of the job. */
static void
end_job(struct acl_call *c, struct scan_job *j, const char *condition, enum scan_end end)
{
    scan_tell(j, condition, end, log_line, c);
    note_address(c, j->server.address);
    arena_free(j->by.arena);
}

/* The value of av_scanner or spamd_address. False: logged. */
static bool
expand_option(struct acl_call *c, const char *condition, const char *name, struct str setting,
              struct str *out)
{
    if (scan_setting(c->r->vm, setting, out))
        return true;
    acl_log(c->r, ACL_LOG_MAIN | ACL_LOG_PANIC,
            "%s acl condition: %s starts with $, but expansion failed: %.*s", condition, name,
            STR_ARG(vm_error(c->r->vm)));
    return false;
}

/* --- malware --- */

struct malware_ask {
    const struct regex *pattern; /* of the name; NULL: any */
    bool defer_ok;
    int64_t wait_s;
};

static const char malware[] = "malware";

/* The elements behind the first one. False: c->log says what is wrong. */
static bool
parse_malware(struct acl_call *c, struct strlist_split *list, struct malware_ask *q)
{
    const size_t tmo_n = strlen("tmo=");
    struct str item;
    *q = (struct malware_ask){.wait_s = SCAN_WAIT_S};
    while (strlist_split_next(list, vm_scratch(c->r->vm), &item)) {
        if (str_ieqz(item, "defer_ok"))
            q->defer_ok = true;
        else if (str_istarts(item, "tmo=") &&
                 !num_parse_interval(str_sub(item, tmo_n, item.n), &q->wait_s)) {
            (void)acl_defer(c, "bad timeout value in '%.*s'", STR_ARG(item));
            return false;
        }
    }
    return true;
}

/* The scanner's answer for this message, or what it was the last time. */
static enum scan_end
ask_scanner(struct acl_call *c, int64_t wait_s, struct scan_malware *out)
{
    struct str setting = c->r->eval->conf->main->av_scanner, text;
    struct session *s = c->r->eval->session;
    struct scan_message *m = scan_message_of(c->r->eval);
    *out = (struct scan_malware){.end = SCAN_DEFER, .name = STR_NULL};
    if (m->malware != NULL && scan_setting_is_fixed(setting)) {
        *out = *m->malware;
    } else if (expand_option(c, malware, "av_scanner", setting, &text)) {
        struct scan_job j = scan_job_start(arena_new(), c->r->eval, c->r->vm, wait_s);
        out->end = malware_scan(&j, text);
        out->name = out->end == SCAN_FOUND ? str_dup(c->keep, j.name) : STR_NULL;
        end_job(c, &j, malware, out->end);
    }
    if (out->end != SCAN_DEFER && scan_setting_is_fixed(setting)) {
        m->malware = ARENA_NEW(m->arena, struct scan_malware);
        *m->malware = *out;
    }
    if (s != NULL) {
        s->malware_name = out->name;
        s->av_failed = s->av_failed || out->end == SCAN_DEFER;
    }
    return out->end;
}

static enum acl_test
judge_malware(struct acl_call *c, const struct malware_ask *q)
{
    struct scan_malware found;
    switch (ask_scanner(c, q->wait_s, &found)) {
    case SCAN_CLEAN:
        return ACL_TEST_FALSE;
    case SCAN_DEFER:
        return q->defer_ok ? ACL_TEST_FALSE : ACL_TEST_DEFER;
    case SCAN_FOUND:
        break;
    }
    bool wanted =
        q->pattern == NULL || vm_regex_match(c->r->vm, q->pattern, found.name) == VM_OK;
    return wanted ? ACL_TEST_TRUE : ACL_TEST_FALSE;
}

static bool
is_one_of(struct str s, const char *const *words)
{
    while (*words != NULL && !str_ieqz(s, *words))
        words++;
    return *words != NULL;
}

enum acl_test
acl_cond_malware(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    static const char *const never[] = {"", "false", "0", "no", NULL};
    static const char *const always[] = {"true", "1", "yes", "*", NULL};
    struct strlist_split list = strlist_split_start(arg, '/');
    struct malware_ask q;
    struct str first, why;
    size_t at;
    (void)item;
    if (scan_message_of(c->r->eval) == NULL ||
        !strlist_split_next(&list, vm_scratch(c->r->vm), &first) || is_one_of(first, never))
        return ACL_TEST_FALSE;
    if (!parse_malware(c, &list, &q))
        return ACL_TEST_DEFER;
    if (!is_one_of(first, always)) {
        q.pattern = vm_regex(c->r->vm, first, 0, &why, &at);
        if (q.pattern == NULL) {
            acl_log(c->r, ACL_LOG_MAIN | ACL_LOG_PANIC,
                    "malware acl condition: regular expression error in '%.*s': %.*s at offset "
                    "%zu",
                    STR_ARG(first), STR_ARG(why), at);
            return q.defer_ok ? ACL_TEST_FALSE : ACL_TEST_DEFER;
        }
    }
    return judge_malware(c, &q);
}

/* --- spam --- */

struct spam_ask {
    struct str user;
    bool defer_ok, always;
};

static const char spam[] = "spam";

/* "user", "user:true", "user/true/defer_ok", "true". False: nothing is asked. */
static bool
parse_spam(struct acl_call *c, struct str arg, struct spam_ask *q)
{
    static const char *const never[] = {"", "false", "0", NULL};
    const struct str always = STR_LIT(":true");
    struct strlist_split list = strlist_split_start(arg, '/');
    struct str item;
    *q = (struct spam_ask){.user = STR_EMPTY};
    if (!strlist_split_next(&list, vm_scratch(c->r->vm), &q->user) || is_one_of(q->user, never))
        return false;
    if (str_iends(q->user, always)) {
        q->always = true;
        q->user = str_trim(str_sub(q->user, 0, q->user.n - always.n));
    } else if (str_ieqz(q->user, "true")) { /* any user */
        q->always = true;
        q->user = STR_LIT("nobody");
    }
    while (strlist_split_next(&list, vm_scratch(c->r->vm), &item)) {
        q->defer_ok = q->defer_ok || str_ieqz(item, "defer_ok");
        q->always = q->always || str_ieqz(item, "true");
    }
    return true;
}

/* The verdict lives as long as the message. */
static void
keep_verdict(struct scan_message *m, struct str user, const struct scan_spam *found)
{
    struct scan_spam *s = ARENA_NEW(m->arena, struct scan_spam);
    *s = (struct scan_spam){
        .user = str_dup(m->arena, user),
        .spam = found->spam,
        .score = str_dup(m->arena, found->score),
        .score_int = str_dup(m->arena, found->score_int),
        .bar = str_dup(m->arena, found->bar),
        .action = str_dup(m->arena, found->action),
        .report = str_dup(m->arena, found->report),
    };
    m->spam = s;
}

static void
show_verdict(struct session *s, const struct scan_spam *found)
{
    if (s == NULL)
        return;
    s->spam_score = found->score;
    s->spam_score_int = found->score_int;
    s->spam_bar = found->bar;
    s->spam_action = found->action;
    s->spam_report = found->report;
}

/* Control characters would end the line of the request that names the user. */
static bool
is_name(struct str user)
{
    for (uint32_t i = 0; i < user.n; i++)
        if ((unsigned char)user.p[i] < ' ' || user.p[i] == 0x7f)
            return false;
    return true;
}

static enum scan_end
ask_spamd(struct acl_call *c, struct str user)
{
    struct str setting = c->r->eval->conf->main->spamd_address, text;
    struct scan_message *m = scan_message_of(c->r->eval);
    struct scan_spam found = {.user = STR_NULL};
    if (m->spam != NULL && scan_setting_is_fixed(setting) && str_eq(m->spam->user, user))
        return m->spam->spam ? SCAN_FOUND : SCAN_CLEAN;
    if (!expand_option(c, spam, "spamd_address", setting, &text))
        return SCAN_DEFER;
    struct scan_job j = scan_job_start(arena_new(), c->r->eval, c->r->vm, SCAN_WAIT_S);
    enum scan_end end =
        is_name(user) ? spam_scan(&j, text, user, &found) : scan_defer(&j, "bad user name");
    if (end != SCAN_DEFER)
        keep_verdict(m, user, &found);
    end_job(c, &j, spam, end);
    return end;
}

enum acl_test
acl_cond_spam(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    struct spam_ask q;
    (void)item;
    if (scan_message_of(c->r->eval) == NULL || !parse_spam(c, arg, &q))
        return ACL_TEST_FALSE;
    enum scan_end end = ask_spamd(c, q.user);
    if (end == SCAN_DEFER)
        return q.defer_ok ? ACL_TEST_FALSE : ACL_TEST_DEFER;
    show_verdict(c->r->eval->session, scan_message_of(c->r->eval)->spam);
    return q.always || end == SCAN_FOUND ? ACL_TEST_TRUE : ACL_TEST_FALSE;
}
