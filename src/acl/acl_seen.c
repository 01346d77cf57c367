/* The condition seen: whether something was met before. Source: specification, "Previously seen user and hosts". */
#include "acl/acl_seen.h"

#include "acl/acl_hints.h"

#include "base/arena.h"
#include "base/num.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "conf/main_options.h"

#include <time.h>

enum { SEEN_VERSION = 1, REFRESH_DEFAULT = 10 * 24 * 3600 };

struct hints *
acl_hints(struct acl_runner *r)
{
    struct str error = STR_NULL;
    if (r->hints != NULL)
        return r->hints;
    const struct conf *c = r->eval->conf;
    struct str spool = c == NULL ? STR_LIT("/nonexistent") : c->main->spool_directory.text;
    const char *path = str_cstr(r->arena, str_printf(r->arena, "%.*s/db", STR_ARG(spool)));
    r->hints = hints_open(r->arena, path, &error);
    if (str_is_set(error))
        acl_log(r, ACL_LOG_MAIN | ACL_LOG_PANIC, "%.*s", STR_ARG(error));
    return r->hints;
}

struct seen {
    bool before; /* the record must be older than the time, else younger */
    bool read_only, write;
    int64_t interval, refresh;
    struct str key;
    int64_t now;
    bool result;
};

static bool
take_option(struct seen *s, struct str o)
{
    if (str_eqz(o, "readonly"))
        s->read_only = true;
    else if (str_eqz(o, "write"))
        s->write = true;
    else if (str_starts(o, "key="))
        s->key = str_sub(o, strlen("key="), o.n);
    else if (str_starts(o, "refresh="))
        return num_parse_interval(str_sub(o, strlen("refresh="), o.n), &s->refresh);
    else
        return false;
    return true;
}

static bool
parse(struct acl_call *c, struct str arg, struct seen *s)
{
    struct strlist_split l = strlist_split_start(arg, '/');
    struct str first = STR_EMPTY, o;
    (void)strlist_split_next(&l, vm_scratch(c->r->vm), &first);
    s->before = first.n > 0 && first.p[0] == '-';
    if (!num_parse_interval(str_sub(first, s->before ? 1 : 0, first.n), &s->interval)) {
        (void)acl_error(c, "failed to parse '%.*s'", STR_ARG(first));
        return false;
    }
    while (strlist_split_next(&l, vm_scratch(c->r->vm), &o)) {
        if (o.n == 0 || take_option(s, o))
            continue;
        (void)acl_error(c, "unrecognised option '%.*s' in '%.*s'", STR_ARG(o), STR_ARG(arg));
        return false;
    }
    return true;
}

static int64_t
read_time(struct str v)
{
    uint64_t t = 0;
    for (size_t i = 0; i < 8 && i < v.n; i++)
        t |= (uint64_t)(unsigned char)v.p[i] << (8 * i);
    return (int64_t)t;
}

bool
acl_seen_read(uint16_t version, struct str value, int64_t *seconds)
{
    *seconds = read_time(value);
    return version == SEEN_VERSION && value.n == 8 && *seconds >= 0;
}

static struct str
time_value(struct arena *a, int64_t t)
{
    char *p = arena_alloc(a, 8);
    for (size_t i = 0; i < 8; i++)
        p[i] = (char)((uint64_t)t >> (8 * i));
    return str_from(p, 8);
}

struct seen_update {
    struct seen *s;
    struct arena *arena;
};

/* Decides, and says what is written. */
static bool
update(void *ctx, struct str old, struct str *value)
{
    struct seen_update *u = ctx;
    struct seen *s = u->s;
    bool found = str_is_set(old) && old.n == 8;
    int64_t then = found ? read_time(old) : 0;
    int64_t limit = s->now - s->interval;
    s->result = found && (s->before ? then < limit : then >= limit);
    bool stale = s->before && s->result && then < limit - s->refresh;
    if (s->read_only)
        return false;
    if (s->write || !s->before || !found)
        *value = time_value(u->arena, s->now);
    else if (stale)
        *value = time_value(u->arena, limit);
    else
        return false;
    return true;
}

enum acl_test
acl_cond_seen(struct acl_call *c, const struct acl_item *item, struct str arg)
{
    const struct session *ses = c->r->eval->session;
    struct arena *a = vm_scratch(c->r->vm);
    struct seen s = {.refresh = REFRESH_DEFAULT, .key = STR_NULL, .now = time(NULL)};
    struct seen_update u = {.s = &s, .arena = a};
    (void)item;
    if (!parse(c, arg, &s))
        return ACL_TEST_ERROR;
    if (!str_is_set(s.key) && ses != NULL)
        s.key = ses->sender_host_address;
    if (!str_is_set(s.key) || s.key.n == 0)
        return acl_error(c, "\"seen\" condition without a key: there is no host address");
    (void)hints_update(acl_hints(c->r), a, HINTS_SEEN, s.key, SEEN_VERSION, update, &u);
    return s.result ? ACL_TEST_TRUE : ACL_TEST_FALSE;
}
