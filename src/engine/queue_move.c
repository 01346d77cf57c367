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
#include <sys/stat.h>
#include <unistd.h>

static bool
link_files(int from, int to, const struct message_id *id)
{
    static const char order[] = "DJH";
    for (size_t i = 0; i < 3; i++) {
        struct spool_name name = spool_file_name(id, order[i]);
        if (linkat(from, name.text, to, name.text, 0) != 0 && errno != EEXIST &&
            !(order[i] == 'J' && errno == ENOENT))
            return false;
    }
    return fsync(to) == 0;
}

static bool
unlink_files(int from, const struct message_id *id)
{
    static const char order[] = "HJD";
    for (size_t i = 0; i < 3; i++) {
        struct spool_name name = spool_file_name(id, order[i]);
        if (unlinkat(from, name.text, 0) != 0 && errno != ENOENT)
            return false;
    }
    return fsync(from) == 0;
}

/* Opens root/top[/sub], made if need be. */
static int
open_directory(struct arena *a, const struct spool_place *place, const char *top, char sub)
{
    bool named = place->queue != NULL;
    struct str path = str_printf(a, "%s/%s%s%s", place->root, named ? place->queue : "",
                                 named ? "/" : "", top);
    char below[3] = {sub != '\0' ? '/' : '\0', sub, '\0'};
    if (mkdir(str_cstr(a, path), 0750) != 0 && errno != EEXIST)
        return -1;
    const char *whole = str_cstr(a, str_printf(a, "%.*s%s", STR_ARG(path), below));
    if (sub != '\0' && mkdir(whole, 0750) != 0 && errno != EEXIST)
        return -1;
    return open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool
queue_move_frozen(struct engine *e, const struct spool_entry *entry)
{
    struct arena *a = arena_new();
    struct spool_place place = engine_place(e);
    int to = open_directory(a, &place, "Finput", entry->sub);
    int logs = open_directory(a, &place, "Fmsglog", entry->sub);
    const char *log = maillog_message_path(a, e, entry);
    bool ok = to >= 0 && logs >= 0 && link_files(entry->dir, to, &entry->id) &&
              unlink_files(entry->dir, &entry->id);
    if (ok && renameat(AT_FDCWD, log, logs, entry->id.text) != 0 && errno != ENOENT)
        ok = false;
    int saved = errno;
    if (to >= 0)
        close(to);
    if (logs >= 0)
        close(logs);
    arena_free(a);
    errno = saved;
    return ok;
}

/* "(name) input, msglog" */
static struct str
place_text(struct arena *a, struct str queue)
{
    return queue.n == 0 ? STR_LIT("input, msglog")
                        : str_printf(a, "(%.*s) input, msglog", STR_ARG(queue));
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
    bool ok =
        dir >= 0 && link_files(entry.dir, dir, &parsed) && unlink_files(entry.dir, &parsed);
    if (!ok)
        printf("Message %.*s was not moved: %s\n", STR_ARG(id), strerror(errno));
    if (dir >= 0)
        close(dir);
    spool_close(&entry);
    if (ok)
        printf("Message %.*s ", STR_ARG(id));
    if (ok)
        maillog(e, MAILLOG_MAIN, id, "moved from %.*s to %.*s",
                STR_ARG(place_text(e->arena, e->queue)), STR_ARG(place_text(e->arena, to)));
    return ok;
}
