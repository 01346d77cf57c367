/* The messages of a queue: their ids, and nothing else, in memory.
 *
 * input/ and its 62 subdirectories are scanned, whatever split_spool_directory says now. In order, all
 * names are read first (25 bytes a message) and kept as a heap; unsorted, some are read at a time. A message
 * may be gone, or be locked, by the time the caller opens it.
 */
#ifndef REMEX_ENGINE_QUEUE_LIST_H
#define REMEX_ENGINE_QUEUE_LIST_H

#include "engine/spool.h"

enum queue_list_order {
    QUEUE_LIST_SORTED,   /* order of arrival */
    QUEUE_LIST_UNSORTED, /* as the directories give them, one whole directory after the other */
    /* The same while a directory is being read, for those who change nothing: a message whose -H file is written anew meanwhile
     * may come twice. */
    QUEUE_LIST_STREAM,
};

struct queue_list_item {
    struct message_id id;
    char sub; /* subdirectory, or 0 */
};

/* Messages of one listing; more are left out and reported. */
enum { QUEUE_LIST_MAX = 10000000 };

struct queue_list;

/* Starts a listing; memory and open directories live until a is cleared. */
struct queue_list *queue_list_new(struct arena *a, const struct spool_place *place,
                                  enum queue_list_order order);
/* The next message: OK with *item; ABSENT at the end; ERROR with the fault when a directory cannot be
 * read (the next call goes on behind it). A queue whose directory does not exist is empty. */
enum spool_result queue_list_next(struct queue_list *q, struct queue_list_item *item,
                                  struct spool_fault *f);
/* How many messages there are. What cannot be read counts as empty. */
size_t queue_list_count(const struct spool_place *place);
/* How many are still to come in order, once the first has been given; of other orders 0. */
size_t queue_list_left(const struct queue_list *q);
/* True if a message that has been or is to be listed may have a journal. */
bool queue_list_has_journals(const struct queue_list *q);
/* Of the directory that was read last: it had no journal. */
struct spool_calm queue_list_calm(const struct queue_list *q);
/* The directory of an item, kept open until the next item of another directory is asked for; for
 * spool_read_at and the size of the body. -1 with errno. */
int queue_list_directory(struct queue_list *q, const struct queue_list_item *item);

#endif
