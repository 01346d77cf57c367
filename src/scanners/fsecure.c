/* F-Secure: lines of words with tabs between them, over a UNIX socket. */
#include "scanners/scanner.h"

#include "base/arena.h"

#include <errno.h>

enum { LINES_MAX = 1000 };

static const char *const settings[] = {
    "CONFIGURE\tARCHIVE\t1\n",
    "CONFIGURE\tTIMEOUT\t0\n",
    "CONFIGURE\tMAXARCH\t5\n",
    "CONFIGURE\tMIME\t1\n",
};

static bool
is_ok(struct str line)
{
    return str_starts(line, "OK");
}

/* "INFECTED <path> <name> ..." with tabs. */
static struct str
name_of(struct str line)
{
    size_t path = str_chr(line, '\t', 0);
    size_t name = path == STR_NPOS ? STR_NPOS : str_chr(line, '\t', path + 1);
    if (name == STR_NPOS)
        return STR_EMPTY;
    size_t end = str_chr(line, '\t', name + 1);
    return str_sub(line, name + 1, (end == STR_NPOS ? line.n : end) - name - 1);
}

static enum scan_end
judge(struct scan_job *j)
{
    struct str line, name = STR_NULL;
    for (int i = 0; i < LINES_MAX; i++) {
        if (!scan_socket_line(&j->server, &line))
            return scan_defer(j, "unable to read result (%s)", scan_socket_reason(errno));
        if (str_starts(line, "INFECTED\t"))
            name = str_is_set(name) ? name : str_dup(j->by.arena, name_of(line));
        else if (is_ok(line))
            return str_is_set(name) ? scan_found(j, name) : SCAN_CLEAN;
        else if (str_starts(line, "ERROR"))
            return scan_defer(j, "unable to scan: %.*s", STR_ARG(scan_said(j, line)));
    }
    return scan_defer(j, "unable to read result (no end)");
}

static enum scan_end
ask(struct scan_job *j)
{
    struct str line;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (!scan_socket_send(&j->server, str_from_cstr(settings[i])))
            return scan_defer(j, "unable to write cmd %zu (%s)", i, scan_socket_reason(errno));
        if (!scan_socket_line(&j->server, &line))
            return scan_defer(j, "unable to read answer %zu (%s)", i,
                              scan_socket_reason(errno));
        if (!is_ok(line))
            return scan_defer(j, "answer %zu: %.*s", i, STR_ARG(scan_said(j, line)));
    }
    struct str request = str_printf(j->by.arena, "SCAN\t%.*s\n", STR_ARG(j->message->path));
    if (!scan_socket_send(&j->server, request))
        return scan_defer(j, "unable to write scan command (%s)", scan_socket_reason(errno));
    return judge(j);
}

static enum scan_end
scan(struct scan_job *j)
{
    if (!scan_need_file(j) || !scan_connect_local(j, "/var/run/.fsav"))
        return SCAN_DEFER;
    enum scan_end end = ask(j);
    scan_socket_close(&j->server);
    return end;
}

const struct scanner_driver scanner_fsecure = {
    "fsecure", "F-Secure, over a UNIX socket: the path of the message.", scan};
