/* require_files: files that must exist, or must not. Source: specification, chapter "Generic options for routers". */
#include "base/strlist.h"
#include "engine/become.h"
#include "engine/route_step.h"
#include "sys/account.h"
#include "sys/user.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { LOOK_SECONDS = 60 };

/* Whose access the next files are looked at with. */
struct looker {
    bool set;
    int64_t uid, gid;
};

/* The errno with which a user sees the file. */
static int
look(struct route_step *s, const struct become_request *who, const char *path, bool readable)
{
    const struct local_job job = {
        .call = {.kind = LOCAL_JOB_LOOK, .file = str_from_cstr(path), .access = readable}};
    struct become_request rq = *who;
    struct child_result got;
    int error = EIO;
    rq.timeout_s = LOOK_SECONDS;
    rq.max_answer = sizeof error;
    rq.body_fd = -1;
    rq.job = &job;
    become_run(s->r->engine, s->r->arena, &rq, &got);
    if (got.end == CHILD_EXITED && got.answer.n == sizeof error)
        memcpy(&error, got.answer.p, sizeof error);
    return error;
}

/* The errno of stat(). What the mail user may not see, root may: delivery looks with root's eyes. */
static int
look_self(struct route_step *s, const char *path)
{
    struct stat st;
    struct become_request root = {.uid = 0};
    if (stat(path, &st) == 0)
        return 0;
    if (errno != EACCES || !s->r->engine->can_become)
        return errno;
    become_set_reader(s->r->engine, &root);
    return look(s, &root, path, false);
}

/* The errno with which this user reads it; of root and the like, who may read all, none but the file's own. */
static int
look_as(struct route_step *s, const struct looker *who, const char *path)
{
    struct become_request rq = {.uid = (uid_t)who->uid, .gid = (gid_t)who->gid};
    become_set_reader(s->r->engine, &rq);
    return look(s, &rq, path, !rq.reads_all);
}

static enum outcome
check_file(struct route_step *s, const struct looker *who, struct str item)
{
    bool absent = false, plus = false;
    struct str path = item;
    /* "+" and "!" in either order. */
    for (int i = 0; i < 2 && path.n > 0; i++) {
        bool is_plus = !plus && path.p[0] == '+', is_not = !absent && path.p[0] == '!';
        if (!is_plus && !is_not)
            break;
        plus = plus || is_plus;
        absent = absent || is_not;
        path = str_trim_left(str_sub(path, 1, path.n));
    }
    const char *z = str_cstr(s->r->arena, path);
    if (z == NULL || path.n == 0 || path.p[0] != '/')
        return route_say(s, OUT_DEFER, "require_files: \"%.*s\" is not absolute",
                         STR_ARG(path));
    int error = look_self(s, z);
    if (error == 0 && who->set)
        error = look_as(s, who, z);
    if (error == EACCES && plus)
        error = ENOENT;
    if (error != 0 && error != ENOENT)
        return route_say(s, OUT_DEFER, "require_files: error for %s: %s", z, strerror(error));
    return (error == 0) != absent ? OUT_OK : OUT_DECLINE;
}

/* "user" or "user,group". */
static enum outcome
set_looker(struct route_step *s, struct looker *who, struct str item)
{
    const struct account_rules rules = engine_account_rules(s->r->engine);
    size_t comma = str_chr(item, ',', 0);
    struct str user = str_trim(str_sub(item, 0, comma == STR_NPOS ? item.n : comma));
    struct str group =
        comma == STR_NPOS ? STR_NULL : str_trim(str_sub(item, comma + 1, item.n));
    if (str_cstr(s->r->arena, user) == NULL || !user_find_by(&rules, user, &who->uid))
        return route_say(s, OUT_DEFER, "user \"%.*s\" for require_files not found",
                         STR_ARG(user));
    const struct passwd *pw = account_user_of_id(s->r->arena, (uid_t)who->uid);
    who->gid = pw == NULL ? (int64_t)s->r->engine->mail_gid : (int64_t)pw->pw_gid;
    if (str_is_set(group) && !user_find_group_by(&rules, group, &who->gid))
        return route_say(s, OUT_DEFER, "group \"%.*s\" for require_files not found",
                         STR_ARG(group));
    who->set = true;
    return OUT_OK;
}

enum outcome
route_files(struct route_step *s)
{
    struct strlist_split split = strlist_split_start(s->g->require_files.text, ':');
    struct looker who = {.set = false};
    struct str item, text;
    while (strlist_split_next(&split, s->r->arena, &item)) {
        enum vm_status st = route_expand(s, item, &text);
        if (st == VM_FORCED || (st == VM_OK && text.n == 0))
            continue;
        if (st != VM_OK)
            return route_say(s, OUT_DEFER, "failed to expand \"%.*s\" for require_files: %.*s",
                             STR_ARG(item), STR_ARG(vm_error(s->vm)));
        bool name = str_chr(text, '/', 0) == STR_NPOS;
        enum outcome o = name ? set_looker(s, &who, text) : check_file(s, &who, text);
        if (o != OUT_OK)
            return o;
    }
    return OUT_OK;
}
