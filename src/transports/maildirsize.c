/* maildirsize files; see maildirsize.h. */
#include "transports/maildirsize.h"

#include "base/arena.h"
#include "base/num.h"
#include "sys/file.h"
#include "sys/regex.h"
#include "sys/user_file.h"
#include "transports/append_quota.h"
#include "transports/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { OLD_S = 15 * 60, FOLDERS_DEEP_MAX = 32 };

/* --- reading --- */

/* "3000S,0C": numbers with letters, commas between them; unknown letters are passed over. */
static bool
parse_limits(struct str line, struct maildirsize *out)
{
    for (size_t at = 0; at < line.n;) {
        int64_t n;
        if (num_scan(line, &at, 0, &n) != NUM_OK || n < 0 || at == line.n)
            return false;
        char letter = line.p[at++];
        if (letter == 'S')
            out->limit = n;
        else if (letter == 'C')
            out->limit_files = n;
        if (at < line.n && line.p[at++] != ',')
            return false;
    }
    return true;
}

/* "261 1", with blanks in front and between. */
static bool
parse_line(struct str line, struct maildirsize *out)
{
    int64_t v[2];
    size_t at = 0;
    for (int i = 0; i < 2; i++) {
        size_t from = at;
        while (at < line.n && (line.p[at] == ' ' || line.p[at] == '\t'))
            at++;
        if ((i > 0 && at == from) || num_scan(line, &at, 0, &v[i]) != NUM_OK)
            return false;
    }
    out->lines++;
    return at == line.n && !__builtin_add_overflow(out->size, v[0], &out->size) &&
           !__builtin_add_overflow(out->files, v[1], &out->files);
}

bool
maildirsize_parse(struct str text, struct maildirsize *out)
{
    *out = (struct maildirsize){0};
    bool first = true;
    if (text.n == 0 || text.n > MAILDIRSIZE_MAX || text.p[text.n - 1] != '\n')
        return false;
    for (size_t at = 0; at < text.n;) {
        size_t end = str_chr(text, '\n', at);
        struct str line = str_sub(text, at, end - at);
        if (first ? !parse_limits(line, out) : !parse_line(line, out))
            return false;
        first = false;
        at = end + 1;
    }
    return out->size >= 0 && out->files >= 0;
}

/* --- counting --- */

struct count {
    const struct append_quota *quota;
    const struct regex *folders;
    bool times_only;
    int64_t size, files;
    int64_t newest; /* modification of any folder that counts */
};

static bool
counts(const struct count *c, const char *name)
{
    struct str caps[1];
    return regex_match(c->folders, c->quota->ctx, str_from_cstr(name), caps, 1) > 0;
}

/* cur and new hold messages, other folders that count hold such folders. */
static void
count_folder(struct arena *a, struct count *c, const char *path, int depth)
{
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            !counts(c, e->d_name) || fstatat(dirfd(dir), e->d_name, &st, 0) != 0 ||
            !S_ISDIR(st.st_mode))
            continue;
        if (st.st_mtime > c->newest)
            c->newest = st.st_mtime;
        const char *below = str_cstr(a, str_printf(a, "%s/%s", path, e->d_name));
        bool messages = strcmp(e->d_name, "cur") == 0 || strcmp(e->d_name, "new") == 0;
        if (!messages && depth < FOLDERS_DEEP_MAX)
            count_folder(a, c, below, depth + 1);
        else if (messages && !c->times_only)
            append_quota_measure(c->quota, below, &c->size, &c->files);
    }
    if (dir != NULL)
        closedir(dir);
}

static int
fault(struct append *d, const char *path)
{
    append_defer(d, errno, "while opening or reading %s", path);
    return -1;
}

