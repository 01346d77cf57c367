/* Maildirs; see maildir.h. Source: specification, "Maildir delivery" and the two sections behind it. */
#include "transports/maildir.h"

#include "base/arena.h"
#include "base/buf.h"
#include "conf/eval.h"
#include "conf/main_options.h"
#include "sys/regex.h"
#include "sys/user_file.h"
#include "transports/append_new.h"
#include "transports/append_path.h"
#include "transports/append_quota.h"
#include "transports/append_record.h"
#include "transports/append_write.h"
#include "transports/maildirsize.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

enum { RETRY_PAUSE_S = 2 };

static int64_t
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The clock must move on before the name is used, so that this process never gives one twice. */
struct str
maildir_unique_name(struct append *d)
{
    struct str host = d->job->eval->conf->main->primary_hostname;
    int64_t t = now_us();
    while (now_us() == t)
        continue;
    return str_printf(d->arena, "%lld.M%lldP%ld.%.*s", (long long)(t / 1000000),
                      (long long)(t % 1000000), (long)getpid(), STR_ARG(host));
}

/* --- folders --- */

static bool
ensure_folder(struct append *d, const char *name)
{
    struct stat st;
    char *path = str_cstr(d->arena, str_printf(d->arena, "%s%s", d->path, name));
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ||
               append_defer(d, WHY_NOT_FOLDER, "%s is not a directory", path);
    if (errno != ENOENT || !d->opt->create_directory)
        return append_defer(d, errno, "stat() error for %s: %s", path, strerrordesc_np(errno));
    if (user_file_make_folders(d->arena, path, (mode_t)d->opt->directory_mode, d->within))
        return true;
    return append_defer(d, errno, "cannot create %s", path);
}

/* A folder that the pattern names gets a file that says it is part of a larger maildir. */
static bool
ensure_marker(struct append *d)
{
    const struct regex *re;
    struct str caps[1];
    if (!str_is_set(d->opt->maildirfolder_create_regex))
        return true;
    if (!append_quota_regex(d, d->opt->maildirfolder_create_regex, &re))
        return false;
    if (regex_match(re, d->quota->ctx, str_from_cstr(d->path), caps, 1) <= 0)
        return true;
    struct user_file_request rq = {
        .path = str_cstr(d->arena, str_printf(d->arena, "%s/maildirfolder", d->path)),
        .flags = O_WRONLY | O_CREAT | O_EXCL,
        .mode = 0600};
    int fd = user_file_open(d->calls, &rq);
    if (fd < 0 && errno != EEXIST)
        return append_defer(d, errno,
                            "appendfile: failed to create maildirfolder file in %s directory: "
                            "%s",
                            d->path, strerrordesc_np(errno));
    if (fd >= 0)
        d->calls->close_fd(fd);
    return true;
}

/* --- quota --- */

/* A folder of a larger maildir counts as part of it. */
static void
climb_to_maildir(struct append *d)
{
    struct stat st;
    if (str_is_set(d->opt->quota_directory.text))
        return;
    char *marker = str_cstr(d->arena, str_printf(d->arena, "%s/maildirfolder", d->path));
    if (stat(marker, &st) == 0)
        d->quota_folder = user_file_folder(d->arena, d->path);
}

/* True if the folder of the delivery counts: every step below the quota's folder matches. */
static bool
folder_counts(struct append *d, const struct regex *folders)
{
    size_t n = strlen(d->quota_folder);
    struct str caps[1], rest = str_from_cstr(d->path);
    if (strncmp(d->path, d->quota_folder, n) != 0 || rest.n <= n || rest.p[n] != '/')
        return true;
    return regex_match(folders, d->quota->ctx, str_sub(rest, n + 1, rest.n), caps, 1) > 0;
}

static bool
use_size_file(struct append *d, bool *use)
{
    const struct opt_xbool *x = &d->opt->maildir_use_size_file;
    struct str text;
    *use = x->on;
    if (!str_is_set(x->text.text))
        return true;
    if (!append_expand(d, &x->text, "`maildir_use_size_file` in transport", &text))
        return false;
    *use = str_ieqz(text, "true") || str_ieqz(text, "yes") ||
           (text.n > 0 && ascii_digit(text.p[0]) && !str_eqz(text, "0"));
    return true;
}

static bool
prepare_quota(struct append *d, struct maildir *m)
{
    struct append_quota *q = d->quota;
    const struct regex *folders;
    bool use;
    climb_to_maildir(d);
    if (!use_size_file(d, &use))
        return false;
    if (!use)
        return true;
    if (!append_quota_regex(d, d->opt->maildir_quota_directory_regex, &folders))
        return false;
    if (!folder_counts(d, folders)) {
        q->limit = q->limit_files = q->warn = 0;
        m->counted = true;
        return true;
    }
    if (!maildirsize_open(d, d->quota_folder, folders, &m->size_fd))
        return false;
    m->counted = true;
    if (q->known_size >= 0)
        q->size = q->known_size;
    if (q->known_files >= 0)
        q->files = q->known_files;
    return true;
}

