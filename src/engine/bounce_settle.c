/* Bounces that a journal speaks of; see bounce_settle.h. */
#include "engine/bounce_settle.h"

#include "base/arena.h"
#include "engine/maillog.h"
#include "engine/spool_held.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of the message as it would be sent. */
static int64_t
size_of(int dir, const struct message_id *id, const struct spool_header *h)
{
    struct stat st;
    struct spool_name name = spool_file_name(id, 'D');
    int64_t n = 1;
    if (fstatat(dir, name.text, &st, AT_SYMLINK_NOFOLLOW) == 0)
        n += (int64_t)st.st_size - (int64_t)strlen(name.text) - 1;
    for (size_t i = 0; i < h->headers.n; i++)
        if (h->headers.v[i].type != HEADER_TYPE_DELETED)
            n += h->headers.v[i].text.n;
    return n;
}

/* The line that whoever wrote the bounce did not come to. */
static void
log_arrival(struct engine *e, const struct message_id *id, struct str reference)
{
    struct spool_place place = engine_place(e);
    struct spool_header h;
    struct spool_fault f;
    struct arena *a = arena_new();
    int dir = spool_find_directory(&place, id);
    spool_header_init(&h);
    if (dir >= 0 && spool_read_at(a, dir, id, &h, &f) == SPOOL_OK)
        maillog(e, MAILLOG_MAIN, message_id_str(id), "<= <> R=%.*s U=%.*s P=local S=%lld",
                STR_ARG(reference), STR_ARG(h.login), (long long)size_of(dir, id, &h));
    if (dir >= 0)
        close(dir);
    arena_free(a);
}

enum spool_result
bounce_settle(struct engine *e, struct str reference, const struct spool_journal_found *found,
              struct spool_fault *f)
{
    struct spool_place place = engine_place(e);
    for (size_t i = 0; i < found->bounces.n; i++) {
        enum spool_result r = spool_show_id(&place, e->calls, &found->bounces.v[i], f);
        if (r == SPOOL_OK)
            log_arrival(e, &found->bounces.v[i], reference);
        else if (r != SPOOL_ABSENT)
            return r;
    }
    for (size_t i = 0; i < found->torn.n; i++)
        spool_drop_id(&place, e->calls, &found->torn.v[i]);
    return SPOOL_OK;
}
