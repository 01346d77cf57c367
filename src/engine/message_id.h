/* Message ids: made, recognised, and the time in them.
 *
 * Two forms: "tttttt-pppppp-ff" (16 characters, Exim up to 4.96) and "tttttt-ppppppppppp-ffff" (23, since
 * 4.97); all in base 62, digits before capitals before small letters, so that byte order is order of
 * value. t: seconds; p: process id; f: fraction of the second, with localhost_number mixed in.
 * Source: specification, "Message identification".
 */
#ifndef REMEX_ENGINE_MESSAGE_ID_H
#define REMEX_ENGINE_MESSAGE_ID_H

#include "base/str.h"

#include <time.h>

enum message_id_form { MESSAGE_ID_OLD, MESSAGE_ID_NEW };

enum {
    MESSAGE_ID_OLD_N = 16,
    MESSAGE_ID_NEW_N = 23,
    MESSAGE_ID_HOST_NONE = -1,
    MESSAGE_ID_HOST_MAX = 16, /* largest localhost_number */
};

/* Holds either form and a NUL. */
struct message_id {
    char text[MESSAGE_ID_NEW_N + 1];
};

/* What goes into an id. */
struct message_id_source {
    struct timespec now; /* CLOCK_REALTIME, not before 1970 */
    uint64_t pid;        /* or any number that no other writer of this spool has at that time */
    int host;            /* localhost_number, or MESSAGE_ID_HOST_NONE */
    enum message_id_form form;
};

struct message_id message_id_make(const struct message_id_source *s);
/* The nanoseconds from s->now until an id made by the same source would differ: the wait that makes ids
 * unique. At least 1. */
int64_t message_id_wait_ns(const struct message_id_source *s);
/* Waits until CLOCK_REALTIME has passed that point; also when the clock was set back meanwhile. At most
 * two seconds. */
void message_id_wait(const struct message_id_source *s);

/* Makes ids differ among the threads of a process: gives each caller a time of its own, ahead of the clock when many ask at once.
 * **thread**: any. */
struct message_id_clock;
struct message_id_clock *message_id_clock_new(void);
void message_id_clock_free(struct message_id_clock *c);
/* Sets s->now; the other fields are filled in. No two callers get the same id, if they have the same pid, host and form. */
void message_id_clock_next(struct message_id_clock *c, struct message_id_source *s);

/* True if s is an id of either form and nothing else. out may be NULL. */
bool message_id_parse(struct str s, struct message_id *out);
/* Bytes of the id that s begins with, if what follows is the end or no letter or digit; else 0. */
size_t message_id_prefix(struct str s);
/* Seconds since 1970 in a valid id. */
int64_t message_id_time(const struct message_id *id);
/* Order of arrival: by seconds, then by the fraction, and by the process only when nothing else differs. < 0, 0, > 0. */
int message_id_compare(const struct message_id *a, const struct message_id *b);
/* The id as a clean value over *id: its alphabet makes it safe as a part of a file name. */
struct str message_id_str(const struct message_id *id);

#endif
