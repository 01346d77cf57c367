/* check_local_user, user and group: under whose identity a router's deliveries run. */
#include "engine/route_step.h"

#include "sys/account.h"
#include "sys/user.h"

enum outcome
route_local_user(struct route_step *s)
{
    const struct account_rules rules = engine_account_rules(s->r->engine);
    struct address *a = s->a;
    if (!s->g->check_local_user)
        return OUT_OK;
    const char *name = str_cstr(s->r->arena, a->local_part);
    const struct passwd *pw = name == NULL ? NULL : account_user_by(s->r->arena, &rules, name);
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

/* Faults of user and group are told in the panic log as well: they are the administrator's. */
static enum outcome
say_panic(struct route_step *s, struct str text)
{
    route_panic(s, text);
    return route_say(s, OUT_DEFER, "%.*s", STR_ARG(text));
}

static enum outcome
expand_name(struct route_step *s, const char *what, struct str text, struct str *name)
{
    if (route_expand(s, text, name) == VM_OK)
        return OUT_OK;
    return say_panic(s, str_printf(s->r->arena,
                                   "Failed to expand %s string \"%.*s\" for the %.*s router: "
                                   "%.*s",
                                   what, STR_ARG(text), STR_ARG(s->router->name),
                                   STR_ARG(vm_error(s->vm))));
}

static enum outcome
not_found(struct route_step *s, const char *what, struct str name, struct str text)
{
    return say_panic(s,
                     str_printf(s->r->arena,
                                "Failed to find %s \"%.*s\" from expanded string \"%.*s\" "
                                "for the %.*s router",
                                what, STR_ARG(name), STR_ARG(text), STR_ARG(s->router->name)));
}

/* A user by name brings the group along. */
static void
take_entry(struct route_step *s, const struct passwd *pw, bool by_name)
{
    bool group_set = s->g->group.set;
    s->login = pw == NULL ? STR_NULL : str_dup(s->r->arena, str_from_cstr(pw->pw_name));
    if (pw != NULL && by_name && !group_set)
        s->gid = pw->pw_gid;
}

static enum outcome
expand_user(struct route_step *s)
{
    const struct account_rules rules = engine_account_rules(s->r->engine);
    struct str name, text = s->g->user.text.text;
    enum outcome o = expand_name(s, "user", text, &name);
    if (o != OUT_OK)
        return o;
    const char *z = str_cstr(s->r->arena, name);
    if (z == NULL || !user_find_by(&rules, name, &s->uid))
        return not_found(s, "user", name, text);
    const struct passwd *pw = account_user_by(s->r->arena, &rules, z);
    take_entry(s, pw, pw != NULL);
    return OUT_OK;
}

static enum outcome
expand_group(struct route_step *s)
{
    const struct account_rules rules = engine_account_rules(s->r->engine);
    struct str name, text = s->g->group.text.text;
    enum outcome o = expand_name(s, "group", text, &name);
    if (o == OUT_OK && !user_find_group_by(&rules, name, &s->gid))
        return not_found(s, "group", name, text);
    return o;
}

/* `set` tells that the option is there; a text that a number or a name was not made of yet is expanded now. */
enum outcome
route_set_user(struct route_step *s)
{
    enum outcome o = OUT_OK;
    const struct opt_id *user = &s->g->user, *group = &s->g->group;
    if (route_has(&user->text)) {
        o = expand_user(s);
    } else if (user->set) {
        s->uid = user->id;
        take_entry(s, account_user_of_id(s->r->arena, (uid_t)user->id), !user->number);
    }
    if (o != OUT_OK)
        return o;
    if (route_has(&group->text))
        o = expand_group(s);
    else if (group->set)
        s->gid = group->id;
    return o;
}
