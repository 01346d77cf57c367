/* The reader of lsearch files. See linefile.h. Bounded by the size of the file; no recursion. */
#include "lookups/linefile.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/escape.h"
#include "lookups/open_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads what is there, at most n bytes; SIZE_MAX on an error. The file may change meanwhile. */
static size_t
read_all(int fd, char *p, size_t n)
{
    size_t got = 0;
    while (got < n) {
        ssize_t r = read(fd, p + got, n - got);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return SIZE_MAX;
        if (r == 0)
            break;
        got += (size_t)r;
    }
    return got;
}

static bool
load_fd(struct lookup_ctx *c, int fd, const char *file, struct linefile *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return open_error(c->vm, file, "for linear search", errno), false;
    if (!S_ISREG(st.st_mode)) {
        vm_fail(c->vm, "%s is not a regular file (lsearch lookup)", file);
        return false;
    }
    if (st.st_size > LINEFILE_MAX)
        return open_error(c->vm, file, "for linear search", EFBIG), false;
    size_t n = (size_t)st.st_size;
    char *p = malloc(n + 1);
    size_t got = p == NULL ? SIZE_MAX : read_all(fd, p, n);
    if (got == SIZE_MAX) {
        open_error(c->vm, file, "for linear search", p == NULL ? ENOMEM : errno);
        free(p);
        return false;
    }
    p[got] = '\n';
    *out = (struct linefile){p, got};
    return true;
}

bool
linefile_load(struct lookup_ctx *c, const char *file, struct linefile *out)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        open_error(c->vm, file, "for linear search", errno);
        return false;
    }
    bool ok = load_fd(c, fd, file, out);
    close(fd);
    return ok;
}

void
linefile_free(struct linefile *f)
{
    union {
        const char *in;
        char *out;
    } p = {.in = f->p};
    free(p.out);
    *f = (struct linefile){NULL, 0};
}

/* --- lines --- */

/* End of the line that holds p (at its newline or the end of the file). */
static const char *
line_end(const struct linefile *f, const char *p)
{
    const char *stop = f->p + f->n;
    const char *nl = p < stop ? memchr(p, '\n', (size_t)(stop - p)) : NULL;
    return nl != NULL ? nl : stop;
}

static const char *
trim_end(const char *from, const char *end)
{
    while (end > from && ascii_space(end[-1]))
        end--;
    return end;
}

static const char *
skip_space(const char *p, const char *end)
{
    while (p < end && ascii_space(*p))
        p++;
    return p;
}

static bool
ends_key(char c)
{
    return c == ':' || ((unsigned char)c <= ' ' && ascii_space(c));
}

/* After the closing quote of the key that starts at p, and *key what is between the quotes. */
static const char *
quoted_key(const char *p, const char *end, struct str *key)
{
    const char *from = ++p;
    while (p < end && *p != '"') {
        if (*p == '\\' && p + 1 < end)
            p++;
        p++;
    }
    *key = str_from(from, (size_t)(p - from));
    return p < end ? p + 1 : p;
}

bool
linefile_next(const struct linefile *f, size_t *at, struct line_entry *e)
{
    const char *stop = f->p + f->n;
    const char *p = f->p + *at;
    while (p < stop) {
        const char *nl = line_end(f, p);
        if (*p == '#' || ascii_space(*p)) {
            p = nl + 1;
            continue;
        }
        const char *end = trim_end(p, nl);
        const char *rest;
        e->quoted = *p == '"';
        if (e->quoted) {
            rest = quoted_key(p, end, &e->key);
        } else {
            rest = p;
            while (rest < end && !ends_key(*rest))
                rest++;
            e->key = (struct str){p, (uint32_t)(rest - p), STR_CLEAN};
        }
        e->at = (uint32_t)(p - f->p);
        e->rest = (uint32_t)(rest - f->p);
        e->end = (uint32_t)(end - f->p);
        e->next = (uint32_t)(nl - f->p) + 1;
        *at = e->next;
        return true;
    }
    *at = f->n;
    return false;
}

/* --- keys --- */

struct str
linefile_key(struct arena *a, const struct line_entry *e)
{
    if (!e->quoted || str_chr(e->key, '\\', 0) == STR_NPOS)
        return e->key;
    struct buf b = buf_in(a, 0);
    for (size_t i = 0; i < e->key.n;) {
        char c = e->key.p[i++];
        buf_addc(&b, c == '\\' && i < e->key.n ? escape_byte(e->key, &i) : c);
    }
    return buf_str(&b);
}

/* --- data --- */

/* The next line that continues the entry, from *at on: its text without the space round it. */
static bool
next_continuation(const struct linefile *f, size_t *at, struct str *text)
{
    const char *stop = f->p + f->n;
    const char *p = f->p + *at;
    while (p < stop) {
        if (*p != '#' && !ascii_space(*p)) /* the next key */
            return false;
        const char *nl = line_end(f, p);
        const char *end = trim_end(p, nl);
        if (end > p && *p != '#') {
            p = skip_space(p, end);
            *text = str_from(p, (size_t)(end - p));
            *at = (size_t)(nl - f->p) + 1;
            return true;
        }
        p = nl + 1;
    }
    return false;
}

struct str
linefile_data(struct arena *a, const struct linefile *f, const struct line_entry *e, bool full)
{
    const char *end = f->p + e->end;
    const char *p = f->p + e->rest;
    struct str head = STR_EMPTY, more;
    size_t at = e->next;
    if (full) {
        head = linefile_key(a, e);
    } else {
        p = skip_space(p, end);
        if (p < end && *p == ':')
            p = skip_space(p + 1, end);
    }
    struct str first = {p, (uint32_t)(end - p), STR_CLEAN};
    bool goes_on = at < f->n && next_continuation(f, &at, &more);
    if (!goes_on && head.n == 0)
        return first;
    struct buf b = buf_in(a, 0);
    buf_adds(&b, head);
    buf_adds(&b, first);
    while (goes_on) {
        buf_addc(&b, ' ');
        buf_adds(&b, more);
        goes_on = next_continuation(f, &at, &more);
    }
    return buf_str(&b);
}
