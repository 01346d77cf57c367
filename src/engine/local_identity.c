/* Whose identity a local delivery has; see local_identity.h. */
#include "engine/local_identity.h"

#include "engine/become.h"
#include "engine/maillog.h"
#include "sys/account.h"
#include "sys/user.h"
#include "transports/transport.h"

#include <stdarg.h>

/* While it is being found out. */
struct finding {
    struct delivery *d;
    struct address *a;
    const struct driver_instance *transport;
    const struct transport_generic *g;
    struct why *why;
    int64_t uid, gid; /* -1: not known yet */
    bool initgroups;
};

enum outcome
local_fault(struct delivery *d, struct why *why, int number, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vprintf(d->arena, fmt, ap);
    va_end(ap);
    *why = (struct why){.outcome = OUT_DEFER, .sys_errno = number, .log = text};
    maillog_line(d->engine, MAILLOG_MAIN | MAILLOG_PANIC, d->id, why->log);
    return OUT_DEFER;
}

/* The value of user or group. */
static enum outcome
expand_name(struct finding *f, const struct xstr *x, const char *option, int number,
            struct str *out)
{
    if (vm_expand_x(f->d->engine->vm, x, out) != VM_OK)
        return local_fault(f->d, f->why, number,
                           "Failed to expand %s string \"%.*s\" for the %.*s transport: %.*s",
                           option, STR_ARG(x->text), STR_ARG(f->transport->name),
                           STR_ARG(vm_error(f->d->engine->vm)));
    *out = str_dup(f->d->arena, str_trim(*out));
    return OUT_OK;
}

static enum outcome
find_group(struct finding *f)
{
    const struct account_rules rules = engine_account_rules(f->d->engine);
    struct str name;
    const struct opt_id *group = &f->g->group;
    if (!str_is_set(group->text.text)) {
        f->gid = group->set ? group->id : -1;
        return OUT_OK;
    }
    enum outcome o = expand_name(f, &group->text, "group", WHY_NO_GROUP, &name);
    if (o == OUT_OK && !user_find_group_by(&rules, name, &f->gid))
        return local_fault(f->d, f->why, WHY_NO_GROUP,
                           "Failed to find group \"%.*s\" from expanded string \"%.*s\" for "
                           "the %.*s transport",
                           STR_ARG(name), STR_ARG(group->text.text),
                           STR_ARG(f->transport->name));
    return o;
}

static bool
is_number(struct str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if (!ascii_digit(s.p[i]))
            return false;
    return s.n > 0;
}

/* The user that the transport names; its group if it has a name and no group is known yet. */
static enum outcome
find_user(struct finding *f)
{
    const struct account_rules rules = engine_account_rules(f->d->engine);
    const struct opt_id *user = &f->g->user;
    bool number = user->number;
    f->uid = user->id;
    if (str_is_set(user->text.text)) {
        struct str name;
        enum outcome o = expand_name(f, &user->text, "user", WHY_NO_USER, &name);
        if (o != OUT_OK)
            return o;
        if (!user_find_by(&rules, name, &f->uid))
            return local_fault(f->d, f->why, WHY_NO_USER,
                               "Failed to find user \"%.*s\" from expanded string \"%.*s\" "
                               "for the %.*s transport",
                               STR_ARG(name), STR_ARG(user->text.text),
                               STR_ARG(f->transport->name));
        number = is_number(name);
    }
    f->initgroups = f->g->initgroups;
    const struct passwd *pw = number ? NULL : account_user_of_id(f->d->arena, (uid_t)f->uid);
    if (f->gid < 0 && pw != NULL)
        f->gid = pw->pw_gid;
    return OUT_OK;
}

/* pipe_as_creator, the router's identity, or our own. */
static void
find_without_user(struct finding *f)
{
    const struct engine *e = f->d->engine;
    if (transport_own_bool(f->transport, "pipe_as_creator")) {
        f->uid = f->d->message->originator_uid;
        if (f->gid < 0)
            f->gid = f->d->message->originator_gid;
    } else if (f->a->local_uid >= 0) {
        f->uid = f->a->local_uid;
        f->initgroups = f->a->initgroups;
    } else {
        f->uid = e->mail_uid;
        if (f->gid < 0)
            f->gid = e->mail_gid;
    }
}

static enum outcome
find_ids(struct finding *f)
{
    enum outcome o = find_group(f);
    if (o != OUT_OK)
        return o;
    if (f->gid < 0)
        f->gid = f->a->local_gid;
    if (f->g->user.set)
        o = find_user(f);
    else
        find_without_user(f);
    if (o != OUT_OK)
        return o;
    if (f->gid < 0)
        return local_fault(f->d, f->why, WHY_NO_GROUP,
                           "User set without group for %.*s transport",
                           STR_ARG(f->transport->name));
    if (become_never(f->d->engine, f->uid))
        return local_fault(f->d, f->why, WHY_NO_USER,
                           "User %ld set for %.*s transport is on the never_users list",
                           (long)f->uid, STR_ARG(f->transport->name));
    return OUT_OK;
}

/* The transport's own option counts more than the text that the router gave. */
static enum outcome
expand_directory(struct finding *f, const struct xstr *own, struct str routed, const char *what,
                 struct str *out)
{
    const struct xstr from_router = {.text = routed};
    const struct xstr *x = str_is_set(own->text) ? own : &from_router;
    if (!str_is_set(x->text))
        return OUT_OK;
    if (vm_expand_x(f->d->engine->vm, x, out) != VM_OK)
        return local_fault(f->d, f->why, WHY_EXPANSION,
                           "%s directory \"%.*s\" failed to expand for %.*s transport: %.*s",
                           what, STR_ARG(x->text), STR_ARG(f->transport->name),
                           STR_ARG(vm_error(f->d->engine->vm)));
    *out = str_dup(f->d->arena, *out);
    return OUT_OK;
}

enum outcome
local_identity_find(struct delivery *d, const struct driver_instance *transport,
                    struct address *a, struct local_identity *out, struct why *why)
{
    struct finding f = {.d = d,
                        .a = a,
                        .transport = transport,
                        .g = transport->generic.fields,
                        .why = why,
                        .uid = -1,
                        .gid = -1};
    *out = (struct local_identity){.home = a->home};
    enum outcome o = find_ids(&f);
    if (o == OUT_OK)
        o = expand_directory(&f, &f.g->home_directory, a->transport_home, "home", &out->home);
    d->engine->eval->address->home = out->home;
    if (o == OUT_OK)
        o = expand_directory(&f, &f.g->current_directory, a->current_directory, "current",
                             &out->directory);
    if (out->directory.n == 0)
        out->directory = out->home.n > 0 ? out->home : STR_LIT("/");
    out->uid = (uid_t)f.uid;
    out->gid = (gid_t)f.gid;
    const struct passwd *pw = f.initgroups ? account_user_of_id(d->arena, out->uid) : NULL;
    if (pw != NULL)
        out->login = str_from_cstr(pw->pw_name);
    return o;
}
