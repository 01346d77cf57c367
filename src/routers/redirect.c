/* The redirect router: replaces an address by others, from an alias file, a .forward file or a filter.
 *
 * Files and filters of users are only touched by a child that is the user; what it answers is taken from a stranger. Source:
 * specification, chapter "The redirect router".
 */
#include "routers/redirect.h"

#include "conf/eval.h"
#include "conf/main_options.h"
#include "filter/filter_compile.h"
#include "mail/redirect_list.h"
#include "routers/redirect_work.h"
#include "sys/child.h"

#include <unistd.h>

/* clang-format off */
static const struct opt rows[] = {
    OPT_BOOL(struct router_redirect, allow_defer, false, 0,
        "Lets the list use :defer: to put delivery off."),
    OPT_BOOL(struct router_redirect, allow_fail, false, 0,
        "Lets the list use :fail: to make the address fail."),
    OPT_BOOL(struct router_redirect, allow_filter, false, 0,
        "Lets the list be an Exim or Sieve filter."),
    OPT_BOOL(struct router_redirect, allow_freeze, false, 0,
        "Lets a filter freeze the message."),
    OPT_BOOL(struct router_redirect, check_ancestor, false, 0,
        "Ignores a new address that is already an ancestor and leads back to it."),
    OPT_BOOL(struct router_redirect, check_group, false, 0,
        "Checks that the group of the file is one of the allowed ones."),
    OPT_BOOL(struct router_redirect, check_owner, false, 0,
        "Checks that the owner of the file is one of the allowed ones."),
    OPT_XSTR(struct router_redirect, data, NULL, 0,
        "The list of new addresses, or the filter, as text."),
    OPT_XSTR(struct router_redirect, directory_transport, NULL, 0,
        "Transport for items that name a folder."),
    OPT_XSTR(struct router_redirect, file, NULL, 0,
        "File with the list of new addresses, or with the filter."),
    OPT_XSTR(struct router_redirect, file_transport, NULL, 0,
        "Transport for items that name a file."),
    OPT_BOOL(struct router_redirect, filter_prepend_home, true, 0,
        "Puts the home folder before a relative file name in a \"save\" command."),
    OPT_BOOL(struct router_redirect, forbid_blackhole, false, 0,
        "Forbids :blackhole: in the list."),
    OPT_BOOL(struct router_redirect, forbid_exim_filter, false, 0,
        "Forbids Exim filters, so that only Sieve filters may be used."),
    OPT_BOOL(struct router_redirect, forbid_file, false, 0,
        "Forbids delivery to files and folders."),
    OPT_BOOL(struct router_redirect, forbid_filter_dlfunc, false, 0,
        "Forbids calls of loaded functions in filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_existstest, false, 0,
        "Forbids tests for the existence of files in filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_logwrite, false, 0,
        "Forbids writing to a log from filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_lookup, false, 0,
        "Forbids lookups in filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_perl, false, 0,
        "Forbids Perl in filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_readfile, false, 0,
        "Forbids reading files in expansions of filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_readsocket, false, 0,
        "Forbids reading sockets in expansions of filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_reply, false, 0,
        "Forbids filters to send replies."),
    OPT_BOOL(struct router_redirect, forbid_filter_run, false, 0,
        "Forbids running commands in expansions of filters."),
    OPT_BOOL(struct router_redirect, forbid_include, false, 0,
        "Forbids :include: in the list."),
    OPT_BOOL(struct router_redirect, forbid_pipe, false, 0,
        "Forbids delivery to pipes."),
    OPT_BOOL(struct router_redirect, forbid_sieve_filter, false, 0,
        "Forbids Sieve filters, so that only Exim filters may be used."),
    OPT_BOOL(struct router_redirect, forbid_smtp_code, false, 0,
        "Takes no SMTP code from the texts of :defer: and :fail:."),
    OPT_BOOL(struct router_redirect, hide_child_in_errmsg, false, 0,
        "Names the original address and not the new one in a bounce."),
    OPT_BOOL(struct router_redirect, ignore_eacces, false, 0,
        "Declines when the file may not be read."),
    OPT_BOOL(struct router_redirect, ignore_enotdir, false, 0,
        "Declines when part of the path of the file is not a folder."),
    OPT_STR(struct router_redirect, include_directory, NULL, 0,
        "Folder below which :include: files must lie."),
    OPT_OCTAL(struct router_redirect, modemask, 022, 0,
        "Permission bits that the file must not have."),
    OPT_BOOL(struct router_redirect, one_time, false, 0,
        "Replaces the address by its new ones for good, so that it is routed only once."),
    OPT_UIDS(struct router_redirect, owners, NULL, 0,
        "Users who may own the file."),
    OPT_GIDS(struct router_redirect, owngroups, NULL, 0,
        "Groups that the file may belong to."),
    OPT_XSTR(struct router_redirect, pipe_transport, NULL, 0,
        "Transport for items that name a command."),
    OPT_XSTR(struct router_redirect, qualify_domain, NULL, 0,
        "Domain that is added to new addresses without one."),
    OPT_BOOL(struct router_redirect, qualify_preserve_domain, false, 0,
        "Adds the domain of the old address to new ones without a domain."),
    OPT_BOOL(struct router_redirect, repeat_use, true, 0,
        "Lets the router handle an address again that came out of it."),
    OPT_XSTR(struct router_redirect, reply_transport, NULL, 0,
        "Transport for replies that a filter sends."),
    OPT_BOOL(struct router_redirect, rewrite, true, 0,
        "Applies the rewriting rules to new addresses."),
    OPT_XSTR(struct router_redirect, sieve_enotify_mailto_owner, NULL, OPT_NO_EFFECT,
        "Owner's address, to put into notifications from Sieve."),
    OPT_XSTR(struct router_redirect, sieve_inbox, "inbox", OPT_NO_EFFECT,
        "Name that \"keep\" in a Sieve filter stands for."),
    OPT_XSTR(struct router_redirect, sieve_subaddress, NULL, OPT_NO_EFFECT,
        "Detail part of the address for Sieve's :detail."),
    OPT_XSTR(struct router_redirect, sieve_useraddress, NULL, OPT_NO_EFFECT,
        "User part of the address for Sieve's :user."),
    OPT_XSTR(struct router_redirect, sieve_vacation_directory, NULL, OPT_NO_EFFECT,
        "Folder in which Sieve's vacation remembers its correspondents."),
    OPT_BOOL(struct router_redirect, skip_syntax_errors, false, 0,
        "Leaves out items with syntax errors and uses the rest."),
    OPT_XSTR(struct router_redirect, syntax_errors_text, NULL, 0,
        "Text of the mail about syntax errors."),
    OPT_STR(struct router_redirect, syntax_errors_to, NULL, 0,
        "Address that is told about syntax errors."),
};
/* clang-format on */

