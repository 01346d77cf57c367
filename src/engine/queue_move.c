/* -MG; see queue_move.h.
 *
 * The body file is linked into the other queue first, then the journal, then the header file, which is what makes the message exist
 * there; only when that is on disk do the files here go, header first. A crash in between leaves the message in both places
 * with the same body file, and so with the same lock; the copy here is removed by the next move or delivery that finds nothing to do.
 */
#include "engine/queue_move.h"

#include "engine/maillog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool
failed(const char *what, struct str id)
{
    printf("Message %.*s was not moved: %s: %s\n", STR_ARG(id), what, strerror(errno));
    return false;
}

static bool
link_files(int from, int to, const struct message_id *id, struct str text)
{
    static const char order[] = "DJH";
    for (size_t i = 0; i < 3; i++) {
        struct spool_name name = spool_file_name(id, order[i]);
        if (linkat(from, name.text, to, name.text, 0) != 0 && errno != EEXIST &&
            !(order[i] == 'J' && errno == ENOENT))
            return failed("link", text);
    }
    return fsync(to) == 0 || failed("fsync", text);
}

static bool
unlink_files(int from, const struct message_id *id, struct str text)
{
    static const char order[] = "HJD";
    for (size_t i = 0; i < 3; i++) {
        struct spool_name name = spool_file_name(id, order[i]);
        if (unlinkat(from, name.text, 0) != 0 && errno != ENOENT)
            return failed("unlink", text);
    }
    return fsync(from) == 0 || failed("fsync", text);
}

bool
queue_move(struct engine *e, struct str id, struct str to)
{
    struct spool_place here = engine_place(e), there = here;
    struct spool_entry entry;
    struct spool_fault f;
    struct message_id parsed;
    there.queue = to.n > 0 ? str_cstr(e->arena, to) : NULL;
    enum spool_result r = message_id_parse(id, &parsed)
                              ? spool_open(&here, e->calls, &parsed, &entry, &f)
                              : SPOOL_ABSENT;
    if (r != SPOOL_OK) {
        printf(r == SPOOL_BUSY ? "Message %.*s is locked\n"
                               : "Spool data file for %.*s does not exist\n",
               STR_ARG(id));
        return false;
    }
    char sub = here.split ? spool_subdirectory(&parsed) : '\0';
    int dir = spool_open_directory(&there, sub, true);
    bool ok = dir >= 0 ? link_files(entry.dir, dir, &parsed, id) &&
                             unlink_files(entry.dir, &parsed, id)
                       : failed("the queue", id);
    if (dir >= 0)
        close(dir);
    spool_close(&entry);
    if (ok)
        maillog(e, MAILLOG_MAIN, id, "moved from queue '%.*s' to '%.*s' by %.*s",
                STR_ARG(e->queue), STR_ARG(to), STR_ARG(e->caller.login));
    return ok;
}
