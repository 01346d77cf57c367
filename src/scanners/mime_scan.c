/* MIME parts of a message that is received; see mime_scan.h. */
#include "scanners/mime_scan.h"

#include "base/arena.h"
#include "conf/model.h"
#include "mail/mime_lines.h"
#include "scanners/scan_message.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0640 }; /* as other files of the scan directory */

/* --- sources --- */

struct mime_source
mime_source_body(const struct message *m)
{
    if (m->body_fd < 0)
        return (struct mime_source){.fd = -1, .size = m->body_text.n, .text = m->body_text};
    return (struct mime_source){.fd = m->body_fd, .at = m->body_start, .size = m->body_size};
}

ssize_t
mime_source_read(const struct mime_source *s, int64_t at, char *p, size_t n)
{
    ssize_t got;
    int64_t left = s->size - at;
    if (left <= 0)
        return 0;
    n = (int64_t)n < left ? n : (size_t)left;
    if (s->fd < 0) {
        memcpy(p, s->text.p + s->at + at, n);
        return (ssize_t)n;
    }
    do {
        got = pread(s->fd, p, n, (off_t)(s->at + at));
    } while (got < 0 && errno == EINTR);
    return got;
}

/* Gives [from, to) to a function, block by block, until it says false. False with errno: it could not be read. */
static bool
each_block(const struct mime_source *s, int64_t from, int64_t to,
           bool (*take)(void *ctx, struct str block), void *ctx)
{
    struct arena *a = arena_new();
    size_t most = to - from < MIME_BLOCK ? (size_t)(to - from) : MIME_BLOCK;
    char *block = arena_alloc(a, most);
    ssize_t got = 0;
    while (from < to) {
        size_t n = to - from < MIME_BLOCK ? (size_t)(to - from) : MIME_BLOCK;
        got = mime_source_read(s, from, block, n);
        if (got <= 0 || !take(ctx, str_tainted(str_from(block, (size_t)got))))
            break;
        from += got;
    }
    int saved = errno;
    arena_free(a);
    errno = saved;
    return got >= 0;
}

static bool
feed_walk(void *ctx, struct str block)
{
    mime_walk_feed(ctx, block);
    return true;
}

const struct mime_index *
mime_source_walk(struct arena *a, const struct mime_source *s, struct mime_caps caps,
                 const struct mime_part *root)
{
    struct mime_walk *w = mime_walk_new(a, caps, root);
    return each_block(s, 0, s->size, feed_walk, w) ? mime_walk_end(w) : NULL;
}

static void
feed_header(void *ctx, const struct mime_line *l)
{
    mime_header_line(ctx, l->text, l->cut);
}

static bool
feed_lines(void *ctx, struct str block)
{
    mime_lines_feed(ctx, block);
    return true;
}

bool
mime_source_header(struct arena *a, const struct mime_source *s, const struct mime_span *span,
                   struct mime_part *out)
{
    struct mime_header h;
    struct mime_lines *l = arena_alloc(a, sizeof *l);
    mime_header_start(&h, a);
    mime_lines_start(l, feed_header, &h);
    bool ok = each_block(s, span->header, span->body, feed_lines, l);
    mime_lines_end(l);
    mime_header_end(&h);
    *out = h.part;
    return ok;
}

/* --- decoding --- */

struct decoding {
    struct mime_decoder d;
    struct mime_scan *scan;
    int fd;
    int64_t size;
    bool too_much;
};

static bool
put(void *ctx, const char *p, size_t n)
{
    struct decoding *x = ctx;
    if ((int64_t)n > x->scan->may_decode) {
        x->too_much = true;
        return false;
    }
    x->scan->may_decode -= (int64_t)n;
    x->size += (int64_t)n;
    return file_write_all(x->fd, p, n);
}

static bool
feed_decoder(void *ctx, struct str block)
{
    return mime_decode_feed(ctx, block);
}

/* Always false; *why says what cannot be done with the file, and errno why. */
static bool
failed(const struct mime_at *at, const char *what, struct str path, struct str *why)
{
    *why = str_printf(at->scan->arena, "failed to %s %.*s: %s", what, STR_ARG(path),
                      strerror(errno));
    return false;
}

