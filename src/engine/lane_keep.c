/* Replay of the fast lane with the engine's spool and logs; see lane_keep.h. */
#include "engine/lane_keep.h"

#include "base/arena.h"
#include "conf/main_options.h"
#include "engine/lane_move.h"
#include "engine/lane_replay.h"
#include "engine/maillog.h"

#include <unistd.h>

struct keeping {
    struct engine *e;
    const struct lane_keep *k;
};

static void
say(struct engine *e, struct str id, const char *text)
{
    maillog(e, MAILLOG_MAIN | MAILLOG_PANIC, id, "%s", text);
}

/* Its message log goes first. */
static void
write_log(struct engine *e, const struct spool_place *place, const struct lane_message *m)
{
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

/* --- what the replay tells of --- */

static void
replay_says(void *ctx, struct str id, const char *text)
{
    const struct keeping *k = ctx;
    say(k->e, id, text);
}

static void
replay_moves(void *ctx, const struct spool_place *place, const struct lane_message *m)
{
    const struct keeping *k = ctx;
    write_log(k->e, place, m);
}

static void
replay_moved(void *ctx, const struct spool_place *place, const struct message_id *id)
{
    const struct keeping *k = ctx;
    if (k->k->moved != NULL)
        k->k->moved(k->k->ctx, message_id_str(id),
                    place->queue == NULL ? STR_EMPTY : str_from_cstr(place->queue));
}

bool
lane_keep_run(struct engine *e, const struct lane_keep *k)
{
    struct keeping keeping = {.e = e, .k = k};
    struct spool_place place = engine_place(e);
    struct durable_fault f;
    struct lane_replay_result result = {.moved = 0};
    const struct lane_settings own = {
        .spool = place.root, .calls = e->calls, .segment_size = LANE_SEGMENT_NOTES};
    if (!has_lane(place.root))
        return false;
    struct lane *lane = e->lane != NULL ? e->lane : lane_open(&own, &f);
    if (lane == NULL) {
        say(e, STR_NULL, f.text);
        return false;
    }
    const struct lane_replay rp = {
        .spool = place.root,
        .split = place.split,
        .calls = e->calls,
        .lane = lane,
        .age_s = k->age_s,
        .before_s = k->before_s,
        .only = k->only,
        .most = k->most,
        .time_ms = k->time_ms,
        .say = replay_says,
        .moves = replay_moves,
        .moved = replay_moved,
        .ctx = &keeping,
    };
    (void)lane_replay_run(&rp, &result);
    if (e->lane == NULL)
        lane_close(lane);
    /* Where nothing gets on, doing it at once again would be of no use. */
    return result.left > 0 && result.moved + result.noted > 0;
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
