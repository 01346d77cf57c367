/* Lines for the logs of mail: main, reject and panic log, and the log of one message.
 *
 * What has no place in a line (control characters, CR, LF) is escaped, so that no text can forge a line. A line is
 * dropped when its selector is off. Faults of the log itself go to the panic log and, failing that, to stderr. Source:
 * specification, chapter "Log files".
 */
#ifndef REMEX_ENGINE_MAILLOG_H
#define REMEX_ENGINE_MAILLOG_H

#include "base/buf.h"
#include "engine/engine.h"
#include "mail/header.h"
#include "sys/log_selector.h"

enum maillog_to {
    MAILLOG_MAIN = 1u << 0,
    MAILLOG_REJECT = 1u << 1,
    MAILLOG_PANIC = 1u << 2, /* shown on stderr as well */
    MAILLOG_TABS = 1u << 7,  /* tabs of the text stay what they are */
    MAILLOG_UNDER_WAY =
        1u << 9, /* of a refusal: its message has begun, with or without header lines */
    MAILLOG_QUIET = 1u << 3, /* with PANIC: not shown on stderr */
    MAILLOG_BLANK = 1u << 8, /* an empty line follows in the main and the panic log */
};

/* One line, with the stamp, the pid ([123], when selected) and the id (unset: none) in front. */
void maillog_line(struct engine *e, unsigned to, struct str id, struct str text);
void maillog(struct engine *e, unsigned to, struct str id, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The next line of the main log is written with the one behind it, at the latest by maillog_release (sys/log.h, log_kept_hold). */
void maillog_hold(struct engine *e);
void maillog_release(struct engine *e);
/* A line of the main log, and a second one beneath it without a stamp. */
void maillog_pair(struct engine *e, struct str first, struct str second);
/* A reject log entry: the line, then envelope and header lines of the message as the manual shows them. The text goes
 * to the main log as well when `to` says so. */
void maillog_reject(struct engine *e, unsigned to, struct str id, struct str text);
bool maillog_selected(const struct engine *e, enum log_selector s);
/* The time in front of lines, with a blank behind it (milliseconds and zone as configured). */
struct str maillog_stamp(struct arena *a, const struct engine *e);

struct tls_state;
/* " X=… CV=… DN="…" SNI="…"", by selector, of a connection with TLS. sni: the name that was asked for. */
void maillog_add_tls(const struct engine *e, struct buf *b, const struct tls_state *t,
                     bool sni);

/* Microseconds from a time of day to now; 0 when the clock was set back. */
int64_t maillog_between(int64_t seconds, int64_t microseconds, struct timespec now);
/* "3m45s", or "1.578s" when milliseconds are logged: QT=, DT=, RT=, D=. */
struct str maillog_duration(struct arena *a, const struct engine *e, int64_t microseconds);

/* The file of a message's log. */
const char *maillog_message_path(struct arena *a, struct engine *e,
                                 const struct spool_entry *entry);
/* Appends a line to msglog/ID of the message (message_logs). Faults are logged. */
void maillog_message(struct engine *e, const struct spool_entry *entry, struct str text);
/* The same for a line that carries no time ("*** Frozen"). */
void maillog_message_plain(struct engine *e, const struct spool_entry *entry, struct str text);
/* Appends lines that were kept while the message was in the fast lane. */
void maillog_message_lines(struct engine *e, const struct spool_entry *entry, struct str lines);
/* Removes the log of a message (or keeps it in msglog.OLD, preserve_message_logs). */
void maillog_message_remove(struct engine *e, const struct spool_entry *entry);

#endif
