/* Option tables: finding rows, structs with defaults, what was set and where.
 *
 * Parsing is opt_parse.c, printing opt_print.c.
 */
#include "conf/opt.h"

#include "base/arena.h"
#include "conf/opt_parse.h"

#include <assert.h>
#include <string.h>

enum { WORD_BITS = 64 };

int
opt_find(const struct opt_table *t, struct str name)
{
    size_t low = 0;
    size_t high = t->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        struct str row = t->rows[mid].name;
        uint32_t n = row.n < name.n ? row.n : name.n;
        int c = memcmp(name.p, row.p, n);
        if (c == 0 && row.n == name.n)
            return (int)mid;
        if (c < 0 || (c == 0 && name.n < row.n))
            high = mid;
        else
            low = mid + 1;
    }
    return -1;
}

/* A value for OPT_T_FUNCTION rows that comes from the table instead of a file. */
static void
default_by_function(struct arena *a, const struct opt *o, void *field)
{
    if (o->parse == NULL || o->text == NULL)
        return;
    struct opt_ctx ctx = {.arena = a, .diags = diags_new(a, 1)};
    struct opt_value v = {.ctx = &ctx, .name = o->name, .text = str_from_cstr(o->text)};
    bool ok = o->parse(&v, field);
    assert(ok);
    (void)ok;
}

static void
default_times(struct arena *a, const char *text, struct opt_times *t)
{
    int64_t seconds = text != NULL ? opt_read_time(str_from_cstr(text)) : -1;
    if (seconds < 0)
        return;
    int64_t *v = ARENA_ARRAY(a, int64_t, 1);
    v[0] = seconds;
    *t = (struct opt_times){.v = v, .n = 1};
}

static void
set_default(struct arena *a, const struct opt *o, void *field)
{
    switch (o->type) {
    case OPT_T_BOOL:
        *(bool *)field = o->number != 0;
        break;
    case OPT_T_INT:
    case OPT_T_SIZE:
    case OPT_T_KSIZE:
    case OPT_T_OCTAL:
    case OPT_T_FIXED:
    case OPT_T_TIME:
        *(int64_t *)field = o->number;
        break;
    case OPT_T_TIME_LIST:
        default_times(a, o->text, field);
        break;
    case OPT_T_STR:
        *(struct str *)field = str_from_cstr(o->text);
        break;
    case OPT_T_XSTR:
    case OPT_T_LIST:
    case OPT_T_DOMAINS:
    case OPT_T_HOSTS:
    case OPT_T_ADDRESSES:
    case OPT_T_LOCALPARTS:
    case OPT_T_REWRITE:
        ((struct xstr *)field)->text = str_from_cstr(o->text);
        break;
    case OPT_T_XBOOL:
        ((struct opt_xbool *)field)->on = o->number != 0;
        break;
    case OPT_T_XTIME:
        ((struct opt_xtime *)field)->s = o->number;
        break;
    case OPT_T_FUNCTION:
        default_by_function(a, o, field);
        break;
    case OPT_T_BOOL_VERIFY:
    case OPT_T_UID:
    case OPT_T_GID:
    case OPT_T_XUID:
    case OPT_T_XGID:
    case OPT_T_UIDS:
    case OPT_T_GIDS:
        break; /* unset */
    }
}

struct opt_set
opt_new(struct arena *a, const struct opt_table *t)
{
    size_t words = (t->n + WORD_BITS - 1) / WORD_BITS;
    struct opt_set s = {
        .table = t,
        .fields = arena_zalloc(a, 1, t->size),
        .set = ARENA_ARRAY(a, uint64_t, words),
        .hide = ARENA_ARRAY(a, uint64_t, words),
    };
    for (size_t i = 0; i < t->n; i++) {
        const struct opt *o = &t->rows[i];
        if (o->number != 0 || o->text != NULL)
            set_default(a, o, (char *)s.fields + o->offset);
    }
    return s;
}

static bool
bit(const uint64_t *bits, int row)
{
    return row >= 0 && (bits[row / WORD_BITS] >> (row % WORD_BITS) & 1) != 0;
}

bool
opt_is_set(const struct opt_set *s, int row)
{
    return bit(s->set, row);
}

bool
opt_is_hidden(const struct opt_set *s, int row)
{
    return row >= 0 && (bit(s->hide, row) || (s->table->rows[row].flags & OPT_SECRET) != 0);
}

struct span
opt_where(const struct opt_set *s, int row)
{
    for (size_t i = 0; i < s->places.n; i++)
        if (s->places.v[i].row == row)
            return s->places.v[i].at;
    return (struct span){.source = NULL};
}

struct str
opt_nearest(struct arena *a, const struct opt_table *t, struct str wrong)
{
    size_t prefix = str_starts(wrong, "no_") ? 3 : str_starts(wrong, "not_") ? 4 : 0;
    struct str *names = ARENA_ARRAY(a, struct str, t->n);
    for (size_t i = 0; i < t->n; i++)
        names[i] = t->rows[i].name;
    struct str near = diag_nearest(str_sub(wrong, prefix, wrong.n), names, t->n);
    if (!str_is_set(near))
        return near;
    return str_cat(a, str_sub(wrong, 0, prefix), near);
}
