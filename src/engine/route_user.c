/* check_local_user, user and group: under whose identity a router's deliveries run. */
#include "engine/route_step.h"

#include "sys/account.h"
#include "sys/user.h"

enum outcome
route_local_user(struct route_step *s)
{
    struct address *a = s->a;
    if (!s->g->check_local_user)
        return OUT_OK;
    const char *name = str_cstr(s->r->arena, a->local_part);
    const struct passwd *pw = name == NULL ? NULL : account_user(s->r->arena, name);
    if (pw == NULL)
        return OUT_DECLINE;
    s->login = str_dup(s->r->arena, str_from_cstr(pw->pw_name));
    s->user_home = str_dup(s->r->arena, str_from_cstr(pw->pw_dir));
    s->uid = a->local_uid = pw->pw_uid;
    s->gid = a->local_gid = pw->pw_gid;
    a->home = s->user_home;
    if (!str_is_set(a->local_part_data))
        a->local_part_data = s->login;
    return OUT_OK;
}

static enum outcome
find_user(struct route_step *s, struct str name, bool group_set)
{
    struct arena *a = s->r->arena;
    if (!user_find(NULL, name, &s->uid))
        return route_say(s, OUT_DEFER, "failed to find user \"%.*s\" for %.*s router",
                         STR_ARG(name), STR_ARG(s->router->name));
    const char *z = str_cstr(a, name);
    const struct passwd *pw = z == NULL ? NULL : account_user(a, z);
    if (pw != NULL && !group_set)
        s->gid = pw->pw_gid;
    s->login = pw == NULL ? STR_NULL : str_dup(a, str_from_cstr(pw->pw_name));
    return OUT_OK;
}

static enum outcome
set_group(struct route_step *s)
{
    struct str name;
    const struct opt_id *group = &s->g->group;
    if (group->set) {
        s->gid = group->id;
        return OUT_OK;
    }
    if (!route_has(&group->text))
        return OUT_OK;
    enum outcome o = route_expand(s, "group", group->text.text, &name);
    if (o == OUT_DECLINE)
        return route_say(s, OUT_DEFER, "failed to expand \"%.*s\": forced failure",
                         STR_ARG(group->text.text));
    if (o == OUT_OK && !user_find_group(NULL, name, &s->gid))
        return route_say(s, OUT_DEFER, "failed to find group \"%.*s\" for %.*s router",
                         STR_ARG(name), STR_ARG(s->router->name));
    return o;
}

enum outcome
route_set_user(struct route_step *s)
{
    struct str name;
    enum outcome o = OUT_OK;
    const struct opt_id *user = &s->g->user;
    bool group_set = s->g->group.set || route_has(&s->g->group.text);
    if (user->set) {
        s->uid = user->id;
        const struct passwd *pw = account_user_of_id(s->r->arena, (uid_t)user->id);
        s->login = pw == NULL ? STR_NULL : str_dup(s->r->arena, str_from_cstr(pw->pw_name));
        if (pw != NULL && !user->number && !group_set)
            s->gid = pw->pw_gid;
    } else if (route_has(&user->text)) {
        o = route_expand(s, "user", user->text.text, &name);
        if (o == OUT_DECLINE)
            return route_say(s, OUT_DEFER, "failed to expand \"%.*s\": forced failure",
                             STR_ARG(user->text.text));
        if (o == OUT_OK)
            o = find_user(s, name, group_set);
    }
    return o == OUT_OK ? set_group(s) : o;
}
