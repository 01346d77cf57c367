/* The fast lane's writer: many threads append messages and notes to a journal segment, one of them syncs for all.
 *
 * A record is in the page cache when it was appended and durable when the sync behind it is over; who waits is told which.
 * When a sync fails nothing of that segment is synced again: everybody who waits for it gets the error, what they wrote is made
 * void, and the next record goes to another segment. A record is never split. One object a process; it does not survive a
 * fork. **thread**: every function may be called from any thread.
 */
#ifndef REMEX_ENGINE_LANE_H
#define REMEX_ENGINE_LANE_H

#include "engine/lane_record.h"
#include "engine/lane_segment.h"

struct lane;

struct lane_settings {
    const char *spool;                 /* spool_directory */
    const struct durable_calls *calls; /* must outlive the lane */
    uint64_t segment_size;             /* bytes, at most LANE_SEGMENT_MAX */
};

enum {
    LANE_SEGMENT_MESSAGES = 8 << 20, /* a good segment_size for who takes messages in */
    LANE_SEGMENT_NOTES = 256 << 10,  /* for who only delivers */
};

/* Where a message is. */
struct lane_ref {
    char segment[LANE_NAME_MAX];
    uint64_t at;
};

enum { LANE_REF_TEXT_MAX = LANE_NAME_MAX + 24 };
/* "@seg-…@4096", which no queue is called, with a NUL. */
void lane_ref_write(const struct lane_ref *ref, char out[LANE_REF_TEXT_MAX]);
/* False: not such a text. */
bool lane_ref_read(struct str text, struct lane_ref *ref);

enum lane_result {
    LANE_OK,
    LANE_UNFIT,  /* too big, or there is no room for another segment: nothing was written */
    LANE_FAILED, /* see the fault; nothing is accepted */
};

enum lane_wait {
    LANE_WAIT,  /* until it is durable */
    LANE_LATER, /* it becomes durable with what others wait for */
};

/* NULL with the fault. **owns**: the caller, until lane_close. */
struct lane *lane_open(const struct lane_settings *settings, struct durable_fault *f);
/* Syncs what is left and ends the segment. Nobody may be in another function. */
void lane_close(struct lane *l);

enum lane_expected { LANE_MESSAGE_COMES, LANE_MESSAGE_FAILS };
/* Says that a message is on its way, and that it will not come. Who syncs waits a moment, at most 2 ms, for messages that are on their
 * way, and not at all when there are none. */
void lane_expect(struct lane *l, enum lane_expected what);

/* Appends a message and waits until it is durable; it is not expected any more then. */
enum lane_result lane_put(struct lane *l, const struct lane_message *m, struct str body,
                          struct lane_ref *ref, struct durable_fault *f);
/* Appends RECIPIENT, DONE, MOVED or ABORT. */
enum lane_result lane_note(struct lane *l, enum lane_kind kind, const struct lane_note *n,
                           enum lane_wait wait, struct durable_fault *f);
/* Appends RECIPIENT for each of the addresses, all with one write: a process that dies leaves all of them or none. UNFIT: too long
 * to be written together. */
enum lane_result lane_note_all(struct lane *l, const struct message_id *id,
                               const struct str *addresses, size_t n, enum lane_wait wait,
                               struct durable_fault *f);
/* Waits until everything is durable that was appended before. False: some of it is not. */
bool lane_sync(struct lane *l, struct durable_fault *f);

/* The descriptor of lane/, which is the lane's. */
int lane_directory(const struct lane *l);
const struct durable_calls *lane_calls(const struct lane *l);

struct lane_figures {
    uint64_t records, bytes, syncs, segments;
};
struct lane_figures lane_figures(struct lane *l);

#endif
