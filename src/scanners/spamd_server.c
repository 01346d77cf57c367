/* Servers of spamd_address; see spamd_server.h. Source: specification, "Scanning with SpamAssassin and Rspamd". */
#include "scanners/spamd_server.h"

#include "base/arena.h"
#include "base/num.h"
#include "base/strlist.h"

enum { NUMBER_MAX = 1000000, WAIT_S = 120, HOUR_S = 3600, MINUTE_S = 60, DAY_S = 86400 };

struct reading {
    struct arena *arena;
    void (*warn)(void *ctx, struct str text);
    void *ctx;
};

static void
warn(struct reading *r, const char *what, struct str text)
{
    r->warn(r->ctx, str_printf(r->arena, "warning - %s: '%.*s'", what, STR_ARG(text)));
}

/* --- options --- */

static bool
parse_number(struct str s, int64_t *out)
{
    uint64_t n;
    if (!num_parse_digits(s, &n) || n > NUMBER_MAX)
        return false;
    *out = (int64_t)n;
    return true;
}

/* "h", "h.m" or "h.m.s", in seconds. */
static bool
parse_time(struct str s, int64_t *out)
{
    static const int64_t units[] = {HOUR_S, MINUTE_S, 1};
    *out = 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t dot = str_chr(s, '.', 0);
        int64_t n;
        if (!parse_number(str_sub(s, 0, dot), &n))
            return false;
        *out += n * units[i];
        if (dot == STR_NPOS)
            return *out <= DAY_S;
        s = str_sub(s, dot + 1, s.n);
    }
    return false;
}

static bool
parse_times(struct str s, struct spamd_server *out)
{
    size_t dash = str_chr(s, '-', 0);
    int64_t from, to;
    if (dash == STR_NPOS || !parse_time(str_sub(s, 0, dash), &from) ||
        !parse_time(str_sub(s, dash + 1, s.n), &to))
        return false;
    out->from_s = from;
    out->to_s = to;
    return true;
}

static void
parse_option(struct reading *r, struct str option, struct spamd_server *out)
{
    size_t at = str_chr(option, '=', 0);
    struct str name = str_sub(option, 0, at);
    struct str value = str_sub(option, at == STR_NPOS ? option.n : at + 1, option.n);
    bool good = false;
    if (str_eqz(name, "pri"))
        good = parse_number(value, &out->priority);
    else if (str_eqz(name, "weight"))
        good = parse_number(value, &out->weight);
    else if (str_eqz(option, "variant=rspamd"))
        good = out->rspamd = true;
    if (good)
        return;
    if (str_eqz(name, "time")) {
        if (!parse_times(value, out))
            warn(r, "invalid spamd time value", value);
    } else if (str_eqz(name, "retry")) {
        if (!num_parse_interval(value, &out->retry_s))
            warn(r, "invalid spamd retry value", value);
    } else if (str_eqz(name, "tmo")) {
        if (!num_parse_interval(value, &out->wait_s))
            warn(r, "invalid spamd timeout value", value);
    } else {
        warn(r, "invalid spamd parameter", option);
    }
}

/* --- one server --- */

/* Words with white space between them: an element may name another separator. */
static struct str
with_spaces(struct arena *a, struct str item)
{
    if (item.n < 2 || item.p[0] != '<')
        return item;
    struct buf b = buf_in(a, 0);
    struct strlist_split s = strlist_split_start(item, ' ');
    struct str word;
    while (strlist_split_next(&s, a, &word)) {
        buf_adds(&b, word);
        buf_addc(&b, ' ');
    }
    struct str out = buf_str(&b);
    return str_is_set(out) ? out : STR_EMPTY;
}

static bool
parse_server(struct reading *r, struct str item, struct spamd_server *out)
{
    struct str rest;
    *out = (struct spamd_server){.priority = 1, .weight = 1, .from_s = -1, .wait_s = WAIT_S};
    if (!scan_place_parse(with_spaces(r->arena, item), &out->place, &rest)) {
        warn(r, "invalid spamd address", item);
        return false;
    }
    while (rest.n > 0)
        parse_option(r, str_take_word(&rest), out);
    return true;
}

void
spamd_servers_parse(struct arena *a, struct str list, struct spamd_servers *out,
                    void (*to)(void *ctx, struct str text), void *ctx)
{
    struct reading r = {.arena = a, .warn = to, .ctx = ctx};
    struct strlist_split s = strlist_split_start(list, ':');
    struct str item;
    out->n = 0;
    while (strlist_split_next(&s, a, &item)) {
        if (out->n == SPAMD_SERVERS_MAX) {
            warn(&r, "more than 32 spamd servers, not used", item);
            return;
        }
        if (parse_server(&r, item, &out->v[out->n]))
            out->n++;
    }
}

/* --- choosing --- */

/* From one time of the day to another, which may be that of the next day. */
static bool
is_in_use(const struct spamd_server *s, int64_t now)
{
    if (s->from_s < 0)
        return true;
    return s->from_s <= s->to_s ? now >= s->from_s && now < s->to_s
                                : now >= s->from_s || now < s->to_s;
}

/* Even one without weight is asked when nobody else is left. */
static uint64_t
share_of(const struct spamd_server *s)
{
    return s->weight > 0 ? (uint64_t)s->weight : 1;
}

bool
spamd_servers_next(struct spamd_servers *s, int64_t second_of_day,
                   uint64_t (*random)(uint64_t bound), struct spamd_server *out)
{
    int64_t best = -1;
    uint64_t weights = 0, at;
    for (size_t i = 0; i < s->n; i++)
        if (is_in_use(&s->v[i], second_of_day) && s->v[i].priority > best)
            best = s->v[i].priority;
    for (size_t i = 0; i < s->n; i++)
        if (is_in_use(&s->v[i], second_of_day) && s->v[i].priority == best)
            weights += share_of(&s->v[i]);
    if (weights == 0)
        return false;
    at = random(weights);
    for (size_t i = 0; i < s->n; i++) {
        if (!is_in_use(&s->v[i], second_of_day) || s->v[i].priority != best)
            continue;
        uint64_t share = share_of(&s->v[i]);
        if (at < share) {
            *out = s->v[i];
            s->v[i] = s->v[--s->n];
            return true;
        }
        at -= share;
    }
    return false;
}
