/* MBX format; see mbx.h. Source: the observed files, and the description in the c-client distribution of what the fields are.
 *
 * The line in front of a message says how long it is, and a transport filter may change that: so the message is written to
 * a file without a name first, then copied.
 */
#include "transports/mbx.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/num.h"
#include "transports/append_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { COPY_CHUNK = 64 * 1024, EMPTY_LINES = 30 };

void
mbx_header(int64_t now, char out[MBX_HEADER_SIZE])
{
    memset(out, 0, MBX_HEADER_SIZE);
    int n = snprintf(out, MBX_HEADER_SIZE, "*mbx*\r\n%08lx00000000\r\n",
                     (unsigned long)now & 0xffffffffUL);
    for (int i = 0; i < EMPTY_LINES; i++, n += 2)
        memcpy(out + n, "\r\n", 2);
}

bool
mbx_is_header(struct str text)
{
    return str_starts(text, "*mbx*\r\n");
}

size_t
mbx_line(int64_t now, int32_t zone_s, int64_t size, char out[MBX_LINE_MAX])
{
    struct clock_civil t = clock_civil(now + zone_s);
    int zone = zone_s < 0 ? -zone_s : zone_s;
    int n = snprintf(out, MBX_LINE_MAX,
                     "%2d-%s-%d %02d:%02d:%02d %c%02d%02d,%lld;000000000000-00000000\r\n",
                     t.day, clock_month_name(t.month), (int)t.year, t.hour, t.minute, t.second,
                     zone_s < 0 ? '-' : '+', zone / 3600, zone / 60 % 60, (long long)size);
    return n < MBX_LINE_MAX ? (size_t)n : MBX_LINE_MAX - 1;
}

static bool
parse_hex(struct str s, size_t from, size_t digits, uint64_t *out)
{
    *out = 0;
    for (size_t i = from; i < from + digits; i++) {
        int v = i < s.n ? ascii_hex(s.p[i]) : -1;
        if (v < 0)
            return false;
        *out = *out << 4 | (uint64_t)v;
    }
    return true;
}

bool
mbx_line_parse(struct str line, struct mbx_entry *out)
{
    enum { DATE = 26, KEYWORDS = 8, FLAGS = 4, UID = 8 };
    uint64_t v;
    size_t at = DATE + 1;
    if (line.n <= DATE || line.p[DATE] != ',' || num_scan(line, &at, 0, &out->size) != NUM_OK ||
        out->size < 0)
        return false;
    if (at >= line.n || line.p[at++] != ';' || !parse_hex(line, at, KEYWORDS, &out->keywords) ||
        !parse_hex(line, at + KEYWORDS, FLAGS, &v))
        return false;
    out->flags = (unsigned)v;
    at += KEYWORDS + FLAGS;
    if (at >= line.n || line.p[at] != '-' || !parse_hex(line, at + 1, UID, &v))
        return false;
    out->uid = (unsigned)v;
    at += 1 + UID;
    return at == line.n || str_eqz(str_sub(line, at, line.n), "\r\n");
}

static bool
copy(struct append *d, int from, int to, int64_t size)
{
    char *chunk = arena_alloc(d->arena, COPY_CHUNK);
    off_t at = 0;
    while (at < size) {
        ssize_t n = pread(from, chunk, COPY_CHUNK, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return append_defer(d, n < 0 ? errno : WHY_UNKNOWN,
                                "length mismatch while copying MBX temporary file to %s",
                                d->path);
        if (!append_write_text(d, to, d->path, str_from(chunk, (size_t)n)))
            return false;
        at += n;
    }
    return true;
}

static int
open_temp(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : memfd_create("mbx", MFD_CLOEXEC);
}

static bool
write_entry(struct append *d, const struct append_file *f, int temp)
{
    struct clock clock = {0};
    char line[MBX_LINE_MAX], header[MBX_HEADER_SIZE];
    int64_t now = time(NULL), size = d->written;
    if (f->before.st_size == 0) {
        mbx_header(now, header);
        if (!append_write_text(d, f->fd, d->path, str_from(header, sizeof header)))
            return false;
    }
    size_t n = mbx_line(now, clock_offset(&clock, now), size, line);
    if (!append_write_text(d, f->fd, d->path, str_from(line, n)) || !copy(d, temp, f->fd, size))
        return false;
    d->written += (int64_t)n;
    return true;
}

bool
mbx_write(struct append *d, const struct append_file *f)
{
    int temp = open_temp();
    if (temp < 0)
        return append_defer(d, errno, "while creating a temporary file for %s", d->path);
    bool ok = append_write(d, temp, d->path) && write_entry(d, f, temp);
    close(temp);
    return ok;
}
