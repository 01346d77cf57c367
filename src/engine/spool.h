/* The files of one message in the standing lane: -D, -H and -J in input/, and who works on them.
 *
 * Whoever holds a struct spool_entry holds the lock on the body file, which excludes other threads, other
 * processes and Exim itself. A message exists when its -H file does; a -D file without one is what a crash
 * left of a message that nobody was told is accepted. Nothing here decides what happens to a message.
 */
#ifndef REMEX_ENGINE_SPOOL_H
#define REMEX_ENGINE_SPOOL_H

#include "engine/message_id.h"
#include "engine/spool_header.h"
#include "sys/durable.h"

#include <stdint.h>

/* What is known of a directory of messages that had no journal in it when it was listed: it has none until it changes. ino 0: nothing is known. */
struct spool_calm {
    uint64_t ino;
    int64_t changed_s, changed_ns;
};

/* The directory of messages that was opened last, and that of their logs, for a run over many of them: opening them by their paths costs more.
 * Starts with both -1; whoever made it calls spool_kept_close. */
struct spool_kept {
    int dir, logs;
    unsigned users; /* entries that have dir */
    struct spool_calm calm;
    char sub;
    char queue[64]; /* of a queue with a longer name nothing is kept */
};

/* Which queue of which spool. */
struct spool_place {
    const char *root;  /* spool_directory, absolute */
    const char *queue; /* named queue; NULL or "": the default one */
    bool split; /* split_spool_directory: where new files go; both places are looked in */
    struct spool_kept *kept; /* NULL: none is */
};

enum spool_result {
    SPOOL_OK,
    SPOOL_ABSENT, /* no such message (any more) */
    SPOOL_BUSY,   /* someone else works on it */
    SPOOL_BAD,    /* not a spool file: see the fault */
    SPOOL_ERROR,  /* a system call failed: see the fault, with its errno */
};

struct buf;

struct spool_entry {
    struct message_id id;
    char sub;                /* subdirectory, or 0 */
    int dir;                 /* directory of the files */
    struct spool_kept *kept; /* whose that is; NULL: the entry's own */
    int body;                /* the -D file, read and write, locked */
    off_t body_start;        /* where the body begins in it */
    int envelope; /* the -H file as spool_read found it, of a message that has not been tried yet; else -1 */
    const struct durable_calls *calls;
    struct buf *
        log; /* where the lines of the message log go while the message is in the fast lane; NULL: to their file */
};

/* "x-H" for suffix 'H'. */
struct spool_name {
    char text[MESSAGE_ID_NEW_N + 8];
};
struct spool_name spool_file_name(const struct message_id *id, char suffix);
/* The subdirectory that a message belongs to when input is split. */
char spool_subdirectory(const struct message_id *id);
/* Opens input/ (sub 0) or a subdirectory of it. Missing directories are made when create is set. -1 with
 * errno. */
int spool_open_directory(const struct spool_place *place, char sub, bool create);

void spool_kept_close(struct spool_kept *k);
/* Before a directory is listed: how it is, if later changes will show. */
struct spool_calm spool_calm_begin(int dir);
/* The message, which is locked, has no journal: none was there when its directory was listed (kept->calm), and that has not changed since.
 * Whoever made one had the lock before. False: that is not known. */
bool spool_is_calm(const struct spool_entry *e);
/* msglog/ beside the input/ that is kept, while an entry has that, for who puts a file into it; stays the other's. -1: unknown. */
int spool_kept_logs(const struct spool_place *place, const struct spool_entry *e);

/* Opens db/ beside input/, made when it is missing. -1: not possible. */
int spool_open_db(const struct spool_place *place);

/* A new message: makes and locks its -D file, with the first line written; the body goes behind it. The
 * file position is at body_start. **owns**: the descriptors in *e until spool_close. BUSY: the id is taken. */
enum spool_result spool_create(const struct spool_place *place,
                               const struct durable_calls *calls, const struct message_id *id,
                               struct spool_entry *e, struct spool_fault *f);
/* Makes the message exist: syncs the body, writes -H, syncs the directory. On failure no file of it is
 * left, and the entry is good for spool_close only. Scratch memory in a. */
enum spool_result spool_commit(struct arena *a, struct spool_entry *e,
                               const struct spool_header *h, struct spool_fault *f);
/* The same, but the message stays held: whole and synced under a name that nobody looks for, until spool_show gives it its
 * own (spool_held.h). */
enum spool_result spool_commit_held(struct arena *a, struct spool_entry *e,
                                    const struct spool_header *h, struct spool_fault *f);
/* "hold.x": the -H file of a message that is held. */
struct spool_name spool_held_name(const struct message_id *id);
/* Opens and locks a message and checks the first line of its body file. */
enum spool_result spool_open(const struct spool_place *place, const struct durable_calls *calls,
                             const struct message_id *id, struct spool_entry *e,
                             struct spool_fault *f);
/* Opens the directory that the files of a message are in, without any lock. -1 with errno; ENOENT: no such message. */
int spool_find_directory(const struct spool_place *place, const struct message_id *id);
/* Reads its -H file into a. That of a message which has not been tried yet stays open (e->envelope) for spool_mark_tried. */
enum spool_result spool_read(struct arena *a, struct spool_entry *e, struct spool_header *h,
                             struct spool_fault *f);
/* The same from a directory without any lock, for listings. */
enum spool_result spool_read_at(struct arena *a, int dir, const struct message_id *id,
                                struct spool_header *h, struct spool_fault *f);
/* Replaces its -H file, then removes its journal, whose content the caller has put into *h. On failure the
 * -H file is the old or the new one and the journal is still there. */
enum spool_result spool_update(struct arena *a, struct spool_entry *e,
                               const struct spool_header *h, struct spool_fault *f);
/* Notes in the -H file that delivery has been tried, and nothing else: one byte is written in place and not waited for (a crash may
 * make the message a new one again). h: as spool_read read it, and nothing has replaced it. False: it cannot be done so, and nothing has
 * changed. */
bool spool_mark_tried(const struct spool_entry *e, const struct spool_header *h);
/* Ends the message: removes -H and syncs before the journal and the body go, so that no crash can bring
 * back recipients that are done. */
enum spool_result spool_remove(const struct spool_entry *e, struct spool_fault *f);
/* Gives up a message that was created and not committed: removes its files. */
void spool_abandon(const struct spool_entry *e);
/* Closes the descriptors, which ends the lock. */
void spool_close(struct spool_entry *e);

/* Puts a system fault in f. Always SPOOL_ERROR. */
enum spool_result spool_system_fault(struct spool_fault *f, const struct durable_fault *d);

#endif
