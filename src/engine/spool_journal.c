/* The -J file of a message; see spool_journal.h. */
#include "engine/spool_journal.h"

#include "base/arena.h"
#include "base/buf.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static enum spool_result
failed(struct spool_fault *f, const char *what, const char *name)
{
    struct durable_fault d;
    (void)durable_failed(&d, what, name);
    return spool_system_fault(f, &d);
}

static enum spool_result
bad(const struct spool_entry *e, const char *what, unsigned line, struct spool_fault *f)
{
    f->line = line;
    f->sys_errno = 0;
    (void)snprintf(f->text, sizeof f->text, "spool file %s-J, line %u: address: %s", e->id.text,
                   line, what);
    return SPOOL_BAD;
}

/* Offset behind the last newline. Reads backwards in pieces. */
static bool
find_end(int fd, off_t *end)
{
    char piece[512];
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    *end = st.st_size;
    while (*end > 0) {
        size_t n = *end < (off_t)sizeof piece ? (size_t)*end : sizeof piece;
        ssize_t r = pread(fd, piece, n, *end - (off_t)n);
        if (r != (ssize_t)n) {
            errno = r < 0 ? errno : EIO;
            return false;
        }
        for (; n > 0; n--, (*end)--) {
            if (piece[n - 1] == '\n')
                return true;
        }
    }
    return true;
}

static enum spool_result
set_up(const struct spool_entry *e, struct spool_journal *j, const char *name,
       struct spool_fault *f)
{
    struct durable_fault d;
    struct stat st;
    if (fstat(j->fd, &st) != 0)
        return failed(f, "examine", name);
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return failed(f, "open", name);
    }
    if (!find_end(j->fd, &j->end) || (j->end < st.st_size && ftruncate(j->fd, j->end) != 0))
        return failed(f, "repair", name);
    if (!durable_sync(e->calls, e->dir, "spool directory", &d))
        return spool_system_fault(f, &d);
    return SPOOL_OK;
}

enum spool_result
spool_journal_open(const struct spool_entry *e, struct spool_journal *j, struct spool_fault *f)
{
    struct spool_name name = spool_file_name(&e->id, 'J');
    int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    j->end = 0;
    j->fd = e->calls->open_at(e->dir, name.text, flags, 0640);
    if (j->fd < 0)
        return failed(f, "open", name.text);
    enum spool_result r = set_up(e, j, name.text, f);
    if (r != SPOOL_OK)
        spool_journal_close(j);
    return r;
}

void
spool_journal_close(struct spool_journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
}

enum spool_result
spool_journal_append(struct arena *scratch, const struct spool_entry *e,
                     struct spool_journal *j, const struct str *done, size_t n,
                     struct spool_fault *f)
{
    struct durable_fault d;
    struct spool_name name = spool_file_name(&e->id, 'J');
    struct arena_mark mark = arena_mark(scratch);
    struct buf lines = buf_in(scratch, 0);
    enum spool_result r = SPOOL_OK;
    for (size_t i = 0; i < n && r == SPOOL_OK; i++) {
        if (done[i].n == 0 || !spool_header_text_ok(done[i]))
            r = bad(e, "empty, too long, or CR, LF or NUL in it", 0, f);
        buf_adds(&lines, done[i]);
        buf_addc(&lines, '\n');
    }
    if (r == SPOOL_OK && lines.overflow)
        r = bad(e, "too many at once", 0, f);
    if (r == SPOOL_OK && (!durable_append(e->calls, j->fd, name.text, buf_str(&lines), &d) ||
                          !durable_sync(e->calls, j->fd, name.text, &d))) {
        r = spool_system_fault(f, &d);
        (void)!ftruncate(j->fd, j->end);
    }
    if (r == SPOOL_OK)
        j->end += (off_t)lines.n;
    arena_reset(scratch, mark);
    return r;
}

static enum spool_result
add_lines(struct arena *a, const struct spool_entry *e, struct str content,
          struct spool_header *h, struct spool_fault *f)
{
    size_t at = 0, nl;
    unsigned line = 0;
    for (; (nl = str_chr(content, '\n', at)) != STR_NPOS; at = nl + 1) {
        struct str key = str_sub(content, at, nl - at);
        line++;
        if (key.n > SPOOL_LINE_MAX || !spool_tree_add(a, &h->done, key))
            return bad(e, "empty, too long, too many, or CR or NUL in it", line, f);
    }
    return SPOOL_OK;
}

enum spool_result
spool_journal_read(struct arena *a, const struct spool_entry *e, struct spool_header *h,
                   bool *found, struct spool_fault *f)
{
    struct spool_name name = spool_file_name(&e->id, 'J');
    struct str content = STR_EMPTY;
    struct stat st;
    *found = false;
    int fd =
        openat(e->dir, name.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? SPOOL_OK : failed(f, "open", name.text);
    *found = true;
    enum file_result r = FILE_NO_READ;
    errno = EINVAL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        r = file_read_fd(a, fd, SPOOL_FILE_MAX, &content);
    int saved = errno;
    close(fd);
    errno = saved;
    if (r == FILE_TOO_BIG)
        return bad(e, "file too big", 0, f);
    if (r != FILE_OK)
        return failed(f, "read", name.text);
    return add_lines(a, e, content, h, f);
}
