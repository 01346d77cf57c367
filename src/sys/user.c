/* Users and groups by name or number, with a cache of answers. */
#include "sys/user.h"

#include "base/arena.h"
#include "base/map.h"
#include "sys/account.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/types.h>

enum {
    NAME_MAX_BYTES = 256, /* longer names are not asked for */
    DIGITS_MAX = 18,
};

struct answer {
    bool found;
    int64_t id;
};

struct user_cache {
    struct arena *arena;
    struct map *users;
    struct map *groups;
};

struct user_cache *
user_cache_new(struct arena *a)
{
    struct user_cache *c = ARENA_NEW(a, struct user_cache);
    c->arena = a;
    c->users = map_new(a, MAP_CASEFUL);
    c->groups = map_new(a, MAP_CASEFUL);
    return c;
}

/* Numbers wrap to 32 bits as they do in Exim; beyond 18 digits they are cut to the largest. */
static bool
read_number(struct str name, int64_t *id)
{
    uint32_t i = name.n > 0 && name.p[0] == '-' ? 1 : 0;
    if (i == name.n)
        return false;
    uint32_t first = i;
    int64_t v = 0;
    for (; i < name.n; i++) {
        if (!ascii_digit(name.p[i]))
            return false;
        if (i - first < DIGITS_MAX)
            v = v * 10 + (name.p[i] - '0');
    }
    if (name.n - first > DIGITS_MAX)
        v = UINT32_MAX;
    *id = (int64_t)(uint32_t)(first == 1 ? -v : v);
    return true;
}

static bool
ask_user(const struct account_rules *r, const char *z, int64_t *id)
{
    struct arena *a = arena_new();
    const struct passwd *pw = account_user_by(a, r, z);
    bool found = pw != NULL;
    if (found)
        *id = (int64_t)pw->pw_uid;
    arena_free(a);
    return found;
}

static bool
ask_group(const struct account_rules *r, const char *z, int64_t *id)
{
    struct arena *a = arena_new();
    const struct group *gr = account_group_by(a, r, z);
    bool found = gr != NULL;
    if (found)
        *id = (int64_t)gr->gr_gid;
    arena_free(a);
    return found;
}

static const struct account_rules plain = {.retries = 0};

typedef bool ask_fn(const struct account_rules *r, const char *z, int64_t *id);

static bool
find(const struct account_rules *r, struct str name, ask_fn *ask, int64_t *id)
{
    char z[NAME_MAX_BYTES + 1];
    if (read_number(name, id))
        return true;
    if (name.n == 0 || name.n > NAME_MAX_BYTES || str_has_nul(name))
        return false;
    memcpy(z, name.p, name.n);
    z[name.n] = '\0';
    return ask(r, z, id);
}

/* A name that was asked for before has the same answer. */
static bool
find_known(struct arena *a, struct map *known, struct str name, ask_fn *ask, int64_t *id)
{
    struct answer *kept = map_get(known, name);
    if (kept == NULL) {
        kept = ARENA_NEW(a, struct answer);
        kept->found = find(&plain, name, ask, &kept->id);
        map_set(known, str_dup(a, name), kept);
    }
    *id = kept->id;
    return kept->found;
}

bool
user_find(struct user_cache *c, struct str name, int64_t *uid)
{
    return c != NULL ? find_known(c->arena, c->users, name, ask_user, uid)
                     : find(&plain, name, ask_user, uid);
}

bool
user_find_group(struct user_cache *c, struct str name, int64_t *gid)
{
    return c != NULL ? find_known(c->arena, c->groups, name, ask_group, gid)
                     : find(&plain, name, ask_group, gid);
}

bool
user_find_by(const struct account_rules *r, struct str name, int64_t *uid)
{
    return find(r, name, ask_user, uid);
}

bool
user_find_group_by(const struct account_rules *r, struct str name, int64_t *gid)
{
    return find(r, name, ask_group, gid);
}

struct str
user_name(struct arena *a, int64_t uid)
{
    const struct passwd *pw = account_user_of_id(a, (uid_t)uid);
    return pw != NULL ? str_dup(a, str_from_cstr(pw->pw_name)) : STR_NULL;
}

struct str
user_group_name(struct arena *a, int64_t gid)
{
    const struct group *gr = account_group_of_id(a, (gid_t)gid);
    return gr != NULL ? str_dup(a, str_from_cstr(gr->gr_name)) : STR_NULL;
}