static const struct opt_table opts = {
    .what = "redirect router",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .size = sizeof(struct router_redirect),
};

enum { GROUP_WRITE = 020 };

/* Defaults that depend on other options. */
static void
complete(struct driver_instance *d)
{
    const struct router_generic *g = d->generic.fields;
    struct router_redirect *own = d->own.fields;
    if (!driver_sets_own(d, "check_owner"))
        own->check_owner = g->check_local_user || own->owners.n > 0;
    if (!driver_sets_own(d, "check_group"))
        own->check_group =
            own->owngroups.n > 0 || (g->check_local_user && (own->modemask & GROUP_WRITE) == 0);
    if (own->one_time)
        own->forbid_pipe = own->forbid_file = own->forbid_filter_reply = true;
}

/* What cannot be kept when only the new addresses are remembered. */
static bool
check_one_time(const struct driver_instance *d, struct diags *diags)
{
    const struct router_generic *g = d->generic.fields;
    bool ok = true;
    if (str_is_set(g->headers_add.text) || str_is_set(g->headers_remove.text))
        ok = driver_fault(diags, d, "one_time", DRIVER_WORDS_FOR,
                          "\"headers_add\" and \"headers_remove\" are not permitted with "
                          "\"one_time\"");
    if (g->unseen.on || str_is_set(g->unseen.text.text))
        ok = driver_fault(diags, d, "unseen", DRIVER_WORDS_FOR,
                          "\"unseen\" may not be used with \"one_time\"");
    return ok;
}

