/* The queryprogram router: runs a command that says what to do with an address. */
#include "conf/eval.h"
#include "conf/main_options.h"
#include "routers/query_answer.h"
#include "routers/redirect.h"
#include "routers/route_hosts.h"
#include "sys/account.h"
#include "sys/child.h"
#include "transports/command.h"

#include <string.h>

struct router_queryprogram {
    struct xstr command;
    struct opt_id command_group, command_user;
    struct str current_directory;
    int64_t timeout;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_XSTR(struct router_queryprogram, command, NULL, 0,
        "Command whose output says what to do with the address."),
    OPT_GID(struct router_queryprogram, command_group, NULL, 0,
        "Group under which the command runs."),
    OPT_UID(struct router_queryprogram, command_user, NULL, 0,
        "User as whom the command runs."),
    OPT_STR(struct router_queryprogram, current_directory, "/", 0,
        "Folder in which the command runs."),
    OPT_TIME(struct router_queryprogram, timeout, 1 * 3600, 0,
        "Time limit for the command."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "queryprogram router",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct router_queryprogram),
};

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    const struct router_queryprogram *own = d->own.fields;
    bool ok = true;
    if (!driver_has(own->command))
        ok = driver_fault(diags, d, "command", DRIVER_WORDS_FOR,
                          "a command specification is required");
    if (!driver_sets_own(d, "command_user"))
        ok = driver_fault(diags, d, NULL, DRIVER_WORDS_FOR, "command_user must be specified");
    return router_check_generic(d, ROUTER_TRANSPORT_OPTIONAL, diags) && ok;
}

/* --- the command --- */

enum { OUTPUT_MAX = 64 * 1024 }; /* more is not read; only the first line counts */

/* Whose command it is: the group is that of the user unless it is set. */
static struct route_child
identity(const struct route_call *c, const struct router_queryprogram *own)
{
    struct route_child rq = {.uid = (uid_t)own->command_user.id};
    const struct passwd *pw = account_user_of_id(c->arena, rq.uid);
    rq.gid = own->command_group.set ? (gid_t)own->command_group.id
             : pw != NULL           ? pw->pw_gid
                                    : (gid_t)rq.uid;
    return rq;
}

/* True if the command ended well. */
static bool
check_end(const struct route_call *c, const struct child_result *got, struct route_result *out)
{
    const struct router_queryprogram *own = c->router->own.fields;
    const char *name = str_cstr(c->arena, c->router->name);
    switch (got->end) {
    case CHILD_EXITED:
        if (got->status == 0 && got->answer.n > 0)
            return true;
        if (got->status == 0)
            route_hosts_say(c, out, OUT_DEFER, "%s router: command failed to return data",
                            name);
        else
            route_hosts_say(c, out, OUT_DEFER, "%s router: command returned non-zero code %d",
                            name, got->status);
        return false;
    case CHILD_TOO_MUCH:
        return true;
    case CHILD_SIGNALLED:
        route_hosts_say(c, out, OUT_DEFER, "%s router: command killed by signal %d", name,
                        got->status);
        return false;
    case CHILD_TIMED_OUT:
        route_hosts_say(c, out, OUT_DEFER, "%s router: command timed out", name);
        out->freeze = true;
        return false;
    case CHILD_NO_DIRECTORY:
        route_hosts_say(c, out, OUT_DEFER, "%s router: failed to chdir to %.*s: %s", name,
                        STR_ARG(own->current_directory), strerror(got->sys_errno));
        return false;
    case CHILD_NO_START:
    case CHILD_NOT_BECOME:
        break;
    }
    route_hosts_say(c, out, OUT_DEFER, "%s router: failed to create child process: %s", name,
                    strerror(got->sys_errno));
    return false;
}

/* True with the output; else out says why. */
static bool
ask(const struct route_call *c, const struct router_queryprogram *own, struct str *output,
    struct route_result *out)
{
    const struct command_request what = {.arena = c->arena,
                                         .vm = c->vm,
                                         .text = own->command.text,
                                         .what = STR_LIT("queryprogram router"),
                                         .expand = true};
    struct command command;
    if (command_make(&what, &command) != OUT_OK) {
        route_hosts_say(c, out, OUT_DEFER, "%.*s", STR_ARG(command.error));
        return false;
    }
    struct route_child rq = identity(c, own);
    struct child_result got;
    rq.directory = own->current_directory;
    rq.timeout_s = own->timeout;
    rq.max_answer = OUTPUT_MAX;
    rq.words = command.words.v;
    rq.words_n = command.words.n;
    c->up->run_child(c->up->ctx, &rq, &got);
    *output = got.answer;
    return check_end(c, &got, out);
}

/* --- its answer --- */

/* An answer that makes no sense is the administrator's fault. */
static void
bad_answer(const struct route_call *c, struct route_result *out, struct str text)
{
    const struct str line =
        str_printf(c->arena, "%.*s router: %.*s", STR_ARG(c->router->name), STR_ARG(text));
    c->up->log(c->up->ctx, ROUTE_LOG_PANIC, line);
    route_hosts_say(c, out, OUT_DEFER, "%.*s", STR_ARG(text));
}

