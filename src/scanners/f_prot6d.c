/* F-Prot 6: one line each way over TCP; "<number> <infected: NAME> path". */
#include "scanners/scanner.h"

#include "base/arena.h"

#include <errno.h>

static enum scan_end
judge(struct scan_job *j, struct str line)
{
    const struct str mark = STR_LIT("<infected: ");
    if (line.n == 0 || !ascii_digit(line.p[0]))
        return scan_defer(j, "malformed answer: %.*s", STR_ARG(scan_said(j, line)));
    size_t at = str_find(line, mark, 0);
    if (at == STR_NPOS)
        return SCAN_CLEAN;
    struct str name = str_sub(line, at + mark.n, line.n);
    size_t end = str_chr(name, '>', 0);
    return scan_found(j, end == STR_NPOS ? name : str_sub(name, 0, end));
}

static enum scan_end
ask(struct scan_job *j)
{
    struct str line;
    struct str request = str_printf(j->by.arena, "SCAN FILE %.*s\n", STR_ARG(j->message->path));
    if (!scan_socket_send(&j->server, request))
        return scan_defer(j, "unable to write to socket (%s)", scan_socket_reason(errno));
    if (!scan_socket_line(&j->server, &line))
        return scan_defer(j, "unable to read from socket (%s)", scan_socket_reason(errno));
    enum scan_end end = judge(j, line);
    (void)scan_socket_send(&j->server, STR_LIT("QUIT\n"));
    return end;
}

static enum scan_end
scan(struct scan_job *j)
{
    return scan_ask_about_file(j, "localhost 10200", ask);
}

const struct scanner_driver scanner_f_prot6d = {
    "f-prot6d", "F-Prot version 6, over TCP: the path of the message.", scan};