bool
maildir_prepare(struct append *d, struct maildir *m)
{
    static const char *const folders[] = {"", "/tmp", "/new", "/cur"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (!ensure_folder(d, folders[i]))
            return false;
    return ensure_marker(d) && prepare_quota(d, m);
}

/* --- delivery --- */

static int64_t
unread_s(const struct append *d)
{
    struct stat st;
    if (d->quota->limit <= 0 && d->quota->limit_files <= 0)
        return 0; /* nobody asks */
    char *path = str_cstr(d->arena, str_printf(d->arena, "%s/new", d->path));
    return stat(path, &st) == 0 ? time(NULL) - st.st_mtime : 0;
}

/* The name of a delivery, which another attempt at it gives again: so an attempt that was interrupted after the message got
 * there, and before anyone wrote that down, is not made twice. Names are in the order of arrival; no process number is as high. */
static struct str
delivery_name(struct append *d)
{
    const struct message *m = d->job->message;
    struct str host = d->job->eval->conf->main->primary_hostname;
    uint64_t hash = append_record_hash(d);
    return str_printf(d->arena, "%lld.M%lldP%lld.%.*s", (long long)m->received_time,
                      (long long)m->received_time_us,
                      (long long)(((uint64_t)1 << 32) + hash % ((uint64_t)1 << 40)),
                      STR_ARG(host));
}

/* True if a file of that name, with whatever behind it, is in a folder. */
static bool
has_name(const struct append *d, const char *folder, struct str name)
{
    bool found = false;
    DIR *dir = opendir(str_cstr(d->arena, str_printf(d->arena, "%s/%s", d->path, folder)));
    for (const struct dirent *e; dir != NULL && !found && (e = readdir(dir)) != NULL;)
        found = strncmp(e->d_name, name.p, name.n) == 0 && !ascii_digit(e->d_name[name.n]) &&
                !ascii_alpha(e->d_name[name.n]);
    if (dir != NULL)
        closedir(dir);
    return found;
}

/* True if an earlier attempt got the message here. The first one comes right after the reception: then nobody can have moved
 * it yet, and there is no need to look through folders. */
static bool
is_here(const struct append *d, struct str name)
{
    enum { FIRST_S = 5 };
    if (time(NULL) - d->job->message->received_time < FIRST_S)
        return false;
    return has_name(d, "new", name) || has_name(d, "cur", name);
}

/* Whoever has the message's lock may use its name: what is there is left over. */
static int
open_temp(struct append *d, struct str name, char **temp)
{
    *temp = str_cstr(d->arena, str_printf(d->arena, "%s/tmp/%s", d->path, name.p));
    for (int64_t i = 1;; i++) {
        struct stat st;
        if (lstat(*temp, &st) != 0 && errno == ENOENT)
            return append_new_open(d, *temp);
        if (unlink(*temp) == 0)
            continue;
        if (i >= d->opt->maildir_retries) {
            append_defer(d, EEXIST, "failed to open %s (%lld tries)", *temp, (long long)i);
            return -1;
        }
        sleep(RETRY_PAUSE_S);
    }
}

/* What maildir_tag adds to the name: printing characters but no slash, behind a colon unless it begins with a sign. */
static bool
make_tag(struct append *d, struct str *tag)
{
    struct str text;
    struct buf out = buf_in(d->arena, NAME_MAX);
    *tag = STR_EMPTY;
    if (!str_is_set(d->opt->maildir_tag.text))
        return true;
    int64_t size = d->job->message->size;
    d->job->message->size = d->written;
    enum vm_status st = vm_expand_x(d->job->vm, &d->opt->maildir_tag, &text);
    d->job->message->size = size;
    if (st == VM_FORCED)
        return true;
    if (st != VM_OK) {
        struct str error = vm_error(d->job->vm);
        return append_broken(d,
                             "Expansion of \"%.*s\" (maildir_tag for %.*s transport) failed: "
                             "%.*s",
                             STR_ARG(d->opt->maildir_tag.text), STR_ARG(d->transport->name),
                             STR_ARG(error));
    }
    if (text.n > 0 && ascii_alnum(text.p[0]))
        buf_addc(&out, ':');
    for (size_t i = 0; i < text.n; i++)
        if (ascii_print(text.p[i]) && text.p[i] != '/')
            buf_addc(&out, text.p[i]);
    *tag = buf_str(&out);
    return true;
}

/* A tag that makes the name too long is left out. */
static char *
final_name(const struct append *d, struct str name, struct str tag)
{
    struct stat st;
    if (tag.n == 0)
        return str_cstr(d->arena, str_printf(d->arena, "%s/new/%s", d->path, name.p));
    char *with = str_cstr(d->arena,
                          str_printf(d->arena, "%s/new/%s%.*s", d->path, name.p, STR_ARG(tag)));
    if (lstat(with, &st) == 0 || errno != ENAMETOOLONG)
        return with;
    return str_cstr(d->arena, str_printf(d->arena, "%s/new/%s", d->path, name.p));
}

/* A file that has the last name already is this message. */
static bool
move_in(struct append *d, const char *temp, const char *name)
{
    if (append_new_rename(d, temp, name))
        return true;
    if (d->answer->why.sys_errno != EEXIST)
        return false;
    d->answer->why = (struct why){.outcome = OUT_OK};
    d->written = 0;
    return true;
}

bool
maildir_deliver(struct append *d)
{
    struct str name = delivery_name(d), tag;
    char *temp = str_cstr(d->arena, str_printf(d->arena, "tmp/%s", name.p));
    if (is_here(d, name))
        return true;
    if (!append_quota_fits(d, temp, unread_s(d)))
        return false;
    int fd = open_temp(d, name, &temp);
    if (fd < 0 || !append_new_write(d, fd, temp))
        return false;
    if (make_tag(d, &tag))
        return move_in(d, temp, final_name(d, name, tag));
    (void)d->calls->unlink_at(AT_FDCWD, temp);
    return false;
}

void
maildir_finish(struct append *d, struct maildir *m, bool delivered)
{
    if (m->size_fd < 0)
        return;
    if (delivered && d->written > 0)
        maildirsize_add(d, m->size_fd, d->written);
    d->calls->close_fd(m->size_fd);
    m->size_fd = -1;
}
