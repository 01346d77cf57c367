/* Dates in mail. One cursor, tokens separated by white space and comments; every number is
 * bounded by its count of digits before it is checked against its range. */
#include "mail/date.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

struct cursor {
    struct str s;
    size_t at;
};

static void
skip(struct cursor *c)
{
    size_t depth = 0;
    for (; c->at < c->s.n; c->at++) {
        char ch = c->s.p[c->at];
        if (ch == '(')
            depth++;
        else if (ch == ')' && depth > 0)
            depth--;
        else if (ch == '\\' && depth > 0)
            c->at++;
        else if (depth == 0 && !ascii_space(ch))
            break;
    }
}

static bool
take(struct cursor *c, char ch)
{
    skip(c);
    if (c->at >= c->s.n || c->s.p[c->at] != ch)
        return false;
    c->at++;
    return true;
}

/* A number of least to most digits; returns how many there were, 0 when not. */
static size_t
number(struct cursor *c, size_t least, size_t most, int *out)
{
    size_t n = 0;
    *out = 0;
    skip(c);
    for (; c->at < c->s.n && ascii_digit(c->s.p[c->at]); c->at++, n++)
        if (n < most)
            *out = *out * 10 + (c->s.p[c->at] - '0');
    return n >= least && n <= most ? n : 0;
}

static struct str
word(struct cursor *c)
{
    skip(c);
    size_t start = c->at;
    while (c->at < c->s.n && ascii_alpha(c->s.p[c->at]))
        c->at++;
    return str_sub(c->s, start, c->at - start);
}

static bool
read_weekday(struct cursor *c)
{
    struct str w = word(c);
    if (w.n == 0)
        return true;
    for (unsigned i = 0; i < 7; i++)
        if (str_ieqz(w, clock_weekday_name(i)))
            return take(c, ',');
    return false;
}

static bool
read_month(struct cursor *c, struct clock_civil *t)
{
    struct str w = word(c);
    for (unsigned i = 1; i <= 12; i++)
        if (str_ieqz(w, clock_month_name(i))) {
            t->month = (uint8_t)i;
            return true;
        }
    return false;
}

static unsigned
month_days(const struct clock_civil *t)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (t->year % 4 == 0 && t->year % 100 != 0) || t->year % 400 == 0;
    return days[t->month - 1] + (t->month == 2 && leap ? 1u : 0u);
}

/* Two digits are 1950 to 2049, three count from 1900. */
static bool
read_day(struct cursor *c, struct clock_civil *t)
{
    int day;
    int year;
    if (number(c, 1, 2, &day) == 0 || !read_month(c, t))
        return false;
    size_t digits = number(c, 2, 4, &year);
    if (digits == 0)
        return false;
    t->year = digits == 4 ? year : digits == 3 || year >= 50 ? year + 1900 : year + 2000;
    t->day = (uint8_t)day;
    return day >= 1 && (unsigned)day <= month_days(t);
}

static bool
read_time(struct cursor *c, struct clock_civil *t)
{
    int hour;
    int minute;
    int second = 0;
    if (number(c, 1, 2, &hour) == 0 || !take(c, ':') || number(c, 1, 2, &minute) == 0)
        return false;
    if (take(c, ':') && number(c, 1, 2, &second) == 0)
        return false;
    t->hour = (uint8_t)hour;
    t->minute = (uint8_t)minute;
    t->second = (uint8_t)second;
    return hour < 24 && minute < 60 && second <= 60;
}

struct zone_row {
    const char *name;
    int hours;
};

static const struct zone_row zones[] = {
    {"UT", 0},   {"GMT", 0},  {"UTC", 0},  {"EST", -5}, {"EDT", -4}, {"CST", -6},
    {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7},
};

/* "+hhmm" or a name; an unknown name means no known offset, as "-0000" does (RFC 5322
 * section 4.3). */
static bool
read_zone(struct cursor *c, int32_t *offset_s)
{
    int hhmm;
    bool west = take(c, '-');
    *offset_s = 0;
    if (west || take(c, '+')) {
        if (number(c, 4, 4, &hhmm) == 0 || hhmm % 100 > 59)
            return false;
        *offset_s = (hhmm / 100 * 3600 + hhmm % 100 * 60) * (west ? -1 : 1);
        return true;
    }
    struct str name = word(c);
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        if (str_ieqz(name, zones[i].name))
            *offset_s = zones[i].hours * 3600;
    return name.n > 0;
}

bool
date_parse(struct str s, struct date *out)
{
    struct cursor c = {.s = s};
    struct clock_civil t = {0};
    int32_t offset_s;
    if (!read_weekday(&c) || !read_day(&c, &t) || !read_time(&c, &t) ||
        !read_zone(&c, &offset_s))
        return false;
    skip(&c);
    if (c.at < s.n)
        return false;
    *out = (struct date){clock_seconds(t) - offset_s, offset_s};
    return true;
}

size_t
date_print(struct date d, char out[DATE_TEXT_MAX])
{
    static const int64_t least = INT64_C(-62167219200); /* year 0 */
    static const int64_t most = INT64_C(253402300799);
    int64_t local = d.seconds + d.offset_s;
    struct clock_civil t = clock_civil(local < least ? least : local > most ? most : local);
    int minutes = d.offset_s / 60;
    int away = (minutes < 0 ? -minutes : minutes) % (100 * 60);
    int n = snprintf(out, DATE_TEXT_MAX, "%s, %02u %s %04" PRId32 " %02u:%02u:%02u %c%02d%02d",
                     clock_weekday_name(t.weekday), (unsigned)t.day, clock_month_name(t.month),
                     t.year, (unsigned)t.hour, (unsigned)t.minute, (unsigned)t.second,
                     minutes < 0 ? '-' : '+', away / 60, away % 60);
    return n < 0 ? 0 : (size_t)n;
}