static bool
read_lookup(struct str word, unsigned *how)
{
    *how = 0;
    if (!str_is_set(word))
        return true;
    if (str_ieqz(word, "byname"))
        *how = ROUTE_FIND_BYNAME;
    else if (str_ieqz(word, "bydns"))
        *how = ROUTE_FIND_BYDNS;
    return *how != 0;
}

/* The transport of the answer, or of the option. */
static bool
set_transport(const struct route_call *c, const struct query_answer *q,
              struct route_result *out)
{
    if (str_is_set(q->transport)) {
        out->transport = conf_transport(c->eval->conf, q->transport);
        if (out->transport == NULL)
            bad_answer(c, out,
                       str_printf(c->arena, "unknown transport name %.*s yielded by command",
                                  STR_ARG(q->transport)));
        return out->transport != NULL;
    }
    if (c->up->find_transport(c->up->ctx, &out->transport, &out->why) != OUT_OK) {
        out->outcome = OUT_DEFER;
        return false;
    }
    if (out->transport == NULL)
        route_hosts_say(c, out, OUT_DEFER, "transport unset in %.*s router",
                        STR_ARG(c->router->name));
    return out->transport != NULL;
}

static void
accept_answer(const struct route_call *c, const struct query_answer *q, struct route_result *out)
{
    struct route_hosts hosts = {.call = c, .find_failed = STR_LIT("freeze")};
    if (str_is_set(q->data))
        c->address->address_data = q->data;
    if (!set_transport(c, q, out))
        return;
    out->outcome = OUT_OK;
    if (!str_is_set(q->hosts) || q->hosts.n == 0)
        return;
    if (!read_lookup(q->lookup, &hosts.how)) {
        bad_answer(c, out,
                   str_printf(c->arena, "bad lookup type \"%.*s\" yielded by command",
                              STR_ARG(q->lookup)));
        return;
    }
    hosts.items = host_items_read(c->arena, q->hosts, HOST_ORDER_KEEP);
    hosts.all_ignored = STR_LIT("defer");
    route_hosts_find(&hosts, out);
}

/* New addresses, written as in a redirection list; they may only be mail addresses. */
static void
redirect(const struct route_call *c, struct str text, struct route_result *out)
{
    static const struct router_redirect forbids = {.allow_fail = true,
                                                   .forbid_blackhole = true,
                                                   .forbid_file = true,
                                                   .forbid_include = true,
                                                   .forbid_pipe = true};
    struct redirection r = {.call = c,
                            .o = &forbids,
                            .arena = c->arena,
                            .text = text,
                            .qualify = c->eval->conf->main->qualify_recipient};
    struct redirect_result result = {.end = REDIRECT_END_NONE};
    redirect_items(&r, &result);
    if (result.end == REDIRECT_END_ITEMS) {
        redirect_children(&r, &result, out);
        out->outcome = OUT_OK;
        out->rewrite_children = true;
        return;
    }
    if (result.end == REDIRECT_END_FAIL) {
        route_hosts_say(c, out, OUT_FAIL, "%.*s", STR_ARG(result.text));
        out->why.peer = out->why.log;
        return;
    }
    if (result.end == REDIRECT_END_NONE)
        result.text = STR_LIT("no addresses supplied");
    route_hosts_say(c, out, OUT_DEFER, "error in redirect data: %.*s", STR_ARG(result.text));
}

static void
act(const struct route_call *c, const struct query_answer *q, struct route_result *out)
{
    switch (q->kind) {
    case QUERY_ACCEPT:
        accept_answer(c, q, out);
        return;
    case QUERY_REDIRECT:
        redirect(c, q->text, out);
        return;
    case QUERY_DECLINE:
        out->outcome = OUT_DECLINE;
        return;
    case QUERY_PASS:
        out->outcome = OUT_PASS;
        return;
    case QUERY_FAIL:
        route_hosts_say(c, out, OUT_FAIL, "%.*s", STR_ARG(q->text));
        out->why.peer = out->why.log;
        return;
    case QUERY_DEFER:
    case QUERY_FREEZE:
        route_hosts_say(c, out, OUT_DEFER, "%.*s", STR_ARG(q->text));
        out->freeze = q->kind == QUERY_FREEZE;
        return;
    case QUERY_UNKNOWN:
        break;
    }
    bad_answer(c, out,
               str_printf(c->arena, "bad command yield: %.*s %.*s", STR_ARG(q->word),
                          STR_ARG(q->text)));
}

static void
route(const struct route_call *c, struct route_result *out)
{
    struct str output;
    if (!ask(c, c->router->own.fields, &output, out))
        return;
    struct query_answer q = query_answer_read(c->arena, output);
    act(c, &q, out);
}

const struct router_driver router_queryprogram = {
    .base =
        {
            .name = STR_INIT("queryprogram"),
            .opts = &opts,
            .check = check,
        },
    .route = route,
};
