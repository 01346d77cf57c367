/* Room in the file systems of spool and logs; see spool_space.h. */
#include "engine/spool_space.h"

#include "conf/main_options.h"
#include "engine/maillog.h"
#include "sys/await.h"
#include "sys/machine.h"

enum {
    PLENTY_KIB = 256 * 1024, /* so much more than is asked for cannot go within a moment */
    PLENTY_INODES = 10000,
    PLENTY_MS = 250,
};

static int64_t
larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Whether there is so much that nobody need ask again for a while. */
static bool
is_plenty(const struct conf_main *c, const struct machine_free *f, int64_t size)
{
    int64_t kib = larger(larger(c->check_spool_space, c->check_log_space), 0);
    int64_t inodes = larger(larger(c->check_spool_inodes, c->check_log_inodes), 0);
    return size / 1024 < PLENTY_KIB / 2 && (f->kib < 0 || f->kib - kib >= PLENTY_KIB) &&
           (f->inodes < 0 || f->inodes - inodes >= PLENTY_INODES);
}

static bool
is_enough(struct engine *e, const char *what, const struct machine_free *free, int64_t kib,
          int64_t inodes, int64_t size)
{
    struct machine_free f = *free;
    if (kib <= 0 && inodes <= 0 && size < 0)
        return true;
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
    int64_t now = await_now_ms();
    if (now < e->memo.room_ms && size / 1024 < PLENTY_KIB / 2)
        return true;
    struct machine_free f = machine_free_at(engine_place(e).root);
    if (is_plenty(c, &f, size))
        e->memo.room_ms = now + PLENTY_MS;
    return is_enough(e, "spool", &f, c->check_spool_space, c->check_spool_inodes, size) &&
           is_enough(e, "log", &f, c->check_log_space, c->check_log_inodes, -1);
}
