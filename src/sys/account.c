/* Users and groups; see the header. The C library wants room for an entry's texts and says when there is too
 * little: it is doubled then, up to a cap. */
#include "sys/account.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

enum { ROOM_FIRST = 1024, ROOM_MAX = 1 << 20 };

const struct passwd *
account_user(struct arena *a, const char *name)
{
    struct passwd *pw = ARENA_NEW(a, struct passwd), *found = NULL;
    int error = ERANGE;
    for (size_t n = ROOM_FIRST; error == ERANGE && n <= ROOM_MAX; n *= 2)
        error = getpwnam_r(name, pw, arena_alloc(a, n), n, &found);
    return error == 0 ? found : NULL;
}

const struct passwd *
account_user_of_id(struct arena *a, uid_t uid)
{
    struct passwd *pw = ARENA_NEW(a, struct passwd), *found = NULL;
    int error = ERANGE;
    for (size_t n = ROOM_FIRST; error == ERANGE && n <= ROOM_MAX; n *= 2)
        error = getpwuid_r(uid, pw, arena_alloc(a, n), n, &found);
    return error == 0 ? found : NULL;
}

const struct group *
account_group(struct arena *a, const char *name)
{
    struct group *gr = ARENA_NEW(a, struct group), *found = NULL;
    int error = ERANGE;
    for (size_t n = ROOM_FIRST; error == ERANGE && n <= ROOM_MAX; n *= 2)
        error = getgrnam_r(name, gr, arena_alloc(a, n), n, &found);
    return error == 0 ? found : NULL;
}

const struct group *
account_group_of_id(struct arena *a, gid_t gid)
{
    struct group *gr = ARENA_NEW(a, struct group), *found = NULL;
    int error = ERANGE;
    for (size_t n = ROOM_FIRST; error == ERANGE && n <= ROOM_MAX; n *= 2)
        error = getgrgid_r(gid, gr, arena_alloc(a, n), n, &found);
    return error == 0 ? found : NULL;
}

/* The database may be far away, and then does not tell apart what is not there and what cannot be had now. */
static bool
try_again(const struct account_rules *r, int64_t *tried)
{
    const struct timespec second = {.tv_sec = 1};
    if ((*tried)++ >= r->retries)
        return false;
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &second, NULL);
    return true;
}

const struct passwd *
account_user_by(struct arena *a, const struct account_rules *r, const char *name)
{
    const struct passwd *pw;
    int64_t tried = 0;
    if (r->longest > 0 && strlen(name) > (size_t)r->longest)
        return NULL;
    while ((pw = account_user(a, name)) == NULL && try_again(r, &tried))
        continue;
    return pw;
}

const struct group *
account_group_by(struct arena *a, const struct account_rules *r, const char *name)
{
    const struct group *gr;
    int64_t tried = 0;
    while ((gr = account_group(a, name)) == NULL && try_again(r, &tried))
        continue;
    return gr;
}
