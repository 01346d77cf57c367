/* Which command a pipe transport runs, and whether it may. Source: specification, section "How the command is run". */
#include "transports/pipe.h"

#include "base/strlist.h"
#include "filter/expand.h"
#include "filter/host_refuse.h"
#include "mail/why_errno.h"
#include "transports/command.h"

#include <unistd.h>

/* Where the command comes from. */
struct origin {
    struct str text;
    bool from_address;
    bool expand;
};

/* The command that a redirection gave, without the bar. */
static struct str
address_command(const struct address *a)
{
    struct str text = a->text;
    if (text.n > 0 && text.p[0] == '|')
        text = str_sub(text, 1, text.n);
    return str_trim(text);
}

static bool
find_origin(struct pipe_delivery *p, struct origin *out)
{
    const struct address *a = p->job->addresses[0];
    bool piped = a->item == ADDRESS_ITEM_PIPE;
    if (piped && !p->opt->force_command) {
        *out = (struct origin){
            .text = address_command(a), .from_address = true, .expand = a->expands};
        if (str_is_tainted(out->text))
            return pipe_say(p, OUT_ERROR, 0, "Tainted '%.*s' (command for %.*s) not permitted",
                            STR_ARG(out->text), STR_ARG(p->what));
    } else
        *out = (struct origin){.text = p->opt->command.text, .expand = true};
    if (out->text.n == 0)
        return pipe_say(p, OUT_DEFER, 0, "no command specified for %.*s", STR_ARG(p->what));
    return true;
}

/* --- what is allowed --- */

static bool
is_listed(struct arena *a, struct str list, struct str name)
{
    struct str item;
    struct strlist_split s = strlist_split_start(list, ':');
    while (strlist_split_next(&s, a, &item))
        if (str_eq(item, name))
            return true;
    return false;
}

/* allow_commands and restrict_to_path. */
static bool
check_allowed(struct pipe_delivery *p, struct str name)
{
    struct str list = STR_NULL;
    if (str_is_set(p->opt->allow_commands.text)) {
        if (vm_expand_x(p->job->vm, &p->opt->allow_commands, &list) != VM_OK)
            return pipe_say(p, OUT_DEFER, 0, "failed to expand string \"%.*s\" for %.*s: %.*s",
                            STR_ARG(p->opt->allow_commands.text), STR_ARG(p->what),
                            STR_ARG(vm_error(p->job->vm)));
        if (is_listed(p->arena, list, name))
            return true;
    }
    if (!str_is_set(list) && !p->opt->restrict_to_path)
        return true;
    if (!p->opt->restrict_to_path)
        return pipe_say(p, OUT_FAIL, 0, "\"%.*s\" command not permitted by %.*s", STR_ARG(name),
                        STR_ARG(p->what));
    if (str_chr(name, '/', 0) != STR_NPOS)
        return pipe_say(p, OUT_FAIL, 0,
                        "\"/\" found in \"%.*s\" (command for %.*s) - failed for security "
                        "reasons",
                        STR_ARG(p->command), STR_ARG(p->what));
    return true;
}

/* The name as an absolute path: found in the folders of path when it is none. */
static bool
find_program(struct pipe_delivery *p, struct str name)
{
    struct str folder;
    struct strlist_split s = strlist_split_start(p->path, ':');
    if (name.p[0] == '/')
        return true;
    while (strlist_split_next(&s, p->arena, &folder)) {
        struct str file = str_printf(p->arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(name));
        char *z = str_cstr(p->arena, file);
        if (z != NULL && access(z, F_OK) == 0) {
            p->argv[0] = z;
            return true;
        }
    }
    return pipe_say(p, OUT_FAIL, 0, "\"%.*s\" command not found for %.*s", STR_ARG(name),
                    STR_ARG(p->what));
}

/* --- the two ways --- */

static bool
make_direct(struct pipe_delivery *p, const struct origin *o)
{
    const struct address *a = p->job->addresses[0];
    bool piped = a->item == ADDRESS_ITEM_PIPE;
    const struct command_request rq = {
        .arena = p->arena,
        .vm = p->job->vm,
        .text = o->text,
        .what = p->what,
        .expand = o->expand,
        .tainted_arguments = o->from_address && a->expands,
        .addresses = p->job->addresses,
        .n = p->job->n,
        .address_pipe = piped && p->opt->force_command ? address_command(a) : STR_NULL,
    };
    struct command c;
    const struct host *before = vm_host(p->job->vm);
    if (o->from_address && a->refuse != 0)
        (void)vm_set_host(p->job->vm, host_refuse(p->arena, before, a->refuse));
    enum outcome end = command_make(&rq, &c);
    (void)vm_set_host(p->job->vm, before);
    if (end != OUT_OK)
        return pipe_say(p, end, 0, "%.*s", STR_ARG(c.error));
    p->argv = c.argv;
    return check_allowed(p, c.words.v[0]) && find_program(p, c.words.v[0]);
}

/* use_shell: the text is expanded as a whole. */
static bool
make_shell(struct pipe_delivery *p, const struct origin *o)
{
    const struct address *a = p->job->addresses[0];
    const struct host *before = vm_host(p->job->vm);
    struct str text = o->text;
    if (o->from_address && a->refuse != 0)
        (void)vm_set_host(p->job->vm, host_refuse(p->arena, before, a->refuse));
    enum vm_status st = o->expand ? vm_expand(p->job->vm, o->text, &text) : VM_OK;
    (void)vm_set_host(p->job->vm, before);
    if (st != VM_OK)
        return pipe_say(p, OUT_ERROR, 0, "Expansion of command \"%.*s\" in %.*s failed: %.*s",
                        STR_ARG(o->text), STR_ARG(p->what), STR_ARG(vm_error(p->job->vm)));
    if (str_is_tainted(text))
        return pipe_say(p, OUT_ERROR, 0, "Tainted '%.*s' (command for %.*s) not permitted",
                        STR_ARG(text), STR_ARG(p->what));
    p->argv = ARENA_ARRAY(p->arena, char *, 4);
    p->argv[0] = str_cstr(p->arena, STR_LIT("/bin/sh"));
    p->argv[1] = str_cstr(p->arena, STR_LIT("-c"));
    p->argv[2] = str_cstr(p->arena, text);
    return p->argv[2] != NULL ||
           pipe_say(p, OUT_FAIL, 0, "NUL byte in command for %.*s", STR_ARG(p->what));
}

bool
pipe_command_make(struct pipe_delivery *p)
{
    struct origin o;
    const struct address *a = p->job->addresses[0];
    if (!find_origin(p, &o))
        return false;
    p->command = o.text;
    if (a->captures_n > 0)
        vm_set_captures(p->job->vm, a->captures, a->captures_n);
    if (vm_expand_x(p->job->vm, &p->opt->path, &p->path) != VM_OK)
        return pipe_say(p, OUT_DEFER, 0, "failed to expand string \"%.*s\" for %.*s: %.*s",
                        STR_ARG(p->opt->path.text), STR_ARG(p->what),
                        STR_ARG(vm_error(p->job->vm)));
    p->path = str_dup(p->arena, p->path);
    return p->opt->use_shell ? make_shell(p, &o) : make_direct(p, &o);
}
