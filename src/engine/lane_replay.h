/* Goes through the segments of the fast lane and puts what nobody works on where it belongs.
 *
 * At start (every segment is closed then, save those of processes that live on) and from time to time afterwards. For each message:
 * one that is done, moved or void by the notes is left behind; one that someone has locked is left alone; any other goes to the
 * standing lane, with the addresses that are done. A closed segment whose messages have all gone is removed, unless its notes are about
 * messages of a segment that is still there. What cannot be read is kept, as "bad-…", and said. Doing it again changes nothing. The disk is treated as hostile.
 */
#ifndef REMEX_ENGINE_LANE_REPLAY_H
#define REMEX_ENGINE_LANE_REPLAY_H

#include "engine/lane.h"
#include "engine/spool.h"

struct lane_replay {
    const char *spool;
    bool split; /* split_spool_directory */
    const struct durable_calls *calls;
    struct lane *lane;             /* where notes of what was moved go */
    int64_t age_s;                 /* messages younger than that are left alone; 0: none is */
    int64_t before_s;              /* nor is one from before that time, seconds since 1970 */
    const struct message_id *only; /* all others are left alone; NULL: age_s alone decides */
    /* So many at one time, and begun within so long: the others are `left`. 0: no bound. */
    unsigned most;
    int64_t time_ms;
    /* What somebody should know: a message that cannot be read, a fault of the system. id may be unset. */
    void (*say)(void *ctx, struct str id, const char *text);
    /* A message will be seen at place with the next step: the time to write its log. May be NULL. */
    void (*moves)(void *ctx, const struct spool_place *place, const struct lane_message *m);
    /* It is there now, for whoever wants to deliver it. May be NULL. */
    void (*moved)(void *ctx, const struct spool_place *place, const struct message_id *id);
    void *ctx;
};

struct lane_replay_result {
    unsigned messages; /* that have not ended */
    unsigned moved, busy, young, damaged, failed;
    unsigned noted; /* that have ended, as notes say */
    unsigned left;
    unsigned segments, removed;
};

/* False: it could not even be looked at (said). */
bool lane_replay_run(const struct lane_replay *rp, struct lane_replay_result *out);

/* One message of the lane that has not ended, for lists. */
struct lane_listed {
    struct message_id id;
    struct lane_message message; /* valid during the call */
    int64_t body_size;
};
/* Calls take for each of them; nothing is locked or changed. False with errno: lane/ cannot be read. */
bool lane_replay_list(const char *spool, void (*take)(void *ctx, const struct lane_listed *m),
                      void *ctx);

#endif
