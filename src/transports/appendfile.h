/* What the files of the appendfile transport share: its options, and one delivery under way.
 *
 * appendfile.c: options and the order of steps; append_path.c: where to; append_file.c: one mailbox file; append_new.c: a
 * new file a message; maildir.c, mailstore.c, mbx.c: formats; append_quota.c, maildirsize.c: limits; mailbox_lock.c: locks.
 */
#ifndef REMEX_TRANSPORTS_APPENDFILE_H
#define REMEX_TRANSPORTS_APPENDFILE_H

#include "mail/why_errno.h"
#include "sys/durable.h"
#include "transports/transport.h"

struct transport_appendfile {
    bool allow_fifo, allow_symlink;
    struct xstr batch_id;
    int64_t batch_max;
    bool check_group, check_owner;
    struct str check_string;
    bool create_directory;
    struct str create_file;
    struct xstr directory, directory_file;
    int64_t directory_mode;
    struct str escape_string;
    struct xstr file;
    struct str file_format;
    bool file_must_exist;
    int64_t lock_fcntl_timeout, lock_flock_timeout, lock_interval, lock_retries, lockfile_mode,
        lockfile_timeout;
    struct xstr mailbox_filecount, mailbox_size;
    bool maildir_format;
    struct str maildir_quota_directory_regex;
    int64_t maildir_retries;
    struct xstr maildir_tag;
    struct opt_xbool maildir_use_size_file;
    struct str maildirfolder_create_regex;
    bool mailstore_format;
    struct xstr mailstore_prefix, mailstore_suffix;
    bool mbx_format;
    struct xstr message_prefix, message_suffix;
    int64_t mode;
    bool mode_fail_narrower, notify_comsat;
    struct xstr quota, quota_directory, quota_filecount;
    bool quota_is_inclusive;
    struct str quota_size_regex;
    struct xstr quota_warn_message, quota_warn_threshold;
    bool use_bsmtp, use_crlf, use_fcntl_lock, use_flock_lock, use_lockfile, use_mbx_lock;
};

struct append_quota;  /* append_quota.h */
struct message_write; /* message_write.h */

/* One delivery. */
struct append {
    const struct transport_job *job;
    const struct driver_instance
        *transport; /* whose options hold: file_format may pass a delivery on */
    const struct transport_appendfile *opt;
    const struct durable_calls *calls;
    struct arena *arena;
    struct transport_answer *answer; /* of all addresses alike */
    struct append_quota *quota;
    char *path;         /* file or folder, absolute */
    bool folder;        /* path is a folder */
    char *quota_folder; /* what counts for the quota of a folder */
    int64_t mode;       /* of the file */
    bool mode_forced;   /* by the filter that saved to it */
    const char
        *within; /* create_file: new files are made below this folder only; NULL: anywhere */
    struct message_write *message; /* how it is written */
    int64_t written;               /* bytes of the message as it was written */
};

/* Set the answer; both return false. err: an errno or an enum why_errno. The second is for faults of the configuration, which go
 * to the panic log as well. */
bool append_defer(struct append *d, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool append_broken(struct append *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* False: who asked for the delivery is gone (the answer says so). */
bool append_is_wanted(struct append *d);
/* The message is frozen besides. */
bool append_defer_frozen(struct append *d, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Expands an option; an unset one is unset. `what` names it in the answer: "(prefix for t transport)". */
bool append_expand(struct append *d, const struct xstr *option, const char *what,
                   struct str *out);

/* The name in log lines and answers. */
const char *append_name(const struct append *d);

#endif
