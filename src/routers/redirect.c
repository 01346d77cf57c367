/* The redirect router: replaces an address by others, from an alias file, a .forward file or a
 * filter. */
#include "routers/router.h"

struct router_redirect {
    bool allow_defer, allow_fail, allow_filter, allow_freeze, check_ancestor, check_group,
        check_owner;
    struct xstr data, directory_transport, file, file_transport;
    bool filter_prepend_home, forbid_blackhole, forbid_exim_filter, forbid_file,
        forbid_filter_dlfunc, forbid_filter_existstest, forbid_filter_logwrite,
        forbid_filter_lookup, forbid_filter_perl, forbid_filter_readfile,
        forbid_filter_readsocket, forbid_filter_reply, forbid_filter_run, forbid_include,
        forbid_pipe, forbid_sieve_filter, forbid_smtp_code, hide_child_in_errmsg, ignore_eacces,
        ignore_enotdir;
    struct str include_directory;
    int64_t modemask;
    bool one_time;
    struct opt_ids owners, owngroups;
    struct xstr pipe_transport, qualify_domain;
    bool qualify_preserve_domain, repeat_use;
    struct xstr reply_transport;
    bool rewrite;
    struct xstr sieve_enotify_mailto_owner, sieve_inbox, sieve_subaddress, sieve_useraddress,
        sieve_vacation_directory;
    bool skip_syntax_errors;
    struct xstr syntax_errors_text;
    struct str syntax_errors_to;
};

