/* The limits of each kind; see role_limits.h. docs/daemon.md has them as a table.
 *
 * There is none on the size of files: a log may be longer than anything that could be said beforehand. What the agent starts belongs to users, who
 * are not to be limited by it: it has its own limits for now only, and none on memory.
 */
#include "proc/role_limits.h"

#include "engine/maillog.h"
#include "sys/limits.h"

#include <errno.h>
#include <string.h>

#define GIB (1024ull * 1024 * 1024)

enum {
    SMTP = IPC_KIND_SMTP,
    QUEUE = IPC_KIND_QUEUE,
    DELIVER = IPC_KIND_DELIVER,
    AGENT = IPC_KIND_AGENT,
    INSPECT = IPC_KIND_INSPECT,
};

static const struct {
    unsigned kinds;
    enum limit_kind limit;
    uint64_t value;
} rows[] = {
    {SMTP | QUEUE | DELIVER | AGENT | INSPECT, LIMIT_CORE, 0}, /* it would hold letters and passwords */
    {SMTP, LIMIT_FILES, 65536},   /* connections, and spool files of those at work */
    {QUEUE, LIMIT_FILES, 4096},   /* 1,024 peers and 1,024 workers */
    {DELIVER, LIMIT_FILES, 1024}, /* a worker has one message and its hosts */
    {AGENT, LIMIT_FILES, 4096},   /* 512 peers, 256 children with three each */
    {INSPECT, LIMIT_FILES, 2048}, /* 512 jobs that wait, 256 workers with two each */
    {SMTP, LIMIT_MEMORY, 8 * GIB},
    {QUEUE | DELIVER, LIMIT_MEMORY, 4 * GIB},
};

void
role_limits_set(const struct role *r)
{
    enum limit_how how = r->kind == IPC_KIND_AGENT ? LIMIT_FOR_NOW : LIMIT_FOR_GOOD;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((rows[i].kinds & r->kind) != 0 && !limits_set(rows[i].limit, rows[i].value, how))
            maillog(r->e, MAILLOG_MAIN, STR_NULL, "%s process: a limit cannot be set: %s",
                    ipc_kind_name(r->kind), strerror(errno));
}
