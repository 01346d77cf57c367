/* Identity and privilege of the process; see priv.h.
 *
 * Only start-up code and children before exec call this: ids are a property of the whole process,
 * so nothing here may run while other threads do.
 */
#include "sys/priv.h"

#include "base/arena.h"
#include "sys/account.h"
#include "sys/caps.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <unistd.h>

void
priv_caller_get(struct priv_caller *c)
{
    c->uid = getuid();
    c->gid = getgid();
    c->euid = geteuid();
    c->egid = getegid();
    int n = getgroups(PRIV_GROUPS_MAX, c->groups);
    c->groups_n = n > 0 ? (size_t)n : 0;
}

bool
priv_caller_in_group(const struct priv_caller *c, gid_t gid)
{
    if (c->gid == gid)
        return true;
    for (size_t i = 0; i < c->groups_n; i++) {
        if (c->groups[i] == gid)
            return true;
    }
    return false;
}

static bool
set_ids(uid_t uid, gid_t gid)
{
    if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        return false;
    if (getuid() != uid || geteuid() != uid || getgid() != gid || getegid() != gid) {
        errno = EPERM;
        return false;
    }
    /* The proof that the power is gone. */
    if (uid != 0 && setresuid((uid_t)-1, 0, (uid_t)-1) == 0) {
        errno = EPERM;
        return false;
    }
    return true;
}

bool
priv_drop_to_real(void)
{
    return set_ids(getuid(), getgid());
}

bool
priv_become(uid_t uid, gid_t gid)
{
    if (geteuid() == 0 && setgroups(1, &gid) != 0)
        return false;
    return set_ids(uid, gid);
}

bool
priv_lower(uid_t uid, gid_t gid)
{
    if (geteuid() != 0)
        return true;
    return setgroups(1, &gid) == 0 && setresgid(gid, gid, 0) == 0 &&
           setresuid(uid, uid, 0) == 0;
}

bool
priv_has_reserve(void)
{
    uid_t r, e, saved;
    return getresuid(&r, &e, &saved) != 0 || r == 0 || e == 0 || saved == 0;
}

/* True if the process is root now; *able: it is who it is to be, and cannot be anybody else. */
static bool
take_reserve(uid_t uid, gid_t gid, bool *able)
{
    uid_t real, effective, saved;
    *able = false;
    if (getresuid(&real, &effective, &saved) != 0)
        return false;
    if (effective == 0 || saved == 0)
        return setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0;
    errno = EPERM;
    *able = uid == real && uid == effective && set_ids(uid, gid);
    return false;
}

bool
priv_become_reader(uid_t uid, gid_t gid)
{
    bool able;
    if (!take_reserve(uid, gid, &able))
        return able;
    return uid != 0 && setgroups(1, &gid) == 0 && caps_keep_over_setuid(true) &&
           set_ids(uid, gid) && caps_keep_over_setuid(false) &&
           caps_keep_only(caps_to_read_all());
}

bool
priv_become_user(uid_t uid, gid_t gid, const char *login)
{
    bool able;
    if (!take_reserve(uid, gid, &able))
        return able;
    if ((login != NULL ? initgroups(login, gid) : setgroups(1, &gid)) != 0)
        return false;
    return set_ids(uid, gid);
}

/* A whole number that fits an id, or false. */
static bool
id_from_digits(const char *s, unsigned long *out)
{
    if (*s < '0' || *s > '9')
        return false;
    char *end;
    errno = 0;
    *out = strtoul(s, &end, 10);
    return errno == 0 && *end == '\0' && *out < 0xffffffffUL;
}

bool
priv_user_find(const char *name, uid_t *uid, gid_t *gid)
{
    unsigned long id;
    bool number = id_from_digits(name, &id);
    if (number && gid == NULL) {
        *uid = (uid_t)id;
        return true;
    }
    struct arena *a = arena_new();
    const struct passwd *pw = number ? account_user_of_id(a, (uid_t)id) : account_user(a, name);
    bool found = pw != NULL;
    if (found)
        *uid = pw->pw_uid;
    else if (number)
        *uid = (uid_t)id;
    if (found && gid != NULL)
        *gid = pw->pw_gid;
    arena_free(a);
    return found;
}

bool
priv_group_find(const char *name, gid_t *gid)
{
    unsigned long id;
    if (id_from_digits(name, &id)) {
        *gid = (gid_t)id;
        return true;
    }
    struct arena *a = arena_new();
    const struct group *gr = account_group(a, name);
    bool found = gr != NULL;
    if (found)
        *gid = gr->gr_gid;
    arena_free(a);
    return found;
}

bool
priv_keep_standard_fds(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        int got = open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
        if (got != fd)
            return false;
    }
    return true;
}

struct priv_files
priv_files_as(struct priv_files who)
{
    gid_t gid = (gid_t)setfsgid(who.gid);
    return (struct priv_files){.uid = (uid_t)setfsuid(who.uid), .gid = gid};
}