static bool
check(struct arena *a, struct driver_instance *d, struct diags *diags)
{
    (void)a;
    const struct router_generic *g = d->generic.fields;
    const struct router_redirect *own = d->own.fields;
    bool ok = true;
    complete(d);
    if (str_is_set(own->file.text) == str_is_set(own->data.text))
        ok = driver_fault(diags, d, "file", DRIVER_WORDS_FOR,
                          "%s of \"file\" or \"data\" must be specified",
                          str_is_set(own->file.text) ? "only one" : "one");
    if (own->one_time && !check_one_time(d, diags))
        ok = false;
    if (str_is_set(own->qualify_domain.text) && own->qualify_preserve_domain)
        ok = driver_fault(diags, d, "qualify_preserve_domain", DRIVER_WORDS_FOR,
                          "only one of \"qualify_domain\" or \"qualify_preserve_domain\" must "
                          "be set");
    if (own->allow_filter && !g->check_local_user && !driver_sets_generic(d, "user"))
        ok = driver_fault(diags, d, "allow_filter", DRIVER_WORDS_FOR,
                          "\"user\" or \"check_local_user\" must be set with \"allow_filter\"");
    return router_check_generic(d, ROUTER_TRANSPORT_FORBIDDEN, diags) && ok;
}

/* --- routing --- */

enum { ERRNO_REDIRECT = -17, CHILD_SECONDS = 300 };

/* Expands an option. OUT_OK, OUT_DECLINE (forced failure), OUT_DEFER with out->why. */
static enum outcome
expand(const struct route_call *c, const struct xstr *x, struct str *value,
       struct route_result *out)
{
    switch (vm_expand_x(c->vm, x, value)) {
    case VM_OK:
        *value = str_dup(c->arena, *value);
        return OUT_OK;
    case VM_FORCED:
        return OUT_DECLINE;
    case VM_NO:
    case VM_DEFER:
    case VM_ERROR:
        break;
    }
    out->why.log = str_printf(c->arena, "failed to expand \"%.*s\": %.*s", STR_ARG(x->text),
                              STR_ARG(vm_error(c->vm)));
    return OUT_DEFER;
}

static enum outcome
set_qualify(struct redirection *r, struct route_result *out)
{
    const struct route_call *c = r->call;
    r->qualify = c->eval->conf->main->qualify_recipient;
    if (r->o->qualify_preserve_domain)
        r->qualify = c->address->domain;
    if (!str_is_set(r->o->qualify_domain.text))
        return OUT_OK;
    return expand(c, &r->o->qualify_domain, &r->qualify, out);
}

static enum outcome
set_file(struct redirection *r, struct route_result *out)
{
    const struct route_call *c = r->call;
    enum outcome o = expand(c, &r->o->file, &r->file, out);
    if (o != OUT_OK)
        return o;
    if (r->file.n == 0 || r->file.p[0] != '/') {
        out->why.log =
            str_printf(c->arena, "\"%.*s\" is not an absolute path", STR_ARG(r->file));
        return OUT_DEFER;
    }
    if (str_is_tainted(r->file)) {
        out->why.log = str_printf(c->arena, "Tainted name '%.*s' for file read not permitted",
                                  STR_ARG(r->file));
        return OUT_DEFER;
    }
    return OUT_OK;
}

/* --- in the process that is the user --- */

