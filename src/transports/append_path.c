/* Names of mailboxes; see append_path.h. */
#include "transports/append_path.h"

#include "base/arena.h"
#include "sys/user_file.h"

#include <errno.h>

/* The folder that create_file names, or NULL: it sets no limit. */
static const char *
limit_folder(const struct append *d)
{
    struct str where = d->opt->create_file;
    if (str_eqz(where, "anywhere") || where.n == 0)
        return NULL;
    struct str folder = str_starts(where, "/") ? where : d->job->home;
    return str_is_set(folder) && folder.n > 0 ? str_cstr(d->arena, folder) : NULL;
}

static bool
starts_with_folder(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    while (n > 0 && folder[n - 1] == '/')
        n--;
    return strncmp(path, folder, n) == 0 && path[n] == '/';
}

bool
append_path_may_create(const struct append *d, const char *path)
{
    const char *folder = limit_folder(d);
    if (folder == NULL)
        return true;
    if (!starts_with_folder(path, folder))
        return false;
    return str_eqz(d->opt->create_file, "inhome") || user_file_is_below(d->arena, path, folder);
}

bool
append_path_make_folders(struct append *d, const char *path)
{
    if (!d->opt->create_directory || !append_path_may_create(d, path))
        return true;
    if (user_file_make_folders(d->arena, path, (mode_t)d->opt->directory_mode, d->within))
        return true;
    int err = errno;
    return append_defer(d, err, "failed to create directories for %s: %s", d->path,
                        strerrordesc_np(err));
}

/* The option that gives the name; NULL: the redirection does. */
static const struct xstr *
name_option(const struct append *d)
{
    if (str_is_set(d->opt->file.text))
        return &d->opt->file;
    return str_is_set(d->opt->directory.text) ? &d->opt->directory : NULL;
}

static bool
find_name(struct append *d, struct str *name)
{
    const struct address *first = d->job->addresses[0];
    const struct xstr *option = name_option(d);
    bool many = d->opt->maildir_format || d->opt->mailstore_format;
    bool redirected = first->item == ADDRESS_ITEM_FILE || first->item == ADDRESS_ITEM_DIRECTORY;
    if (option == NULL && !redirected)
        return append_broken(d,
                             "Mandatory file or directory option missing from %.*s transport",
                             STR_ARG(d->transport->name));
    d->folder = option == NULL ? first->item == ADDRESS_ITEM_DIRECTORY || many
                               : option == &d->opt->directory;
    *name = first->text;
    return option == NULL || append_expand(d, option, "file or directory name", name);
}

/* A name that a stranger may have chosen is good only below a folder that the configuration names. */
static bool
check_taint(struct append *d, struct str name)
{
    if (!str_is_tainted(name))
        return true;
    bool limited = limit_folder(d) != NULL && !str_eqz(d->opt->create_file, "inhome");
    if (limited && append_path_may_create(d, d->path))
        return true;
    return append_broken(d,
                         "Tainted '%.*s' (file or directory name for %.*s transport) not "
                         "permitted",
                         STR_ARG(name), STR_ARG(d->transport->name));
}

bool
append_path_find(struct append *d)
{
    struct str name;
    if (!find_name(d, &name))
        return false;
    if (d->folder)
        while (name.n > 1 && name.p[name.n - 1] == '/')
            name.n--;
    d->path = str_cstr(d->arena, name);
    if (d->path == NULL || name.n == 0 || name.p[0] != '/')
        return append_defer(d, WHY_NOT_ABSOLUTE,
                            "appendfile: file or directory name \"%.*s\" is not absolute",
                            STR_ARG(name));
    d->within = str_eqz(d->opt->create_file, "inhome") ? NULL : limit_folder(d);
    int64_t own_mode = d->job->addresses[0]->mode;
    d->mode_forced = d->job->addresses[0]->item == ADDRESS_ITEM_FILE && own_mode > 0;
    d->mode = d->mode_forced ? own_mode : d->opt->mode;
    return check_taint(d, name);
}
