/* F-Prot: a request of HTTP over TCP, the path as its resource; the answer has elements of XML, of which three matter. */
#include "scanners/scanner.h"

#include "base/arena.h"

#include <errno.h>

enum { LINES_MAX = 1000 };

/* What was seen of the answer. */
struct report {
    bool detected, summary;
    struct str name;
};

static void
read_line(struct scan_job *j, struct report *r, struct str line)
{
    const struct str open = STR_LIT("<name>"), close = STR_LIT("</name>");
    r->detected |= str_find(line, STR_LIT("<detected type=\""), 0) != STR_NPOS;
    r->summary |= str_find(line, STR_LIT("<summary code=\""), 0) != STR_NPOS;
    size_t at = str_find(line, open, 0);
    if (at == STR_NPOS || str_is_set(r->name))
        return;
    struct str name = str_sub(line, at + open.n, line.n);
    size_t end = str_find(name, close, 0);
    r->name = str_dup(j->by.arena, str_sub(name, 0, end == STR_NPOS ? name.n : end));
}

static enum scan_end
ask(struct scan_job *j)
{
    struct report r = {.name = STR_NULL};
    struct str line;
    struct str request =
        str_printf(j->by.arena, "GET %.*s HTTP/1.0\r\n\r\n", STR_ARG(j->message->path));
    if (!scan_socket_send(&j->server, request))
        return scan_defer(j, "unable to write to socket (%s)", scan_socket_reason(errno));
    for (int i = 0; i < LINES_MAX && !r.summary; i++) {
        if (scan_socket_line(&j->server, &line))
            read_line(j, &r, line);
        else if (errno == 0)
            break;
        else
            return SCAN_DEFER; /* as the reference, which logs nothing of it */
    }
    if (r.detected)
        return scan_found(j, r.name);
    return r.summary ? SCAN_CLEAN : scan_defer(j, "answer without a summary");
}

static enum scan_end
scan(struct scan_job *j)
{
    return scan_ask_about_file(j, "localhost 10200-10204", ask);
}

const struct scanner_driver scanner_f_protd = {
    "f-protd", "F-Prot, with HTTP over TCP: the path of the message.", scan};