static bool
decode(const struct mime_at *at, int fd, struct str path, struct mime_decoded *out,
       struct str *why)
{
    struct arena *a = arena_new();
    struct decoding *x = ARENA_NEW(a, struct decoding);
    x->scan = at->scan;
    x->fd = fd;
    mime_decode_start(&x->d, at->encoding, put, x);
    bool ok = true;
    if (!each_block(at->source, at->body, at->end, feed_decoder, &x->d))
        ok = failed(at, "read the message for", path, why);
    else if (!mime_decode_end(&x->d) && !x->too_much)
        ok = failed(at, "write", path, why);
    if (x->too_much) {
        *why = str_printf(at->scan->arena,
                          "failed to write %.*s: too much is decoded of one message",
                          STR_ARG(path));
        ok = false;
    }
    *out = (struct mime_decoded){.size = x->size, .anomalies = x->d.anomalies};
    arena_free(a);
    return ok;
}

/* --- files --- */

/* "ID-00003", the next one. */
static struct str
numbered(struct mime_scan *s)
{
    return str_printf(s->arena, "%.*s-%05u", STR_ARG(s->message->message->id), s->files++);
}

/* The name of a file in the scan directory, or a path. Empty: *why. */
static struct str
file_name(const struct mime_at *at, struct str where, struct str *why)
{
    struct mime_scan *s = at->scan;
    struct stat st;
    if (where.n == 0 || str_eqz(where, "default"))
        return numbered(s);
    const char *z = str_cstr(s->arena, where);
    if (str_is_tainted(where)) {
        *why = str_printf(s->arena, "Tainted filename '%.*s'", STR_ARG(where));
        return STR_EMPTY;
    }
    if (z != NULL && z[0] == '/' && (stat(z, &st) != 0 || !S_ISDIR(st.st_mode)))
        return str_from_cstr(z);
    if (z != NULL && z[0] == '/') {
        struct str name = numbered(s);
        return str_printf(s->arena, "%s/%.*s", z, STR_ARG(name));
    }
    if (z != NULL && z[0] != '.' && str_chr(where, '/', 0) == STR_NPOS)
        return str_from_cstr(z);
    *why = str_printf(s->arena, "\"%.*s\" is no name of a file in the scan directory",
                      STR_ARG(where));
    return STR_EMPTY;
}

/* A regular file and nothing else: no link is followed, nobody is waited for. */
static int
open_file(int dir, const char *name)
{
    struct stat st;
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = openat(dir, name, flags, FILE_MODE);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = EINVAL;
        fd = -1;
    }
    return fd;
}

bool
mime_decode_to_file(const struct mime_at *at, struct str where, struct str *path,
                    struct mime_decoded *out, struct str *why)
{
    struct mime_scan *s = at->scan;
    struct str name = file_name(at, str_trim(where), why);
    if (name.n == 0)
        return false;
    bool inside = name.p[0] != '/';
    if (!scan_message_file(s->message,
                           why)) /* programs that read what is decoded may want it all */
        return false;
    int dir = inside ? s->message->lock : AT_FDCWD;
    const char *z = str_cstr(s->arena, name);
    *path = inside ? str_printf(s->arena, "%.*s/%s", STR_ARG(s->message->directory), z) : name;
    int fd = open_file(dir, z);
    if (fd < 0)
        return failed(at, "open", *path, why);
    bool ok = decode(at, fd, *path, out, why);
    if (close(fd) != 0 && ok)
        ok = failed(at, "write", *path, why);
    if (!ok)
        (void)unlinkat(dir, z, 0);
    return ok;
}

int
mime_decode_to_nowhere(const struct mime_at *at, struct mime_decoded *out, struct str *why)
{
    static const char name[] = "attached"; /* for a moment */
    struct scan_message *m = at->scan->message;
    if (!scan_message_directory(m, why))
        return -1;
    int fd =
        openat(m->lock, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        (void)failed(at, "make a file in", m->directory, why);
        return -1;
    }
    (void)unlinkat(m->lock, name, 0);
    if (decode(at, fd, m->directory, out, why))
        return fd;
    close(fd);
    return -1;
}
