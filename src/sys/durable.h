/* Files that survive a power cut: the one place that knows the order of the calls.
 *
 * A file becomes visible under its name only when its content is on stable storage: temporary name, write,
 * fsync, rename, fsync of the directory. Every call goes through a table, so that a test can make each of
 * them fail in turn. Nothing here retries a failed fsync: after one, the kernel may have dropped the pages.
 */
#ifndef REMEX_SYS_DURABLE_H
#define REMEX_SYS_DURABLE_H

#include "base/str.h"

#include <sys/types.h>
#include <sys/uio.h>

struct durable_calls {
    int (*open_at)(int dir, const char *name, int flags, mode_t mode);
    ssize_t (*write_some)(int fd, const void *p, size_t n);
    int (*sync)(int fd);
    int (*rename_at)(int dir, const char *from, const char *to);
    int (*unlink_at)(int dir, const char *name);
    int (*close_fd)(int fd);
    int (*link_at)(int dir, const char *from, const char *to);
    /* Renames, and takes no other file's place: EEXIST. EINVAL: the file system cannot. */
    int (*move_at)(int dir, const char *from, const char *to);
    int (*truncate_fd)(int fd, off_t n);
    /* For files that are written in place. */
    ssize_t (*write_at)(int fd, const struct iovec *v, int n, off_t at);
    int (*sync_content)(int fd); /* without times and the like (fdatasync) */
    int (*allocate)(int fd, off_t n);
};

/* The kernel's own. */
extern const struct durable_calls durable_kernel;
/* The same without any sync, for disable_fsync: mail is lost in a crash. */
extern const struct durable_calls durable_unsynced;

enum { DURABLE_TEXT_MAX = 256 };

/* The first call that failed, on which file, and why. */
struct durable_fault {
    int sys_errno;
    char text[DURABLE_TEXT_MAX]; /* "failed to fsync \"x-H\": Input/output error" */
};

enum { DURABLE_PIECES_MAX = 8 };

struct durable_pieces {
    const struct iovec *v;
    size_t n;
};

enum durable_kind {
    DURABLE_NEW,     /* on failure the name does not exist afterwards */
    DURABLE_REPLACE, /* on failure the name has the old content, or the new one whole */
};

struct durable_names {
    const char *temp; /* in the same directory; a left-over of that name is replaced */
    const char *name;
};

/* Makes n bytes the content of a file in dir and syncs file and directory. False with *f filled in; the
 * temporary file is then gone. The caller sees to it that no one else uses the same names meanwhile. */
bool durable_write(const struct durable_calls *c, int dir, struct durable_names names,
                   struct str content, enum durable_kind kind, struct durable_fault *f);
/* Writes all, going on after short writes and interrupts; no sync. `name` is for the text. */
bool durable_append(const struct durable_calls *c, int fd, const char *name, struct str content,
                    struct durable_fault *f);
/* Writes all pieces (at most DURABLE_PIECES_MAX) one behind the other at a place of the file, going on after short
 * writes and interrupts; no sync. */
bool durable_write_at(const struct durable_calls *c, int fd, const char *name,
                      struct durable_pieces what, off_t at, struct durable_fault *f);
/* Syncs a file or a directory. */
bool durable_sync(const struct durable_calls *c, int fd, const char *name,
                  struct durable_fault *f);
/* Removes a name; that it is not there is no failure. The directory is not synced. */
bool durable_remove(const struct durable_calls *c, int dir, const char *name,
                    struct durable_fault *f);
/* Fills in *f from errno: "failed to <what> \"<name>\": <reason>". Always false. */
bool durable_failed(struct durable_fault *f, const char *what, const char *name);

#endif
