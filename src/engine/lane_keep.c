/* Replay of the fast lane with the engine's spool and logs; see lane_keep.h. */
#include "engine/lane_keep.h"

#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/lane_move.h"
#include "engine/lane_replay.h"
#include "engine/maillog.h"

#include <unistd.h>

static void
say(void *ctx, struct str id, const char *text)
{
    maillog(ctx, MAILLOG_MAIN | MAILLOG_PANIC, id, "%s", text);
}

/* Its message log goes first. */
static void
write_log(void *ctx, const struct spool_place *place, const struct lane_message *m)
{
    struct engine *e = ctx;
    struct str queue = e->queue;
    struct spool_entry entry = {.id = m->id,
                                .sub = place->split ? spool_subdirectory(&m->id) : '\0',
                                .calls = e->calls};
    e->queue = place->queue == NULL
                   ? STR_EMPTY
                   : str_untaint_by_rule(str_from_cstr(place->queue), "queue of a message");
    maillog_message_lines(e, &entry, m->log);
    e->queue = queue;
}

static bool
has_lane(const char *spool)
{
    int dir = lane_directory_open(spool, false);
    if (dir >= 0)
        close(dir);
    return dir >= 0;
}

static size_t
keep(struct engine *e, int64_t age_s, const struct message_id *only)
{
    struct spool_place place = engine_place(e);
    struct durable_fault f;
    struct lane_replay_result result = {.moved = 0};
    const struct lane_settings own = {
        .spool = place.root, .calls = e->calls, .segment_size = LANE_SEGMENT_NOTES};
    if (!has_lane(place.root))
        return 0;
    struct lane *lane = e->lane != NULL ? e->lane : lane_open(&own, &f);
    if (lane == NULL) {
        say(e, STR_NULL, f.text);
        return 0;
    }
    const struct lane_replay rp = {
        .spool = place.root,
        .split = place.split,
        .calls = e->calls,
        .lane = lane,
        .age_s = age_s,
        .only = only,
        .say = say,
        .moves = write_log,
        .ctx = e,
    };
    (void)lane_replay_run(&rp, &result);
    if (e->lane == NULL)
        lane_close(lane);
    return result.moved;
}

size_t
lane_keep_run(struct engine *e, int64_t age_s)
{
    return keep(e, age_s, NULL);
}

size_t
lane_keep_one(struct engine *e, const struct message_id *id)
{
    return keep(e, 0, id);
}

void
lane_keep_files(struct engine *e, const struct lane_ref *ref)
{
    struct arena *a = arena_new();
    struct lane_taken t;
    struct spool_header h;
    struct spool_entry entry;
    struct spool_fault f = {.text = "it is not what was written"};
    struct spool_place place = engine_place(e);
    if (lane_take(a, lane_directory(e->lane), ref, &t) != LANE_TAKE_OK) {
        arena_free(a);
        return;
    }
    if (t.message.queue.n > 0)
        place.queue = str_cstr(a, t.message.queue);
    if (spool_header_parse(a, &t.message.id, t.message.header, &h, &f) &&
        lane_move_begin(a, e->lane, &place, &t, &h, &entry, &f) == SPOOL_OK) {
        if (entry.body >= 0)
            write_log(e, &place, &t.message);
        if (lane_move_end(&t, &entry, &f) == SPOOL_OK)
            spool_close(&entry);
        else
            say(e, message_id_str(&t.message.id), f.text);
    } else {
        say(e, message_id_str(&t.message.id), f.text);
    }
    lane_take_close(&t);
    arena_free(a);
}
