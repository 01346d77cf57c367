/* Who called, and with which privilege: the real uid is the identity, the effective uid the power.
 *
 * Only priv_become_user uses a reserve, to give it up, and priv_files_as, for a moment. A process that gave its privilege up cannot get it back
 * (real, effective and saved ids are set together and checked). Single-threaded start-up only.
 */
#ifndef REMEX_SYS_PRIV_H
#define REMEX_SYS_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PRIV_GROUPS_MAX = 256 };

/* The caller as the process was started. */
struct priv_caller {
    uid_t uid; /* real: who it is */
    gid_t gid;
    uid_t euid; /* effective: what it may do */
    gid_t egid;
    size_t groups_n; /* supplementary groups; more than the maximum are cut off */
    gid_t groups[PRIV_GROUPS_MAX];
};

void priv_caller_get(struct priv_caller *c);
/* True if gid is the real group or a supplementary one. */
bool priv_caller_in_group(const struct priv_caller *c, gid_t gid);

/* Becomes the real user for good: group first, then user, all three ids. Returns false with errno set when
 * the kernel refused or the old power could be had again; the caller must then end. */
bool priv_drop_to_real(void);
/* The same for another user; groups are cut down to gid. */
bool priv_become(uid_t uid, gid_t gid);

/* Works as the mail user from now on, with root in reserve (saved ids) for children that become users. Nothing
 * happens when the process is not root. False: not possible. */
bool priv_lower(uid_t uid, gid_t gid);
/* True if this process is root or could be again. */
bool priv_has_reserve(void);
/* In a child of such a process (or of root): becomes the user for good, with the groups of login (NULL: with gid alone). An unprivileged
 * process may only become who it is. */
bool priv_become_user(uid_t uid, gid_t gid, const char *login);
/* The same without further groups, and with one power kept as far as the process has it: to read every file. For the few questions that
 * only root's eyes can answer and that no process of root may ask. */
bool priv_become_reader(uid_t uid, gid_t gid);

/* Looks a user or group up by name or number. False: there is none. gid may be NULL. */
bool priv_user_find(const char *name, uid_t *uid, gid_t *gid);
bool priv_group_find(const char *name, gid_t *gid);

/* Opens /dev/null on those of descriptors 0, 1 and 2 that are closed, so that no file that is opened later
 * takes their place. False: not possible. */
bool priv_keep_standard_fds(void);

/* As whom this thread opens and makes files, apart from all else that it may do. Needs the power to become users. */
struct priv_files {
    uid_t uid;
    gid_t gid;
};
/* From here on as this user, without root's powers over files unless it is root. Returns who it was, to be given back the same way. */
struct priv_files priv_files_as(struct priv_files who);

#endif
