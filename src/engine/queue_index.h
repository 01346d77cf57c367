/* What a listing said of each message, kept for the next one: that asks one question a message then, instead of reading its envelope.
 *
 * A file in the spool's db/, written by a listing of the whole queue (in order) by root or the mail user. What it says of a message counts
 * while the -H file of that message is the one that was read: same inode number, same time of change. It is a hint and nothing more:
 * not synced, thrown away when anything in it is not as it should be, and nobody misses it.
 *
 * Its content is records in order of arrival, so that it is read and written along with the listing, in little memory. Not for threads.
 */
#ifndef REMEX_ENGINE_QUEUE_INDEX_H
#define REMEX_ENGINE_QUEUE_INDEX_H

#include "engine/engine.h"

/* Text of one message; more is not kept. */
enum { QUEUE_INDEX_TEXT_MAX = 65536 };

/* Which -H file it was. */
struct queue_index_stamp {
    uint64_t inode;
    int64_t changed_s;
    uint32_t changed_ns;
};

struct queue_index_entry {
    int64_t received_time;
    bool plain;      /* nobody has got it yet, so that all listings say the same */
    struct str text; /* its lines, without the age that they begin with */
};

struct queue_index;

/* Opens what is there and begins what will replace it; NULL when this process can do neither. Memory and descriptors until a is
 * cleared. now: file_time_now, before the first stamp is taken. */
struct queue_index *queue_index_open(struct arena *a, struct engine *e, struct timespec now);
/* The stamp of x-H in dir. False: there is no such file. */
bool queue_index_stamp(int dir, const struct message_id *id, struct queue_index_stamp *out);
/* True when the message is there with that stamp; the text until the next call. Messages must come in order of arrival (message_id_compare). */
bool queue_index_find(struct queue_index *x, const struct message_id *id,
                      const struct queue_index_stamp *stamp, struct queue_index_entry *out);
/* Puts a message into the next one, in the same order. Left out when its file has just changed, since it could change again
 * without another stamp. */
void queue_index_keep(struct queue_index *x, const struct message_id *id,
                      const struct queue_index_stamp *stamp,
                      const struct queue_index_entry *entry);
/* After the last message: the new file takes the old one's place if it is worth it. */
void queue_index_finish(struct queue_index *x);

/* Takes the next record off *rest, which begins behind the first line of the file. False: there is none, or it is not one. For the
 * reader and its tests. */
bool queue_index_parse(struct str *rest, struct message_id *id, struct queue_index_stamp *stamp,
                       struct queue_index_entry *out);

#endif
