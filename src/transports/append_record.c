/* Records of appending; see append_record.h. */
#include "transports/append_record.h"

#include "base/arena.h"
#include "base/num.h"
#include "sys/user_file.h"
#include "transports/mbx.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define ATTRIBUTE "user.remex.appended"

enum { TAIL_MAX = 64 * 1024 * 1024, CHUNK = 64 * 1024 };

static bool
parse_one(struct str line, struct append_record *out)
{
    enum { HASH_DIGITS = 16 };
    out->hash = 0;
    if (line.n <= HASH_DIGITS || line.p[HASH_DIGITS] != ' ')
        return false;
    for (size_t i = 0; i < HASH_DIGITS; i++) {
        int v = ascii_hex(line.p[i]);
        if (v < 0)
            return false;
        out->hash = out->hash << 4 | (uint64_t)v;
    }
    size_t at = HASH_DIGITS + 1;
    out->by = 0;
    if (num_scan(line, &at, 0, &out->at) != NUM_OK || at == line.n || line.p[at++] != ' ' ||
        num_scan(line, &at, 0, &out->n) != NUM_OK)
        return false;
    if (at < line.n && (line.p[at++] != ' ' || num_scan(line, &at, 0, &out->by) != NUM_OK))
        return false;
    return at == line.n && out->at >= 0 && out->n >= -1 && out->by >= 0;
}

static void
drop(struct append_records *r, size_t i)
{
    memmove(r->v + i, r->v + i + 1, (r->n - i - 1) * sizeof r->v[0]);
    r->n--;
}

void
append_records_push(struct append_records *r, struct append_record one)
{
    for (size_t i = r->n; one.by != 0 && i > 0; i--)
        if (r->v[i - 1].by == one.by)
            drop(r, i - 1);
    if (r->n == APPEND_RECORDS)
        drop(r, 0);
    r->v[r->n++] = one;
}

void
append_records_parse(struct str text, struct append_records *out)
{
    *out = (struct append_records){.n = 0};
    for (size_t at = 0; at < text.n;) {
        size_t end = str_chr(text, '\n', at);
        struct append_record one;
        if (end == STR_NPOS || !parse_one(str_sub(text, at, end - at), &one))
            return;
        append_records_push(out, one);
        at = end + 1;
    }
}

size_t
append_records_format(const struct append_records *r, char out[APPEND_RECORD_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        int more = snprintf(out + n, APPEND_RECORD_BYTES - n, "%016llx %lld %012lld %lld\n",
                            (unsigned long long)r->v[i].hash, (long long)r->v[i].at,
                            (long long)r->v[i].n, (long long)r->v[i].by);
        if (more < 0 || (size_t)more >= APPEND_RECORD_BYTES - n)
            break;
        n += (size_t)more;
    }
    return n;
}

uint64_t
append_record_hash(const struct append *d)
{
    uint64_t hash = str_hash(d->job->message->id) ^ str_hash(d->transport->name);
    for (size_t i = 0; i < d->job->n; i++) {
        const struct address *a = d->job->addresses[i];
        hash = hash * 31 + str_hash(str_is_set(a->key) ? a->key : a->text);
    }
    return hash;
}

static void
load(const struct append_file *f, struct append_records *r)
{
    char text[APPEND_RECORD_BYTES];
    size_t n = user_file_note_read(f->fd, ATTRIBUTE, text, sizeof text);
    append_records_parse(str_from(text, n), r);
}

/* The oldest make room when the file system has no place for all: with small blocks it may be a few hundred bytes. */
static bool
store(const struct append_file *f, struct append_records *r)
{
    char text[APPEND_RECORD_BYTES];
    while (!user_file_note_write(f->fd, ATTRIBUTE, text, append_records_format(r, text))) {
        if (r->n <= 1 || (errno != ENOSPC && errno != E2BIG && errno != EDQUOT))
            return false;
        drop(r, 0);
    }
    return true;
}

