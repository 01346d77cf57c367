/* Files and folders of a user, opened and made by a process that already is the user.
 *
 * Nothing here follows a symbolic link in the last step unless it is told to. Modes are exact: the
 * umask does not count. Paths are absolute. Source of the rules: specification, "Operational details for appending".
 */
#ifndef REMEX_SYS_USER_FILE_H
#define REMEX_SYS_USER_FILE_H

#include "sys/durable.h"

#include <sys/stat.h>

struct arena;

struct user_file_request {
    const char *path;
    int flags;   /* O_RDWR, O_APPEND, O_CREAT, O_EXCL ...; O_CLOEXEC is added */
    mode_t mode; /* of a file that is made */
    bool follow; /* a symbolic link in the last step is followed */
    const char *
        within; /* the folder that no step may lead out of (path_open.h); NULL: any place */
};

/* A descriptor, or -1 with errno (EXDEV: the path leads out of `within`). A new file gets its mode exactly. */
int user_file_open(const struct durable_calls *c, const struct user_file_request *rq);

/* Makes the folders of a path that are missing, the last one included. False with errno. */
bool user_file_make_folders(struct arena *a, const char *path, mode_t mode, const char *within);

/* True if the path, as far as it exists, leads to a place below the folder: links are followed, and no step that is still
 * missing is "..". */
bool user_file_is_below(struct arena *a, const char *path, const char *folder);

/* The folder of a path: "/a" for "/a/b", "/" for "/a". */
char *user_file_folder(struct arena *a, const char *path);

/* Writes an open file's bytes to the disk and waits for that: what is changed of the file afterwards is not durable before they are. No sync. False
 * with errno. */
bool user_file_write_out(int fd);

/* A note that goes with an open file (an extended attribute, named user.SOMETHING). Reading returns the bytes,
 * 0 when there is none. Writing: false with errno when it cannot be kept, as not every file system has them. */
size_t user_file_note_read(int fd, const char *name, char *out, size_t room);
bool user_file_note_write(int fd, const char *name, const char *p, size_t n);

/* Syncs a folder, so that names in it survive. False with errno. */
bool user_file_sync_folder(const struct durable_calls *c, const char *path);

#endif
