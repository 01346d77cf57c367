/* Messages that are held; see spool_held.h. */
#include "engine/spool_held.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum spool_result
spool_show(const struct spool_entry *e, struct spool_fault *f)
{
    struct durable_fault d;
    struct spool_name held = spool_held_name(&e->id), name = spool_file_name(&e->id, 'H');
    enum spool_result r = SPOOL_OK;
    if (e->calls->rename_at(e->dir, held.text, name.text) != 0) {
        if (errno != ENOENT) {
            (void)durable_failed(&d, "rename", held.text);
            return spool_system_fault(f, &d);
        }
        r = SPOOL_ABSENT;
    }
    /* The rename may have been made by somebody who died before this. */
    return durable_sync(e->calls, e->dir, "spool directory", &d) ? r
                                                                 : spool_system_fault(f, &d);
}

void
spool_drop(const struct spool_entry *e)
{
    struct durable_fault d;
    (void)durable_remove(e->calls, e->dir, spool_held_name(&e->id).text, &d);
    (void)durable_remove(e->calls, e->dir, spool_file_name(&e->id, 'D').text, &d);
}

/* The directory that a held message is in. -1 with errno. */
static int
find(const struct spool_place *place, const struct message_id *id)
{
    const char subs[] = {spool_subdirectory(id), '\0'};
    for (size_t i = 0; i < sizeof subs; i++) {
        int dir = spool_open_directory(place, subs[i], false);
        if (dir >= 0 &&
            faccessat(dir, spool_held_name(id).text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            return dir;
        if (dir >= 0)
            close(dir);
        else if (errno != ENOENT)
            return -1;
    }
    errno = ENOENT;
    return -1;
}

/* Where a message that is not held any more was shown, as far as that can still be seen. -1 with errno. */
static int
find_shown(const struct spool_place *place, const struct message_id *id)
{
    int dir = find(place, id);
    if (dir < 0 && errno == ENOENT)
        dir = spool_find_directory(place, id);
    return dir;
}

enum spool_result
spool_show_id(const struct spool_place *place, const struct durable_calls *calls,
              const struct message_id *id, struct spool_fault *f)
{
    struct spool_entry e = {
        .id = *id, .dir = find_shown(place, id), .body = -1, .envelope = -1, .calls = calls};
    if (e.dir < 0 && errno == ENOENT)
        return SPOOL_ABSENT; /* shown, and delivered since */
    if (e.dir < 0) {
        struct durable_fault d;
        (void)durable_failed(&d, "open input of spool", place->root);
        return spool_system_fault(f, &d);
    }
    enum spool_result r = spool_show(&e, f);
    spool_close(&e);
    return r;
}

void
spool_drop_id(const struct spool_place *place, const struct durable_calls *calls,
              const struct message_id *id)
{
    struct spool_entry e = {
        .id = *id, .dir = find(place, id), .body = -1, .envelope = -1, .calls = calls};
    if (e.dir < 0)
        return;
    spool_drop(&e);
    spool_close(&e);
}