/* clang-format off */
static const struct opt rows[] = {
    OPT_BOOL(struct router_redirect, allow_defer, false, OPT_NO_EFFECT,
        "Lets the list use :defer: to put delivery off."),
    OPT_BOOL(struct router_redirect, allow_fail, false, OPT_NO_EFFECT,
        "Lets the list use :fail: to make the address fail."),
    OPT_BOOL(struct router_redirect, allow_filter, false, OPT_NO_EFFECT,
        "Lets the list be an Exim or Sieve filter."),
    OPT_BOOL(struct router_redirect, allow_freeze, false, OPT_NO_EFFECT,
        "Lets a filter freeze the message."),
    OPT_BOOL(struct router_redirect, check_ancestor, false, OPT_NO_EFFECT,
        "Ignores a new address that is already an ancestor and leads back to it."),
    OPT_BOOL(struct router_redirect, check_group, false, OPT_NO_EFFECT,
        "Checks that the group of the file is one of the allowed ones."),
    OPT_BOOL(struct router_redirect, check_owner, false, OPT_NO_EFFECT,
        "Checks that the owner of the file is one of the allowed ones."),
    OPT_XSTR(struct router_redirect, data, NULL, OPT_NO_EFFECT,
        "The list of new addresses, or the filter, as text."),
    OPT_XSTR(struct router_redirect, directory_transport, NULL, OPT_NO_EFFECT,
        "Transport for items that name a folder."),
    OPT_XSTR(struct router_redirect, file, NULL, OPT_NO_EFFECT,
        "File with the list of new addresses, or with the filter."),
    OPT_XSTR(struct router_redirect, file_transport, NULL, OPT_NO_EFFECT,
        "Transport for items that name a file."),
    OPT_BOOL(struct router_redirect, filter_prepend_home, true, OPT_NO_EFFECT,
        "Puts the home folder before a relative file name in a \"save\" command."),
    OPT_BOOL(struct router_redirect, forbid_blackhole, false, OPT_NO_EFFECT,
        "Forbids :blackhole: in the list."),
    OPT_BOOL(struct router_redirect, forbid_exim_filter, false, OPT_NO_EFFECT,
        "Forbids Exim filters, so that only Sieve filters may be used."),
    OPT_BOOL(struct router_redirect, forbid_file, false, OPT_NO_EFFECT,
        "Forbids delivery to files and folders."),
    OPT_BOOL(struct router_redirect, forbid_filter_dlfunc, false, OPT_NO_EFFECT,
        "Forbids calls of loaded functions in filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_existstest, false, OPT_NO_EFFECT,
        "Forbids tests for the existence of files in filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_logwrite, false, OPT_NO_EFFECT,
        "Forbids writing to a log from filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_lookup, false, OPT_NO_EFFECT,
        "Forbids lookups in filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_perl, false, OPT_NO_EFFECT,
        "Forbids Perl in filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_readfile, false, OPT_NO_EFFECT,
        "Forbids reading files in expansions of filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_readsocket, false, OPT_NO_EFFECT,
        "Forbids reading sockets in expansions of filters."),
    OPT_BOOL(struct router_redirect, forbid_filter_reply, false, OPT_NO_EFFECT,
        "Forbids filters to send replies."),
    OPT_BOOL(struct router_redirect, forbid_filter_run, false, OPT_NO_EFFECT,
        "Forbids running commands in expansions of filters."),
    OPT_BOOL(struct router_redirect, forbid_include, false, OPT_NO_EFFECT,
        "Forbids :include: in the list."),
    OPT_BOOL(struct router_redirect, forbid_pipe, false, OPT_NO_EFFECT,
        "Forbids delivery to pipes."),
    OPT_BOOL(struct router_redirect, forbid_sieve_filter, false, OPT_NO_EFFECT,
        "Forbids Sieve filters, so that only Exim filters may be used."),
    OPT_BOOL(struct router_redirect, forbid_smtp_code, false, OPT_NO_EFFECT,
        "Takes no SMTP code from the texts of :defer: and :fail:."),
    OPT_BOOL(struct router_redirect, hide_child_in_errmsg, false, OPT_NO_EFFECT,
        "Names the original address and not the new one in a bounce."),
    OPT_BOOL(struct router_redirect, ignore_eacces, false, OPT_NO_EFFECT,
        "Declines when the file may not be read."),
    OPT_BOOL(struct router_redirect, ignore_enotdir, false, OPT_NO_EFFECT,
        "Declines when part of the path of the file is not a folder."),
    OPT_STR(struct router_redirect, include_directory, NULL, OPT_NO_EFFECT,
        "Folder below which :include: files must lie."),
    OPT_OCTAL(struct router_redirect, modemask, 022, OPT_NO_EFFECT,
        "Permission bits that the file must not have."),
    OPT_BOOL(struct router_redirect, one_time, false, OPT_NO_EFFECT,
        "Replaces the address by its new ones for good, so that it is routed only once."),
    OPT_UIDS(struct router_redirect, owners, NULL, OPT_NO_EFFECT,
        "Users who may own the file."),
    OPT_GIDS(struct router_redirect, owngroups, NULL, OPT_NO_EFFECT,
        "Groups that the file may belong to."),
    OPT_XSTR(struct router_redirect, pipe_transport, NULL, OPT_NO_EFFECT,
        "Transport for items that name a command."),
    OPT_XSTR(struct router_redirect, qualify_domain, NULL, 0,
        "Domain that is added to new addresses without one."),
    OPT_BOOL(struct router_redirect, qualify_preserve_domain, false, OPT_NO_EFFECT,
        "Adds the domain of the old address to new ones without a domain."),
    OPT_BOOL(struct router_redirect, repeat_use, true, OPT_NO_EFFECT,
        "Lets the router handle an address again that came out of it."),
    OPT_XSTR(struct router_redirect, reply_transport, NULL, OPT_NO_EFFECT,
        "Transport for replies that a filter sends."),
    OPT_BOOL(struct router_redirect, rewrite, true, OPT_NO_EFFECT,
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
    OPT_BOOL(struct router_redirect, skip_syntax_errors, false, OPT_NO_EFFECT,
        "Leaves out items with syntax errors and uses the rest."),
    OPT_XSTR(struct router_redirect, syntax_errors_text, NULL, OPT_NO_EFFECT,
        "Text of the mail about syntax errors."),
    OPT_STR(struct router_redirect, syntax_errors_to, NULL, OPT_NO_EFFECT,
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
        own->check_owner = g->check_local_user || driver_sets_own(d, "owners");
    if (!driver_sets_own(d, "check_group"))
        own->check_group = driver_sets_own(d, "owngroups") ||
                           (g->check_local_user && (own->modemask & GROUP_WRITE) == 0);
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

const struct router_driver router_redirect = {
    .base =
        {
            .name = STR_INIT("redirect"),
            .opts = &opts,
            .check = check,
        },
    .needs_user = true,
};
