/* Any simple daemon: a line is sent, a pattern says whether what comes back means a virus. */
#include "scanners/scanner.h"

#include "base/arena.h"

#include <errno.h>

/* The command with the path in place of its one %s. False: another use of %. */
static bool
fill_command(struct scan_job *j, struct str command, struct str *out)
{
    size_t at = str_chr(command, '%', 0);
    *out = command;
    if (at == STR_NPOS)
        return true;
    if (at + 1 >= command.n || command.p[at + 1] != 's' ||
        str_chr(command, '%', at + 1) != STR_NPOS)
        return false;
    *out = str_printf(j->by.arena, "%.*s%.*s%.*s", STR_ARG(str_sub(command, 0, at)),
                      STR_ARG(j->message->path), STR_ARG(str_sub(command, at + 2, command.n)));
    return true;
}

static enum scan_end
ask(struct scan_job *j, struct str command, const struct scan_patterns *p)
{
    struct buf answer = buf_in(j->by.arena, SCAN_ANSWER_MAX);
    if (!scan_socket_send(&j->server, command))
        return scan_defer(j, "unable to write to socket (%s)", scan_socket_reason(errno));
    if (!scan_socket_answer(&j->server, SCAN_ENDS_IN_SILENCE, &answer))
        return scan_defer(j, "unable to read from socket (%s)", scan_socket_reason(errno));
    return scan_judge_output(j, p, buf_str(&answer));
}

static enum scan_end
scan(struct scan_job *j)
{
    struct scan_place to;
    struct scan_patterns p;
    struct str command;
    if (!scan_take_place(j, "/tmp/malware.sock", &to) || !scan_need_file(j))
        return SCAN_DEFER;
    if (!fill_command(j, scan_option(j, "%s\n"), &command))
        return scan_defer(j, "unsafe sock scanner call spec");
    if (!scan_take_patterns(j, &p) || !scan_connect(j, &to))
        return SCAN_DEFER;
    enum scan_end end = ask(j, command, &p);
    scan_socket_close(&j->server);
    return end;
}

const struct scanner_driver scanner_sock = {
    "sock", "A simple daemon: command, pattern of a finding, pattern of its name.", scan};
