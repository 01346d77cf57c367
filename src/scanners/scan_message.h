/* A message that is being received, as scanners of its content see it: as a stream of blocks, as a file in mbox format beneath
 * the spool, and as a read-only descriptor.
 *
 * All three show the header lines as they are now, an empty line and the body; the mbox form has three lines in front, as
 * Exim's has. A file exists only once something asked for a path: spool_directory/scan/ID/ID.eml. It is written without
 * fsync: nothing depends on it after a crash. The directory is locked while its message is at work, which is how a daemon that
 * starts tells what an earlier one left behind. One object a message, in the message's arena; used by the thread that works on
 * the message. Source: specification, "Content scanning at ACL time".
 */
#ifndef REMEX_SCANNERS_SCAN_MESSAGE_H
#define REMEX_SCANNERS_SCAN_MESSAGE_H

#include "base/str.h"

#include <sys/types.h>

struct arena;
struct eval;
struct message;
struct session;
struct scan_malware; /* scanners/malware.h */
struct scan_spam;    /* scanners/spam.h */

enum { SCAN_BLOCK_MAX = 64 * 1024 };

struct scan_message {
    struct arena *arena; /* of the message */
    const struct message *message;
    bool bare;            /* there is nothing but a body: a file is tested */
    struct str envelope;  /* the lines of the mbox form that stand before the header */
    struct str directory; /* spool_directory/scan/ID; not made before it is asked for */
    struct str path;      /* of the .eml file in it; STR_NULL: not written */
    int lock;             /* descriptor of the directory, locked; -1: there is none */
    /* What conditions have found out, NULL before. */
    struct scan_malware *malware;
    struct scan_spam *spam;
};

/* The object of e->message, made when it is not there yet. NULL: there is no message. */
struct scan_message *scan_message_of(const struct eval *e);

/* Variables of a session that show what scanners found show nothing any more: their texts go with the message. */
void scan_forget_findings(struct session *s);

/* --- stream --- */

enum scan_form {
    SCAN_PLAIN, /* header, empty line, body */
    SCAN_MBOX,  /* with the lines of the envelope in front */
};

struct scan_stream {
    const struct scan_message *s;
    struct str front;   /* what is left of the envelope, or of the header line at hand */
    size_t next_header; /* index of the next one */
    bool in_body;
    int64_t body_at; /* bytes of the body that were given */
    int64_t left;    /* of the cap */
    char *block;
};

/* Starts a stream of at most `cap` bytes (negative: all). Its block is in a, and good until the next one is asked for. */
void scan_stream_start(struct arena *a, const struct scan_message *s, enum scan_form form,
                       int64_t cap, struct scan_stream *out);
/* The next block of 1 to SCAN_BLOCK_MAX bytes, full but for the last one; tainted. 1; 0 at the end; -1 with errno. */
int scan_stream_next(struct scan_stream *st, struct str *block);

/* Bytes of a form as it is now. */
int64_t scan_message_size(const struct scan_message *s, enum scan_form form);

/* --- files --- */

/* Makes the directory, for what is decoded. False: *why has the text for the log, in the message's arena. */
bool scan_message_directory(struct scan_message *s, struct str *why);
/* Writes the mbox file, or leaves the one that is there: header lines that ACLs add later are not in it. s->path then is its name. False: *why as
 * above. */
bool scan_message_file(struct scan_message *s, struct str *why);
/* A new descriptor of the mbox form, at its beginning, that cannot be written: of the file when there is one, else of sealed memory. **owns**: the
 * caller. -1: *why as above. */
int scan_message_descriptor(struct scan_message *s, struct str *why);

/* The message is decided: removes the directory with all that is in it, unless keep is set (control = no_mbox_unspool). m may have no
 * such object. */
void scan_message_end(struct message *m, bool keep);

/* Removes what messages left that are not at work any more. spool: spool_directory. Returns how many directories. */
unsigned scan_message_sweep(const char *spool);

#endif
