/* A message goes from the fast lane to the standing one.
 *
 * Three steps make it exactly one message whenever a crash comes. First body and envelope are written and synced, the envelope
 * under a name that makes it no message yet ("lane.ID"). Then the note that it has moved is made durable (by the caller, perhaps for many
 * messages at once). Then the envelope gets its name. A note without the last step is completed by replay; the first step without a
 * note is done again. So no one can deliver the message from the standing lane while replay may still take it from the other.
 */
#ifndef REMEX_ENGINE_LANE_MOVE_H
#define REMEX_ENGINE_LANE_MOVE_H

#include "engine/lane_take.h"
#include "engine/spool.h"

/* The first step. OK: *e has the body file locked; e->body is -1 when the message is in the standing lane already. BUSY: someone
 * works on files of that name. **owns**: the descriptors in *e until spool_close. */
enum spool_result lane_move_prepare(struct arena *a, const struct spool_place *place,
                                    const struct durable_calls *calls,
                                    const struct lane_taken *t, const struct spool_header *h,
                                    struct spool_entry *e, struct spool_fault *f);
/* The last step, when the note is durable. On failure, and when the note failed (it may be there all the same), nothing is taken
 * back: replay completes it. */
enum spool_result lane_move_publish(const struct spool_entry *e, struct spool_fault *f);
/* True if the first step was made and the last was not. */
bool lane_move_is_waiting(const struct spool_place *place, const struct message_id *id);
/* For a message that a durable note says has moved: makes up for a last step that was not made. */
enum spool_result lane_move_complete(const struct spool_place *place,
                                     const struct durable_calls *calls,
                                     const struct message_id *id, struct spool_fault *f);

/* The first two steps for one message, the note in l. OK: *e has it locked in the standing lane, where nobody sees it yet; what
 * a reader expects beside the message (its log) is to be written now if e->body is not -1. lane_move_end follows. */
enum spool_result lane_move_begin(struct arena *a, struct lane *l,
                                  const struct spool_place *place, const struct lane_taken *t,
                                  const struct spool_header *h, struct spool_entry *e,
                                  struct spool_fault *f);
/* The last step: the message is seen, and has ended in the fast lane. On failure *e is closed; replay completes it. */
enum spool_result lane_move_end(const struct lane_taken *t, struct spool_entry *e,
                                struct spool_fault *f);

#endif
