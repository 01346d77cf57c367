/* The environment of a pipe transport's command: a fixed list, and what the environment option adds. Source: specification, section
 * "Environment variables" of the pipe transport. */
#include "transports/pipe.h"

#include "base/strlist.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "filter/expand.h"

/* The list as it grows. */
struct settings {
    struct pipe_delivery *p;
    VEC(char *) v;
};

/* A value with a NUL byte is left out: no environment can hold it. */
static void
add(struct settings *s, const char *name, struct str value)
{
    char *z = str_cstr(s->p->arena, str_printf(s->p->arena, "%s=%.*s", name, STR_ARG(value)));
    if (z != NULL && !str_has_nul(value))
        vec_push(s->p->arena, &s->v, z);
}

static void
add_address(struct settings *s)
{
    const struct address *a = s->p->job->eval->address;
    struct arena *arena = s->p->arena;
    add(s, "LOCAL_PART", a->local_part);
    add(s, "LOGNAME", a->local_part);
    add(s, "USER", a->local_part);
    add(s, "LOCAL_PART_PREFIX", a->prefix);
    add(s, "LOCAL_PART_SUFFIX", a->suffix);
    add(s, "DOMAIN", a->domain);
    if (str_is_set(a->local_part))
        add(s, "RECIPIENT",
            str_printf(arena, "%.*s%.*s%.*s%s%.*s", STR_ARG(a->prefix), STR_ARG(a->local_part),
                       STR_ARG(a->suffix), a->domain.n > 0 ? "@" : "", STR_ARG(a->domain)));
    if (a->host.n > 0)
        add(s, "HOST", a->host);
}

static void
add_fixed(struct settings *s)
{
    const struct transport_job *job = s->p->job;
    const struct conf_main *c = job->eval->conf->main;
    add(s, "HOME", job->home);
    add(s, "MESSAGE_ID", job->message->id);
    add(s, "PATH", s->p->path);
    add(s, "QUALIFY_DOMAIN", c->qualify_domain);
    add(s, "SENDER", job->message->sender);
    add(s, "SHELL", STR_LIT("/bin/sh"));
    if (c->timezone.n > 0)
        add(s, "TZ", c->timezone);
}

static bool
add_option(struct settings *s)
{
    struct pipe_delivery *p = s->p;
    struct str list, item;
    if (!str_is_set(p->opt->environment.text))
        return true;
    if (vm_expand_x(p->job->vm, &p->opt->environment, &list) != VM_OK)
        return pipe_say(p, OUT_DEFER, 0, "failed to expand string \"%.*s\" for %.*s: %.*s",
                        STR_ARG(p->opt->environment.text), STR_ARG(p->what),
                        STR_ARG(vm_error(p->job->vm)));
    struct strlist_split split = strlist_split_start(list, ':');
    while (strlist_split_next(&split, p->arena, &item)) {
        char *z = str_cstr(p->arena, item);
        if (z != NULL)
            vec_push(p->arena, &s->v, z);
    }
    return true;
}

bool
pipe_environ_make(struct pipe_delivery *p)
{
    struct settings s = {.p = p};
    add_address(&s);
    add_fixed(&s);
    if (!add_option(&s))
        return false;
    vec_push(p->arena, &s.v, NULL);
    p->environ = s.v.v;
    return true;
}
