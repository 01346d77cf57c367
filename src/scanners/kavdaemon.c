/* Kaspersky 4: one request with a time and a path over a UNIX socket; two bytes come back, and a report if the second one says so.
 *
 * Source: interface of the AVP daemon, as scripts that speak to it have it; no live server was there to try it with.
 */
#include "scanners/scanner.h"

#include "base/arena.h"
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>

enum {
    RESULT_MASK = 0x0f, /* of the first byte */
    RESULT_NOT_DONE = 1,
    RESULT_DAMAGED = 7, /* the daemon's own files */
    HAS_REPORT = 0x02,  /* of the second byte: its length in four bytes, then it */
    REPORT_MAX = 64 * 1024,
};

static struct str
request(const struct scan_job *j)
{
    char now[CLOCK_TEXT_MAX];
    struct timespec t;
    struct clock_civil c;
    clock_gettime(CLOCK_REALTIME, &t);
    c = clock_civil(t.tv_sec);
    (void)snprintf(now, sizeof now, "%02u %s %02u:%02u:%02u", c.day, clock_month_name(c.month),
                   c.hour, c.minute, c.second);
    return str_printf(j->by.arena, "<0>%s:%.*s", now, STR_ARG(j->message->path));
}

/* A line of the report: "path infected: NAME". */
static struct str
name_of(struct str report)
{
    const struct str mark = STR_LIT("infected: ");
    size_t at = str_find(report, mark, 0);
    if (at == STR_NPOS)
        return STR_EMPTY;
    struct str name = str_sub(report, at + mark.n, report.n);
    size_t end = 0;
    while (end < name.n && !ascii_space(name.p[end]) && name.p[end] != '\0')
        end++;
    return str_sub(name, 0, end);
}

/* The integer is in the daemon's byte order, which is that of this machine. */
static bool
read_report(struct scan_job *j, struct str *report)
{
    uint32_t n;
    if (!scan_socket_exact(&j->server, &n, sizeof n) || n > REPORT_MAX)
        return false;
    char *text = arena_alloc(j->by.arena, n);
    *report = str_tainted(str_from(text, n));
    return scan_socket_exact(&j->server, text, n);
}

static enum scan_end
judge(struct scan_job *j)
{
    unsigned char head[2];
    struct str report = STR_EMPTY;
    if (!scan_socket_exact(&j->server, head, sizeof head))
        return scan_defer(j, "unable to read 2 bytes from socket (%s)",
                          scan_socket_reason(errno));
    unsigned result = head[0] & RESULT_MASK;
    if (result == RESULT_NOT_DONE)
        return scan_defer(j, "scanning was not completed");
    if (result == RESULT_DAMAGED)
        return scan_defer(j, "the scanner says that it is damaged");
    if (result == 0)
        return SCAN_CLEAN;
    if ((head[1] & HAS_REPORT) != 0 && !read_report(j, &report))
        return scan_defer(j, "unable to read the report (%s)", scan_socket_reason(errno));
    return scan_found(j, name_of(report));
}

static enum scan_end
scan(struct scan_job *j)
{
    if (!scan_need_file(j) || !scan_connect_local(j, "/var/run/AvpCtl"))
        return SCAN_DEFER;
    enum scan_end end =
        scan_socket_send(&j->server, request(j))
            ? judge(j)
            : scan_defer(j, "unable to write to socket (%s)", scan_socket_reason(errno));
    scan_socket_close(&j->server);
    return end;
}

const struct scanner_driver scanner_kavdaemon = {
    "kavdaemon", "Kaspersky version 4, over a UNIX socket: the path of the message.", scan};
