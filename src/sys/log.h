/* Writes the logs: main, reject and panic, to files, to syslog, or to both.
 *
 * A line goes out in one write on a descriptor opened for appending, so that lines of several processes never
 * mix. Text with CR, LF or NUL is refused: it could forge a line. Files are opened (and made) as the mail
 * user by a process that is root, so a link put into the log directory leads nowhere that this user could
 * not write anyway. Source: specification, chapter "Log files".
 */
#ifndef REMEX_SYS_LOG_H
#define REMEX_SYS_LOG_H

#include "base/str.h"

#include <sys/types.h>
#include <time.h>

enum log_kind { LOGFILE_MAIN, LOGFILE_REJECT, LOGFILE_PANIC, LOGFILE_DEBUG };

/* A main log that stays open between entries, for a process that never becomes somebody else. Another file of that name is noticed
 * within LOG_KEPT_MS. **thread**: one. */
struct log_kept;
enum { LOG_KEPT_MS = 50, LOG_HELD_MAX = 1024 };
/* In the arena; closed when that is freed. */
struct log_kept *log_kept_new(struct arena *a);
/* The next entry, unless it has more than LOG_HELD_MAX bytes, is written together with the one behind it, at the latest by log_kept_release: for who knows that it
 * comes at once, and starts no process in between. */
void log_kept_hold(struct log_kept *k);
void log_kept_release(struct log_kept *k);

struct log_settings {
    struct str
        file_path; /* log_file_path: list of templates and "syslog"; unset: default_path */
    struct str default_path; /* what an empty item stands for, with one %s */
    bool own;                /* uid and gid are meant: files are made as that user */
    uid_t uid;
    gid_t gid;
    bool zone;               /* log_timezone */
    struct str stamp;        /* in front of entries of files; unset: made by log_stamp */
    const char *syslog_name; /* syslog_processname; NULL: "remex" */
    int syslog_facility;     /* LOG_MAIL and so on */
    bool syslog_pid;
    bool syslog_timestamp;
    bool no_syslog;        /* this entry goes to files alone */
    struct log_kept *kept; /* NULL: files are opened for each entry */
};

/* Where a log goes. */
struct log_places {
    struct str file; /* STR_NULL: to no file */
    bool syslog;
};

/* Applies the list and the templates: %s is the log's name, %D and %M are datestamps; without a %s the
 * template is refused (false and *error). Leftover % sequences are refused as well. */
bool log_find_places(struct arena *a, const struct log_settings *s, enum log_kind kind,
                     time_t now, struct log_places *out, struct str *error);

/* "2026-05-27 16:52:26 " or with the zone, "2026-05-27 16:52:26 +0200 ". */
struct str log_stamp(struct arena *a, time_t now, bool zone);

/* One entry of n lines (further lines continue the first), stamped. False with *error (which names file and
 * reason) when it could not be written everywhere it should be. */
bool log_write(struct arena *a, const struct log_settings *s, enum log_kind kind,
               const struct str *lines, size_t n, struct str *error);

/* The file of debugging output: as a log called "debug" with the tag behind it. False with *error: there is none. */
bool log_debug_path(struct arena *a, const struct log_settings *s, struct str tag,
                    struct str *path, struct str *error);
/* Appends lines as they are, in one write. */
bool log_debug_write(struct arena *a, const struct log_settings *s, struct str tag,
                     struct str lines, struct str *error);

#endif
