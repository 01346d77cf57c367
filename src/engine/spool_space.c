/* Room in the file systems of spool and logs; see spool_space.h. */
#include "engine/spool_space.h"

#include "conf/main_options.h"
#include "engine/maillog.h"
#include "sys/machine.h"

static bool
is_enough(struct engine *e, const char *what, const char *path, int64_t kib, int64_t inodes,
          int64_t size)
{
    if (kib <= 0 && inodes <= 0 && size < 0)
        return true;
    struct machine_free f = machine_free_at(path);
    bool room = f.kib < 0 || f.kib >= (kib > 0 ? kib : 0) + (size > 0 ? size / 1024 : 0);
    bool nodes = f.inodes < 0 || inodes <= 0 || f.inodes >= inodes;
    if (room && nodes)
        return true;
    maillog(e, MAILLOG_MAIN, STR_NULL,
            "%s directory space check failed: space=%lld inodes=%lld", what, (long long)f.kib,
            (long long)f.inodes);
    return false;
}

bool
spool_space_is_enough(struct engine *e, int64_t size)
{
    const struct conf_main *c = e->conf->main;
    const char *spool = engine_place(e).root;
    return is_enough(e, "spool", spool, c->check_spool_space, c->check_spool_inodes, size) &&
           is_enough(e, "log", spool, c->check_log_space, c->check_log_inodes, -1);
}
