/* Who got an automatic reply already; see once_file.h. */
#include "transports/once_file.h"

#include "base/arena.h"
#include "base/buf.h"
#include "sys/file.h"
#include "sys/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIME_N = 15, LOCK_MS = 30000 };

/* One line of the list. */
struct entry {
    size_t at, n; /* of the whole line in the text, with its newline */
    int64_t when;
    struct str who;
};

static bool
entry_at(struct str text, size_t at, struct entry *e)
{
    size_t end = str_chr(text, '\n', at);
    if (end == STR_NPOS || end - at < TIME_N + 2 || text.p[at + TIME_N] != ' ')
        return false;
    *e = (struct entry){.at = at,
                        .n = end + 1 - at,
                        .who = str_sub(text, at + TIME_N + 1, end - at - TIME_N - 1)};
    for (size_t i = 0; i < TIME_N; i++) {
        if (!ascii_digit(text.p[at + i]))
            return false;
        e->when = e->when * 10 + (text.p[at + i] - '0');
    }
    return true;
}

/* True if the file is a list of ours: empty, or its first line is one. */
static bool
is_list(struct str text)
{
    struct entry e;
    return text.n == 0 || entry_at(text, 0, &e);
}

/* Opens, locks and reads. -1 with errno. */
static int
open_list(struct arena *a, const char *path, mode_t mode, struct str *text)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, mode);
    if (fd < 0)
        return -1;
    int fault = 0;
    if (fstat(fd, &st) != 0)
        fault = errno;
    else if (!S_ISREG(st.st_mode))
        fault = EINVAL;
    else if (file_lock_all(fd, FILE_LOCK_BY_FCNTL, FILE_LOCK_EXCLUSIVE, LOCK_MS) !=
             FILE_LOCK_OK)
        fault = EAGAIN;
    else if (file_read_fd(a, fd, ONCE_FILE_MAX, text) != FILE_OK)
        fault = EFBIG;
    if (fault == 0)
        return fd;
    close(fd);
    errno = fault;
    return -1;
}

static struct str
line_of(struct arena *a, const struct once_question *q)
{
    struct buf b = buf_in(a, 0);
    buf_printf(&b, "%0*lld ", TIME_N, (long long)(q->now > 0 ? q->now : 0));
    struct str who = str_sub(q->who, 0, ONCE_KEY_MAX);
    for (uint32_t i = 0; i < who.n; i++)
        buf_addc(&b, (unsigned char)who.p[i] < ' ' || who.p[i] == 0x7f ? '?' : who.p[i]);
    buf_addc(&b, '\n');
    return buf_str(&b);
}

/* The entry of that line's recipient. */
static bool
find(struct str text, struct str line, struct entry *e)
{
    struct str who = str_sub(line, TIME_N + 1, line.n - TIME_N - 2);
    *e = (struct entry){.n = 0};
    for (size_t at = 0; at < text.n && entry_at(text, at, e); at += e->n)
        if (str_ieq(e->who, who))
            return true;
    return false;
}

static bool
write_at(int fd, struct str s, size_t at)
{
    while (s.n > 0) {
        ssize_t n = pwrite(fd, s.p, s.n, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = str_sub(s, (size_t)n, s.n);
        at += (size_t)n;
    }
    return true;
}

/* Bytes of whole entries at the start; what is behind them was cut in the middle. */
static size_t
whole_part(struct str text)
{
    struct entry e;
    size_t at = 0;
    while (at < text.n && entry_at(text, at, &e))
        at += e.n;
    return at;
}

/* The position of the entry with the oldest time. */
static bool
oldest(struct str text, struct entry *out)
{
    struct entry e;
    bool any = false;
    for (size_t at = 0; at < text.n && entry_at(text, at, &e); at += e.n)
        if (!any || e.when < out->when) {
            *out = e;
            any = true;
        }
    return any;
}

/* The list with the line at its end, within the limit. */
static struct str
list_within(struct arena *a, struct str text, struct str line, int64_t max_size)
{
    struct entry e;
    if ((int64_t)line.n > max_size)
        return text;
    while ((int64_t)(text.n + line.n) > max_size && oldest(text, &e)) {
        struct str rest = str_sub(text, e.at + e.n, text.n);
        text = str_cat(a, str_sub(text, 0, e.at), rest);
    }
    return str_cat(a, text, line);
}

static bool
record(struct arena *a, int fd, struct str text, const struct once_question *q, struct str line,
       const struct entry *old)
{
    if (old != NULL)
        return write_at(fd, str_sub(line, 0, TIME_N), old->at);
    text = str_sub(text, 0, whole_part(text));
    if (q->max_size == 0)
        return write_at(fd, line, text.n) && ftruncate(fd, (off_t)(text.n + line.n)) == 0;
    struct str all = list_within(a, text, line, q->max_size);
    return write_at(fd, all, 0) && ftruncate(fd, (off_t)all.n) == 0;
}

enum once_answer
once_file_ask(struct arena *a, const struct once_question *q)
{
    struct str text;
    struct entry e;
    int fd = open_list(a, q->path, q->mode, &text);
    if (fd >= 0 && !is_list(text)) {
        close(fd);
        struct str beside = str_printf(a, "%s.list", q->path);
        fd = open_list(a, str_cstr(a, beside), q->mode, &text);
    }
    if (fd < 0)
        return ONCE_ERROR;
    struct str line = line_of(a, q);
    bool known = find(text, line, &e);
    enum once_answer answer = ONCE_SEND;
    if (known && (q->repeat_s <= 0 || q->now - e.when < q->repeat_s))
        answer = ONCE_ALREADY;
    else if (!record(a, fd, text, q, line, known ? &e : NULL))
        answer = ONCE_ERROR;
    int fault = errno;
    close(fd);
    errno = fault;
    return answer;
}