void
redirect_work(const struct route_call *c, const struct redirect_work *what, struct buf *out)
{
    struct redirection r = {.call = c,
                            .o = c->router->own.fields,
                            .arena = c->arena,
                            .text = what->text,
                            .file = what->file,
                            .qualify = what->qualify,
                            .logs = what->logs};
    struct redirect_result res;
    redirect_interpret(&r, &res);
    redirect_result_write(out, &res);
}

static const char *
child_fault(enum child_end end)
{
    switch (end) {
    case CHILD_EXITED:
    case CHILD_SIGNALLED:
        return "it ended without an answer";
    case CHILD_TIMED_OUT:
        return "it took too long";
    case CHILD_TOO_MUCH:
        return "its answer is too large";
    case CHILD_NO_START:
        return "it could not be started";
    case CHILD_NOT_BECOME:
        return "it could not become the user";
    case CHILD_NO_DIRECTORY:
        break;
    }
    return "it could not enter its directory";
}

static void
run_as_user(struct redirection *r, struct redirect_result *res)
{
    const struct route_call *c = r->call;
    const struct router_generic *g = c->router->generic.fields;
    struct child_result got;
    const struct redirect_work what = {
        .file = r->file, .text = r->text, .qualify = r->qualify, .logs = r->logs};
    const struct route_child rq = {
        .uid = (uid_t)c->uid,
        .gid = (gid_t)c->gid,
        .login = g->initgroups ? c->login : STR_NULL,
        .timeout_s = CHILD_SECONDS,
        .max_answer = REDIRECT_BYTES_MAX,
        .redirect = &what,
    };
    c->up->run_child(c->up->ctx, &rq, &got);
    if (got.end == CHILD_EXITED && got.status == 0 &&
        redirect_result_read(c->arena, got.answer, res))
        return;
    struct str text =
        str_printf(c->arena, "internal problem in %.*s router (recipient is %.*s): %s",
                   STR_ARG(c->router->name), STR_ARG(c->address->text), child_fault(got.end));
    c->up->log(c->up->ctx, ROUTE_LOG_BOTH, text);
    redirect_say(res, c->arena, REDIRECT_END_TROUBLE, "%.*s", STR_ARG(text));
}

/* A list that is at hand and names no file is nobody's secret. */
static bool
needs_user(const struct redirection *r)
{
    if (r->call->uid < 0 || (r->call->uid == (int64_t)geteuid() && !r->call->up->becomes))
        return false;
    return str_is_set(r->file) || filter_kind(r->text) != FILTER_KIND_NONE ||
           str_find(r->text, STR_LIT(":include:"), 0) != STR_NPOS;
}

/* --- results --- */

static void
set_text(struct route_result *out, enum outcome outcome, struct str text)
{
    out->outcome = outcome;
    out->why.log = out->why.peer = text;
}

/* The SMTP code in front of a text, which stays in log lines. A code of the wrong kind is a fault, and not used. */
static void
take_code(const struct redirection *r, struct route_result *out)
{
    const struct route_call *c = r->call;
    int code, wanted = out->outcome == OUT_FAIL ? 5 : 4;
    struct str enhanced, rest;
    if (!redirect_text_code(out->why.log, &code, &enhanced, &rest))
        return;
    if (!r->o->forbid_smtp_code && code / 100 == wanted) {
        out->why.smtp_code = code;
        out->why.enhanced = enhanced;
    } else if (!r->o->forbid_smtp_code) {
        struct str text =
            str_printf(c->arena,
                       "configured error code starts with incorrect digit (expected %d) in "
                       "\"%.*s\"",
                       wanted, STR_ARG(out->why.log));
        c->up->log(c->up->ctx, ROUTE_LOG_BOTH, text);
    }
    out->why.peer = rest;
}

