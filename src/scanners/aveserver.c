/* Kaspersky 5: a dialogue with three-digit codes over a UNIX socket. */
#include "scanners/scanner.h"

#include "base/arena.h"

enum { LINES_MAX = 1000 };

/* "322 NAME found" */
static struct str
name_of(struct str line)
{
    struct str rest = str_trim(str_sub(line, 4, line.n));
    size_t end = str_rchr(rest, ' ');
    return end == STR_NPOS ? rest : str_trim(str_sub(rest, 0, end));
}

/* The answer to SCAN: lines of findings, and one that begins with 2 (done) or 5 (failed). */
static enum scan_end
judge(struct scan_job *j)
{
    struct str line, name = STR_NULL;
    for (int i = 0; i < LINES_MAX && scan_socket_line(&j->server, &line); i++) {
        if (str_starts(line, "322"))
            name = str_is_set(name) ? name : str_dup(j->by.arena, name_of(line));
        else if (str_starts(line, "2"))
            return str_is_set(name) ? scan_found(j, name) : SCAN_CLEAN;
        else if (str_starts(line, "5"))
            return scan_defer(j, "unable to scan file %.*s (Responded: %.*s).",
                              STR_ARG(j->message->path), STR_ARG(scan_said(j, line)));
    }
    return scan_defer(j, "unable to scan file %.*s (Responded: nothing).",
                      STR_ARG(j->message->path));
}

static enum scan_end
ask(struct scan_job *j)
{
    struct str line;
    if (!scan_socket_line(&j->server, &line))
        return scan_defer(j, "unavailable (Responded: nothing).");
    if (!str_starts(line, "2"))
        return scan_defer(j, "unavailable (Responded: %.*s).", STR_ARG(scan_said(j, line)));
    struct str request =
        str_printf(j->by.arena, "SCAN bPQRSTUW %.*s\r\n", STR_ARG(j->message->path));
    if (!scan_socket_send(&j->server, request))
        return scan_defer(j, "unable to write to socket");
    enum scan_end end = judge(j);
    if (scan_socket_send(&j->server, STR_LIT("quit\r\n")))
        (void)scan_socket_line(&j->server, &line); /* it says goodbye, or not */
    return end;
}

static enum scan_end
scan(struct scan_job *j)
{
    if (!scan_need_file(j) || !scan_connect_local(j, "/var/run/aveserver"))
        return SCAN_DEFER;
    enum scan_end end = ask(j);
    scan_socket_close(&j->server);
    return end;
}

const struct scanner_driver scanner_aveserver = {
    "aveserver", "Kaspersky version 5, over a UNIX socket: the path of the message.", scan};