/* True if a line of the tail, other than the first, begins as messages do: then others wrote behind us. */
static bool
has_another(const struct append *d, const struct append_file *f, off_t from, struct str start)
{
    char *chunk = arena_alloc(d->arena, CHUNK);
    struct str line = str_cat(d->arena, STR_LIT("\n"), start);
    for (off_t at = from; at < f->before.st_size;) {
        ssize_t n = pread(f->fd, chunk, CHUNK, at);
        if (n <= 0 || str_find(str_from(chunk, (size_t)n), line, 0) != STR_NPOS)
            return true;
        if ((size_t)n <= line.n)
            break;
        at += at + n < f->before.st_size ? n - (ssize_t)line.n : n;
    }
    return false;
}

/* True if the end of the mailbox from there on is ours alone, and can go. */
static bool
is_torn(const struct append *d, const struct append_file *f, const struct append_record *r)
{
    struct mbx_entry e;
    char line[MBX_LINE_MAX + 1];
    if (r->n >= 0 || f->before.st_size <= r->at || f->before.st_size - r->at > TAIL_MAX)
        return false;
    if (!d->opt->mbx_format)
        return d->opt->check_string.n > 0 && !has_another(d, f, r->at, d->opt->check_string);
    ssize_t n = pread(f->fd, line, MBX_LINE_MAX, r->at);
    struct str text = str_from(line, n > 0 ? (size_t)n : 0);
    size_t end = str_chr(text, '\n', 0);
    if (end == STR_NPOS || !mbx_line_parse(str_sub(text, 0, end + 1), &e))
        return r->at == 0 || end == STR_NPOS;
    return r->at + (off_t)end + 1 + e.size > f->before.st_size;
}

/* Records of what is not there: a crash has taken the bytes, or the mailbox was emptied. What is appended in their place is not theirs. */
static void
drop_stale(const struct append_file *f, struct append_records *r)
{
    for (size_t i = r->n; i > 0; i--)
        if (r->v[i - 1].n > 0 && r->v[i - 1].at + r->v[i - 1].n > f->before.st_size)
            drop(r, i - 1);
}

static void
cut_torn(const struct append *d, struct append_file *f, struct append_records *r)
{
    if (r->n == 0 || !is_torn(d, f, &r->v[r->n - 1]))
        return;
    if (d->calls->truncate_fd(f->fd, r->v[r->n - 1].at) == 0)
        f->before.st_size = r->v[r->n - 1].at;
}

enum append_record_result
append_record_begin(const struct append *d, struct append_file *f)
{
    struct append_records r;
    uint64_t hash = append_record_hash(d);
    load(f, &r);
    drop_stale(f, &r);
    for (size_t i = 0; i < r.n; i++)
        if (r.v[i].hash == hash && r.v[i].n > 0)
            return APPEND_RECORD_THERE;
    cut_torn(d, f, &r);
    if (r.n > 0 && r.v[r.n - 1].n < 0)
        r.n--;
    const struct append_record one = {
        .hash = hash, .at = f->before.st_size, .n = -1, .by = d->job->deliverer};
    append_records_push(&r, one);
    (void)store(f, &r); /* not every file system has attributes */
    return APPEND_RECORD_NEW;
}

bool
append_record_end(const struct append *d, const struct append_file *f)
{
    struct append_records r;
    struct stat st;
    load(f, &r);
    if (r.n == 0 || r.v[r.n - 1].hash != append_record_hash(d))
        return true;
    if (!user_file_write_out(f->fd) || fstat(f->fd, &st) != 0)
        return false;
    r.v[r.n - 1].n = st.st_size - r.v[r.n - 1].at;
    return store(f, &r);
}

void
append_record_undo(const struct append *d, const struct append_file *f)
{
    struct append_records r;
    load(f, &r);
    if (r.n == 0 || r.v[r.n - 1].hash != append_record_hash(d))
        return;
    r.n--;
    (void)store(f, &r);
}