static void
set_fault(const struct redirection *r, const struct redirect_result *res,
          struct route_result *out)
{
    struct str text =
        str_printf(r->arena, "error in %s %s: %.*s", res->filter ? "filter" : "redirect",
                   str_is_set(r->file) ? "file" : "data", STR_ARG(res->text));
    out->why.sys_errno = ERRNO_REDIRECT;
    set_text(out, OUT_DEFER, text);
    out->why.peer = STR_EMPTY; /* what is in somebody's file is nothing for strangers */
}

/* A fault of a filter is passed over like one of a list. */
static bool
skips(const struct redirection *r, struct redirect_result *res)
{
    struct redirect_fault f = {.text = res->text, .given = STR_NULL};
    if (res->end != REDIRECT_END_BROKEN || !r->o->skip_syntax_errors)
        return false;
    vec_push(r->arena, &res->faults, f);
    res->end = REDIRECT_END_NONE;
    return true;
}

/* Nothing significant: further routers have the address, and what a filter made in passing is delivered too. */
static void
set_none(const struct redirection *r, const struct redirect_result *res,
         struct route_result *out)
{
    redirect_children(r, res, out);
    out->unseen = out->children.n > 0;
    out->outcome = out->unseen ? OUT_OK : OUT_DECLINE;
    if (res->faults.n > 0)
        out->why.log = STR_LIT("syntax error in redirection data");
}

static void
set_result(const struct redirection *r, struct redirect_result *res, struct route_result *out)
{
    if ((res->end == REDIRECT_END_BAD || res->end == REDIRECT_END_BROKEN) && !skips(r, res)) {
        set_fault(r, res, out);
        return;
    }
    if (res->faults.n > 0)
        redirect_faults(r, res, out);
    switch (res->end) {
    case REDIRECT_END_ABSENT:
        out->outcome = OUT_DECLINE;
        return;
    case REDIRECT_END_NONE:
        set_none(r, res, out);
        return;
    case REDIRECT_END_ITEMS:
    case REDIRECT_END_SEEN:
        redirect_children(r, res, out);
        out->outcome = OUT_OK;
        out->discard_seen = out->children.n == 0;
        return;
    case REDIRECT_END_BLACKHOLE:
        out->outcome = OUT_OK;
        out->discard = true;
        return;
    case REDIRECT_END_DEFER:
    case REDIRECT_END_FAIL:
    case REDIRECT_END_FREEZE:
        redirect_children(r, res, out);
        out->freeze = res->end == REDIRECT_END_FREEZE;
        set_text(out, res->end == REDIRECT_END_FAIL ? OUT_FAIL : OUT_DEFER, res->text);
        take_code(r, out);
        return;
    case REDIRECT_END_BAD:
    case REDIRECT_END_BROKEN:
    case REDIRECT_END_TROUBLE:
    case REDIRECT_ENDS:
        break;
    }
    set_text(out, OUT_DEFER, res->text);
    out->why.peer = STR_EMPTY;
}

static void
route(const struct route_call *c, struct route_result *out)
{
    struct redirection r = {
        .call = c,
        .o = c->router->own.fields,
        .arena = c->arena,
        .file = STR_NULL,
        .logs = c->purpose == ROUTE_FOR_DELIVERY,
    };
    struct redirect_result res;
    out->outcome = set_qualify(&r, out);
    if (out->outcome == OUT_OK)
        out->outcome = str_is_set(r.o->file.text) ? set_file(&r, out)
                                                  : expand(c, &r.o->data, &r.text, out);
    if (out->outcome != OUT_OK)
        return;
    if (needs_user(&r))
        run_as_user(&r, &res);
    else
        redirect_interpret(&r, &res);
    set_result(&r, &res, out);
}

const struct router_driver router_redirect = {
    .base =
        {
            .name = STR_INIT("redirect"),
            .opts = &opts,
            .check = check,
        },
    .route = route,
    .needs_user = true,
};

bool
redirect_is(const struct driver_instance *router)
{
    return router_driver_of(router) == &router_redirect;
}
