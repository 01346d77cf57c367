/* The -J file of a message; see spool_journal.h. */
#include "engine/spool_journal.h"

#include "base/arena.h"
#include "base/buf.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

#define BOUNCE_BEGINS "*bounce "
#define BOUNCE_ENDS "*bounced "

enum spool_result
spool_journal_append_bounce(struct arena *scratch, const struct spool_entry *e,
                            struct spool_journal *j, struct str bounce, const struct str *done,
                            size_t n, struct spool_fault *f)
{
    struct arena_mark mark = arena_mark(scratch);
    struct str *lines = ARENA_ARRAY(scratch, struct str, n + 2);
    lines[0] = str_printf(scratch, BOUNCE_BEGINS "%.*s", STR_ARG(bounce));
    for (size_t i = 0; i < n; i++)
        lines[i + 1] = done[i];
    lines[n + 1] = str_printf(scratch, BOUNCE_ENDS "%.*s", STR_ARG(bounce));
    enum spool_result r = spool_journal_append(scratch, e, j, lines, n + 2, f);
    arena_reset(scratch, mark);
    return r;
}

/* Lines on their way from the file to the list of what is done. */
struct reading {
    struct arena *a;
    struct spool_header *h;
    struct spool_journal_found *found;
    bool in_bounce;
    struct message_id bounce;
    VEC(struct str) told; /* of the bounce, until its last line comes */
};

/* If the line begins with the word, the id behind it is in *id. */
static bool
is_mark(struct str line, const char *word, struct message_id *id)
{
    size_t n = strlen(word);
    return str_starts(line, word) && message_id_parse(str_sub(line, n, line.n), id);
}

static void
give_up_bounce(struct reading *r)
{
    if (r->in_bounce)
        vec_push(r->a, &r->found->torn, r->bounce);
    r->in_bounce = false;
    r->told.n = 0;
}

static bool
end_bounce(struct reading *r)
{
    for (size_t i = 0; i < r->told.n; i++)
        if (!spool_tree_add(r->a, &r->h->done, r->told.v[i]))
            return false;
    vec_push(r->a, &r->found->bounces, r->bounce);
    r->in_bounce = false;
    return true;
}

static bool
take_line(struct reading *r, struct str line)
{
    struct message_id id;
    if (line.n == 0 || line.n > SPOOL_LINE_MAX)
        return false;
    if (is_mark(line, BOUNCE_BEGINS, &id)) {
        give_up_bounce(r);
        r->in_bounce = true;
        r->bounce = id;
        return true;
    }
    if (is_mark(line, BOUNCE_ENDS, &id))
        return !r->in_bounce || strcmp(id.text, r->bounce.text) != 0 || end_bounce(r);
    if (!r->in_bounce)
        return spool_tree_add(r->a, &r->h->done, line);
    vec_push(r->a, &r->told, line);
    return true;
}

static enum spool_result
add_lines(struct arena *a, const struct spool_entry *e, struct str content,
          struct spool_header *h, struct spool_journal_found *found, struct spool_fault *f)
{
    struct reading reading = {.a = a, .h = h, .found = found};
    size_t at = 0, nl;
    unsigned line = 0;
    for (; (nl = str_chr(content, '\n', at)) != STR_NPOS; at = nl + 1) {
        line++;
        if (!take_line(&reading, str_sub(content, at, nl - at)))
            return bad(e, "empty, too long, too many, or CR or NUL in it", line, f);
    }
    give_up_bounce(&reading);
    return SPOOL_OK;
}

enum spool_result
spool_journal_read(struct arena *a, const struct spool_entry *e, struct spool_header *h,
                   struct spool_journal_found *found, struct spool_fault *f)
{
    struct spool_name name = spool_file_name(&e->id, 'J');
    struct str content = STR_EMPTY;
    struct stat st;
    *found = (struct spool_journal_found){.any = false};
    if (spool_is_calm(e))
        return SPOOL_OK;
    int fd =
        openat(e->dir, name.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? SPOOL_OK : failed(f, "open", name.text);
    found->any = true;
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
    return add_lines(a, e, content, h, found, f);
}
