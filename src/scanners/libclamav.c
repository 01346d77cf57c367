/* The library of ClamAV, in the inspect process: the message goes there as a descriptor, and no daemon or file stands between.
 *
 *     av_scanner = libclamav : /var/lib/clamav : max_scansize=100M : workers=8
 *
 * All elements behind the name are optional and in any order; they say how the library is set up, so a value that is expanded for each
 * message ought to be one of few. A crash in there is a reason to defer this message, and no more.
 */
#include "scanners/scanner.h"

#include "conf/eval.h"
#include "sys/await.h"
#include "sys/inspect.h"

#include <unistd.h>

/* False with a reason in the job. */
static bool
send_message(struct scan_job *j, struct inspect_job *k)
{
    struct str why;
    int fd = scan_message_descriptor(j->message, &why);
    if (fd < 0) {
        k->why = why;
        return false;
    }
    bool ok = inspect_say(k, INSPECT_SCAN, NULL, fd);
    close(fd);
    return ok;
}

static enum scan_end
judge(struct scan_job *j, const struct ipc_message *msg)
{
    if (msg->type == INSPECT_SCAN_RESULT && msg->f[0].number == INSPECT_CLEAN)
        return SCAN_CLEAN;
    if (msg->type == INSPECT_SCAN_RESULT && msg->f[0].number == INSPECT_FOUND)
        return scan_found(j, scan_said(j, msg->f[1].text));
    if (msg->type == INSPECT_SCAN_RESULT && msg->f[0].number == INSPECT_UNSCANNED)
        return scan_defer(j, "%.*s", STR_ARG(scan_said(j, msg->f[1].text)));
    return scan_defer(j, "inspect process sent what is no message");
}

static enum scan_end
scan(struct scan_job *j)
{
    struct inspect_job k = {.arena = j->by.arena, .socket = -1, .why = STR_EMPTY};
    struct ipc_message msg = {.fd = -1};
    struct str setup = str_trim(j->options.rest);
    int64_t left = j->server.deadline_ms - await_now_ms();
    bool ok = inspect_open(j->by.eval->inspect, INSPECT_LIBRARY_CLAMAV, setup, left, &k) &&
              send_message(j, &k) && inspect_hear(&k, &msg);
    inspect_close(&k);
    if (!ok)
        return scan_defer(j, "%.*s", STR_ARG(scan_said(j, k.why)));
    if (msg.fd >= 0)
        close(msg.fd);
    return judge(j, &msg);
}

const struct scanner_driver scanner_libclamav = {
    "libclamav", "The library of ClamAV in the inspect process, with signatures loaded once.",
    scan};
