/* Limits of mailboxes: what the options say, what a mailbox holds, the warning to its owner.
 *
 * Source: specification, options quota, quota_directory, quota_filecount, quota_is_inclusive, quota_size_regex,
 * quota_warn_message, quota_warn_threshold, mailbox_size and mailbox_filecount of appendfile.
 */
#ifndef REMEX_TRANSPORTS_APPEND_QUOTA_H
#define REMEX_TRANSPORTS_APPEND_QUOTA_H

#include "transports/appendfile.h"

struct regex;
struct regex_ctx;

struct append_quota {
    int64_t limit, limit_files; /* 0: none */
    bool no_check, no_check_files;
    int64_t warn;                     /* threshold in bytes; 0: none */
    int64_t known_size, known_files;  /* mailbox_size, mailbox_filecount; -1: not given */
    int64_t size, files;              /* of the mailbox before the delivery */
    const struct regex *size_pattern; /* quota_size_regex, or NULL */
    struct regex_ctx *ctx;
};

/* What of it is known before the process is the user. */
enum { APPEND_QUOTA_ROWS = 7 };
extern const struct record_row append_quota_rows[APPEND_QUOTA_ROWS];

/* The transport_prepare_fn of appendfile: expands the options; job->prepared is a struct append_quota. */
bool append_quota_prepare(struct transport_job *job, struct why *why);
/* True if the size of the mailbox matters. */
bool append_quota_counts(const struct append_quota *q);
/* Compiles quota_size_regex. False: the answer says why. */
bool append_quota_compile(struct append *d);
/* A pattern of an option. False: the answer says why. */
bool append_quota_regex(struct append *d, struct str pattern, const struct regex **out);

/* Adds what is in a folder and below to *size and *files (folders are files too). Links to the same file share its size. What cannot
 * be read counts nothing. */
void append_quota_measure(const struct append_quota *q, const char *folder, int64_t *size,
                          int64_t *files);
/* The size of one file by its name, or by stat. */
int64_t append_quota_file_size(const struct append_quota *q, int dir, const char *name);

/* True if the message fits. Else the answer says that the mailbox is full; name: of the file that would have been written;
 * unread_s: how long nobody read the mailbox, 0 when that is unknown. */
bool append_quota_fits(struct append *d, const char *name, int64_t unread_s);
/* After a good delivery: puts a warning into the answer when it took the mailbox over the threshold. */
bool append_quota_warn(struct append *d);

/* Reads "1.5K", "10M/no_check", "75%". percent may be NULL: none allowed. */
bool append_quota_read(struct str text, int64_t *value, bool *no_check, bool *percent);

#endif