/* A new file takes the place of the old one; open for adding. -1: the answer says why. */
static int
replace(struct append *d, const char *folder, const char *path, const struct count *c)
{
    const struct append_quota *q = d->quota;
    char *temp_folder = str_cstr(d->arena, str_printf(d->arena, "%s/tmp", folder));
    char *temp = str_cstr(d->arena,
                          str_printf(d->arena, "%s/%s", temp_folder, maildir_unique_name(d).p));
    struct user_file_request rq = {
        .path = temp, .flags = O_RDWR | O_CREAT | O_EXCL | O_APPEND, .mode = (mode_t)d->mode};
    if (d->opt->create_directory)
        (void)user_file_make_folders(d->arena, temp_folder, (mode_t)d->opt->directory_mode,
                                     d->within);
    int fd = user_file_open(d->calls, &rq);
    if (fd < 0)
        return fault(d, path);
    struct str text =
        str_printf(d->arena, "%lldS,%lldC\n%lld %lld\n", (long long)q->limit,
                   (long long)q->limit_files, (long long)c->size, (long long)c->files);
    struct durable_fault df;
    bool ok = durable_append(d->calls, fd, temp, text, &df);
    if (ok && d->calls->rename_at(AT_FDCWD, temp, path) == 0)
        return fd;
    int err = ok ? errno : df.sys_errno;
    (void)d->calls->unlink_at(AT_FDCWD, temp);
    d->calls->close_fd(fd);
    errno = err;
    return fault(d, path);
}

/* The file is worth nothing when a folder changed while we counted. */
static int
count_anew(struct append *d, const char *folder, const char *path, const struct regex *folders)
{
    struct count c = {.quota = d->quota, .folders = folders};
    struct count again = {.quota = d->quota, .folders = folders, .times_only = true};
    count_folder(d->arena, &c, folder, 0);
    int fd = replace(d, folder, path, &c);
    if (fd < 0)
        return -1;
    d->quota->size = c.size;
    d->quota->files = c.files;
    count_folder(d->arena, &again, folder, 0);
    if (again.newest <= c.newest)
        return fd;
    (void)d->calls->unlink_at(AT_FDCWD, path);
    d->calls->close_fd(fd);
    return -1;
}

/* True if what the file says can be relied on. */
static bool
is_good(const struct append *d, int fd, struct str text)
{
    struct append_quota *q = d->quota;
    struct maildirsize m;
    struct stat st;
    if (!maildirsize_parse(text, &m) || m.limit != q->limit || m.limit_files != q->limit_files)
        return false;
    bool over = (q->limit > 0 && m.size + d->job->message->size > q->limit) ||
                (q->limit_files > 0 && m.files + 1 > q->limit_files);
    if (over && (m.lines > 1 || fstat(fd, &st) != 0 || time(NULL) - st.st_mtime > OLD_S))
        return false;
    q->size = m.size;
    q->files = m.files;
    return true;
}

bool
maildirsize_open(struct append *d, const char *folder, const struct regex *folders, int *fd)
{
    char *path = str_cstr(d->arena, str_printf(d->arena, "%s/maildirsize", folder));
    struct user_file_request rq = {.path = path, .flags = O_RDWR | O_APPEND | O_NONBLOCK};
    struct stat st;
    struct str text;
    *fd = user_file_open(d->calls, &rq);
    if (*fd < 0 && errno != ENOENT) {
        fault(d, path);
        return false;
    }
    if (*fd >= 0) {
        bool plain = fstat(*fd, &st) == 0 && S_ISREG(st.st_mode);
        if (plain && file_read_fd(d->arena, *fd, MAILDIRSIZE_MAX + 1, &text) == FILE_OK &&
            is_good(d, *fd, text))
            return true;
        d->calls->close_fd(*fd);
    }
    *fd = count_anew(d, folder, path, folders);
    return d->answer->why.outcome == OUT_OK;
}

void
maildirsize_add(struct append *d, int fd, int64_t size)
{
    struct durable_fault f;
    struct str line = str_printf(d->arena, "%lld 1\n", (long long)size);
    (void)durable_append(d->calls, fd, "maildirsize", line,
                         &f); /* in one write, behind those of others */
}
