/* Sophie: gets the directory on a line, answers "0", "1:NAME" or "-1". */
#include "scanners/scanner.h"

#include "base/arena.h"

/* Source: SOPHIE protocol; specification, sophie. */
static enum scan_end
judge(struct scan_job *j, struct str answer)
{
    if (str_starts(answer, "1"))
        return scan_found(j, str_sub(answer, 2, answer.n));
    return str_starts(answer, "-1") ? scan_defer(j, "scanner reported error") : SCAN_CLEAN;
}

static enum scan_end
ask(struct scan_job *j)
{
    struct str path = j->server.address;
    struct buf answer = buf_in(j->by.arena, SCAN_ANSWER_MAX);
    struct str request = str_cat(j->by.arena, j->message->directory, STR_LIT("\n"));
    if (!scan_socket_send(&j->server, request))
        return scan_defer(j, "unable to write to UNIX socket (%.*s)", STR_ARG(path));
    if (!scan_socket_answer(&j->server, SCAN_ENDS_WITH_LINE | SCAN_ENDS_IN_SILENCE, &answer))
        return scan_defer(j, "unable to read from UNIX socket (%.*s)", STR_ARG(path));
    return judge(j, buf_str(&answer));
}

static enum scan_end
scan(struct scan_job *j)
{
    if (!scan_need_file(j) || !scan_connect_local(j, "/var/run/sophie"))
        return SCAN_DEFER;
    enum scan_end end = ask(j);
    scan_socket_close(&j->server);
    return end;
}

const struct scanner_driver scanner_sophie = {
    "sophie", "Sophie, over a UNIX socket: the directory of the message.", scan};
